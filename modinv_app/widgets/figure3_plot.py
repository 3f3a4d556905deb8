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
from model.sweep_results import SweepResults
from modinv_app.theme import digit_colour, is_dark, muted_text
from modinv_app.widgets.card import faint
from modinv_app.widgets.sweep_curve import PURITY_COLOUR, SVM_COLOUR

_ZERO = -6.0  # where the logarithmic axis shows lambda_IG = 0
_BREAK = -5.5  # and where it is cut, for no distance leads from 0 to a logarithm
_TICKS = [
    (_ZERO, "0"), (_BREAK, "//"), (-5, "10⁻⁵"), (-4, "10⁻⁴"), (-3, "10⁻³"), (-2, "10⁻²"), (-1, "10⁻¹"), (0, "1"),
]  # fmt: skip
_SPREAD_WIDTH = 5


class Figure3Plot(pg.PlotWidget):  # type: ignore[misc]
    """Lines through the means of all seeds, a dot for each model, hollow dots on broken lines for the paper.

    A star stands for the model that the page is about.
    """

    _complete = False  # GraphicsView changes its palette while it is being built

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self._results: SweepResults | None = None
        self._model: tuple[float, float, float] | None = None
        self.setAccessibleName("Purity and modality SVM against lambda_IG")
        self.hideButtons()
        self.setMouseEnabled(False, False)
        plot = self.getPlotItem()
        plot.setLabel("bottom", "λ_IG")
        plot.getAxis("bottom").setTicks([_TICKS])
        plot.getAxis("left").setTicks([[(tick / 4, f"{tick / 4:g}") for tick in range(5)]])
        for side in ("left", "bottom"):
            plot.getAxis(side).setStyle(tickLength=0)
        plot.showGrid(x=False, y=True, alpha=0.25)
        # The next tick but one would fall to half a pixel's lack of room.
        self.setXRange(_ZERO - 0.15, 0.25, padding=0)
        self.setYRange(0, 1.06, padding=0)
        self._complete = True
        self._draw()

    def show_sweep(self, results: SweepResults | None) -> None:
        """Draw a sweep over the paper's curves, or these alone."""
        self._results = results
        self._draw()

    def show_model(self, lambda_ig: float | None, purity: float = 0.0, modality_svm: float = 0.0) -> None:
        """Mark a model with stars, or none."""
        self._model = None if lambda_ig is None else (lambda_ig, purity, modality_svm)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if self._complete and event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        palette = self.palette()
        plot, dark = self.getPlotItem(), is_dark(palette)
        text, muted = palette.color(QPalette.ColorRole.Text), muted_text(palette)
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            plot.getAxis(side).setPen(faint(text, 0.25))
            plot.getAxis(side).setTextPen(muted)
        plot.getAxis("bottom").label.setDefaultTextColor(muted)
        plot.clear()
        chance = pg.InfiniteLine(0.5, angle=0, movable=False, pen=QPen(faint(muted, 0.9), 0, Qt.PenStyle.DotLine))
        plot.addItem(chance)
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
                    x=[axis_place(self._model[0])], y=[self._model[1 + place]], symbol="star", size=19,
                    pen=pg.mkPen(palette.color(QPalette.ColorRole.Base), width=1.5), brush=text,
                )  # fmt: skip
                star.setZValue(20)
                plot.addItem(star)

    def _draw_paper(self, colour: QColor, place: int) -> None:
        theirs = sorted((lambda_ig, row[place]) for lambda_ig, row in PAPER_TABLE.items())
        pale = faint(colour, 0.5)
        self.getPlotItem().plot(
            [axis_place(lambda_ig) for lambda_ig, _ in theirs], [value for _, value in theirs],
            pen=pg.mkPen(pale, width=1.4, style=Qt.PenStyle.DashLine),
            symbol="o", symbolSize=8, symbolPen=pg.mkPen(pale, width=1.4),
            symbolBrush=self.palette().color(QPalette.ColorRole.Base), antialias=True,
        )  # fmt: skip

    def _draw_sweep(self, results: SweepResults, colour: QColor, of_report: Callable[[Report], float]) -> None:
        lambdas = sorted({row.lambda_ig for row in results.rows})
        found: list[Interval] = [results.over_seeds(lambda_ig, of_report) for lambda_ig in lambdas]
        xs = [axis_place(lambda_ig) for lambda_ig in lambdas]
        spread = [(x, min(each.values), max(each.values)) for x, each in zip(xs, found, strict=True)]
        for x, low, high in spread:
            pen = pg.mkPen(faint(colour, 0.3), width=_SPREAD_WIDTH)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            self.getPlotItem().plot([x, x], [low, high], pen=pen)
        self.getPlotItem().plot(xs, [each.mean for each in found], pen=pg.mkPen(colour, width=2.2), antialias=True)
        dots = pg.ScatterPlotItem(
            x=[axis_place(row.lambda_ig) for row in results.rows], y=[of_report(row.report) for row in results.rows],
            symbol="o", size=7, pen=None, brush=colour,
        )  # fmt: skip
        dots.setZValue(10)
        self.getPlotItem().addItem(dots)


def axis_place(lambda_ig: float) -> float:
    """Where a value lies on the axis: its logarithm, or the place kept for 0."""
    return max(math.log10(lambda_ig), _BREAK) if lambda_ig > 0 else _ZERO
