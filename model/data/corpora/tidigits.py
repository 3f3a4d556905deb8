"""TIDIGITS: spoken digits of 326 men, women, boys and girls; the paper's corpus, licensed by the LDC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from model.data.corpora.base import CorpusInfo, Split
from model.data.corpora.labels import hashed
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance
from model.types import Modality

_HELD_OUT = 1_076  # utterances for validation, and for testing, in the paper
_SEED = 0
_VALIDATION_SHARE = 0.125  # of the training speakers
_SAID = {"o": "oh", "z": "zero"}


@dataclass(frozen=True)
class Tidigits(SpeechCorpus):
    """Single digits at 20 kHz, split at random as in the paper: 1,076 each to validate and to test, the rest to train.

    The three splits share their speakers. A smaller copy has an eighth for each of validation and testing.
    "Oh" and "zero" are one class. Sequences of digits are left out. The files are NIST SPHERE, whatever their names
    say, and their paths may be in upper case.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="tidigits",
        title="TIDIGITS, split at random",
        short_title="TIDIGITS",
        modality=Modality.SPEECH,
        licence="LDC licence, not redistributable",
        citation="R. G. Leonard, G. Doddington: TIDIGITS, LDC93S10, 1993",
        origin="https://catalog.ldc.upenn.edu/LDC93S10",
        human=True,
        speakers=326,
        shares_speakers=True,
        layout="the folders train and test, with man/ae/1a.wav and the like,",
    )
    names: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:^|/)(?P<name>(?P<part>train|test)/(?P<group>man|woman|boy|girl)/(?P<speaker>[a-z]{2})/"
        r"(?P<text>[1-9oz]{1,7})(?P<take>[ab])\.wav)\Z",
        re.IGNORECASE,
    )
    example: ClassVar[str] = "train/man/ae/1a.wav"

    def location(self) -> Path | None:
        """Its folder, if that holds something."""
        return self.home if self.home.is_dir() and any(self.home.iterdir()) else None

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:  # noqa: ARG002
        """The single digits, sorted by path."""
        single = {path: match for path, match in found.items() if len(match["text"]) == 1}
        splits = self.split_of(single)
        return {path: _utterance(path, match, splits[path]) for path, match in single.items()}

    def split_of(self, found: Mapping[str, re.Match[str]]) -> dict[str, Split]:
        """The split of each path."""
        # In lower case, so that copies of the corpus are split alike.
        order = sorted(found, key=lambda path: hashed(f"{_SEED} {found[path]['name'].lower()}"))
        count = min(_HELD_OUT, len(order) // 8)
        return {
            path: "test" if place < count else "validation" if place < 2 * count else "train"
            for place, path in enumerate(order)
        }

    def left_out(self, found: Mapping[str, re.Match[str]]) -> str:
        """Sequences of digits."""
        count = sum(len(match["text"]) > 1 for match in found.values())
        return f"{count:,} recordings of more than one digit" if count else ""


@dataclass(frozen=True)
class TidigitsSpeakers(Tidigits):
    """The same utterances with the official test speakers; an eighth of the others are for validation."""

    info: ClassVar[CorpusInfo] = replace(
        Tidigits.info,
        name="tidigits-speakers",
        title="TIDIGITS, split by speaker",
        short_title="TIDIGITS by speaker",
        shares_speakers=False,
        folder="tidigits",
    )

    def split_of(self, found: Mapping[str, re.Match[str]]) -> dict[str, Split]:
        """The split of each path."""
        splits: dict[str, Split] = {}
        for path, match in found.items():
            held_out = hashed(_speaker(match)) < _VALIDATION_SHARE
            splits[path] = "test" if match["part"].lower() == "test" else "validation" if held_out else "train"
        return splits


def _utterance(path: str, match: re.Match[str], split: Split) -> Utterance:
    group, text = match["group"].lower(), match["text"].lower()
    return Utterance(
        key=path,
        label=0 if text in _SAID else int(text),
        speaker=_speaker(match),
        source=f"TIDIGITS {group} {match['speaker'].lower()}, {_SAID.get(text, text)} {match['take'].lower()}",
        split=split,
        sex="male" if group in ("man", "boy") else "female",
    )


def _speaker(match: re.Match[str]) -> str:
    return f"{match['group']}-{match['speaker']}".lower()
