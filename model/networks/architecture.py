"""The layers of the paper's encoders, of their decoders and of the pretrained speech encoder, without torch.

What trains them and what only runs them are both built from these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.types import FloatArray, Modality

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


@dataclass(frozen=True, slots=True)
class MaxPooling:
    """The maximum over neighbours in time and frequency, which do not overlap."""

    size: tuple[int, int]


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


def _separable(channels: int) -> tuple[Convolution, Convolution]:
    """Three bands, then three frames; only bands are padded."""
    return Convolution(channels, (1, 3), (1, 1), (0, 1)), Convolution(channels, (3, 1), (1, 1), (0, 0))


SPEECH_EMBEDDING: tuple[Convolution | MaxPooling, ...] = (
    Convolution(24, (3, 3), (1, 1), (0, 1)),
    *_separable(24),
    MaxPooling((2, 2)),
    *_separable(48) * 2,
    MaxPooling((1, 2)),
    *_separable(72) * 2,
    MaxPooling((2, 2)),
    *_separable(96) * 2,
    MaxPooling((1, 2)),
    *_separable(96) * 2,
    MaxPooling((2, 2)),
    Convolution(96, (3, 1), (1, 1), (0, 0)),
)
"""Google's speech_embedding (Lin et al. 2020, arXiv 2002.01322), after its spectrum. Each convolution but the last is
followed by a leaky ReLU. An output sees 76 frames, the next one begins eight later."""

SLOPE, LEAST = 0.2, -0.4
"""Of the leaky ReLU: its slope below zero, and its minimum."""

FRAMES_BEFORE = 24
"""Silence before an utterance, in frames, so that its beginning is amid what the first output sees."""

FEATURES = (7, 96)
"""What the pretrained layers end with: time x channels."""

LOUDEST = 12.0
"""Decimal logarithm that the pretrained layers expect of the most powerful band of an utterance."""

NATS = 2.6
"""What one standard deviation of a normalised filterbank stands for, typical of the corpora."""


def pretrained_bands() -> FloatArray:
    """The 32 bands from 60 to 3800 Hz of the pretrained layers as sums of a filterbank's 80, ``(80, 32)``."""

    def mel(hertz: float) -> float:
        return 1127 * math.log1p(hertz / 700)

    ours = np.linspace(mel(20), mel(4000), 82)[1:-1]
    edges = np.linspace(mel(60), mel(3800), 34)
    below, above = ours[:, None] - edges[:-2], edges[2:] - ours[:, None]
    triangles = np.minimum(below / (edges[1:-1] - edges[:-2]), above / (edges[2:] - edges[1:-1]))
    return np.maximum(triangles, 0).astype(np.float32)
