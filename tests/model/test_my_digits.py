"""The user's own takes as corpora."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from typer.testing import CliRunner

from model import locations
from model.cli.main import app
from model.data import take_features
from model.data.corpora import MissingData, find, recording
from model.data.corpora.my_digits import MyDrawings, MySpeech, is_for_test
from model.data.corpora.voices import Voices
from model.data.speech import utterance_in
from model.data.take_features import TakeFeatures
from model.data.takes import TakeStore
from model.types import Modality

INK = np.zeros((112, 112), np.uint8)
INK[20:90, 50:60] = 255


@pytest.fixture
def takes(tmp_path, monkeypatch) -> TakeStore:
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    return TakeStore()


@pytest.fixture(scope="module")
def words() -> list[tuple[np.ndarray, int]]:
    return [Voices().clip(f"kokoro_af_bella/plain/{word}.opus") for word in ("seven", "three")]


def fill(takes: TakeStore, words, count: int = 12) -> None:
    for place in range(count):
        takes.add_speech("Ann" if place % 2 else "Bob", (7, 3)[place % 2], *words[place % 2])
        takes.add_drawing("Ann", 1, INK)


def test_nothing_is_offered_before_there_is_something_and_it_is_said_where_to_make_it(takes):
    assert takes.folder.name == "my-digits"
    for name in ("my-speech", "my-drawings"):
        assert not find(name).info.obtainable, "forms list it only where it is installed"
        assert find(name)().location() is None
        with pytest.raises(MissingData, match="page My digits"):
            find(name)().load("train")
    takes.add_drawing("Ann", 1, INK)
    assert MyDrawings().check() == "1 takes of 1 people"


def test_takes_are_split_by_their_names_so_that_labels_and_people_may_change(takes, words):
    fill(takes, words)
    parts = {split: MySpeech().load(split) for split in ("train", "test")}
    assert sum(map(len, parts.values())) == 12
    assert parts["train"].features.shape[1:] == (100, 80)
    assert set(parts["train"].speakers) | set(parts["test"].speakers) == {"Ann", "Bob"}
    held_out = parts["train"].without("Ann")
    assert set(held_out.speakers) == {"Bob"}, "leave one person out"
    tested = {key.rpartition("/")[2] for key in parts["test"].keys}
    for take in takes.takes():
        if take.modality is Modality.SPEECH:
            assert is_for_test(takes.relabel(take, 5)) == is_for_test(take)
    takes.rename_person("Ann", "Anna")
    again = MySpeech().load("test")
    assert {key.rpartition("/")[2] for key in again.keys} == tested
    assert set(again.labels.tolist()) == {5}
    drawn = MyDrawings().load("train")
    assert drawn.features.shape[1:] == (28, 28)
    assert 0.2 < float(drawn.features.max()) <= 1


def test_recordings_are_played_by_their_keys_even_after_they_were_relabelled(takes, words):
    take = takes.add_speech("Ann", 7, *words[0])
    samples, rate = recording(f"my-speech:{take.key}")
    assert rate == words[0][1]
    assert samples == pytest.approx(words[0][0], abs=1e-3)
    takes.relabel(take, 1)
    assert len(recording(f"my-speech:{take.key}")[0]) == len(samples)
    takes.delete(takes.takes())
    with pytest.raises(MissingData, match="can't be found"):
        recording(f"my-speech:{take.key}")


def test_damaged_and_left_out_takes_are_passed_over_with_words(takes, words, caplog):
    fill(takes, words, 4)
    damaged, left_out, *_ = [take for take in takes.takes() if take.modality is Modality.SPEECH]
    damaged.path.write_bytes(b"no sound")
    takes.exclude(left_out)
    features = TakeFeatures()
    with caplog.at_level(logging.WARNING):
        samples = features.samples(takes.takes(), Modality.SPEECH)
    assert len(samples) == 2
    assert set(features.problems) == {damaged.key}
    assert "can't be read as sound" in features.problems[damaged.key]
    assert damaged.key in caplog.text
    empty = features.samples([], Modality.IMAGE)
    assert empty.features.shape == (0, 28, 28)


def test_filterbanks_are_computed_once_for_each_take_and_kept(takes, words, monkeypatch):
    fill(takes, words, 4)
    first = TakeFeatures().samples(takes.takes(), Modality.SPEECH)
    takes.rename_person("Bob", "Robert")
    takes.relabel(takes.takes("Robert")[0], 2)

    def refuse(*_arguments):
        raise AssertionError("they are in the cache")

    monkeypatch.setattr(take_features, "utterance_in", refuse)
    again = TakeFeatures().samples(takes.takes(), Modality.SPEECH)
    assert np.array_equal(first.features, again.features)
    (cache,) = locations.cache().rglob("takes-*.safetensors")
    cache.write_bytes(b"damaged")
    monkeypatch.setattr(take_features, "utterance_in", utterance_in)
    assert np.array_equal(first.features, TakeFeatures().samples(takes.takes(), Modality.SPEECH).features)


def test_the_command_line_lists_them_with_and_without_takes(takes, words):
    def rows() -> dict[str, dict]:
        done = CliRunner().invoke(app, ["data", "list", "--json"])
        assert done.exit_code == 0, done.output
        return {row["name"]: row for row in json.loads(done.stdout)}

    assert "page My digits" in rows()["my-speech"]["missing"]
    assert CliRunner().invoke(app, ["data", "list"]).exit_code == 0
    takes.add_speech("Ann", 7, *words[0])
    assert rows()["my-speech"]["location"] == str(takes.folder)
    done = CliRunner().invoke(app, ["data", "get", "my-speech"])
    assert done.exit_code != 0
