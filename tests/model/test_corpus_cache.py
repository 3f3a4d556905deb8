"""What a process has loaded once it has at hand; what a plan leaves out stays out."""

from dataclasses import replace

import pytest
import torch
from tiny import small, write_corpora

from model import locations
from model.data.corpora import MissingData
from model.data.corpora.fsdd import Fsdd
from model.progress import Cancelled
from model.runs.corpus_cache import CorpusCache
from model.training.config import TrainingConfig

CPU = torch.device("cpu")
PLAN = TrainingConfig(small(), ("mnist", "fsdd"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("library") / "data")


class Told(list):
    """What is told, in words, and how far that is."""

    def __call__(self, share, text):
        self.append((share, text))


LISTENING = "Computing filterbanks of Free Spoken Digit Dataset (only once)"


def test_what_is_loaded_is_told_once(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    library, told = CorpusCache(folder), Told()
    first = library.sampler(PLAN, CPU, told)
    assert told == [
        (None, "Loading MNIST"),
        (None, "Loading Free Spoken Digit Dataset"),
        (0.0, LISTENING),
        *((share, LISTENING) for share, _ in told[3:]),
    ]
    del told[:]
    other = replace(PLAN, recipe=small(lambda_ig=1.0), device="cpu")
    assert library.sampler(other, CPU, told) is first
    assert told == []


def test_who_is_told_can_end_it_and_load_again(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    library = CorpusCache(folder)

    def enough(share, _text):
        if share is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        library.sampler(PLAN, CPU, enough)
    told = Told()
    assert library.sampler(PLAN, CPU, told).steps_per_epoch == 10
    assert told[0] == (None, "Loading Free Spoken Digit Dataset"), "MNIST has stayed"


def test_other_pairs_are_drawn_for_another_seed_from_the_same_data(folder):
    library, told = CorpusCache(folder), Told()
    first = library.sampler(PLAN, CPU)
    second = library.sampler(replace(PLAN, seed=1), CPU, told)
    assert told == []
    assert not torch.equal(first.batch(0, first.generator(0))[0], second.batch(0, second.generator(0))[0])


@pytest.mark.parametrize(
    ("split", "probed", "images", "first"),
    [("train", "validation", 40, "MNIST train 40"), ("train+validation", "test", 30, "MNIST test 0")],
)
def test_the_probe_is_of_data_held_out_from_training(folder, split, probed, images, first):
    library, plan = CorpusCache(folder), replace(PLAN, split=split)
    probe = library.probe(plan)
    assert len(probe.image_features) == images
    assert [item.source for item in probe.items[:1]] == [first]
    assert set(probe.keys) == {f"fsdd:{key}" for key in Fsdd(folder).load(probed).keys}


def test_what_is_for_validation_is_not_learnt_from_unless_the_plan_says_so(folder):
    library = CorpusCache(folder)
    assert library.sampler(PLAN, CPU).steps_per_epoch == 10
    assert library.sampler(replace(PLAN, split="train+validation"), CPU).steps_per_epoch == 20


def test_who_is_left_out_is_not_heard(folder):
    with pytest.raises(ValueError, match="There are: theo"):
        CorpusCache(folder).sampler(replace(PLAN, held_out_speaker="nobody"), CPU)
    with pytest.raises(ValueError, match="needs utterances"):  # the only speaker there is
        CorpusCache(folder).sampler(replace(PLAN, held_out_speaker="theo"), CPU)


def test_an_unknown_corpus_is_told_before_anything_is_loaded(folder):
    told = Told()
    with pytest.raises(ValueError, match="timit"):
        CorpusCache(folder).sampler(replace(PLAN, corpora=("mnist", "timit")), CPU, told)
    assert told == []


def test_a_missing_corpus_can_be_loaded_once_it_is_there(folder, tmp_path):
    (tmp_path / "mnist").symlink_to(folder / "mnist")
    library = CorpusCache(tmp_path)
    with pytest.raises(MissingData):
        library.sampler(PLAN, CPU)
    (tmp_path / "fsdd").symlink_to(folder / "fsdd")
    assert library.sampler(PLAN, CPU).steps_per_epoch == 10
