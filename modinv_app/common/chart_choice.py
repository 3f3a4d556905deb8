"""The charts of a sweep, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QTabBar, QWidget

from model.evaluation.report import Report
from model.evaluation.sweep_results import SweepResults
from modinv_app.common.layouts import column
from modinv_app.common.sweep_charts import CHARTS
from modinv_app.common.sweep_curve import SweepCurve
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)


class ChartChoice(QWidget):
    """Tabs above a chart: purity and SVM, modality gap and P@1, information gain and its optimum.

    The optimum takes a second, so that it is computed in a thread when it is first looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self._curve = SweepCurve()
        self._tabs = QTabBar(documentMode=True, drawBase=False, expanding=False)
        self._tabs.setAccessibleName("Chart")
        for chart in CHARTS:
            self._tabs.addTab(chart.title)
        self._tabs.currentChanged.connect(self._choose)
        self._executor: SerialExecutor | None = None
        column(self._tabs, (self._curve, 1), parent=self, spacing=4)

    def show_results(self, results: SweepResults) -> None:
        """Draw the charts of a sweep."""
        self._curve.show_results(results)

    def show_model(self, model: tuple[float, Report] | None) -> None:
        """Mark a model of some lambda_IG with stars, or none."""
        self._curve.show_model(model)

    def show_place(self, place: float, nearest: int) -> None:
        """Move the cursor to a position on the scale, 0 to 1, and mark the nearest model, by its index."""
        self._curve.show_place(place, nearest)

    def _choose(self, tab: int) -> None:
        chart = CHARTS[tab]
        self._curve.show_chart(chart)
        if chart.optimum and self._executor is None:
            self._executor = SerialExecutor("optimum", self)
            failed = partial(log.error, "The optimum can't be computed: %s")
            self._executor.submit(_optimum, self._curve.show_optimum, failed)


def _optimum() -> Sequence[tuple[float, float]]:
    from model.objectives.optimum import optimal_information  # late: with scipy

    return optimal_information()
