"""What the user decides about items of corpora: kept beside them, applied to what is loaded, and stated."""

import json
import os
import threading
from dataclasses import replace

import numpy as np
import platformdirs
import pytest
import torch
from tiny import Bars, small, write_corpora
from typer.testing import CliRunner

from model import locations
from model.cli.console import print_changes
from model.cli.main import app
from model.data import curation
from model.data.corpora import MissingData
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.mnist import Mnist
from model.data.curation import Change, CurationError, Decision
from model.evaluation.inputs import fingerprint, load_inputs
from model.export import words
from model.runs.corpus_cache import CorpusCache
from model.runs.session import TrainingSession
from model.runs.store import RunRecord
from model.training.config import TrainingConfig
from model.training.loop import TrainingFailed
from model.types import Modality

CPU = torch.device("cpu")
PLAN = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu")
SEVEN = "7_theo_3.wav"


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("library") / "data")


@pytest.fixture(autouse=True)
def folder(corpora, tmp_path, monkeypatch):
    """The corpora in a folder of each test's own."""
    place = tmp_path / "data"
    place.mkdir()
    for name in ("mnist", "fsdd"):
        (place / name).symlink_to(corpora / name)
    monkeypatch.setenv("MODINV_DATA", str(place))
    return place


def about(samples, place):
    """The name of an item, and that nothing is decided about it yet."""
    picture = None if samples.keys else samples.features[place]
    return curation.names_of(samples)[place], Decision.about(int(samples.labels[place]), picture)


def leave_out(samples, *places):
    found = dict(about(samples, place) for place in places)
    return curation.decide(samples.corpus, {name: one.with_excluded(True) for name, one in found.items()})


def relabel(samples, place, label):
    name, one = about(samples, place)
    return curation.decide(samples.corpus, {name: one.with_label(label)})


def test_without_decisions_all_is_as_published(folder):
    for kind in (Mnist, Fsdd):
        published, loaded = kind().published("test"), kind().load("test")
        assert fingerprint(loaded) == fingerprint(published)
        assert loaded.changes == ()
    assert not (folder / "curation").exists(), "to read is not to write"


def test_an_utterance_that_is_left_out_is_not_loaded(folder):
    published = Fsdd().published("test")
    place = published.keys.index(SEVEN)
    leave_out(published, place)
    loaded = Fsdd().load("test")
    assert SEVEN not in loaded.keys
    assert len(loaded) == len(published) - 1
    assert loaded.changes == (Change(SEVEN, "theo", 7, None),)
    assert Fsdd().published("test").keys == published.keys
    assert Fsdd().contents().items["test"] == len(published), "counts stay those of the corpus"
    assert [path.name for path in (folder / "curation").glob("[!.]*")] == ["fsdd.json"]
    kept = [at for at in range(len(published)) if at != place]
    assert np.array_equal(loaded.features, published.features[kept])


def test_a_picture_that_is_relabelled_has_the_other_label(folder):
    published = Mnist().published("train")
    relabel(published, 5, 8)
    loaded = Mnist().load("train")
    assert (int(published.labels[5]), int(loaded.labels[5])) == (5, 8)
    assert np.array_equal(loaded.features, published.features)
    assert fingerprint(loaded) != fingerprint(published)
    assert curation.tally(loaded.changes) == {"excluded": 0, "relabelled": 1}
    assert Mnist().load("test").changes == ()
    assert Mnist(folder).load("train").changes == loaded.changes, "wherever the corpora lie"


def test_former_decisions_undo_and_leave_no_file():
    published = Fsdd().published("test")
    first = leave_out(published, 3, 4)
    second = relabel(published, 3, 9)
    assert len(curation.decisions("fsdd")) == 2
    curation.decide("fsdd", second)
    assert {one.excluded for one in curation.decisions("fsdd").values()} == {True}
    curation.decide("fsdd", first)
    assert curation.decisions("fsdd") == {}
    assert not curation.file_of("fsdd").exists()
    assert curation.state(["fsdd"]) == {}
    assert fingerprint(Fsdd().load("test")) == fingerprint(published)


def test_the_same_decisions_have_the_same_state_in_whatever_order():
    published, states = Mnist().published("test"), []
    for order in ((1, 2), (2, 1)):
        former = {}
        for place in order:
            former |= leave_out(published, place)
        states.append(curation.state(["mnist", "fsdd"]))
        curation.decide("mnist", former)
    assert states[0] == states[1] != {}


