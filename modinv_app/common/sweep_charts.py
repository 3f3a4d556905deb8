"""What can be drawn against lambda_IG: purity and SVM, modality gap and P@1, information gain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from model.evaluation.sweep_results import SweepRow
from model.types import Modality

PURITY_COLOUR, SVM_COLOUR = 6, 5
"""The digits whose colours these curves have, on the screen as in exported figures."""

_GAP_COLOUR, _P_AT_1_COLOUR, _INFORMATION_COLOUR = 4, 1, 2
_LEAST_NATS, _MOST_NATS = 0.1, 500.0


@dataclass(frozen=True, slots=True)
class Series:
    """One measured quantity.

    Attributes
    ----------
    name
        For the legend.
    of
        Its value for a model; ``None`` if it was not measured.
    colour
        The digit, 0 to 9, whose colour it has.
    dashed
        Whether its line is dashed.
    paper
        Its column in the paper's table, if it has one.
    """

    name: str
    of: Callable[[SweepRow], float | None]
    colour: int
    dashed: bool = False
    paper: int | None = None


@dataclass(frozen=True, slots=True)
class SweepChart:
    """A chart against lambda_IG.

    Attributes
    ----------
    title
        In a word or two.
    series
        What is drawn.
    ticks, wide_ticks
        Labelled values of the vertical axis, ascending, and those of a wide chart.
    height_of
        Position of a value on the vertical axis, from 0 (bottom) to 1 (top).
    level
        A value at which a dotted line is drawn.
    optimum
        Name of the theoretical optimum of the information gain in the legend; empty if it is not drawn.
    """

    title: str
    series: tuple[Series, ...]
    ticks: tuple[float, ...] = (0.0, 0.5, 1.0)
    wide_ticks: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    height_of: Callable[[float], float] = float
    level: float | None = None
    optimum: str = ""


def _p_at_1(row: SweepRow) -> float:
    return sum(row.report.direction(query).retrieval.p_at_1 for query in Modality) / len(Modality)


def _nats(row: SweepRow) -> float | None:
    image, speech = row.report.image.mean_kl, row.report.speech.mean_kl
    return None if image is None or speech is None else (image + speech) / 2


def _logarithmic(nats: float) -> float:
    share = math.log(max(nats, _LEAST_NATS) / _LEAST_NATS) / math.log(_MOST_NATS / _LEAST_NATS)
    return min(1.0, share)


INVARIANCE = SweepChart(
    "Purity, SVM",
    (
        Series("purity", lambda row: row.report.purity.mean, PURITY_COLOUR, paper=0),
        Series("modality SVM", lambda row: row.report.modality_svm.mean, SVM_COLOUR, paper=1),
    ),
    level=0.5,
)
"""Figure 3 of the paper."""

GAP = SweepChart(
    "Gap and P@1",
    (
        Series("gap", lambda row: row.modality_gap, _GAP_COLOUR),
        Series("P@1 by means", _p_at_1, _P_AT_1_COLOUR),
        Series("by samples", lambda row: row.p_at_1_samples, _P_AT_1_COLOUR, dashed=True),
    ),
)
"""Whether closing the modality gap changes retrieval: share of the variance, and P@1 of both directions."""

INFORMATION = SweepChart(
    "Information",
    (Series("measured, nats", _nats, _INFORMATION_COLOUR),),
    (0.1, 1.0, 10.0, 100.0),
    (0.1, 1.0, 10.0, 100.0),
    _logarithmic,
    optimum="the objective's optimum",
)
"""Information gain, beside the optimum of the objective for ten equal clusters."""

CHARTS = (INVARIANCE, GAP, INFORMATION)
