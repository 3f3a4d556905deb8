"""How clearly a query is taken for one digit: the margin to the next one, and a word for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.retrieval.gallery import Gallery
from model.types import Certainty, FloatArray, Modality

LEAST = {
    Modality.IMAGE: {Certainty.SURE: 0.9, Certainty.LIKELY: 0.6},
    Modality.SPEECH: {Certainty.SURE: 1.05, Certainty.LIKELY: 0.5},
}
"""By modality of the query: shares of the typical margin for the words, from ``scripts/choose_certainty.py``."""

_LEAST_TYPICAL = 1.0  # the margin that the objective asks for: a model that does not reach it tells no digits apart


class Margins:
    """Mean scores of queries with the digits of a gallery, and how far apart the best two are.

    The score of a digit is the mean dot product of the query's mean with all items of that digit in the other
    modality. The margin of a guess is its score less the greatest score of any other digit; it is negative where the
    nearest items say one digit, and all items on average another. How large margins are depends on the model, so they
    are measured against the typical margin: the median one of the gallery's own items with their true digits, and
    at least 1.

    Parameters
    ----------
    gallery
        Encoded by the model that encodes the queries.
    """

    def __init__(self, gallery: Gallery) -> None:
        labels = np.array([item.label for item in gallery.items])
        images = np.array([item.modality is Modality.IMAGE for item in gallery.items])
        self._digits: dict[Modality, npt.NDArray[np.intp]] = {}
        self._centres: dict[Modality, FloatArray] = {}
        for modality, those in ((Modality.IMAGE, images), (Modality.SPEECH, ~images)):
            self._digits[modality] = digits = np.unique(labels[those])
            # By linearity the mean of the dot products is the dot product with the mean.
            centres = [gallery.means[those & (labels == digit)].mean(axis=0) for digit in digits]
            self._centres[modality] = np.array(centres, np.float32).reshape(-1, gallery.means.shape[1])
        self.typical = {
            modality: self._typical(gallery.means[those], labels[those], modality)
            for modality, those in ((Modality.IMAGE, images), (Modality.SPEECH, ~images))
        }
        """By modality of the query."""

    def of(self, mean: FloatArray, modality: Modality, guess: int) -> tuple[float, int | None]:
        """The margin of a guess for a query of a modality with this mean ``(128,)``, and the best other digit.

        Without another digit in the gallery there is no margin: it is 0.
        """
        digits = self._digits[modality.other]
        scores = np.einsum("kd,d->k", self._centres[modality.other], mean)
        others = np.flatnonzero(digits != guess)
        if not len(others) or len(others) == len(digits):
            return 0.0, None
        best = others[np.argmax(scores[others])]
        return float(scores[digits == guess][0] - scores[best]), int(digits[best])

    def word(self, margin: float, modality: Modality) -> Certainty:
        """What a margin says of a query of a modality."""
        share = margin / self.typical[modality]
        return next((word for word, least in LEAST[modality].items() if share >= least), Certainty.NOT_SURE)

    def _typical(self, means: FloatArray, labels: npt.NDArray[np.intp], modality: Modality) -> float:
        margins = [self.of(mean, modality, int(label))[0] for mean, label in zip(means, labels, strict=True)]
        return max(float(np.median(margins)), _LEAST_TYPICAL) if margins else _LEAST_TYPICAL
