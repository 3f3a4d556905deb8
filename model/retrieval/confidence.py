"""How likely a guess is right, and whether a query is a digit at all: plain functions of posteriors.

The confidence is a logistic function of one number, the margin between the best two digits. A rejection is a logistic
regression on the posterior and four numbers about it. Both are fitted on validation data by
``scripts/fit_confidence.py`` and kept in the header of the model; see decision 34.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from model.checkpoints import Header, UnusableCheckpoint
from model.parsing import parse
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, Similarity, normalised, similarity_matrix
from model.types import Modality

Doubles = npt.NDArray[np.float64]
Digits = npt.NDArray[np.integer]

LOST = 0.03
"""Share of the digits that a rejection may lose where it is fitted."""

_LEAST_TYPICAL = 1.0  # the margin that the objective asks for: a model that does not reach it tells no digits apart
_CHUNK = 64  # queries compared with a gallery at once: bounds the memory of divergences
_REGULARISATION = 0.03  # scikit-learn's C of a rejection, chosen on validation data: see decision 34
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability that a guess is right: ``1 / (1 + exp(-(slope share + intercept)))``.

    Attributes
    ----------
    slope, intercept
        Of the share of the typical margin; see :class:`Margins`.
    """

    slope: float
    intercept: float

    def probabilities(self, shares: Doubles) -> Doubles:
        """In [0, 1], of as many shares."""
        return _logistic(self.slope * shares + self.intercept)

    @classmethod
    def fit(cls, shares: Doubles, right: npt.NDArray[np.bool_]) -> Self:
        """Platt's scaling (Platt 1999), with his smoothed targets: it is defined even where no guess is wrong.

        Parameters
        ----------
        shares
            Margins of guesses as shares of the typical one, ``(n,)``.
        right
            Whether the guess is right, ``(n,)``.
        """
        from sklearn.linear_model import LogisticRegression

        positives, negatives = int(right.sum()), int((~right).sum())
        targets = np.where(right, (positives + 1) / (positives + 2), 1 / (negatives + 2))
        fitted = LogisticRegression(C=1e6, max_iter=1000).fit(
            np.concatenate([shares, shares])[:, None],
            np.repeat([True, False], len(shares)),
            np.concatenate([targets, 1 - targets]),
        )
        return cls(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is rejected as no digit: queries whose features (:meth:`Margins.features`) give a negative score.

    Attributes
    ----------
    weights, bias
        The score is their linear function; 0 is the threshold.
    """

    weights: tuple[float, ...]
    bias: float

    def scores(self, features: Doubles) -> Doubles:
        """``(n,)`` of ``(n, f)``; ``ValueError`` where the model has other features."""
        if features.shape[1] != len(self.weights):
            raise ValueError(f"the rejection is for {len(self.weights)} features, and there are {features.shape[1]}")
        scores: Doubles = features @ np.array(self.weights) + self.bias
        return scores

    def losing_as_before(self, before: Doubles, after: Doubles) -> Rejection:
        """The same for a model that was fine-tuned from the one it was fitted for, which moves the scores.

        Parameters
        ----------
        before, after
            Scores of digits that the former and the new model guess rightly. The new threshold rejects as large a share
            of the latter as this one of the former.
        """
        thresholds = np.append(np.unique(after), np.nextafter(after.max(), np.inf))
        shares = np.searchsorted(np.sort(after), thresholds) / len(after)
        threshold = thresholds[np.abs(shares - np.mean(before < 0)).argmin()]
        return Rejection(self.weights, self.bias - float(threshold))

    @classmethod
    def fit(
        cls,
        features: Doubles,
        digit: npt.NDArray[np.bool_],
        weights: Doubles,
        groups: Sequence[str],
        kept: Sequence[npt.NDArray[np.bool_]],
        lost: float = LOST,
    ) -> Self:
        """Logistic regression of digits against what is none, and the greatest threshold that keeps the digits.

        The threshold is by scores of inputs that the regression has not seen, in folds: on those that it has seen, it
        is too sure. It is a quantile of the normal distribution with their mean and variance: of a few dozen scores
        the least would decide alone.

        Parameters
        ----------
        features
            ``(n, f)``.
        digit
            Which inputs are digits, ``(n,)``.
        weights
            How much each input counts, ``(n,)``.
        groups
            What each input belongs to, ``(n,)``, such as a speaker: of one group all are in one fold.
        kept
            Kinds of digits, ``(n,)`` each, of at least two: of none more than the share ``lost`` is to be rejected.
        lost
            That share.
        """
        from sklearn.model_selection import StratifiedGroupKFold

        unseen = np.empty(len(features))
        for rest, part in StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(features, digit, groups):
            unseen[part] = features[part] @ _slopes(features[rest], digit[rest], weights[rest])
        threshold = min(NormalDist.from_samples(unseen[kind].tolist()).inv_cdf(lost) for kind in kept)
        return cls(tuple(_slopes(features, digit, weights).tolist()), -threshold)


def _slopes(features: Doubles, digit: npt.NDArray[np.bool_], weights: Doubles) -> Doubles:
    """Weights of the features by logistic regression of digits against what is none, ``(f,)``."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    fitted = LogisticRegression(C=_REGULARISATION, max_iter=1000)
    fitted.fit(scaler.transform(features), digit, weights / weights.mean())
    slopes: Doubles = fitted.coef_[0] / scaler.scale_
    return slopes


@dataclass(frozen=True, slots=True)
class Confidence:
    """What was fitted for queries of one modality.

    Attributes
    ----------
    calibration
        From margins to probabilities.
    rejection
        ``None``: nothing is rejected.
    """

    calibration: Calibration
    rejection: Rejection | None = None

    def rejected(
        self, margins: Margins, queries: Gaussians, modality: Modality, guesses: Digits
    ) -> npt.NDArray[np.bool_] | None:
        """Which queries are no digits, ``(n,)``; ``None`` if nothing is rejected. Parameters as of `Margins.of`."""
        if self.rejection is None:
            return None
        return self.rejection.scores(margins.features(queries, modality, guesses)) < 0


def to_header(fitted: Mapping[Modality, Confidence]) -> dict[str, Any]:
    """JSON-ready, for :attr:`model.checkpoints.Header.confidence`."""
    return {str(modality): asdict(one) for modality, one in fitted.items()}


def from_header(values: Mapping[str, Any]) -> dict[Modality, Confidence]:
    """The inverse of :func:`to_header`; empty for models without; raises ``ValueError``."""
    found = {Modality(name): parse(Confidence, one, f"confidence/{name}") for name, one in values.items()}
    if found and set(found) != set(Modality):
        raise ValueError("the confidence is not that of both modalities")
    return found


def fitted_for(header: Header) -> dict[Modality, Confidence]:
    """What was fitted for a model; empty if nothing was.

    Raises :class:`~model.checkpoints.UnusableCheckpoint` if that is damaged.
    """
    try:
        return from_header(header.confidence)
    except ValueError as error:
        raise UnusableCheckpoint(f"The model's header can't be read: {error}.") from error


class Judged(NamedTuple):
    """Guesses for ``n`` queries.

    Attributes
    ----------
    margins
        ``(n,)``.
    runners_up
        The best other digit, ``(n,)``; -1 without one.
    """

    margins: Doubles
    runners_up: npt.NDArray[np.int64]


class Margins:
    """Mean scores of queries with the digits of a gallery, and how far apart the best two are.

    The score of a digit is the query's mean similarity with all items of that digit in the other modality. The margin
    of a guess is its score less the greatest score of any other digit; it is negative where the nearest items say one
    digit, and all items on average another. How large margins are depends on the model, so they are measured
    against the typical margin: the median one of the gallery's own items with their true digits, and at least 1.

    Parameters
    ----------
    similarity
        What the model compares posteriors by.
    posteriors, labels
        By modality: of the items, ``(n, z)`` each and ``(n,)``.
    """

    def __init__(
        self, similarity: Similarity, posteriors: Mapping[Modality, Gaussians], labels: Mapping[Modality, Digits]
    ) -> None:
        self._similarity = similarity
        self._posteriors = posteriors
        self._labels = labels
        self._digits = {modality: np.unique(labels[modality]) for modality in Modality}
        self._centres = {
            modality: np.stack([posteriors[modality].means[labels[modality] == digit].mean(0) for digit in digits])
            if len(digits)
            else np.zeros((0, posteriors[modality].means.shape[1]))
            for modality, digits in self._digits.items()
        }
        own = {modality: self.of(posteriors[modality], modality, labels[modality]).margins for modality in Modality}
        self.typical = {
            modality: max(float(np.median(margins)), _LEAST_TYPICAL) if len(margins) else _LEAST_TYPICAL
            for modality, margins in own.items()
        }
        """By modality of the query."""

    @classmethod
    def in_gallery(cls, gallery: Gallery) -> Self:
        """Those of queries to a gallery."""
        labels = np.array([item.label for item in gallery.items], np.int64)
        return cls(
            gallery.similarity,
            {modality: gallery.posteriors(modality) for modality in Modality},
            {modality: labels[gallery.places(modality)] for modality in Modality},
        )

    def of(self, queries: Gaussians, modality: Modality, guesses: Digits) -> Judged:
        """The margins of guesses for queries of a modality, ``(n, z)`` each and ``(n,)``.

        Without another digit in the gallery there is no margin: it is 0.
        """
        return self.judge(self.scores(queries, modality), modality, guesses)

    def judge(self, scores: Doubles, modality: Modality, guesses: Digits) -> Judged:
        """The same from the queries' :meth:`scores`."""
        digits = self.digits(modality)
        guessed = np.asarray(guesses)[:, None] == digits
        none = ~guessed.any(axis=1) | guessed.all(axis=1)
        if not len(digits) or none.all():
            return Judged(np.zeros(len(scores)), np.full(len(scores), -1))
        others = np.where(guessed, -np.inf, scores)
        margins = np.where(guessed, scores, 0).sum(axis=1) - others.max(axis=1)
        return Judged(np.where(none, 0.0, margins), np.where(none, -1, digits[others.argmax(axis=1)]))

    def shares(self, queries: Gaussians, modality: Modality, guesses: Digits) -> Doubles:
        """The same margins as shares of the typical one, ``(n,)``."""
        return self.of(queries, modality, guesses).margins / self.typical[modality]

    def features(self, queries: Gaussians, modality: Modality, guesses: Digits) -> Doubles:
        """What a rejection looks at, ``(n, f)``.

        Mean; log variance, where the model has one; share of the typical margin; score of the best digit; norm of the
        mean; cosine of the mean with the nearest centre of a digit in the query's own modality. Of the gallery only
        means over items count, so that another gallery of the same model hardly changes them.
        """
        means = np.asarray(queries.means, np.float64)
        log_variances = np.asarray(queries.log_variances, np.float64)
        cosines = normalised(means) @ normalised(self._centres[modality]).T
        numbers = [
            self.shares(queries, modality, guesses),
            self.scores(queries, modality).max(axis=1),
            np.linalg.norm(means, axis=1),
            cosines.max(axis=1),
        ]
        has_variance = bool(np.isfinite(log_variances).all())
        return np.concatenate([means, *([log_variances] if has_variance else []), np.stack(numbers, axis=1)], axis=1)

    def calibrated(self) -> dict[Modality, Confidence]:
        """A calibration on the gallery's own items, each guessed by its best digit, and no rejection.

        For models that nothing was fitted for. The utterances of the shipped gallery are synthetic: the confidence in
        what a person says is then too high.
        """
        found = {}
        for modality in Modality:
            queries, labels, digits = (
                self._posteriors[modality],
                self._labels[modality],
                self._digits[modality.other],
            )
            if not len(labels) or not len(digits):
                found[modality] = Confidence(Calibration(0.0, 0.0))
                continue
            guesses = digits[self.scores(queries, modality).argmax(axis=1)]
            shares = self.shares(queries, modality, guesses)
            found[modality] = Confidence(Calibration.fit(shares, guesses == labels))
        return found

    def digits(self, modality: Modality) -> Digits:
        """The digits of the gallery that queries of a modality are compared with, ascending."""
        return self._digits[modality.other]

    def scores(self, queries: Gaussians, modality: Modality) -> Doubles:
        """Mean similarities of queries with the items of each of these digits, ``(n, digits)``."""
        digits, gallery = self.digits(modality), self._posteriors[modality.other]
        members = (self._labels[modality.other][:, None] == digits).astype(np.float64)
        members /= np.maximum(members.sum(axis=0), 1)
        parts = [
            similarity_matrix(self._similarity, Gaussians(*(side[place : place + _CHUNK] for side in queries)), gallery)
            @ members
            for place in range(0, len(queries.means), _CHUNK)
        ]
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, len(digits)))


def _logistic(values: Doubles) -> Doubles:
    return 0.5 * (1 + np.tanh(0.5 * values))  # the logistic function without overflow
