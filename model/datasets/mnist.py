"""MNIST: handwritten digits, 60,000 to train and 10,000 to test; ships with the application."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from model import locations
from model.datasets.base import MissingData, Samples, Split, Tell, keep_quiet
from model.results import Modality

_PREFIX = {"train": "train", "test": "t10k"}


def _read_idx(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """An array from a gzipped IDX file of unsigned bytes; a damaged one is told as missing data."""
    try:
        raw = gzip.decompress(path.read_bytes())
        dimensions = raw[3]
        shape = np.frombuffer(raw, ">u4", count=dimensions, offset=4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, IndexError, ValueError, zlib.error) as error:
        raise MissingData(f"{path} is damaged: {error}. Delete it to use the copy that ships along.") from error


@dataclass(frozen=True)
class Mnist:
    """The images of the paper."""

    folder: Path | None = None
    name: ClassVar[str] = "mnist"
    title: ClassVar[str] = "MNIST"
    modality: ClassVar[Modality] = Modality.IMAGE
    licence: ClassVar[str] = "CC BY-SA 3.0"

    def location(self) -> Path | None:
        """The user's copy, else the bundled one."""
        for folder in ((self.folder or locations.data()) / "mnist", locations.assets() / "mnist"):
            if (folder / "train-images-idx3-ubyte.gz").is_file():
                return folder
        return None

    def load(self, split: Split, tell: Tell = keep_quiet) -> Samples:  # noqa: ARG002 (it is quick)
        """Images scaled to [0, 1]."""
        folder = self.location()
        if folder is None:
            raise MissingData("MNIST is missing, though it ships along: install the application again.")
        images = _read_idx(folder / f"{_PREFIX[split]}-images-idx3-ubyte.gz")
        labels = _read_idx(folder / f"{_PREFIX[split]}-labels-idx1-ubyte.gz")
        return Samples(
            corpus=self.name,
            modality=self.modality,
            features=torch.from_numpy(images.copy()).to(torch.float32) / 255,
            labels=torch.from_numpy(labels.astype(np.int64)),
            sources=tuple(f"MNIST {split} {number}" for number in range(len(labels))),
        )
