"""AudioMNIST: 30,000 spoken digits by 60 speakers at 48 kHz. Neither shipped nor downloaded."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from model.data.corpora.base import CorpusInfo, MissingData, Split
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance
from model.data.recordings import opened
from model.types import Modality

log = logging.getLogger(__name__)

_META = re.compile(r"(?:^|/)audioMNIST_meta\.txt\Z")
_REMAINDERS: dict[int, Split] = {1: "validation", 2: "test"}
_ARCHIVE = "AudioMNIST.zip"


@dataclass(frozen=True)
class AudioMnist(SpeechCorpus):
    """Recordings ``data/{speaker}/{digit}_{speaker}_{take}.wav`` in a folder or a zip, split by speaker.

    Of the speakers, numbered from 1 to 60, those with the remainder 2 modulo 5 are for testing (four women, eight men)
    and those with the remainder 1 for validation (three women, nine men). Sex, age and accent are in
    ``audioMNIST_meta.txt``, without which the corpus can be used as well.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="audiomnist",
        title="AudioMNIST",
        modality=Modality.SPEECH,
        licence="MIT",
        citation="S. Becker et al.: Interpreting and explaining deep neural networks for classification of audio "
        "signals, 2018. arXiv:1807.03418",
        origin="https://github.com/soerenab/AudioMNIST",
        human=True,
        speakers=60,
        layout=f"its folder 'data', or the zip of the repository named {_ARCHIVE},",
    )
    names: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:^|/)(?P<name>(?P<digit>[0-9])_(?P<speaker>[0-9]{2})_(?P<take>[0-9]{1,3})\.wav)\Z", re.IGNORECASE
    )
    example: ClassVar[str] = "data/01/7_01_0.wav"

    def location(self) -> Path | None:
        """The zip, or its folder if that holds something."""
        if (self.home / _ARCHIVE).is_file():
            return self.home / _ARCHIVE
        return self.home if self.home.is_dir() and any(self.home.iterdir()) else None

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:
        """All of them, sorted by path."""
        people = _people(place)
        return {
            path: Utterance(
                key=path,
                label=int(match["digit"]),
                speaker=match["speaker"],
                source=_source(match, people.get(match["speaker"], {})),
                split=_REMAINDERS.get(int(match["speaker"]) % 5, "train"),
                sex=sex if (sex := _text(people, match["speaker"], "gender")) in ("female", "male") else "",
            )
            for path, match in found.items()
        }


def _people(place: Path) -> dict[str, Any]:
    """What is known of the speakers, by number; nothing if the file is missing or damaged."""
    try:
        with opened(place, _META) as files:
            for file in files.values():
                people = json.loads(file.read())
                if isinstance(people, dict):
                    return people
                raise ValueError("it holds no object")
    except (MissingData, ValueError, RecursionError) as error:
        log.warning("AudioMNIST's description of speakers can't be used: %s", error)
    return {}


def _text(people: Mapping[str, Any], speaker: str, what: str) -> str:
    person = people.get(speaker)
    return str(person.get(what, "")).strip().lower() if isinstance(person, dict) else ""


def _source(match: re.Match[str], person: object) -> str:
    accent = str(person.get("accent", "")).strip() if isinstance(person, dict) else ""
    return f"AudioMNIST {match['speaker']}, take {match['take']}" + (f" ({accent} accent)" if accent else "")
