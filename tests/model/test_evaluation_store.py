"""From a model's file to an evaluation on disk: the same numbers as by hand, kept, found again, and stopped."""

import json
import shutil

import numpy as np
import pytest
import torch
from fresh_python import imported_by

from model import locations
from model.checkpoints import Header, UnusableCheckpoint
from model.data import curation
from model.data.corpora import MissingData, registry
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.mnist import Mnist
from model.data.curation import Decision
from model.data.samples import Samples
from model.evaluation import EvaluationError, EvaluationProtocol, Posteriors, evaluate
from model.evaluation import checkpoints as jobs
from model.evaluation.checkpoints import evaluate_checkpoint
from model.evaluation.store import Evaluation, find, folder_of
from model.export.words import evaluated_on
from model.progress import JobContext
from model.recipes.recipe import named
from model.systems import build
from model.systems.model_io import load_model, save_model
from model.types import Modality

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")

PROTOCOL = EvaluationProtocol(resamplings=2)
IMAGES, UTTERANCES = 90, 40


class Listener(JobContext):
    """Hears what a job says; stops it after some messages of progress."""

    def __init__(self, patience=10**9):
        self.said = []
        self._patience = patience

    def send(self, message):
        self.said.append(json.loads(json.dumps(message)))  # it travels as JSON

    def cancelled(self):
        return len(self.shares()) >= self._patience

    def shares(self):
        return [message["share"] for message in self.said if message["say"] == "progress"]

    def partials(self):
        return [message["report"] for message in self.said if message["say"] == "partial"]


def images(seed):
    labels = np.arange(IMAGES) % 10
    noise = np.random.default_rng(seed).random((IMAGES, 28, 28), np.float32)
    pictures = 0.2 * noise + labels[:, None, None].astype(np.float32) / 20
    return Samples("mnist", Modality.IMAGE, pictures, labels, tuple(f"MNIST test {n}" for n in range(IMAGES)))


def utterances(split, seed):
    labels = np.arange(UTTERANCES) % 10
    noise = np.random.default_rng(seed).standard_normal((UTTERANCES, 100, 80), np.float32)
    return Samples(
        "fsdd",
        Modality.SPEECH,
        noise + labels[:, None, None].astype(np.float32) / 5,
        labels,
        tuple(f"FSDD {split} {n}" for n in range(UTTERANCES)),
        ("theo",) * 20 + ("jackson",) * 20,
        tuple(f"{split}/{n}.wav" for n in range(UTTERANCES)),
    )


STATE = {"seed": 0}


class Images(Mnist):
    def read(self, _split, _progress):
        return images(STATE["seed"])


class Speech(Fsdd):
    def read(self, split, _progress):
        part = split.partition("+")[0]
        return utterances(part, STATE["seed"] + (part == "train"))


