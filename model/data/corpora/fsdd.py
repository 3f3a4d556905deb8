"""The Free Spoken Digit Dataset: 3,000 recordings of six human speakers, to be downloaded by users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from model.data.corpora.base import CorpusInfo, Source, Split
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance
from model.types import Modality

_NAME = re.compile(r"(?:^|/)(?P<name>(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]{1,9})\.wav)\Z")
_TEST = range(5)
_VALIDATION = range(45, 50)
_PAGE = "https://github.com/Jakobovski/free-spoken-digit-dataset"


@dataclass(frozen=True)
class Fsdd(SpeechCorpus):
    """Human spoken digits at 8 kHz, as a folder or a zip of ``{digit}_{speaker}_{take}.wav``.

    Of each speaker and digit, takes 0 to 4 are the official test set. Of the others, the last five (45 to 49) are for
    validation: 300 of 2,700 recordings, by the speakers of training.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        short_title="FSDD",
        modality=Modality.SPEECH,
        licence="CC BY-SA 4.0",
        citation="Z. Jackson et al.: Free Spoken Digit Dataset, v1.0.10, 2020. doi:10.5281/zenodo.1342401",
        origin=_PAGE,
        human=True,
        speakers=6,
        shares_speakers=True,
        preferred=True,
        trained_by_default=True,
        source=Source(
            url=f"{_PAGE}/archive/refs/tags/v1.0.10.zip",
            size=16_419_872,
            names=_NAME,
            recordings=3000,
            unpacked=21_128_848,
            digest="dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
        ),
        layout="its folder 'recordings', or a zip of it named recordings.zip,",
    )
    names: ClassVar[re.Pattern[str]] = _NAME
    example: ClassVar[str] = "7_jackson_12.wav"

    def location(self) -> Path | None:
        """The folder of recordings, or the zip that holds them."""
        for place in (self.home / "recordings", self.home / "recordings.zip", self.home):
            if place.is_file() or (place.is_dir() and next(place.glob("*.wav"), None)):
                return place
        return None

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:  # noqa: ARG002
        """All of them, sorted by path."""
        return {
            path: Utterance(
                key=path,
                label=int(match["digit"]),
                speaker=match["speaker"],
                source=f"FSDD {match['speaker']}, take {match['take']}",
                split=_split(int(match["take"])),
                sex="male",
            )
            for path, match in found.items()
        }


def _split(take: int) -> Split:
    return "test" if take in _TEST else "validation" if take in _VALIDATION else "train"
