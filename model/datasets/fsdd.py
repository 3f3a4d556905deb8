"""The Free Spoken Digit Dataset: 3,000 recordings of six human speakers. Users get it themselves."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from model import locations
from model.datasets.base import Clip, MissingData, Samples, Split, Tell, filterbanks, keep_quiet
from model.results import FloatArray, Modality
from model.speech import read_audio

_NAME = re.compile(r"(?:^|/)(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)\.wav$")
_TEST_TAKES = 5


def recordings(place: Path) -> Iterator[tuple[str, bytes]]:
    """Every recording in a folder or a zip: its name, without those of folders around it, and its bytes."""
    if place.is_dir():
        for path in place.glob("*.wav"):
            if _NAME.search(path.name):
                yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(place) as archive:
        for entry in archive.namelist():
            if match := _NAME.search(entry):
                yield match[0].removeprefix("/"), archive.read(entry)


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

    def load(self, split: Split, tell: Tell = keep_quiet) -> Samples:
        """Filterbanks of a split, sorted by name."""
        place = self._require()
        if place.is_dir():
            names = [path.name for path in place.glob("*.wav")]
        else:
            try:
                with zipfile.ZipFile(place) as archive:
                    names = archive.namelist()
            except zipfile.BadZipFile as error:
                raise MissingData(f"{place} is not a whole zip file. Get it again.") from error
        found = {name: match for name in sorted(names) if (match := _NAME.search(name))}
        keys = tuple(k for k, m in found.items() if (int(m["take"]) < _TEST_TAKES) == (split == "test"))
        if not keys:
            raise MissingData(f"{place} holds no recordings named like 7_jackson_12.wav.")
        state = [place.resolve(), place.stat().st_mtime_ns]
        with self._opened() as clip:
            features = filterbanks(f"{self.name}-{split}", self.title, state, keys, clip, tell)
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=features,
            labels=torch.tensor([int(found[key]["digit"]) for key in keys]),
            sources=tuple(f"FSDD {found[key]['speaker']}, take {found[key]['take']}" for key in keys),
            speakers=tuple(found[key]["speaker"] for key in keys),
            keys=keys,
        )

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording as it is; it is known by its name, whatever folders its key tells of."""
        with self._opened() as clip:
            return clip(key)

    @contextmanager
    def _opened(self) -> Iterator[Clip]:
        """What reads recordings, of a zip opened once: to find thousands of entries takes longer than to read one."""
        place = self._require()
        if place.is_dir():
            yield lambda key: read_audio(place / key.rpartition("/")[2])
            return
        try:
            with zipfile.ZipFile(place) as archive:
                entries = {entry.rpartition("/")[2]: entry for entry in archive.namelist()}
                yield lambda key: read_audio(io.BytesIO(archive.read(entries[key.rpartition("/")[2]])))
        except (zipfile.BadZipFile, zlib.error) as error:
            raise MissingData(f"{place} is not a whole zip file. Get it again.") from error
