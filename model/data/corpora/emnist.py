"""EMNIST's digits: 280,000 handwritten digits by more writers than MNIST's, in its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from model.data.corpora.base import CorpusInfo, MissingData
from model.data.corpora.image_corpus import Arrays, IdxCorpus, Part
from model.data.recordings import opened
from model.types import Modality

_ARCHIVE = "gzip.zip"


@dataclass(frozen=True)
class Emnist(IdxCorpus):
    """240,000 images for training and 40,000 for testing.

    The last 40,000 for training are for validation, as in its paper.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="emnist",
        title="EMNIST digits",
        modality=Modality.IMAGE,
        licence="public domain (NIST)",
        citation="G. Cohen, S. Afshar, J. Tapson, A. van Schaik: EMNIST: extending MNIST to handwritten letters, 2017",
        origin="https://www.nist.gov/itl/products-and-services/emnist-dataset",
        layout="gzip.zip, or emnist-digits-train-images-idx3-ubyte.gz and the others from it,",
    )
    validation: ClassVar[int] = 40_000
    files: ClassVar[dict[Part, tuple[str, str]]] = {
        part: (f"emnist-digits-{part}-images-idx3-ubyte", f"emnist-digits-{part}-labels-idx1-ubyte")
        for part in ("train", "test")
    }
    most: ClassVar[int] = 240_000

    def location(self) -> Path | None:
        """The folder of the files, or the archive of all of EMNIST."""
        archives = (folder / _ARCHIVE for folder in self.folders())
        return super().location() or next((archive for archive in archives if archive.is_file()), None)

    def arrays(self, part: Part) -> Arrays:
        """Images, which are stored with rows and columns exchanged, and labels."""
        images, labels = super().arrays(part)
        return images.transpose(0, 2, 1), labels

    def content(self, file: Path) -> bytes:
        """The bytes of a file in the folder or the archive."""
        if file.parent.name != _ARCHIVE:
            return super().content(file)
        with opened(file.parent) as files:
            if found := next((entry for key, entry in files.items() if Path(key).name == file.name), None):
                return found.read()
        raise MissingData(f"{file.parent} holds no {file.name}. {self.remedy()}")
