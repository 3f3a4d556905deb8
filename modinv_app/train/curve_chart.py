"""A small chart of one quantity against training steps.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from model.systems.base import Term
from modinv_app.common.theme import is_dark, muted_text, with_alpha
from modinv_app.train.axed_plot import AxedPlot
from modinv_app.train.run_legend import run_pen

_AXIS_WIDTH = 44
_HEIGHT = 56  # minimum height of a plot in pixels
_TICK_GAP = 15  # pixels
_DIM = 0.3  # opacity of other curves while one is highlighted
_MARGIN = 9  # pixels above and below the curves
_LEAST = 1e-6  # shown in place of zero on a logarithmic axis


class Chart(QWidget):
    """Title, value at the cursor, and the curves of any number of runs.

    Signals
    -------
    pointed(float, float)
        Step and axis value under the pointer; two NaN when it leaves.
    """

    pointed = Signal(float, float)

    def __init__(self, term: Term) -> None:
        super().__init__()
        self.term = term
        self._curves: list[pg.PlotCurveItem] = []
        self._range = 0.0, 1.0
        self._title = QLabel(term.label)
        self._reading = QLabel(alignment=Qt.AlignmentFlag.AlignRight)
        bold = self._reading.font()
        bold.setBold(True)
        self._reading.setFont(bold)
        self.setToolTip(term.help if term.span else f"{term.help} Logarithmic axis.")

        self._plot = AxedPlot(_Axis("left", term), _Axis("bottom", None))
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to all charts together
        self._plot.setMinimumHeight(_HEIGHT)
        self._plot.centralLayout.setContentsMargins(1, 3, 7, 1)
        self._plot.left.setWidth(_AXIS_WIDTH)
        self._box = self._plot.box
        self._box.sigResized.connect(self._make_room)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._spot = pg.ScatterPlotItem(size=8)
        self._level = pg.InfiniteLine(term.level or 0.0, angle=0, movable=False)
        self._level.setVisible(term.level is not None)
        for height, part in ((-10, self._level), (10, self._cursor), (20, self._spot)):
            part.setZValue(height)
            self._box.addItem(part, ignoreBounds=True)
        self.set_cursor(None, None)
        self._plot.scene().sigMouseMoved.connect(self._pointer_moved)
        self._plot.viewport().installEventFilter(self)

        top = QHBoxLayout()
        top.setContentsMargins(2, 0, 6, 0)
        top.addWidget(self._title)
        top.addStretch()
        top.addWidget(self._reading)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(self._plot, stretch=1)
        self._update_colours()

    def show_steps(self, shown: bool) -> None:
        """Show or hide the tick labels of the steps."""
        self._plot.bottom.setStyle(showValues=shown)
        self._plot.setMinimumHeight(_HEIGHT + (self.fontMetrics().height() if shown else 0))

    def draw(self, curves: Sequence[tuple[Sequence[int], Sequence[float]]], steps: float) -> None:
        """Draw the steps and values of each run, on an axis of so many steps."""
        while len(self._curves) > len(curves):
            self._box.removeItem(self._curves.pop())
        while len(self._curves) < len(curves):
            self._curves.append(pg.PlotCurveItem(antialias=True))
            self._box.addItem(self._curves[-1], ignoreBounds=True)
            self._colour_curves(None)
        drawn = [(np.asarray(xs, np.float64), self.at(ys)) for xs, ys in curves]
        for curve, (xs, ys) in zip(self._curves, drawn, strict=True):
            curve.setData(xs, ys)
        self._fit(np.concatenate([ys for _, ys in drawn]) if drawn else np.empty(0), steps)

    def point_out(self, place: int | None) -> None:
        """Highlight one curve, or none."""
        self._colour_curves(place)

    def set_cursor(self, step: int | None, value: float | None, place: int = 0) -> None:
        """Mark a step, and the value of a run there; None: no mark."""
        self._cursor.setVisible(step is not None)
        self._spot.setVisible(value is not None)
        if step is not None:
            self._cursor.setPos(step)
        if step is not None and value is not None:
            self._spot.setBrush(run_pen(place, is_dark(self.palette()), 1).color())
            self._spot.setData(x=[step], y=[float(self.at(value))])

    def set_reading(self, value: float | None) -> None:
        """Show a value beside the title."""
        self._reading.setText("" if value is None else number(value))
        self.setAccessibleName(f"{self.term.label}: {self._reading.text() or 'no value'}")

    @property
    def reading(self) -> str:
        """The text beside the title."""
        return self._reading.text()

    def at(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The positions of values on the axis."""
        values = np.asarray(values, np.float64)
        return values if self.term.span else np.log10(np.maximum(values, _LEAST))

    def place_of(self, step: float, value: float) -> QPointF:
        """The position of a value at a step on this widget, in pixels."""
        scene = self._box.mapViewToScene(QPointF(step, float(self.at(value))))
        return QPointF(QWidget.mapTo(self._plot.viewport(), self, self._plot.mapFromScene(scene)))

    def pixel(self) -> tuple[float, float]:
        """Steps and axis units per pixel."""
        across, down = self._box.viewPixelSize()
        return float(across), float(down)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._update_colours()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.pointed.emit(math.nan, math.nan)
        return super().eventFilter(watched, event)

    def _update_colours(self) -> None:
        palette = self.palette()
        muted = muted_text(palette)
        grid = with_alpha(palette.color(QPalette.ColorRole.Text), 0.25)
        self._plot.set_colours(palette.color(QPalette.ColorRole.Base), grid, muted)
        small = self.font()
        small.setPointSizeF(0.85 * small.pointSizeF())
        for axis in (self._plot.left, self._plot.bottom):
            axis.setTickFont(small)
        self._cursor.setPen(_thin(palette.color(QPalette.ColorRole.Text), 0.5))
        self._level.setPen(_thin(muted, 0.8, Qt.PenStyle.DashLine))
        self._spot.setPen(_thin(palette.color(QPalette.ColorRole.Base)))
        self._colour_curves(None)
        palette.setColor(QPalette.ColorRole.WindowText, muted)
        self._title.setPalette(palette)

    def _colour_curves(self, pointed: int | None) -> None:
        dark = is_dark(self.palette())
        for place, curve in enumerate(self._curves):
            dimmed = pointed not in (None, place)
            curve.setPen(run_pen(place, dark, 1.8, _DIM if dimmed else 1.0))
            curve.setZValue(0 if dimmed else 1)

    def _fit(self, values: npt.NDArray[np.float64], steps: float) -> None:
        self._box.setXRange(0, max(1, steps), padding=0.01)
        if self.term.span:
            low, high = self.term.span
            low = min(low, float(values.min(initial=low)))
        elif len(values):
            # At least half a decade, so that noise does not look like a change.
            middle, reach = (values.max() + values.min()) / 2, max(0.25, float(np.ptp(values)) / 2)
            low, high = middle - reach, middle + reach
        else:
            low, high = -1.0, 1.0
        self._range = low, high
        self._make_room()

    def _make_room(self) -> None:
        """Show the whole range, with a margin for tick labels: pyqtgraph omits clipped ones."""
        low, high = self._range
        height = max(1.0, self._box.height() - 2 * _MARGIN)
        room = _MARGIN * (high - low) / height
        self._box.setYRange(low - room, high + room, padding=0)

    def _pointer_moved(self, scene_at: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(scene_at):
            at = self._box.mapSceneToView(scene_at)
            self.pointed.emit(at.x(), at.y())
        else:
            self.pointed.emit(math.nan, math.nan)


class _Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis with few round ticks: pyqtgraph shows no logarithmic ticks within a decade."""

    def __init__(self, side: str, term: Term | None) -> None:
        super().__init__(side)
        self._term = term
        self.enableAutoSIPrefix(False)
        self.setStyle(hideOverlappingLabels=False, tickLength=0)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """The positions of as many ticks as there is room for."""
        if self._term is None:
            return list(super().tickValues(low, high, size)[:1]) if self.style["showValues"] else []
        least = _TICK_GAP * (high - low) / max(size, 1.0)
        for ticks in _logarithmic(low, high) if self._term.span is None else _linear(low, high):
            if len(ticks) < 2 or min(np.diff(ticks)) >= least:
                return [(1.0, ticks)]
        return []

    def tickStrings(self, values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
        if self._term is None:
            return [f"{value:,.0f}" for value in values]
        return [f"{value if self._term.span else 10**value:.3g}" for value in values]


def _linear(low: float, high: float) -> Iterator[list[float]]:
    """Ticks of a linear axis, fewer each time."""
    for step in (0.1, 0.25, 0.5, 1.0):
        yield [step * tick for tick in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _logarithmic(low: float, high: float) -> Iterator[list[float]]:
    """Ticks of a logarithmic axis, fewer each time."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for digits in (range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [decade + math.log10(digit) for decade in decades for digit in digits]
        yield [tick for tick in ticks if low <= tick <= high]
    for step in range(2, len(decades) + 1):
        yield [decade for decade in decades if decade % step == 0 and low <= decade <= high]


def number(value: float) -> str:
    """A value with about three digits."""
    if value and not 0.001 <= abs(value) < 100_000:
        return f"{value:.2e}"
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{digits}f}"


def _thin(colour: QColor, opacity: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    thin = with_alpha(colour, opacity)
    pen = QPen(thin, 1, style)
    pen.setCosmetic(True)
    return pen
