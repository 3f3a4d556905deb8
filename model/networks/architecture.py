"""The layers of the paper's encoders and of their decoders, without torch.

What trains them and what only runs them are both built from these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.types import Modality

EMBEDDING_SIZE = 128
HIDDEN_UNITS = 512


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution, or a transposed one; pairs are of height and width, or of time and frequency."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    transposed: bool = False

    @property
    def output_padding(self) -> tuple[int, int]:
        """Of a transposed one, so that its output is exactly as many times as large as its input as the stride says."""
        return self.stride[0] - 1, self.stride[1] - 1


CONVOLUTIONS = {
    Modality.IMAGE: (
        Convolution(64, (3, 3), (1, 1), (1, 1)),
        Convolution(128, (3, 3), (2, 2), (1, 1)),
        Convolution(256, (3, 3), (2, 2), (1, 1)),
    ),
    Modality.SPEECH: (
        Convolution(64, (1, 80), (1, 1), (0, 0)),
        Convolution(128, (3, 1), (2, 1), (1, 0)),
        Convolution(256, (3, 1), (2, 1), (1, 0)),
    ),
}
"""Of the encoder of a modality, each followed by a ReLU. A hidden layer and a linear one come next."""

DECONVOLUTIONS = {
    Modality.IMAGE: (
        Convolution(128, (3, 3), (2, 2), (1, 1), transposed=True),
        Convolution(64, (3, 3), (2, 2), (1, 1), transposed=True),
        Convolution(1, (3, 3), (1, 1), (1, 1)),
    ),
    Modality.SPEECH: (
        Convolution(128, (3, 1), (2, 1), (1, 0), transposed=True),
        Convolution(64, (3, 1), (2, 1), (1, 0), transposed=True),
        Convolution(1, (1, 80), (1, 1), (0, 0), transposed=True),
    ),
}
"""Of the decoder of a modality, with ReLUs between. A hidden layer and another one come before."""

INPUTS = {Modality.IMAGE: (28, 28), Modality.SPEECH: (100, 80)}
"""Shapes of inputs: an image, and time x frequency."""

UNFLATTENED = {Modality.IMAGE: (256, 7, 7), Modality.SPEECH: (256, 25, 1)}
"""Channels, height and width of what the convolutions end with, and deconvolutions begin with."""

FLATTENED = {modality: math.prod(shape) for modality, shape in UNFLATTENED.items()}
"""What the hidden layer sees."""
