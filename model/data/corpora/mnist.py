"""MNIST: handwritten digits, 60,000 to train and 10,000 to test; ships with the application."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from model import locations
from model.data.corpora.base import MissingData, Samples, Split
from model.progress import ProgressCallback, no_progress
from model.types import Modality

_PREFIX = {"train": "train", "test": "t10k"}
_SIDE = 28  # pixels
_MOST = 60_000  # of either split
_LARGEST_FILE = 64 << 20  # bytes: more than all images take that are not packed at all


def _read_idx(path: Path, *shape: int) -> npt.NDArray[np.uint8]:
    """Bytes, ``(n, *shape)``, from a gzipped IDX file; raises ``OSError``, ``ValueError`` or ``zlib.error``."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise ValueError("it is no file")
    with path.open("rb") as file:
        packed = file.read(_LARGEST_FILE + 1)
    if len(packed) > _LARGEST_FILE:
        raise ValueError("it is far too large")
    size = math.prod(shape)  # bytes of an item
    head = struct.pack(">BBBB", 0, 0, 8, 1 + len(shape))
    after = struct.pack(f">{len(shape)}I", *shape)
    start = len(head) + 4 + len(after)
    # Never more is unpacked than there may be, whatever the file would unpack to.
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    raw = unpacker.decompress(packed, start + _MOST * size + 1)
    if not raw.startswith(head) or raw[len(head) + 4 : start] != after:
        raise ValueError(f"it is no IDX file of unsigned bytes, {' x '.join(map(str, ('n', *shape)))}")
    count = int.from_bytes(raw[len(head) : len(head) + 4], "big")
    if not 0 < count <= _MOST:
        raise ValueError(f"it claims to hold {count:,} items, where MNIST has {_MOST:,} at most")
    if len(raw) != start + count * size or unpacker.unused_data:
        raise ValueError(f"it holds more or less than the {count:,} items that it claims")
    if not unpacker.eof:
        raise ValueError("it is cut off")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(count, *shape)


@dataclass(frozen=True)
class Mnist:
    """The images of the paper."""

    folder: Path | None = None
    name: ClassVar[str] = "mnist"
    title: ClassVar[str] = "MNIST"
    modality: ClassVar[Modality] = Modality.IMAGE
    licence: ClassVar[str] = "CC BY-SA 3.0"
    shares_speakers: ClassVar[bool] = False

    def location(self) -> Path | None:
        """The user's copy, else the bundled one."""
        for folder in ((self.folder or locations.data()) / "mnist", locations.assets() / "mnist"):
            if (folder / "train-images-idx3-ubyte.gz").is_file():
                return folder
        return None

    def load(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:  # noqa: ARG002 (it is quick)
        """Images scaled to [0, 1]."""
        folder = self.location()
        if folder is None:
            raise MissingData("MNIST is missing, though it ships along: install the application again.")
        files = [folder / f"{_PREFIX[split]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
        remedy = (
            "Install the application again."
            if folder.is_relative_to(locations.assets())
            else f"Get MNIST again, or delete {folder} to use the copy that ships along."
        )
        arrays = []
        for file, shape in zip(files, ((_SIDE, _SIDE), ()), strict=True):
            try:
                arrays.append(_read_idx(file, *shape))
            except (OSError, ValueError, zlib.error) as error:
                raise MissingData(f"{file} is damaged: {error}. {remedy}") from error
        images, labels = arrays
        if len(images) != len(labels):
            raise MissingData(f"{files[0]} holds {len(images):,} images, {files[1]} {len(labels):,} labels. {remedy}")
        if labels.max() > 9:
            raise MissingData(f"{files[1]} holds the label {labels.max()}, which is no digit. {remedy}")
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=torch.from_numpy(images.copy()).to(torch.float32) / 255,
            labels=torch.from_numpy(labels.astype(np.int64)),
            sources=tuple(f"MNIST {split} {number}" for number in range(len(labels))),
        )
