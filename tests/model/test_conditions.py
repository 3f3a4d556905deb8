"""Conditions of recordings, and how many utterances are recognised in them."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data import curation
from model.data.conditions import CONDITIONS, NOISE_LEVELS, NOISES
from model.data.samples import Samples
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.recognition import recognise
from model.evaluation.robustness import find, made_with, measure, measure_for_window, of_header
from model.export.writers import Exhibits, write
from model.progress import JobContext
from model.retrieval.gallery import Gallery
from model.systems.model_io import load_model
from model.types import Modality


def chosen(*names):
    return [CONDITIONS[name] for name in names]


@pytest.fixture(scope="module")
def speech():
    """Two utterances of each digit in the shipped gallery."""
    gallery = Gallery.load(locations.shipped_gallery())
    items = [item for item in gallery.items if item.modality is Modality.SPEECH]
    spoken = [[item for item in items if item.label == digit][count] for digit in range(10) for count in (0, 30)]
    return Samples(
        "voices",
        Modality.SPEECH,
        np.zeros((len(spoken), 100, 80), np.float32),
        np.array([item.label for item in spoken]),
        tuple(item.source for item in spoken),
        tuple(item.speaker for item in spoken),
        tuple(gallery.key(item.index).removeprefix("voices:") for item in spoken),
    )


def test_there_is_every_noise_at_every_level():
    for kind in NOISES:
        for level in NOISE_LEVELS:
            assert CONDITIONS[f"{kind}-{level:g}"].level == level


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_the_same_each_time_and_keeps_the_recording(name, word):
    samples, rate = word()
    others = [word(f"kokoro_am_adam/plain/{other}.opus")[0] for other in ("two", "four")]
    before = samples.copy()
    found = CONDITIONS[name].apply(samples, rate, others, 1)
    np.testing.assert_array_equal(samples, before)
    np.testing.assert_array_equal(found, CONDITIONS[name].apply(samples, rate, others, 1))
    assert np.isfinite(found).all()
    assert found.dtype == np.float32
    assert len(found) >= len(samples)
    if name == "clean":
        np.testing.assert_array_equal(found, samples)


def test_more_noise_is_understood_less(speech):
    system, header = load_model(locations.shipped_model())
    gallery = Gallery.load(locations.shipped_gallery())
    conditions = chosen("clean", "white-20", "white-0")
    clean, some, loud = recognise(system, header, gallery, speech, conditions=conditions)
    assert clean.share >= 0.9
    assert clean.share >= some.share > loud.share
    assert clean.low < clean.share <= clean.high
    assert clean.count == len(speech)


def test_silence_is_counted_as_undetected(speech, monkeypatch):
    system, header = load_model(locations.shipped_model())
    silent = chosen("clean")[0]
    monkeypatch.setattr(type(silent), "apply", lambda _self, samples, *_: np.zeros_like(samples))
    (found,) = recognise(system, header, Gallery.load(locations.shipped_gallery()), speech, conditions=[silent])
    assert (found.right, found.undetected) == (0, found.count)


@pytest.fixture
def few(speech, monkeypatch, tmp_path):
    """Two utterances in the place of a corpus, three conditions, and a cache of their own."""
    few = {condition.name: condition for condition in chosen("clean", "babble-0", "hiss")}
    monkeypatch.setattr("model.evaluation.inputs.load_inputs", lambda *_: speech.only([0, 1]))
    monkeypatch.setattr("model.evaluation.recognition.CONDITIONS", few)
    monkeypatch.setattr("model.evaluation.robustness.CONDITIONS", few)
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    return EvaluationProtocol(speech="voices", split="test")


class Context(JobContext):
    """Remembers what it is sent, and cancels as soon as something begins with a text."""

    def __init__(self, until=None):
        self.until, self.said = until, []

    def send(self, message):
        self.said.append(message)

    def cancelled(self, pausing=None):  # noqa: ARG002 (as of the base class)
        return any(self.until and one.get("text", "").startswith(self.until) for one in self.said)


def test_results_come_one_by_one_and_are_found_again(few, monkeypatch):
    model = locations.shipped_model()
    assert find(model, few) is None
    *partial, found = measure(model, few, Context())
    assert [len(one.results) for one in partial] == [1, 2]
    assert not any(one.complete for one in partial)
    assert found.setting == "voices, test data: 2 utterances by 2 speakers"
    assert find(model, few) == found
    monkeypatch.setattr("model.evaluation.recognition.recognise", None)  # not measured again
    assert [*measure(model, few, Context())] == [found]


def test_other_utterances_are_measured_again(few, speech, monkeypatch):
    model = locations.shipped_model()
    *_, before = measure(model, few, Context())
    monkeypatch.setattr("model.evaluation.inputs.load_inputs", lambda *_: speech.only([0, 1, 2]))
    *_, after = measure(model, few, Context())
    assert (before.results[0].count, after.results[0].count) == (2, 3)


def test_a_cancelled_measurement_keeps_nothing(few):
    context = Context(until="Babble")
    request = {"checkpoint": str(locations.shipped_model()), "protocol": few.to_dict()}
    measure_for_window(request, context)
    assert context.said[-1] == {"say": "stopped"}
    assert [len(one["found"]["results"]) for one in context.said if one["say"] == "robustness"] == [1]
    assert find(locations.shipped_model(), few) is None


@pytest.mark.parametrize(
    "damage", [lambda text: text[: len(text) // 2], lambda text: text.replace('"right": ', '"right": 9')]
)
def test_damaged_results_are_measured_again(few, tmp_path, damage):
    model = locations.shipped_model()
    *_, found = measure(model, few, Context())
    (file,) = (tmp_path / "conditions").iterdir()
    file.write_text(damage(file.read_text("utf-8")), "utf-8")
    assert find(model, few) is None
    *_, again = measure(model, few, Context())
    assert again == found


def test_the_shipped_model_knows_what_its_maker_has_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    model = locations.shipped_model()
    found = find(model, EvaluationProtocol(speech="wild", split="validation"))
    assert found is not None
    assert found.complete
    assert [one.level for one in found.of_kind("white")] == [*NOISE_LEVELS]
    assert find(model, EvaluationProtocol(speech="fsdd", split="validation")) is None
    assert find(model, EvaluationProtocol(speech="wild", split="test")) is None


def test_what_its_maker_has_measured_does_not_hold_for_what_the_user_has_changed(monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    monkeypatch.setenv("MODINV_DATA", str(tmp_path))
    protocol = EvaluationProtocol(speech="wild", split="validation")
    former = curation.decide("wild", {"one_1_0.wav": curation.Decision(1, excluded=True)})
    assert find(locations.shipped_model(), protocol) is None
    curation.decide("wild", former)
    assert find(locations.shipped_model(), protocol) is not None


@pytest.mark.parametrize("metrics", [{}, {"conditions": []}, {"conditions": {"corpus": "wild", "split": 1}}])
def test_headers_of_others_are_not_trusted(metrics):
    assert of_header({"metrics": metrics}) is None


def test_noise_is_exported_as_a_figure_and_a_table(tmp_path):
    found = made_with(locations.shipped_model())
    of = Exhibits(noisy=[("A $ model", found)])
    for name in ("noise.svg", "noise.png", "conditions.csv", "conditions.md"):
        write(name.partition(".")[0], of, tmp_path / name)
    drawn = (tmp_path / "noise.svg").read_text("utf-8")
    for text in ("Babble of five", "81 utterances by 41 strangers", "wild, validation data"):
        assert text in drawn
    lines = (tmp_path / "conditions.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + len(CONDITIONS)
    assert "| Room of 0.3 s |" in (tmp_path / "conditions.md").read_text("utf-8")


def test_the_command_lists_all_conditions(speech, monkeypatch, tmp_path):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path)
    monkeypatch.setattr("model.evaluation.inputs.load_inputs", lambda *_: speech.only([0, 1]))
    answer = CliRunner().invoke(app, ["evaluate", "--conditions", "--speech", "voices", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [one["name"] for one in found] == list(CONDITIONS)
    assert all(0 <= one["low"] <= one["share"] <= one["high"] <= 1 for one in found)
    shown = CliRunner().invoke(app, ["evaluate", "--conditions", "--speech", "voices"])
    assert "White noise, 10 dB" in shown.stdout
