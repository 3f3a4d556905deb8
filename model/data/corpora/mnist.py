"""MNIST: handwritten digits, 60,000 for training and 10,000 for testing; part of the application."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from model import locations
from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Split
from model.progress import ProgressCallback
from model.types import Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_VALIDATION = 5_000  # the last of the training images, but at most half of them
_SIDE = 28  # pixels
_MAX_ITEMS = 60_000  # in a split
_MAX_FILE = 64 << 20  # bytes: more than all images uncompressed


def _read_idx(path: Path, *shape: int) -> npt.NDArray[np.uint8]:
    """Read bytes, ``(n, *shape)``, from a gzipped IDX file; raises ``OSError``, ``ValueError`` or ``zlib.error``."""
    if path.exists() and not path.is_file():  # reading a pipe would block
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        packed = file.read(_MAX_FILE + 1)
    if len(packed) > _MAX_FILE:
        raise ValueError("it is far too large")
    size = math.prod(shape)  # bytes of an item
    head = struct.pack(">BBBB", 0, 0, 8, 1 + len(shape))
    after = struct.pack(f">{len(shape)}I", *shape)
    start = len(head) + 4 + len(after)
    # Bounds the unpacked size.
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    raw = unpacker.decompress(packed, start + _MAX_ITEMS * size + 1)
    if not raw.startswith(head) or raw[len(head) + 4 : start] != after:
        raise ValueError(f"it is no IDX file of unsigned bytes, {' x '.join(map(str, ('n', *shape)))}")
    count = int.from_bytes(raw[len(head) : len(head) + 4], "big")
    if not 0 < count <= _MAX_ITEMS:
        raise ValueError(f"it claims to hold {count:,} items, where MNIST has {_MAX_ITEMS:,} at most")
    if len(raw) != start + count * size or unpacker.unused_data:
        raise ValueError(f"it holds more or less than the {count:,} items that it claims")
    if not unpacker.eof:
        raise ValueError("it is cut off")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(count, *shape)


@dataclass(frozen=True)
class Mnist(Corpus):
    """The images of the paper. The last 5,000 of the 60,000 for training are for validation."""

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="mnist",
        title="MNIST",
        modality=Modality.IMAGE,
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits, 1998",
        origin="assets/mnist/README.md",
        preferred=True,
        trained_by_default=True,
        ships=True,
    )

    def location(self) -> Path | None:
        """The user's copy, or else the bundled one."""
        for folder in (self.home, locations.assets() / "mnist"):
            if (folder / "train-images-idx3-ubyte.gz").is_file():
                return folder
        return None

    def check(self) -> str:
        """Unpack the bundled files."""
        folder = locations.assets() / "mnist"
        for path in (*_files(folder, "train"), *_files(folder, "t10k")):
            try:
                gzip.decompress(path.read_bytes())
            except (OSError, EOFError, zlib.error) as error:
                raise MissingData(f"{path.name}: {error}") from error
        return str(folder)

    def read(self, split: Split, progress: ProgressCallback) -> Samples:  # noqa: ARG002 (it is quick)
        """Images scaled to [0, 1]."""
        import torch

        from model.data.samples import Samples

        folder = self.require()
        part = "t10k" if split == "test" else "train"
        files = _files(folder, part)
        remedy = (
            "Install the application again."
            if folder.is_relative_to(locations.assets())
            else f"Get MNIST again, or delete {folder} to use the bundled copy."
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
        start, end = 0, len(labels)
        if split in ("train", "validation"):
            held_out = end - min(_VALIDATION, end // 2)
            start, end = (0, held_out) if split == "train" else (held_out, end)
        images, labels = images[start:end], labels[start:end]
        published = "test" if split == "test" else "train"
        return Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=torch.from_numpy(images.copy()).to(torch.float32) / 255,
            labels=torch.from_numpy(labels.astype(np.int64)),
            sources=tuple(f"MNIST {published} {number}" for number in range(start, end)),
        )


def _files(folder: Path, part: str) -> list[Path]:
    """Images and labels."""
    return [folder / f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
