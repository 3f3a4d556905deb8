"""The base class of corpora of images, and of those in the files of MNIST."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from model.data.corpora.base import Corpus, MissingData, Split
from model.data.corpora.packed import DAMAGE, content_of, find, parse_idx
from model.progress import ProgressCallback

if TYPE_CHECKING:
    from model.data.samples import Samples

Part = Literal["train", "test"]
"""A published set."""

Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""Images ``(n, 28, 28)``, unsigned bytes or floats in [0, 1], and labels ``(n,)``, 0 to 9."""

SIDE = 28  # pixels


@dataclass(frozen=True)
class ImageCorpus(Corpus):
    """Images with a published training and test set, of which the last training images are for validation.

    Attributes
    ----------
    validation
        Number of images for validation; half of the training images if these are fewer than twice as many.
    """

    validation: ClassVar[int]

    @abstractmethod
    def arrays(self, part: Part) -> Arrays:
        """Read a published set; raises :class:`MissingData` with what to do if it is damaged."""

    def read(self, split: Split, progress: ProgressCallback) -> Samples:  # noqa: ARG002 (it is quick)
        """Images scaled to [0, 1]."""
        part: Part = "test" if split == "test" else "train"
        images, labels = self.arrays(part)
        start, end = 0, len(labels)
        if split in ("train", "validation"):
            held_out = end - min(self.validation, end // 2)
            start, end = (0, held_out) if split == "train" else (held_out, end)
        return self.samples(
            images[start:end], labels[start:end], [f"{self.info.label} {part} {number}" for number in range(start, end)]
        )

    def samples(self, images: npt.NDArray[Any], labels: npt.NDArray[Any], sources: list[str]) -> Samples:
        """Inputs of the encoder; parameters as of :data:`Arrays`, and descriptions for people."""
        from model.data.samples import Samples

        features = images.astype(np.float32)
        if images.dtype == np.uint8:
            features /= 255
        return Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=features,
            labels=labels.astype(np.int64),
            sources=tuple(sources),
        )


@dataclass(frozen=True)
class IdxCorpus(ImageCorpus):
    """Images in files like those of MNIST, packed or not, in its folder or the sub-folder ``raw`` of torchvision.

    Attributes
    ----------
    files
        Names of the files of images and labels of each published set, without ``.gz``.
    label_columns
        Columns of the labels, of which the first is the digit; 0 if a label is one byte.
    most
        Maximum number of images in a set.
    """

    files: ClassVar[dict[Part, tuple[str, str]]]
    label_columns: ClassVar[int] = 0
    most: ClassVar[int] = 60_000

    def folders(self) -> tuple[Path, ...]:
        """Folders that may hold the files."""
        return self.home, self.home / "raw"

    def remedy(self) -> str:
        """What to do if a file is damaged."""
        return f"Get {self.info.title} again."

    def location(self) -> Path | None:
        """The folder of the training images."""
        found = find(self.folders(), self.files["train"][0])
        return found.parent if found else None

    def arrays(self, part: Part) -> Arrays:
        """Images, and digits as labels."""
        images, labels = self.read_pair(self.require(), *self.files[part])
        return images, labels[:, 0] if self.label_columns else labels

    def read_pair(self, folder: Path, images_name: str, labels_name: str) -> Arrays:
        """Images, and labels ``(n,)`` or, with columns, ``(n, columns)``."""
        images_file, images = self.read_array(folder, images_name, (SIDE, SIDE))
        columns = self.label_columns
        labels_file, labels = self.read_array(folder, labels_name, (columns,) if columns else (), 12 if columns else 8)
        digits = labels[:, 0] if columns else labels
        if len(images) != len(labels):
            raise MissingData(
                f"{images_file} holds {len(images):,} images, {labels_file} {len(labels):,} labels. {self.remedy()}"
            )
        if wrong := [label for label in (int(digits.min()), int(digits.max())) if not 0 <= label <= 9]:
            raise MissingData(f"{labels_file} holds the label {wrong[0]}, which is no digit. {self.remedy()}")
        return images, labels

    def read_array(
        self, folder: Path, name: str, shape: tuple[int, ...], code: int = 8
    ) -> tuple[Path, npt.NDArray[Any]]:
        """The file and its array; raises :class:`MissingData`."""
        file = find([folder], name) or folder / f"{name}.gz"
        try:
            content = self.content(file)
            return file, parse_idx(content, file.suffix, shape, self.most, self.info.title, code)
        except MissingData:
            raise
        except DAMAGE as error:
            raise MissingData(f"{file} is damaged: {error}. {self.remedy()}") from error

    def content(self, file: Path) -> bytes:
        """The bytes of a file."""
        return content_of(file)
