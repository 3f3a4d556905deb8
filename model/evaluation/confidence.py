"""What the confidence is worth on test inputs: whether it finds wrong matches, and whether it is calibrated.

The guess is the digit of the nearest match, as for P@1; margins, calibration and rejection are those of
:mod:`model.retrieval.confidence`, with the other modality of the test inputs as the gallery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

POINTS = 20
"""Of the risk-coverage curve."""

BINS = 10
"""Of the reliability diagram."""

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Queries of about the same confidence.

    Attributes
    ----------
    count
        Number of queries.
    confidence
        Their mean confidence.
    right
        Share of right guesses among them.
    """

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class ConfidenceMeasures:
    """Confidence and rejection of queries of one modality.

    Attributes
    ----------
    errors
        Number of queries with a wrong guess; with few, the AUROC has little meaning.
    auroc
        How often a query with a wrong guess has a lower confidence than one with a right guess; 0.5 is chance.
        ``None`` if all guesses are right or all wrong.
    coverage, risk
        The risk-coverage curve: share of wrong guesses among the most confident queries, by their share of all.
    aurc
        The area under that curve: the mean risk over all coverages (Geifman and El-Yaniv 2017); 0 is best.
    bins
        The reliability diagram, bins of equal size, lowest confidence first; empty if the model is not calibrated.
    ece
        Expected calibration error over these bins (Naeini et al. 2015); ``None`` if the model is not calibrated.
    rejected
        Number of queries that are rejected as not a digit, though all are digits; ``None`` without a rejection.
    queries
        Number of queries.
    """

    errors: int
    auroc: float | None
    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    aurc: float
    bins: tuple[ReliabilityBin, ...]
    ece: float | None
    rejected: int | None
    queries: int

    @property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """Pairs of coverage and risk."""
        return tuple(zip(self.coverage, self.risk, strict=True))

    @classmethod
    def from_json_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``asdict``."""
        lists = {name: tuple(values[name]) for name in ("coverage", "risk")}
        return cls(**{**values, **lists, "bins": tuple(ReliabilityBin(**one) for one in values["bins"])})


def confidence_measures(
    shares: Doubles, right: Flags, probabilities: Doubles | None = None, rejected: Flags | None = None
) -> ConfidenceMeasures:
    """Judge a confidence.

    Parameters
    ----------
    shares
        What ranks the queries: shares of the typical margin, ``(n,)``.
    right
        Whether the guess is right, ``(n,)``.
    probabilities
        The calibrated confidence, a monotonous function of ``shares``; ``None`` if the model is not calibrated.
    rejected
        Which queries are rejected; ``None`` without a rejection.
    """
    auroc = None
    if 0 < right.sum() < len(right):
        from sklearn.metrics import roc_auc_score

        auroc = float(roc_auc_score(right, shares))
    risks = selective_risks(shares, right)
    counts = np.unique(np.ceil(len(right) * np.arange(1, POINTS + 1) / POINTS).astype(int))
    bins = () if probabilities is None else reliability(probabilities, right)
    return ConfidenceMeasures(
        int((~right).sum()),
        auroc,
        tuple((counts / len(right)).tolist()),
        tuple(risks[counts - 1].tolist()),
        float(risks.mean()),
        bins,
        None if probabilities is None else expected_calibration_error(bins),
        None if rejected is None else int(rejected.sum()),
        len(right),
    )


def selective_risks(confidences: Doubles, right: Flags) -> Doubles:
    """Share of wrong guesses among the k most confident of ``n`` queries, for k = 1 to n: ``(n,)``."""
    order = np.argsort(-confidences, kind="stable")
    risks: Doubles = np.cumsum(~right[order]) / np.arange(1, len(right) + 1)
    return risks


def reliability(probabilities: Doubles, right: Flags, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Queries in bins of equal size by confidence, lowest first; fewer bins if there are fewer queries."""
    order = np.argsort(probabilities, kind="stable")
    return tuple(
        ReliabilityBin(len(part), float(probabilities[part].mean()), float(right[part].mean()))
        for part in np.array_split(order, min(bins, len(order)))
    )


def expected_calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """``sum_b n_b / n |right_b - confidence_b|``, in [0, 1]."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.right - one.confidence) for one in bins) / total
