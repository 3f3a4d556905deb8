"""USPS: 9,298 handwritten digits from postal codes, in the text format of LIBSVM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from model.data.corpora.base import CorpusInfo, MissingData
from model.data.corpora.image_corpus import SIDE, Arrays, ImageCorpus, Part
from model.data.corpora.packed import DAMAGE, find, read_text
from model.types import FloatArray, Modality

_PIXELS = 16 * 16
_MAX_TEXT = 64 << 20  # bytes; the training set has 14 MB
_FILES: dict[Part, str] = {"train": "usps", "test": "usps.t"}


@dataclass(frozen=True)
class Usps(ImageCorpus):
    """7,291 images for training, of which the last 729 are for validation, and 2,007 for testing.

    Its digits fill 16 x 16 pixels. They are put into the format of MNIST as its own were: scaled to a box of 20 x 20
    and centred by mass. The conversion of photographs would also thicken strokes and remove faint ones.
    """

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="usps",
        title="USPS",
        modality=Modality.IMAGE,
        licence="not stated",
        citation="J. J. Hull: A database for handwritten text recognition research, IEEE PAMI 16(5), 1994",
        origin="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
        layout="usps.bz2 and usps.t.bz2",
    )
    validation: ClassVar[int] = 729

    def location(self) -> Path | None:
        """The folder of the training images."""
        found = find([self.home], _FILES["train"])
        return found.parent if found else None

    def arrays(self, part: Part) -> Arrays:
        """Images in the format of MNIST, and labels."""
        from model.data.images import to_mnist_format

        folder = self.require()
        file = find([folder], _FILES[part]) or folder / f"{_FILES[part]}.bz2"
        try:
            ink, labels = _parse(read_text(file, _MAX_TEXT))
        except DAMAGE as error:
            raise MissingData(f"{file} is damaged: {error}. Get USPS again.") from error
        images = np.zeros((len(ink), SIDE, SIDE), np.float32)
        for image, digit in zip(images, ink, strict=True):
            image[:] = to_mnist_format(digit)
        return images, labels


def _parse(text: bytes) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Ink ``(n, 16, 16)`` in [0, 1] and labels ``(n,)``; raises ``ValueError`` that says what is wrong.

    A line is ``label place:value ...``, with labels from 1, places from 1, and values in [-1, 1]; a 0 may be left out.
    """
    lines = text.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError("it is empty")
    ink = np.full((len(lines), _PIXELS), 0.5, np.float32)
    labels = np.zeros(len(lines), np.int64)
    for number, line in enumerate(lines):
        label, _, pixels = line.partition(b" ")
        try:
            values = np.array(pixels.replace(b":", b" ").split(), np.float64)
            places = values[::2].astype(np.int64) - 1
            labels[number] = int(label) - 1
            if not 0 <= labels[number] <= 9 or not np.all((places >= 0) & (np.abs(values[1::2]) <= 1)):
                raise ValueError("a value out of range")
            ink[number, places] = (values[1::2] + 1) / 2
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number + 1:,} is no digit of 16 x 16 pixels ({error})") from error
    return ink.reshape(-1, 16, 16), labels
