"""A small part of Speech Commands: other speakers on their own microphones. Neither shipped nor downloadable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Split
from model.data.recordings import decode, matching
from model.progress import ProgressCallback
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT = re.compile(rf"(?:^|/)digits/(?P<name>(?P<word>{'|'.join(_WORDS)})_(?P<speaker>[0-9a-f]+)_[0-9]{{1,9}}\.wav)\Z")


@dataclass(frozen=True)
class Wild(Corpus):
    """204 digits by 86 speakers at 16 kHz, as ``digits/{word}_{speaker}_{number}.wav`` in ``wild.zip`` or a folder.

    Split by speaker: those whose name, a hexadecimal hash, is even are for training (123 digits by 45 speakers), the
    others for validation (81 by 41). There is no test split.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="wild",
        title="Speech Commands",
        modality=Modality.SPEECH,
        licence="CC BY 4.0",
        citation="P. Warden: Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, 2018",
        origin="https://arxiv.org/abs/1804.03209",
        human=True,
        speakers=86,
        splits=("train", "validation"),
        layout="wild.zip, which holds a folder 'digits' of one_0a7c2a8d_0.wav and the like,",
    )

    def location(self) -> Path | None:
        """The zip, or the folder that it unpacks to."""
        if (self.home / "wild.zip").is_file():
            return self.home / "wild.zip"
        return self.home if (self.home / "digits").is_dir() else None

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """Filterbanks of a split, sorted by name."""
        import torch

        from model.data.filterbanks import filterbanks
        from model.data.samples import Samples

        place = self.require()
        with matching(place, _DIGIT) as files:
            found = {name: match for name, file in files.items() if (match := _DIGIT.search(file.key))}
            if not found:
                raise MissingData(f"{place} holds no recordings named like digits/one_0a7c2a8d_0.wav.")
            state = [files[name].state for name in found]
            features = filterbanks("wild", self.info.title, state, tuple(found), partial(decode, files), progress)
        samples = Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=features,
            labels=torch.tensor([_WORDS.index(match["word"]) for match in found.values()]),
            sources=tuple(f"Stranger {match['speaker']}" for match in found.values()),
            speakers=tuple(match["speaker"] for match in found.values()),
            keys=tuple(found),
        )
        return samples.part(split, [int(speaker, 16) % 2 == 1 for speaker in samples.speakers])

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording."""
        with matching(self.require(), _DIGIT) as files:
            return decode(files, key)
