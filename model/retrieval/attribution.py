"""Which parts of a query and of a match carry their similarity: occlusion (Zeiler and Fergus 2014, arXiv 1311.2901).

Each part of an input is faded in turn, and the input encoded again: the heat of a part is by how much the similarity
falls. Nothing is asked of a model but to encode. Decision 35 compares it with gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.similarity import Gaussians, similarities
from model.systems.base import Encoder
from model.types import FloatArray, Modality

SIZES = {Modality.IMAGE: 3, Modality.SPEECH: 3}
"""Of the parts: the side of an image's tiles in pixels, and so many neighbouring frames of an utterance."""


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """How much the parts of one input contribute to a similarity.

    Attributes
    ----------
    features
        The input, ``(28, 28)`` in [0, 1] or ``(100, 80)``.
    drops
        By how much the similarity falls without a part, in its units: of each pixel, ``(28, 28)``, or of each frame,
        ``(100,)``, the mean of the parts that it is in. Negative where it rises; 0 where there is nothing to fade.
    """

    features: FloatArray
    drops: FloatArray

    @property
    def modality(self) -> Modality:
        """Of the input."""
        return Modality.IMAGE if self.features.shape == (28, 28) else Modality.SPEECH

    @property
    def shares(self) -> FloatArray:
        """The drops as shares of the greatest, in [0, 1]; 0 where the similarity rises."""
        positive = np.maximum(self.drops, 0)
        return np.asarray(positive / max(float(positive.max()), 1e-9), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Heat of the two sides of a pair: of each, while the other stays as it is."""

    query: Heat
    match: Heat

    def of(self, modality: Modality) -> Heat:
        """That of the side of this modality."""
        return self.query if self.query.modality is modality else self.match


def floor(modality: Modality, features: FloatArray) -> FloatArray:
    """An input with all of its parts faded.

    An image is faded to empty paper, 0; an utterance to its own floor, its least energy. Rows of exact zeros at its end
    are padding, and stay.
    """
    if modality is Modality.IMAGE:
        return np.zeros_like(features)
    said = np.flatnonzero(features.any(axis=1))
    faded = np.zeros_like(features)
    if said.size:
        faded[: said[-1] + 1] = features[: said[-1] + 1].min()
    return faded


def occlude(
    encoder: Encoder, modality: Modality, features: FloatArray, other: Gaussians, size: int | None = None
) -> Heat:
    """Heat of an input.

    Parameters
    ----------
    encoder
        A trained model.
    modality, features
        The input, ``(28, 28)`` in [0, 1] or ``(100, 80)``.
    other
        Posterior of the other side of the pair, ``(z,)`` each.
    size
        Of the parts, if not as in :data:`SIZES`.
    """
    faded = floor(modality, features)
    parts = _parts(modality, features != faded, size or SIZES[modality])
    inputs = np.concatenate([features[None], np.where(parts, faded, features)])
    scores = similarities(encoder.similarity, encoder.encode(modality, inputs), other)
    weights = parts / np.maximum(parts.sum(axis=0), 1)
    drops = np.tensordot(scores[0] - scores[1:], weights.astype(np.float32), 1)
    return Heat(features, drops if modality is Modality.IMAGE else drops[:, 0])


def _parts(modality: Modality, differs: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """The parts of an input that fading changes, ``(n, height, width)``.

    They are tiles of an image side by side, and neighbouring frames of an utterance, from each frame on: an encoder
    that takes maxima over time hardly misses a single one.
    """
    rows, columns = np.indices(differs.shape)
    if modality is Modality.IMAGE:
        number = rows // size * differs.shape[1] + columns // size
        return np.asarray(number == np.unique(number[differs])[:, None, None])
    frames = np.flatnonzero(differs.any(axis=1))
    first = np.arange(frames[0] - size + 1, frames[-1] + 1) if frames.size else frames
    begins = first[:, None, None]
    return np.asarray((rows >= begins) & (rows < begins + size))
