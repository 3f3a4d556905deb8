"""Confidence of a guess: its margin to the next digit, and a word for it."""

from __future__ import annotations

import numpy as np

from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, similarities
from model.types import Certainty, Modality

LEAST = {
    Modality.IMAGE: {Certainty.SURE: 0.9, Certainty.LIKELY: 0.6},
    Modality.SPEECH: {Certainty.SURE: 1.05, Certainty.LIKELY: 0.5},
}
"""Thresholds by modality of the query, as shares of the typical margin; from ``scripts/choose_certainty.py``."""

_LEAST_TYPICAL = 1.0  # the margin in the objective; a model below it does not separate digits


class Margins:
    """Margins between the best two digits of a gallery for a query.

    The score of a digit is the query's mean similarity with all items of that digit in the other modality. The margin
    of a guess is its score minus the greatest score of any other digit; it is negative if the nearest items and the
    mean over all items disagree. As margins depend on the model, they are compared with the typical margin: the median
    over the gallery's own items with their true digits, but at least 1.

    Parameters
    ----------
    gallery
        A gallery encoded by the model that encodes the queries.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        labels = np.array([item.label for item in gallery.items])
        self._labels = {modality: labels[gallery.places(modality)] for modality in Modality}
        self.typical = {modality: self._typical(modality) for modality in Modality}
        """Typical margins by modality of the query."""

    def of(self, query: Gaussians, modality: Modality, guess: int) -> tuple[float, int | None]:
        """The margin of a guess for a query of a modality, ``(128,)`` each, and the best other digit.

        Without another digit in the gallery the margin is 0.
        """
        digits, members = np.unique(self._labels[modality.other], return_inverse=True)
        found = similarities(self._gallery.similarity, query, self._gallery.posteriors(modality.other))
        scores = np.bincount(members, found) / np.bincount(members)
        others = np.flatnonzero(digits != guess)
        if not len(others) or len(others) == len(digits):
            return 0.0, None
        best = others[np.argmax(scores[others])]
        return float(scores[digits == guess][0] - scores[best]), int(digits[best])

    def word(self, margin: float, modality: Modality) -> Certainty:
        """The word for the margin of a query of a modality."""
        share = margin / self.typical[modality]
        return next((word for word, least in LEAST[modality].items() if share >= least), Certainty.NOT_SURE)

    def _typical(self, modality: Modality) -> float:
        queries = zip(*self._gallery.posteriors(modality), self._labels[modality], strict=True)
        margins = [self.of(Gaussians(*posterior), modality, int(label))[0] for *posterior, label in queries]
        return max(float(np.median(margins)), _LEAST_TYPICAL) if margins else _LEAST_TYPICAL
