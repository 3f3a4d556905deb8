"""Conditions of recordings, and how many utterances are recognised in them."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data.conditions import CONDITIONS, NOISE_LEVELS, NOISES
from model.data.samples import Samples
from model.evaluation.recognition import recognise
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
        torch.zeros(len(spoken), 100, 80),
        torch.tensor([item.label for item in spoken]),
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


def test_the_command_lists_all_conditions(speech, monkeypatch):
    monkeypatch.setattr("model.evaluation.inputs.load_inputs", lambda *_: speech.only([0, 1]))
    answer = CliRunner().invoke(app, ["evaluate", "--conditions", "--speech", "voices", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [one["name"] for one in found] == list(CONDITIONS)
    assert all(0 <= one["low"] <= one["share"] <= one["high"] <= 1 for one in found)
    shown = CliRunner().invoke(app, ["evaluate", "--conditions", "--speech", "voices"])
    assert "White noise, 10 dB" in shown.stdout
