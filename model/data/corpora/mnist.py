"""MNIST: handwritten digits, 60,000 for training and 10,000 for testing; part of the application."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from model import locations
from model.data.corpora.base import CorpusInfo, MissingData
from model.data.corpora.image_corpus import IdxCorpus, Part
from model.types import Modality


@dataclass(frozen=True)
class Mnist(IdxCorpus):
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
    validation: ClassVar[int] = 5_000
    files: ClassVar[dict[Part, tuple[str, str]]] = {
        "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    }

    def folders(self) -> tuple[Path, ...]:
        """Those of the user's copy, or else of the bundled one."""
        return *super().folders(), _bundled()

    def remedy(self) -> str:
        """What to do if a file is damaged."""
        folder = self.require()
        if folder.is_relative_to(locations.assets()):
            return "Install the application again."
        return f"Get MNIST again, or delete {folder} to use the bundled copy."

    def check(self) -> str:
        """Unpack the bundled files."""
        for path in (_bundled() / f"{name}.gz" for names in self.files.values() for name in names):
            try:
                gzip.decompress(path.read_bytes())
            except (OSError, EOFError, zlib.error) as error:
                raise MissingData(f"{path.name}: {error}") from error
        return str(_bundled())


def _bundled() -> Path:
    return locations.assets() / "mnist"
