"""The paper's Figure 3: purity and modality SVM against lambda_IG, the paper's own curves behind.

This module imports pyqtgraph, which takes a third of a second: import it once the window can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette, QPen

from model.evaluation.report import PAPER_TABLE, Interval, Report
from model.evaluation.sweep_results import SweepResults
from modinv_app.common.axed_plot import AxedPlot
from modinv_app.common.card import faint, with_subscripts
from modinv_app.common.sweep_curve import PURITY_COLOUR, SVM_COLOUR
from modinv_app.common.theme import digit_colour, is_dark, muted_text

_ZERO = -6.0  # where the logarithmic axis shows lambda_IG = 0
_BREAK = -5.5  # and where it is cut, for no distance leads from 0 to a logarithm
_TICKS = [
    (_ZERO, "0"), (_BREAK, "//"), (-5, "10⁻⁵"), (-4, "10⁻⁴"), (-3, "10⁻³"), (-2, "10⁻²"), (-1, "10⁻¹"), (0, "1"),
]  # fmt: skip
_SPREAD_WIDTH = 5


class Figure3Plot(AxedPlot):
    """Lines through the means of all seeds, a dot for each model, hollow dots on broken lines for the paper.

    A star stands for the model that the page is about.
    """

    _complete = False  # GraphicsView changes its palette while it is being built

    def __init__(self) -> None:
        super().__init__(pg.AxisItem("left"), pg.AxisItem("bottom"))
        self._results: SweepResults | None = None
        self._model: tuple[float, Report] | None = None
        self.setAccessibleName("Purity and modality SVM against lambda_IG")
        self.bottom.setLabel(with_subscripts("λ_IG"))
        self.bottom.setTicks([_TICKS])
        self.left.setTicks([[(tick / 4, f"{tick / 4:g}") for tick in range(5)]])
        for axis in (self.left, self.bottom):
            axis.setStyle(tickLength=0)
        # The next tick but one would fall to half a pixel's lack of room.
        self.box.setXRange(_ZERO - 0.15, 0.25, padding=0)
        self.box.setYRange(0, 1.06, padding=0)
        self._complete = True

    def show_figures(self, results: SweepResults | None, model: tuple[float, Report] | None) -> None:
        """Draw a sweep over the paper's curves, or these alone, and a star for a model of some lambda_IG, or none."""
        self._results, self._model = results, model
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if self._complete and event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        palette = self.palette()
        text, muted, dark = palette.color(QPalette.ColorRole.Text), muted_text(palette), is_dark(palette)
        self.set_colours(palette.color(QPalette.ColorRole.Base), faint(text, 0.25), muted)
        self.bottom.label.setDefaultTextColor(muted)
        self.box.clear()
        chance = pg.InfiniteLine(0.5, angle=0, movable=False, pen=QPen(faint(muted, 0.9), 0, Qt.PenStyle.DotLine))
        self._add(chance)
        quantities: tuple[tuple[int, int, Callable[[Report], float]], ...] = (
            (PURITY_COLOUR, 0, lambda report: report.purity.mean),
            (SVM_COLOUR, 1, lambda report: report.modality_svm.mean),
        )
        for digit, place, of_report in quantities:
            colour = digit_colour(digit, dark)
            self._draw_paper(colour, place)
            if self._results is not None:
                self._draw_sweep(self._results, colour, of_report)
            if self._model is not None:
                star = pg.ScatterPlotItem(
                    x=[axis_place(self._model[0])], y=[of_report(self._model[1])], symbol="star", size=19,
                    pen=pg.mkPen(palette.color(QPalette.ColorRole.Base), width=1.5), brush=text,
                )  # fmt: skip
                self._add(star, 20)

    def _draw_paper(self, colour: QColor, place: int) -> None:
        theirs = sorted((axis_place(lambda_ig), row[place]) for lambda_ig, row in PAPER_TABLE.items())
        xs, ys = [x for x, _ in theirs], [y for _, y in theirs]
        pale = faint(colour, 0.5)
        self._add(pg.PlotCurveItem(xs, ys, pen=pg.mkPen(pale, width=1.4, style=Qt.PenStyle.DashLine), antialias=True))
        dots = pg.ScatterPlotItem(
            x=xs, y=ys, symbol="o", size=8, pen=pg.mkPen(pale, width=1.4),
            brush=self.palette().color(QPalette.ColorRole.Base),
        )  # fmt: skip
        self._add(dots)

    def _draw_sweep(self, results: SweepResults, colour: QColor, of_report: Callable[[Report], float]) -> None:
        lambdas = sorted({row.lambda_ig for row in results.rows})
        found: list[Interval] = [results.over_seeds(lambda_ig, of_report) for lambda_ig in lambdas]
        xs = [axis_place(lambda_ig) for lambda_ig in lambdas]
        spread = [(x, min(each.values), max(each.values)) for x, each in zip(xs, found, strict=True)]
        for x, low, high in spread:
            pen = pg.mkPen(faint(colour, 0.3), width=_SPREAD_WIDTH)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            self._add(pg.PlotCurveItem([x, x], [low, high], pen=pen))
        means = [each.mean for each in found]
        self._add(pg.PlotCurveItem(xs, means, pen=pg.mkPen(colour, width=2.2), antialias=True))
        dots = pg.ScatterPlotItem(
            x=[axis_place(row.lambda_ig) for row in results.rows], y=[of_report(row.report) for row in results.rows],
            symbol="o", size=7, pen=None, brush=colour,
        )  # fmt: skip
        self._add(dots, 10)

    def _add(self, item: pg.GraphicsObject, height: int = 0) -> None:
        item.setZValue(height)
        self.box.addItem(item, ignoreBounds=True)


def axis_place(lambda_ig: float) -> float:
    """Where a value lies on the axis: its logarithm, or the place kept for 0."""
    return max(math.log10(lambda_ig), _BREAK) if lambda_ig > 0 else _ZERO
