"""Conversion of a corpus's pictures to the format of MNIST, in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.data.array_cache import Piece
from model.data.images import SIDE, UnusablePicture, read_picture
from model.data.segmentation import normalise_digit


@dataclass(frozen=True, slots=True)
class PictureComputer:
    """Converts the pictures of a piece, given their paths in a folder."""

    place: Path

    def __call__(self, keys: Sequence[str]) -> Piece:
        """Read and convert pictures; can be sent to another process."""
        made, unusable = [], {}
        for key in keys:
            try:
                made.append(normalise_digit(read_picture(self.place / key)))
            except UnusablePicture as error:
                unusable[key] = f"The picture {key} can't be used: {error}"
        return Piece(len(keys), np.array(made, np.float32).reshape(-1, SIDE, SIDE), unusable)
