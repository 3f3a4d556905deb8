"""A small part of Speech Commands: other speakers on their own microphones. Neither shipped nor downloadable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from model.data.corpora.base import CorpusInfo
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance
from model.types import WORDS, Modality

_SPEAKER = r"(?P<speaker>[0-9a-f]+)_[0-9]{1,9}\.wav)\Z"


@dataclass(frozen=True)
class Wild(SpeechCorpus):
    """204 digits by 86 speakers at 16 kHz, as ``digits/{word}_{speaker}_{number}.wav`` in ``wild.zip`` or a folder.

    Split by speaker: those whose name, a hexadecimal hash, is even are for training (123 digits by 45 speakers), the
    others for validation (81 by 41). There is no test split. The folder ``words`` has other words by the same speakers.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="wild",
        title="Speech Commands (part)",
        modality=Modality.SPEECH,
        licence="CC BY 4.0",
        citation="P. Warden: Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, 2018",
        origin="https://arxiv.org/abs/1804.03209",
        human=True,
        speakers=86,
        splits=("train", "validation"),
        layout="wild.zip, which holds a folder 'digits' of one_0a7c2a8d_0.wav and the like,",
    )
    names: ClassVar[re.Pattern[str]] = re.compile(rf"(?:^|/)digits/(?P<name>(?P<word>{'|'.join(WORDS)})_{_SPEAKER}")
    other_names: ClassVar[re.Pattern[str]] = re.compile(rf"(?:^|/)words/(?P<name>(?P<word>[a-z]+)_{_SPEAKER}")
    example: ClassVar[str] = "digits/one_0a7c2a8d_0.wav"

    def location(self) -> Path | None:
        """The zip, or the folder that it unpacks to."""
        if (self.home / "wild.zip").is_file():
            return self.home / "wild.zip"
        return self.home if (self.home / "digits").is_dir() else None

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:  # noqa: ARG002
        """All of them, sorted by path."""
        return {
            path: Utterance(
                key=match["name"],
                label=WORDS.index(match["word"]) if match["word"] in WORDS else -1,
                speaker=match["speaker"],
                source=f"Stranger {match['speaker']}" + ("" if match["word"] in WORDS else f", {match['word']}"),
                split="validation" if int(match["speaker"], 16) % 2 else "train",
            )
            for path, match in found.items()
        }