@pytest.fixture(scope="module", autouse=True)
def _little_corpora(tmp_path_factory):
    """Small corpora in the places of MNIST and FSDD; a cache of one's own."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry(), "mnist", Images)
        patch.setitem(registry(), "fsdd", Speech)
        patch.setattr(locations, "cache", lambda: cache)
        yield


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """Nothing has been evaluated before."""
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")


@pytest.fixture
def other_data(monkeypatch):
    """The corpora have changed."""
    monkeypatch.setitem(STATE, "seed", 5)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("run") / "model.safetensors", seed=0)


def untrained(path, seed, **data):
    torch.manual_seed(seed)
    recipe = named("fast")
    header = Header(recipe.to_dict(), {}, {"images": ["mnist"], "speech": ["fsdd"], **data}, seed, 0, "cpu", {})
    save_model(path, build(recipe), header)
    return path


@pytest.fixture(scope="module")
def evaluation(_little_corpora, brief_judging, checkpoint):  # noqa: ARG001
    return evaluate_checkpoint(checkpoint, PROTOCOL, Listener())


def posteriors(checkpoint):
    encoders, _ = load_model(checkpoint)
    found = []
    for samples in (images(0), utterances("test", 0)):
        posterior = encoders.encode(samples.modality, samples.features)
        found.append(Posteriors(*posterior, samples.labels, samples.speakers))
    return found


def test_the_numbers_are_those_of_the_same_function(checkpoint, evaluation):
    by_hand = evaluate(*posteriors(checkpoint), PROTOCOL.seed, {"lambda_ig": 2.15e-2}, PROTOCOL.resamplings)
    assert evaluation.report.modality_svm.values == pytest.approx(by_hand.modality_svm.values, abs=0.02)
    assert evaluation.report.image_to_speech.confusion == by_hand.image_to_speech.confusion
    assert evaluation.report.image.mean_kl == pytest.approx(by_hand.image.mean_kl, rel=1e-5)
    assert evaluation.report.setting["n_images"] == IMAGES
    assert evaluation.protocol == PROTOCOL


@pytest.mark.usefixtures("empty_cache")
def test_some_numbers_come_first_and_say_of_how_many_images_they_are(checkpoint, monkeypatch):
    monkeypatch.setattr(jobs, "_SLICE", 25)
    heard = Listener()
    evaluation = evaluate_checkpoint(checkpoint, PROTOCOL, heard)
    first, *others = heard.partials()
    assert first["preliminary_images"] == 25
    assert {"p_at_1", "p_at_1_low", "p_at_1_high", "p_at_10"} < set(first["speech_to_image"]["retrieval"])
    assert not any("preliminary_images" in values for values in others)
    assert others[0]["speech_to_image"]["retrieval"] == evaluation.report.to_json_dict()["speech_to_image"]["retrieval"]
    shares = heard.shares()
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert len([share for share in shares if 0 < share <= 0.35]) == 4  # slices of 25, 25, 25 and 15 images


@pytest.mark.usefixtures("empty_cache")
def test_images_keep_their_places_though_they_are_encoded_in_random_order(checkpoint, monkeypatch):
    monkeypatch.setattr(jobs, "_SLICE", 25)
    evaluation = evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    for kept, expected in zip(evaluation.posteriors(), posteriors(checkpoint), strict=True):
        np.testing.assert_allclose(kept.means, expected.means, atol=2e-3)
        np.testing.assert_allclose(kept.log_variances, expected.log_variances, atol=5e-3)
        assert kept.labels.tolist() == expected.labels.tolist()
        assert kept.speakers == expected.speakers


def test_an_evaluation_survives_the_disk(evaluation):
    again = Evaluation.load(evaluation.folder)
    assert again.report == evaluation.report
    assert json.loads((evaluation.folder / "report.json").read_text()) == json.loads(
        json.dumps(evaluation.report.to_json_dict())
    )
    assert again.items() == evaluation.items()
    assert again.mistakes() == evaluation.mistakes()
    assert [item.index for item in again.items()] == list(range(IMAGES + UTTERANCES))
    assert (again.items()[3].label, again.items()[3].source, again.items()[3].speaker) == (3, "MNIST test 3", "")
    assert again.items()[IMAGES].modality is Modality.SPEECH
    assert again.items()[-1].speaker == "jackson"
    assert again.key(IMAGES + 7) == "fsdd:test/7.wav"
    with pytest.raises(IndexError, match="no sound"):
        again.key(3)


def test_the_cells_hold_what_the_confusions_count(evaluation):
    items = evaluation.items()
    for query in Modality:
        confusion = evaluation.report.direction(query).confusion
        for row in range(10):
            for column in range(10):
                pairs = evaluation.cell(query, row, column)
                assert len(pairs) == confusion[row][column]
                for asked, match in pairs:
                    assert items[asked].modality is query
                    assert items[match].modality is query.other
                    assert (items[asked].label, items[match].label) == (row, column)
                    assert evaluation.nearest(asked) == match


def test_the_worst_mistakes_come_first(evaluation):
    items, mistakes = evaluation.items(), evaluation.mistakes()
    p_at_1 = [evaluation.report.direction(query).retrieval.p_at_1 for query in Modality]
    assert len(mistakes) == pytest.approx((1 - p_at_1[0]) * IMAGES + (1 - p_at_1[1]) * UTTERANCES)
    assert all(items[mistake.query].label != items[mistake.match].label for mistake in mistakes)
    assert all(items[mistake.query].modality is not items[mistake.match].modality for mistake in mistakes)
    margins = [mistake.margin for mistake in mistakes]
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] >= 0


@pytest.mark.usefixtures("empty_cache")
def test_figure_2_is_of_some_items_of_either_modality(evaluation, monkeypatch, tmp_path):
    coordinates, items = evaluation.figure2()
    assert coordinates.shape == (IMAGES + UTTERANCES, 2)  # fewer than 400: all of them
    assert items.tolist() == list(range(IMAGES + UTTERANCES))
    monkeypatch.setattr(jobs, "FIGURE2_ITEMS", 12)
    maps = []
    for seed in (1, 2):  # other models, the same items
        found = evaluate_checkpoint(untrained(tmp_path / f"{seed}.safetensors", seed), PROTOCOL, Listener())
        maps.append(found.figure2())
    assert maps[0][1].tolist() == maps[1][1].tolist()
    assert (maps[0][1] < IMAGES).tolist() == [True] * 12 + [False] * 12
    assert not np.array_equal(maps[0][0], maps[1][0])


def test_what_was_evaluated_before_is_found_whatever_its_name(checkpoint, evaluation, monkeypatch, tmp_path):
    def never(*_arguments):
        raise AssertionError("evaluated again")

    monkeypatch.setattr(jobs, "evaluating", never)
    copy = shutil.copy(checkpoint, tmp_path / "copy.safetensors")
    again = evaluate_checkpoint(copy, PROTOCOL, Listener())
    assert again.report.seconds == evaluation.report.seconds
    assert again.report.setting["checkpoint"] == "copy.safetensors"
    assert find(copy, PROTOCOL).report.purity == evaluation.report.purity


@pytest.mark.parametrize("protocol", [EvaluationProtocol(resamplings=2, seed=1), EvaluationProtocol(resamplings=3)])
@pytest.mark.usefixtures("evaluation")
def test_another_protocol_is_another_evaluation(checkpoint, protocol):
    assert find(checkpoint, protocol) is None
    assert evaluate_checkpoint(checkpoint, protocol, Listener()).protocol == protocol
    assert find(checkpoint, PROTOCOL).protocol == PROTOCOL


def test_another_model_is_another_evaluation(evaluation, tmp_path):
    other = untrained(tmp_path / "model.safetensors", seed=1)
    assert find(other, PROTOCOL) is None
    assert evaluate_checkpoint(other, PROTOCOL, Listener()).report.image != evaluation.report.image


@pytest.mark.usefixtures("empty_cache")
def test_what_the_user_leaves_out_or_relabels_is_another_evaluation(checkpoint, evaluation, monkeypatch, tmp_path):
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    speech = Speech().published("test")
    decided = {speech.keys[0]: Decision(0, excluded=True), speech.keys[1]: Decision(1, label=2)}
    before = evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    former = curation.decide("fsdd", decided)
    assert find(checkpoint, PROTOCOL) is None
    after = evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    assert after.folder != before.folder
    assert after.report.setting["curated"] == {"fsdd": {"excluded": 1, "relabelled": 1}}
    assert after.report.setting["n_utterances"] == UTTERANCES - 1
    assert "Changed by the user: fsdd (1 left out, 1 relabelled)." in evaluated_on(after.report)
    assert after.items()[IMAGES].label == 2
    with pytest.raises(MissingData, match="Evaluate again"):
        Evaluation.load(before.folder).features(IMAGES)
    curation.decide("fsdd", former)
    again = find(checkpoint, PROTOCOL)
    assert again is not None
    assert again.folder == before.folder
    assert again.report.setting["inputs"] == evaluation.report.setting["inputs"]
    assert "Changed" not in evaluated_on(again.report)


@pytest.mark.usefixtures("empty_cache", "other_data")
def test_other_test_data_are_judged_anew(checkpoint, evaluation):
    shutil.copytree(evaluation.folder, folder_of(checkpoint, PROTOCOL))
    again = evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    assert again.report.setting["inputs"] != evaluation.report.setting["inputs"]
    assert again.report.image != evaluation.report.image


def test_features_come_from_the_corpus(evaluation):
    np.testing.assert_array_equal(evaluation.features(4), images(0).features[4])
    np.testing.assert_array_equal(evaluation.features(IMAGES + 1), utterances("test", 0).features[1])


@pytest.mark.usefixtures("other_data")
def test_features_of_a_corpus_that_has_changed_are_refused(evaluation):
    with pytest.raises(MissingData, match="has changed"):
        Evaluation.load(evaluation.folder).features(IMAGES + 1)


def test_a_speaker_left_out_of_training_is_judged_on_all_that_they_said(tmp_path):
    protocol = EvaluationProtocol(speaker="theo", resamplings=1)
    heard = evaluate_checkpoint(untrained(tmp_path / "a.safetensors", 0), protocol, Listener())
    assert heard.report.setting["n_utterances"] == 20
    unheard = untrained(tmp_path / "b.safetensors", 0, left_out="theo")
    evaluation = evaluate_checkpoint(unheard, protocol, Listener())
    assert heard.report.setting["speakers_heard"] == 1
    assert evaluation.report.setting["speakers_heard"] == 0
    assert set(evaluation.report.speech_to_image.per_speaker) == {"theo"}
    assert [item.source for item in evaluation.items()[IMAGES:]] == [
        f"FSDD {split} {n}" for split in ("test", "train") for n in range(20)
    ]
    np.testing.assert_array_equal(evaluation.features(IMAGES + 20), utterances("train", 1).features[0])


@pytest.mark.parametrize(
    ("before", "heard"),
    [
        ({"data": {"images": ["mnist"], "speech": ["fsdd"]}}, 1),
        ({"data": {"images": ["mnist"], "speech": ["fsdd"], "left_out": "jackson"}}, 1),
        ({}, None),  # as headers had it at first
        ({"data": {"images": ["mnist"], "speech": ["fsdd"], "left_out": "theo", "started_from": {"name": "m"}}}, None),
        ({"data": {"images": ["mnist"], "speech": ["voices"]}}, 0),
        ({"data": {"images": ["mnist"], "speech": ["fsdd"], "left_out": "theo"}}, 0),
    ],
)
def test_who_was_heard_by_a_model_before_is_not_judged_on_what_it_learnt_from(tmp_path, before, heard):
    started_from = {"name": "model.safetensors", "sha256": "0", **before}
    model = untrained(tmp_path / "m.safetensors", 0, left_out="theo", started_from=started_from)
    evaluation = evaluate_checkpoint(model, EvaluationProtocol(speaker="theo", resamplings=1), Listener())
    setting = evaluation.report.setting
    assert setting["speakers_heard"] == heard
    assert setting["n_utterances"] == (40 if heard == 0 else 20)
    splits = {item.source.split()[1] for item in evaluation.items()[IMAGES:]}
    assert splits == ({"test", "train"} if heard == 0 else {"test"})
    evaluation.features(IMAGES)  # of the same inputs


def test_of_all_speakers_it_is_said_how_many_were_heard(tmp_path, checkpoint):
    everybody = evaluate_checkpoint(checkpoint, PROTOCOL, Listener()).report.setting
    assert (everybody["speakers"], everybody["speakers_heard"]) == (2, 2)
    without = untrained(tmp_path / "m.safetensors", 0, left_out="theo")
    assert evaluate_checkpoint(without, PROTOCOL, Listener()).report.setting["speakers_heard"] == 1


def test_an_unknown_speaker_is_told(checkpoint):
    with pytest.raises(EvaluationError, match="There are: jackson, theo"):
        evaluate_checkpoint(checkpoint, EvaluationProtocol(speaker="nobody"), Listener())


@pytest.mark.parametrize("patience", [1, 2, 3, 5, 12])
@pytest.mark.usefixtures("empty_cache")
def test_a_stopped_evaluation_leaves_nothing(checkpoint, patience):
    heard = Listener(patience)
    assert evaluate_checkpoint(checkpoint, PROTOCOL, heard) is None
    assert len(heard.shares()) == patience
    assert find(checkpoint, PROTOCOL) is None


@pytest.mark.usefixtures("empty_cache")
def test_it_tells_how_far_it_is_listening_and_stops_there(checkpoint, monkeypatch):
    class Slow(Speech):
        def load(self, split, tell):
            tell(0.25, "Listening")
            tell(0.5, "Listening")
            return super().load(split, tell)

    monkeypatch.setitem(registry(), "fsdd", Slow)
    heard = Listener()
    assert evaluate_checkpoint(checkpoint, PROTOCOL, heard) is not None
    assert heard.shares()[:3] == [0.0, 0.25, 0.5]
    heard = Listener(2)
    assert evaluate_checkpoint(checkpoint, PROTOCOL, heard) is None
    assert heard.shares() == [0.0, 0.25]


@pytest.mark.usefixtures("empty_cache")
def test_a_full_disk_costs_the_file_but_not_the_numbers(checkpoint, monkeypatch, caplog):
    def no_space(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("model.evaluation.store.write_atomically", no_space)
    evaluation = evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    assert evaluation.report.purity.mean > 0
    assert evaluation.folder is None
    assert "No space left" in caplog.text
    monkeypatch.setattr(jobs, "evaluate_checkpoint", lambda *_arguments: evaluation)
    with pytest.raises(OSError, match="Free some space"):
        jobs.evaluate({"checkpoint": str(checkpoint), "protocol": PROTOCOL.to_dict()}, Listener())


@pytest.mark.parametrize(
    ("name", "content"), [("posteriors.safetensors", "torn"), ("report.json", "{"), ("report.json", '{"purity": 0.5}')]
)
@pytest.mark.usefixtures("empty_cache")
def test_a_damaged_evaluation_is_none(checkpoint, evaluation, name, content):
    folder = shutil.copytree(evaluation.folder, folder_of(checkpoint, PROTOCOL))
    assert find(checkpoint, PROTOCOL).report == evaluation.report
    (folder / name).write_text(content)
    with pytest.raises(UnusableCheckpoint):
        Evaluation.load(folder)
    assert find(checkpoint, PROTOCOL) is None


@pytest.mark.usefixtures("empty_cache")
def test_a_damaged_evaluation_is_made_again(checkpoint, evaluation):
    folder = folder_of(checkpoint, PROTOCOL)
    folder.mkdir(parents=True)
    (folder / "report.json").write_text("torn")
    evaluate_checkpoint(checkpoint, PROTOCOL, Listener())
    assert find(checkpoint, PROTOCOL).report.purity == evaluation.report.purity


@pytest.mark.usefixtures("empty_cache")
def test_the_windows_job_says_where_it_put_the_evaluation(checkpoint):
    heard = Listener()
    request = {"do": "evaluate", "checkpoint": str(checkpoint), "protocol": PROTOCOL.to_dict()}
    jobs.evaluate(request, heard)
    assert heard.said[-1] == {"say": "evaluated", "folder": str(folder_of(checkpoint, PROTOCOL))}
    assert heard.partials()[-1]["purity"]["mean"] == Evaluation.load(folder_of(checkpoint, PROTOCOL)).report.purity.mean
    stopped = Listener(1)
    jobs.evaluate({**request, "protocol": EvaluationProtocol(seed=9).to_dict()}, stopped)
    assert stopped.said[-1] == {"say": "stopped"}


def test_looking_at_an_evaluation_needs_nothing_heavy(evaluation):
    code = (
        "import sys; from pathlib import Path; from model.evaluation.store import Evaluation; "
        "evaluation = Evaluation.load(Path(sys.argv[1])); "
        "evaluation.items(), evaluation.mistakes(), evaluation.posteriors(), evaluation.figure2()"
    )
    found = imported_by(code, str(evaluation.folder))
    assert not found & {"torch", "sklearn", "scipy", "openTSNE", "PySide6"}
