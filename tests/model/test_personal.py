"""Training with takes: the pairs, the protocol, and what is told."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tiny import write_corpora
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data.corpora.my_digits import MyDrawings, MySpeech, is_for_test
from model.data.corpora.voices import Voices
from model.data.old_pairs import DRAWINGS_SHARE, completed, with_drawings
from model.data.samples import Samples
from model.data.takes import TakeStore
from model.evaluation.personal_results import Understood, too_few
from model.recipes.recipe import named
from model.runs import personal_runs
from model.runs.corpus_cache import CorpusCache
from model.runs.personal_runs import personal_config
from model.training.ancestry import trained_on_speaker
from model.training.config import TrainingConfig
from model.types import WORDS, Modality

INK = np.zeros((112, 112), np.uint8)
INK[20:90, 50:60] = 255


@pytest.fixture
def takes(tmp_path, monkeypatch) -> TakeStore:
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MODINV_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    return TakeStore()


def add(takes: TakeStore, person: str, digit: int, *, test: bool = False) -> None:
    """Add a recording, in the wanted split."""
    while is_for_test(take := takes.add_speech(person, digit, *clip(digit))) != test:
        take.path.unlink()


def clip(digit: int):
    return Voices().clip(f"kokoro_af_bella/plain/{WORDS[digit]}.opus")


def speech(corpus: str, digits: list[int]) -> Samples:
    names = tuple(f"{corpus} {digit}" for digit in digits)
    return Samples(
        corpus, Modality.SPEECH, np.zeros((len(digits), 100, 80), np.float32), np.array(digits), names, names, names
    )


def test_digits_that_nobody_said_come_from_the_other_corpora():
    own, voices = speech("my-speech", [0, 1, 1]), speech("voices", [*range(10), *range(10)])
    joined = completed(own, [voices, own])
    assert sorted(joined.labels.tolist()) == [0, 1, 1, *sorted([*range(2, 10)] * 2)]
    assert joined.sources[:3] == own.sources
    assert completed(voices, [voices, own]) is voices


def test_each_drawing_comes_about_equally_often():
    images = Samples("mnist", Modality.IMAGE, np.zeros((60, 28, 28), np.float32), np.arange(60) % 10, ("mnist",) * 60)
    drawn = Samples("my-drawings", Modality.IMAGE, np.ones((7, 28, 28), np.float32), np.arange(7), tuple("abcdefg"))
    joined = with_drawings(images, drawn)
    counts = [joined.sources.count(name) for name in drawn.sources]
    assert sum(counts) / len(joined) == pytest.approx(DRAWINGS_SHARE, abs=0.02)
    assert max(counts) - min(counts) <= 1


def test_training_draws_takes_of_the_chosen_people_and_none_for_testing(takes):
    for person, digits in (("Ann", (3, 7)), ("Bob", (5,))):
        for digit in digits:
            add(takes, person, digit)
            add(takes, person, digit, test=True)
    for _ in range(8):
        takes.add_drawing("Ann", 1, INK)
    own = MySpeech(people=("Ann",)).load("train")
    assert sorted(own.labels.tolist()) == [3, 7]
    assert set(own.speakers) == {"Ann"}
    config = TrainingConfig(
        named("fast", steps=1, batch_size=8), ("my-drawings", "mnist", "voices", "my-speech"), people=("Ann",)
    )
    assert config.images == ("mnist", "my-drawings")
    corpora = CorpusCache()
    sampler = corpora.sampler(config, torch.device("cpu"))
    assert corpora.sampler(config, torch.device("cpu")) is sampler
    drawn = len(MyDrawings(people=("Ann",)).load("train"))
    assert drawn >= 1
    add(takes, "Ann", 4)
    assert corpora.sampler(config, torch.device("cpu")) is not sampler, "takes are read again"


def test_a_model_knows_whose_takes_it_trained_on():
    data = {"images": ["mnist", "my-drawings"], "speech": ["voices", "my-speech"], "people": ["Ann"]}
    assert trained_on_speaker(data, "my-speech", "Ann") is True
    assert trained_on_speaker(data, "my-drawings", "Ann") is True
    assert trained_on_speaker(data, "my-speech", "Bob") is False
    assert trained_on_speaker({**data, "people": []}, "my-speech", "Bob") is True


def test_what_is_too_little_is_said(takes):
    for digit in range(10):
        for _ in range(1 if digit in (2, 9) else 3):
            add(takes, "Ann", digit)
    assert "Ann has said few takes of 2 and 9." in too_few(takes.takes())
    for digit in (2, 2, 9, 9):
        add(takes, "Ann", digit)
    assert "Ann has said none for testing" in too_few(takes.takes())
    add(takes, "Ann", 0, test=True)
    assert too_few(takes.takes()) == ""


def test_counts_are_told_with_their_number_and_a_dash_for_none():
    row = Understood("Ann", Modality.SPEECH, 100, 30, before=27, after=30)
    assert [row.counted(name) for name in ("before", "gallery", "after")] == ["27 of 30", "–", "30 of 30"]


@pytest.mark.timeout(180)
def test_the_command_trains_and_counts_what_did_not_train_also_of_strangers(takes, tmp_path, monkeypatch):
    write_corpora(tmp_path / "data")
    monkeypatch.setattr(personal_runs, "_OLD_PAIRS", ("mnist", "fsdd"))  # the voices would take a minute
    for person in ("Ann", "Bob"):
        for digit in range(10):
            add(takes, person, digit)
        add(takes, person, 3, test=True)
    out = tmp_path / "run"
    small = ["--set", "steps=1", "--set", "batch_size=4", "--set", "samples_per_input=2", "--device", "cpu"]
    done = CliRunner().invoke(app, ["takes", "train", "--leave-out", "--out", str(out), *small, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [(row["person"], row["trained"], row["tested"]) for row in found["rows"]] == [("Ann", 10, 1), ("Bob", 10, 1)]
    for row in found["rows"]:
        assert row["gallery"] == 1, "it is the same recording as one in the gallery"
        assert None not in (row["before"], row["after"], row["left_out"])
    assert found["setting"]["corpora"] == ["mnist", "fsdd", "my-speech"]
    assert json.loads((out / "takes.json").read_text()) == found
    assert not list(out.glob("left-out-*"))


@pytest.mark.usefixtures("takes")
def test_old_pairs_are_those_that_are_installed_and_takes_those_of_which_there_are_enough(tmp_path):
    counts = {("Ann", Modality.SPEECH): 9, ("Bob", Modality.SPEECH): 1, ("Bob", Modality.IMAGE): 9}
    config = personal_config(locations.shipped_model(), counts)
    assert (config.corpora, config.people) == (("mnist", "voices", "my-speech"), ("Ann", "Bob"))
    write_corpora(tmp_path / "data")
    counts = {**counts, ("Cy", Modality.IMAGE): 1}
    config = personal_config(locations.shipped_model(), counts)
    assert config.corpora == ("mnist", "voices", "fsdd", "my-drawings", "my-speech")
    assert set(config.people) == {"Ann", "Bob", "Cy"}


def test_too_few_takes_and_unknown_people_are_told(takes):
    add(takes, "Ann", 3)
    done = CliRunner().invoke(app, ["takes", "train"])
    assert done.exit_code != 0
    assert "1 spoken and 0 drawn" in " ".join(done.output.split())
    done = CliRunner().invoke(app, ["takes", "train", "Zoe"])
    assert done.exit_code == 2
    assert "Nobody is called" in done.output