def test_a_decision_is_not_applied_to_what_has_changed_since(monkeypatch):
    pictures, speech = Mnist().published("test"), Fsdd().published("test")
    leave_out(pictures, 2, 3)
    leave_out(speech, 0, 1)
    other = replace(pictures, features=pictures.features.copy())
    other.features[2] += 0.5 * (other.features[2] == 0)
    monkeypatch.setattr(Mnist, "read", lambda *_: other)
    assert [change.name for change in Mnist().load("test").changes] == ["MNIST test 3"]
    labels = speech.labels.copy()
    labels[0] = 5
    monkeypatch.setattr(Fsdd, "read", lambda *_: replace(speech, labels=labels))
    assert [change.name for change in Fsdd().load("test").changes] == [speech.keys[1]]


def test_rounding_makes_no_other_picture():
    values = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert curation.digest(values) == curation.digest(values.astype(np.float32) / 255)
    assert curation.digest(values) == curation.digest(values.astype(np.float32) / 255 + 1e-6)
    assert curation.digest(values) != curation.digest(values ^ 1)


def test_a_split_of_which_nothing_is_left_says_so():
    published = Fsdd().published("test")
    leave_out(published, *range(len(published)))
    with pytest.raises(MissingData, match="left out all items of the test split"):
        Fsdd().load("test")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"format": "modinv-curation-2", "decisions": {}}',
        b'{"format": "modinv-curation-1"}',
        b'{"format": "modinv-curation-1", "decisions": {"a": {"published": 10}}}',
        b'{"format": "modinv-curation-1", "decisions": {"a": {"published": 1, "label": 12}}}',
        b'{"format": "modinv-curation-1", "decisions": {"a": {"published": 1, "digest": "../etc/passwd"}}}',
        b'{"format": "modinv-curation-1", "decisions": {"a": {"published": 1, "excluded": 1}}}',
    ],
)
def test_a_damaged_file_is_told_and_stays(content):
    published, file = Fsdd().published("test"), curation.file_of("fsdd")
    file.parent.mkdir()
    file.write_bytes(content)
    for read in (lambda: Fsdd().load("test"), lambda: leave_out(published, 0)):
        with pytest.raises(CurationError, match=r"fsdd\.json is damaged"):
            read()
    assert file.read_bytes() == content
    assert curation.state(["fsdd"]), "what is computed from it has another name"
    assert len(Fsdd().published("test")) == len(published)


def test_what_could_not_be_read_again_is_not_written():
    with pytest.raises(CurationError, match="surrogate"):
        curation.decide("mine", {"7/\udcff.wav": Decision(7, excluded=True)})
    assert not curation.file_of("mine").exists()


def test_takes_are_changed_on_their_own_page():
    with pytest.raises(CurationError, match="My digits"):
        curation.decide("my-speech", {"a": Decision(1, excluded=True)})


def test_names_of_corpora_lead_nowhere_else():
    for name in ("../fsdd", "a/b", "..", "C:\\x"):
        assert curation.file_of(name).parent == locations.curation()


def test_decisions_about_a_folder_that_cannot_be_written_go_to_the_users_own(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda _name: tmp_path / "own")
    monkeypatch.setattr(os, "access", lambda path, _mode: path != folder)  # tests may run as root, who may write all
    published = Fsdd().published("test")
    leave_out(published, 0)
    assert len(Fsdd().load("test")) == len(published) - 1
    assert not (folder / "curation").exists()
    assert (tmp_path / "own" / "data" / "curation" / "fsdd.json").exists()


def test_a_folder_that_cannot_be_made_is_told(folder):
    (folder / "curation").write_text("in the way")
    with pytest.raises(CurationError, match="can't be kept"):
        leave_out(Mnist().published("test"), 0)


