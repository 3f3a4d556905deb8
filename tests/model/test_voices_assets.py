"""The synthetic voices that ship: archive and description agree, and the splits don't leak."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "voices"
DIGITS = {"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    return json.loads((FOLDER / "voices.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def archive(about: dict[str, Any]) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(FOLDER / about["archive"]) as opened:
        yield opened


def members(about: dict[str, Any], voice: dict[str, Any]) -> list[str]:
    return [
        f"{voice['engine']}_{voice['voice']}/{variant}/{entry['word']}.opus"
        for variant in voice["variants"]
        for entry in about["words"]
    ]


def test_archive_holds_exactly_what_is_described(about, archive):
    described = [name for voice in about["voices"] for name in members(about, voice)]
    assert sorted(archive.namelist()) == sorted(described)


def test_archive_is_stored_and_small(archive):
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert sum(entry.file_size for entry in archive.infolist()) < 10e6


def test_words_are_the_digits_and_oh_is_zero(about):
    labels = {entry["word"]: entry["label"] for entry in about["words"]}
    assert set(labels) == DIGITS
    assert labels["oh"] == labels["zero"] == 0
    assert set(labels.values()) == set(range(10))


def test_enough_voices_of_enough_engines_balanced(about):
    voices = about["voices"]
    women = sum(voice["sex"] == "female" for voice in voices)
    assert len(voices) >= 50
    assert len({voice["id"] for voice in voices}) == len(voices)
    assert len({voice["engine"] for voice in voices}) >= 3
    assert 0.4 < women / len(voices) < 0.6


def test_every_voice_speaks_plainly_in_known_variants(about):
    known = {variant["name"] for variant in about["variants"]}
    for voice in about["voices"]:
        assert "plain" in voice["variants"]
        assert set(voice["variants"]) <= known


def test_blends_stay_in_the_split_of_their_parents(about):
    split = {voice["id"]: voice["split"] for voice in about["voices"]}
    for voice in about["voices"]:
        for parent in voice["parents"]:
            assert split[parent] == voice["split"], voice["id"]


def test_held_out_engine_is_wholly_held_out(about):
    held_out = {voice["engine"] for voice in about["voices"] if voice["split"] == "test-engine"}
    assert held_out
    for voice in about["voices"]:
        assert (voice["engine"] in held_out) == (voice["split"] == "test-engine")


def test_enough_to_test_on(about):
    testing = [voice for voice in about["voices"] if voice["split"] != "train"]
    assert {voice["split"] for voice in about["voices"]} == {"train", "test", "test-engine"}
    assert {voice["sex"] for voice in testing} == {"female", "male"}
    assert sum(len(members(about, voice)) for voice in testing) >= 600


def test_licence_notices_are_there(about):
    for engine in about["engines"]:
        assert (FOLDER / engine["notice"]).stat().st_size > 500


def test_a_sample_of_clips_decodes_to_words(about, archive):
    names = [name for voice in about["voices"] for name in members(about, voice)]
    for name in names[::37]:
        samples, rate = soundfile.read(io.BytesIO(archive.read(name)))
        assert rate == about["sample_rate"], name
        assert samples.ndim == 1, name
        assert 0.15 <= len(samples) / rate <= 1.6, name
        assert 0.3 < np.abs(samples).max() < 0.999, name
