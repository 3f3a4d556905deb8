"""How clearly a query is taken for one digit: the margin to the next one, and a word for it."""

from __future__ import annotations

import numpy as np

from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, similarities
from model.types import Certainty, Modality

LEAST = {
    Modality.IMAGE: {Certainty.SURE: 0.9, Certainty.LIKELY: 0.6},
    Modality.SPEECH: {Certainty.SURE: 1.05, Certainty.LIKELY: 0.5},
}
"""By modality of the query: shares of the typical margin for the words, from ``scripts/choose_certainty.py``."""

_LEAST_TYPICAL = 1.0  # the margin that the objective asks for: a model that does not reach it tells no digits apart


class Margins:
    """Mean scores of queries with the digits of a gallery, and how far apart the best two are.

    The score of a digit is the query's mean similarity with all items of that digit in the other modality. The margin
    of a guess is its score less the greatest score of any other digit; it is negative where the nearest items say one
    digit, and all items on average another. How large margins are depends on the model, so they are measured
    against the typical margin: the median one of the gallery's own items with their true digits, and at least 1.

    Parameters
    ----------
    gallery
        Encoded by the model that encodes the queries.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        labels = np.array([item.label for item in gallery.items])
        self._labels = {modality: labels[gallery.places(modality)] for modality in Modality}
        self.typical = {modality: self._typical(modality) for modality in Modality}
        """By modality of the query."""

    def of(self, query: Gaussians, modality: Modality, guess: int) -> tuple[float, int | None]:
        """The margin of a guess for a query of a modality, ``(128,)`` each, and the best other digit.

        Without another digit in the gallery there is no margin: it is 0.
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
        """What a margin says of a query of a modality."""
        share = margin / self.typical[modality]
        return next((word for word, least in LEAST[modality].items() if share >= least), Certainty.NOT_SURE)

    def _typical(self, modality: Modality) -> float:
        queries = zip(*self._gallery.posteriors(modality), self._labels[modality], strict=True)
        margins = [self.of(Gaussians(*posterior), modality, int(label))[0] for *posterior, label in queries]
        return max(float(np.median(margins)), _LEAST_TYPICAL) if margins else _LEAST_TYPICAL
