"""QMNIST: MNIST rebuilt from NIST's originals with all its 60,000 test images; and all digits of NIST."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from model.data.corpora.base import ALL_OF_TRAINING, CorpusInfo, Split
from model.data.corpora.image_corpus import IdxCorpus, Part
from model.progress import ProgressCallback
from model.types import Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_CITATION = "C. Yadav, L. Bottou: Cold case: the lost MNIST digits, NeurIPS 2019"
_ORIGIN = "https://github.com/facebookresearch/qmnist"
_SERIES, _WRITER = 1, 2  # columns of the labels
_TEST_SERIES = 4
_VALIDATION_WRITERS = 10


@dataclass(frozen=True)
class Qmnist(IdxCorpus):
    """60,000 images for training, of which the last 5,000 are for validation, and 60,000 for testing.

    The training images are those of MNIST, in its order, and the first 10,000 test images are its test images.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="qmnist",
        title="QMNIST",
        modality=Modality.IMAGE,
        licence="BSD 3-Clause",
        citation=_CITATION,
        origin=_ORIGIN,
        layout="qmnist-train-images-idx3-ubyte.gz, qmnist-train-labels-idx2-int.gz, and the same for test,",
    )
    validation: ClassVar[int] = 5_000
    files: ClassVar[dict[Part, tuple[str, str]]] = {
        "train": ("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
        "test": ("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
    }
    label_columns: ClassVar[int] = 8


@dataclass(frozen=True)
class Nist(IdxCorpus):
    """The 402,953 digits of NIST's Special Database 19 in the format of MNIST, split by writer.

    NIST's own test series (4) is for testing. Of the other series, writers whose number is divisible by 10 are for
    validation.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="nist",
        title="NIST digits",
        modality=Modality.IMAGE,
        licence="BSD 3-Clause",
        citation=_CITATION,
        origin=_ORIGIN,
        layout="xnist-images-idx3-ubyte.xz and xnist-labels-idx2-int.xz",
    )
    validation: ClassVar[int] = 0
    files: ClassVar[dict[Part, tuple[str, str]]] = {"train": ("xnist-images-idx3-ubyte", "xnist-labels-idx2-int")}
    label_columns: ClassVar[int] = 8
    most: ClassVar[int] = 402_953

    def folders(self) -> tuple[Path, ...]:
        """Its own, and those of QMNIST, which it comes with."""
        return *super().folders(), *Qmnist(self.folder).folders()

    def read(self, split: Split, progress: ProgressCallback) -> Samples:  # noqa: ARG002 (it is quick)
        """Images scaled to [0, 1]."""
        images, labels = self.read_pair(self.require(), *self.files["train"])
        test = labels[:, _SERIES] == _TEST_SERIES
        validation = ~test & (labels[:, _WRITER] % _VALIDATION_WRITERS == 0)
        wanted = {"test": test, "validation": validation, ALL_OF_TRAINING: ~test}.get(split, ~test & ~validation)
        chosen = np.flatnonzero(wanted)
        return self.samples(images[chosen], labels[chosen, 0], [f"NIST {number}" for number in chosen])
