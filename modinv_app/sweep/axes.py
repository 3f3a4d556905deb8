"""What a dial turns through: values of lambda_IG, or systems."""

from __future__ import annotations

from typing import Protocol

from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.paper import PaperRow
from model.evaluation.report import Interval
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import lambda_text
from modinv_app.common.lambda_dial import place_of, value_at
from modinv_app.sweep.description import Description, describe, describe_system


class Axis(Protocol):
    """The maps of some results along a dial, and what was measured of their models.

    Attributes
    ----------
    values
        Of the dial at the maps, ascending.
    """

    values: tuple[float, ...]

    def place_of(self, value: float) -> float:
        """The position of a value on the dial, from 0 (left) to 1 (right)."""

    def value_at(self, place: float) -> float:
        """The inverse of :meth:`place_of`."""

    def measured(self, index: int) -> tuple[Interval, Interval]:
        """Cluster purity and modality SVM of the models of a map, over their seeds."""

    def paper(self, index: int) -> PaperRow | None:
        """The paper's row for a map, if it has one."""

    def describe(self, index: int) -> Description:
        """A description of a map's model."""

    def where(self, index: int, *, there: bool) -> str:
        """Which model is shown, and whether the dial is there or only near it."""


class LambdaAxis:
    """The values of lambda_IG of a sweep."""

    def __init__(self, results: SweepResults) -> None:
        self._results = results
        self.values = results.lambdas

    def place_of(self, value: float) -> float:
        return place_of(value)

    def value_at(self, place: float) -> float:
        return value_at(place)

    def measured(self, index: int) -> tuple[Interval, Interval]:
        lambda_ig = self.values[index]
        return self._results.purity(lambda_ig), self._results.modality_svm(lambda_ig)

    def paper(self, index: int) -> PaperRow | None:
        return PaperRow.nearest(self.values[index])

    def describe(self, index: int) -> Description:
        return describe(self._results, index)

    def where(self, index: int, *, there: bool) -> str:
        name = lambda_text(self.values[index])
        return f"λ_IG = {name}, trained and measured" if there else f"λ_IG = {name} is nearest; map interpolated"


class SystemAxis:
    """The systems of a comparison, in its order: the dial is 0 at the first, 1 at the second."""

    def __init__(self, results: ComparisonResults) -> None:
        self._results = results
        self.values = tuple(map(float, range(len(results.systems))))

    def place_of(self, value: float) -> float:
        return value / max(1.0, self.values[-1])

    def value_at(self, place: float) -> float:
        return place * self.values[-1]

    def measured(self, index: int) -> tuple[Interval, Interval]:
        name, over_seeds = self._results.systems[index], self._results.over_seeds
        return (
            over_seeds(name, lambda report: report.purity.mean),
            over_seeds(name, lambda report: report.modality_svm.mean),
        )

    def paper(self, index: int) -> PaperRow | None:  # noqa: ARG002 (the paper has none of these systems' numbers)
        return None

    def describe(self, index: int) -> Description:
        return describe_system(self._results, index)

    def where(self, index: int, *, there: bool) -> str:
        name = self._results.systems[index]
        return f"{name}, trained and measured" if there else f"{name} is nearest; map interpolated"
