"""Which items of a corpus surprise a model: those whose labels its gallery contradicts.

The measure is the margin of an item's label (:class:`~model.retrieval.confidence.Margins`): the mean similarity of the
item with all items of the gallery that have this label, in the other modality, less the greatest mean similarity with
those of any other digit. The lowest margins come first: of items that the model takes for another digit, and is the
more sure of it the lower the margin is. Margins about zero are of items that it can't decide about. Means are taken,
not the nearest item, because a single odd item of the gallery would else decide; the confidence of answers rests on
the same number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.progress import ProgressCallback, no_progress
from model.retrieval.confidence import Digits, Doubles, Margins
from model.systems.base import Encoder
from model.types import Modality, Rows

_ENCODED_AT_ONCE = 64  # between two looks at whether to go on: a tenth of a second of images on one core


class Surprise(NamedTuple):
    """How a model judges the labels of ``n`` items.

    Attributes
    ----------
    margins
        Of the labels, ``(n,)``: the lower, the more surprising.
    guesses
        The digits that the model takes the items for, ``(n,)``.
    order
        Positions of the items, the most surprising first, ``(n,)``.
    """

    margins: Doubles
    guesses: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]


def scores_of(
    encoder: Encoder,
    margins: Margins,
    modality: Modality,
    features: Rows,
    progress: ProgressCallback = no_progress,
) -> Doubles:
    """Mean similarities of items with the digits of a gallery, ``(n, digits)``.

    Parameters
    ----------
    encoder, margins
        A model, and the margins in a gallery that it has encoded.
    modality, features
        Inputs of its encoder, ``(n, 28, 28)`` or ``(n, 100, 80)``; perhaps mapped from a file.
    progress
        Called with the share done; may raise to end it.
    """
    found = [np.zeros((0, len(margins.digits(modality))))]
    for start in range(0, len(features), _ENCODED_AT_ONCE):
        progress(start / len(features), "Ranking")
        encoded = encoder.encode(modality, features[start : start + _ENCODED_AT_ONCE])
        found.append(margins.scores(encoded, modality))
    return np.concatenate(found)


def surprise(margins: Margins, modality: Modality, scores: Doubles, labels: Digits) -> Surprise:
    """Judge labels, ``(n,)``, of items with these :func:`scores_of`; items with equal margins stay in their order."""
    judged = margins.judge(scores, modality, labels).margins
    digits = margins.digits(modality)
    guesses = digits[scores.argmax(axis=1)] if len(digits) else np.asarray(labels)
    return Surprise(judged, guesses.astype(np.int64), np.argsort(judged, kind="stable"))
