"""The Free Spoken Digit Dataset: 3,000 recordings of six human speakers. Users get it themselves."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch

from model import locations
from model.data.corpora.base import MissingData, Samples, Split, filterbanks
from model.data.recordings import Recording, opened
from model.data.speech import read_audio
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray, Modality

_NAME = re.compile(r"(?:^|/)(?P<name>(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]{1,9})\.wav)\Z")
_TEST_TAKES = 5


@contextmanager
def recordings(place: Path) -> Iterator[Mapping[str, Recording]]:
    """The recordings in a folder or a zip, by their names without those of folders around them.

    Raises as :func:`model.data.recordings.opened`.
    """
    with opened(place) as files:
        yield {match["name"]: file for key, file in files.items() if (match := _NAME.search(key))}


@dataclass(frozen=True)
class Fsdd:
    """Human spoken digits at 8 kHz, as a folder or a zip of ``{digit}_{speaker}_{take}.wav``.

    The official test set is takes 0 to 4 of each speaker and digit.
    """

    folder: Path | None = None
    name: ClassVar[str] = "fsdd"
    title: ClassVar[str] = "Free Spoken Digit Dataset"
    modality: ClassVar[Modality] = Modality.SPEECH
    licence: ClassVar[str] = "CC BY-SA 4.0"
    shares_speakers: ClassVar[bool] = True

    def location(self) -> Path | None:
        """The folder of recordings, or the zip that holds them."""
        base = (self.folder or locations.data()) / "fsdd"
        for place in (base / "recordings", base / "recordings.zip", base):
            if place.is_file() or (place.is_dir() and next(place.glob("*.wav"), None)):
                return place
        return None

    def _require(self) -> Path:
        place = self.location()
        if place is None:
            folder = (self.folder or locations.data()) / "fsdd"
            raise MissingData(
                "The Free Spoken Digit Dataset is not installed. 'modinv data get fsdd' fetches it (16 MB); or get it "
                "from https://github.com/Jakobovski/free-spoken-digit-dataset and put its folder 'recordings', or a "
                f"zip of it named recordings.zip, into {folder}."
            )
        return place

    def load(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Filterbanks of a split, sorted by name."""
        place = self._require()
        with recordings(place) as files:
            found = {name: match for name in files if (match := _NAME.search(name))}
            names = [n for n, match in found.items() if (int(match["take"]) < _TEST_TAKES) == (split == "test")]
            if not names:
                raise MissingData(f"{place} holds no recordings named like 7_jackson_12.wav.")
            keys = tuple(files[name].key for name in names)
            state = [files[name].state for name in names]
            features = filterbanks(f"{self.name}-{split}", self.title, state, keys, partial(_heard, files), progress)
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=features,
            labels=torch.tensor([int(found[name]["digit"]) for name in names]),
            sources=tuple(f"FSDD {found[name]['speaker']}, take {found[name]['take']}" for name in names),
            speakers=tuple(found[name]["speaker"] for name in names),
            keys=keys,
        )

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording as it is; it is known by its name, whatever folders its key tells of."""
        with recordings(self._require()) as files:
            return _heard(files, key)


def _heard(files: Mapping[str, Recording], key: str) -> tuple[FloatArray, int]:
    file = files.get(key.rpartition("/")[2])
    if file is None:
        raise MissingData(f"There is no recording {key} any more. Get the corpus again.")
    return read_audio(io.BytesIO(file.read()))