def test_processes_do_not_lose_each_others_decisions():
    published = Mnist().published("test")
    threads = [threading.Thread(target=leave_out, args=(published, place)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(curation.decisions("mnist")) == 8


# Training


def test_what_is_left_out_does_not_train_and_is_stated():
    cache = CorpusCache()
    before = cache.sampler(PLAN, CPU)
    assert cache.curated == {}
    leave_out(Mnist().published("train"), *range(4))
    after = cache.sampler(PLAN, CPU)
    assert (before.steps_per_epoch, after.steps_per_epoch) == (10, 9)
    assert cache.curated["mnist"].items() >= {"excluded": 4, "relabelled": 0}.items()
    assert set(cache.curated) == {"mnist"}
    leave_out(Mnist().published("test"), 0)
    cache.sampler(PLAN, CPU)
    assert cache.curated["mnist"]["excluded"] == 4, "only of what trains"


def test_a_relabelled_utterance_is_paired_with_images_of_its_new_digit():
    published = Fsdd().published("train")
    place = published.keys.index("7_theo_5.wav")
    relabel(published, place, 2)
    sampler = CorpusCache().sampler(PLAN, CPU)
    partners = set()
    for step in range(20):
        _, filterbanks, digits = sampler.batch(step, sampler.generator(step))
        same = (filterbanks[:, 0] == published.features[place]).flatten(1).all(1)
        partners |= set(digits[same].tolist())
    assert partners == {2}


@pytest.mark.usefixtures("small_encoders")
def test_the_record_and_the_model_say_what_was_changed(tmp_path):
    published = Fsdd().published("train")
    leave_out(published, 0)
    relabel(published, 2, 9)
    with TrainingSession(tmp_path / "run", PLAN) as session:
        *_, ended = session.train(CorpusCache())
    stated = ended.header.data["curated"]
    assert stated["fsdd"].items() >= {"excluded": 1, "relabelled": 1}.items()
    assert RunRecord(tmp_path / "run").progress().data["curated"] == stated
    assert RunRecord(tmp_path / "run").info().data["curated"] == stated
    assert words.changed(ended.header.data) == "fsdd (1 left out, 1 relabelled)"
    setting = {"trained_on": ended.header.data}
    assert words.trained_on(setting) == (
        "mnist and fsdd (train split), changed by the user: fsdd (1 left out, 1 relabelled)"
    )


@pytest.mark.usefixtures("small_encoders")
def test_a_run_is_not_resumed_with_other_data(tmp_path):
    record = RunRecord(tmp_path / "run")

    def train(curated, stop=lambda: False):
        with TrainingSession(record.folder, PLAN) as session:
            list(session.train(Bars(curated=curated), stop))
        return record.info()

    one, other = ({"mnist": {"excluded": 1, "relabelled": 0, "sha256": name}} for name in "12")
    asked = iter([False, False])
    info = train(one, lambda: next(asked, True))
    assert (info.state, info.step) == ("stopped", 2)
    for curated in ({}, other):
        with pytest.raises(TrainingFailed, match="other items of mnist"):
            train(curated)
        info = record.info()
        assert (info.state, info.resumable, info.step) == ("failed", True, 2)
    assert train(one).state == "complete"


# Evaluation and command line


def test_the_command_line_says_what_is_changed():
    published = Fsdd().published("test")
    leave_out(published, 0, 1)
    relabel(published, 2, 4)
    shown = CliRunner().invoke(app, ["data", "show", "fsdd", "--json"])
    assert json.loads(shown.stdout)["changed"] == {"excluded": 2, "relabelled": 1}
    assert json.loads(shown.stdout)["items"]["test"] == len(published)
    shown = CliRunner().invoke(app, ["data", "show", "fsdd"])
    assert "2 left out, 1 relabelled" in shown.stdout
    assert "Changed" not in CliRunner().invoke(app, ["data", "show", "mnist"]).stdout


def test_the_end_of_a_training_says_what_was_changed_in_its_data(capsys):
    print_changes({"images": ["mnist"], "curated": {"mnist": {"excluded": 1, "relabelled": 2}}})
    assert "changed by your decisions: mnist (1 left out, 2 relabelled)." in capsys.readouterr().err
    for data in ({}, {"images": ["mnist"]}, {"curated": [3]}):
        print_changes(data)
    assert capsys.readouterr().err == ""


def test_one_speakers_inputs_say_what_was_changed_of_theirs():
    published = Fsdd().published("test")
    leave_out(published, 0)
    found = load_inputs(Modality.SPEECH, "fsdd", speaker="theo")
    assert curation.tally(found.changes) == {"excluded": 1, "relabelled": 0}
    assert curation.tally(Fsdd().load("test").without("theo").changes) == {}


@pytest.mark.parametrize(
    ("curated", "said"),
    [
        ({}, ""),
        ({"mnist": {"excluded": 3, "relabelled": 0}}, " Changed by the user: mnist (3 left out)."),
        (
            {"mnist": {"excluded": 1200, "relabelled": 2}, "fsdd": {"excluded": 0, "relabelled": 1}},
            " Changed by the user: mnist (1,200 left out, 2 relabelled) and fsdd (1 relabelled).",
        ),
        ([1], ""),
        ({"mnist": "all"}, ""),
    ],
)
def test_reports_say_what_was_changed(curated, said):
    assert words.curated({"curated": curated}) == said


def test_the_file_is_json_that_a_person_can_read():
    relabel(Mnist().published("test"), 0, 4)
    content = json.loads(curation.file_of("mnist").read_text("utf-8"))
    found = content["decisions"]["MNIST test 0"]
    assert (found["published"], found["label"], found["excluded"]) == (0, 4, False)
