"""A measured fraction with its interval, and the paper's value, on the scale from 0 to 1."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.report import Interval
from modinv_app.common.theme import accent, antialiased, with_alpha

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DIAMOND = ((0, -6), (6, 0), (0, 6), (-6, 0))
_MARGIN = 7  # pixels for a mark at either end


class IntervalStrip(QWidget):
    """A dot with its 95 % interval, a faint dot for each measurement, and a hollow diamond for the paper."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._interval: Interval | None = None
        self._paper: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_interval(self, interval: Interval | None, paper: float | None = None) -> None:
        """Show a measurement and the paper's value; either may be missing."""
        self._interval, self._paper = interval, paper
        lines = []
        if interval is not None:
            each = ", ".join(f"{value:.3f}" for value in interval.values)
            lines = [f"{interval.low:.3f} to {interval.high:.3f} (95 %)", f"measured: {each}"]
        if paper is not None:
            lines.append(f"paper: {paper:.3f}")
        self.setToolTip("\n".join(lines))
        self.setAccessibleName("; ".join(lines))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(16 * self.fontMetrics().averageCharWidth(), self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(8 * self.fontMetrics().averageCharWidth(), self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        middle = self.height() / 2
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(QPen(with_alpha(text, 0.25), 1))
        painter.drawLine(QPointF(self._x(0), middle), QPointF(self._x(1), middle))
        for tick in _TICKS:
            painter.drawLine(QPointF(self._x(tick), middle - 3), QPointF(self._x(tick), middle + 3))
        if self._interval is not None:
            self._paint_interval(painter, self._interval, middle)
        if self._paper is not None:
            x = self._x(self._paper)
            painter.setPen(QPen(text, 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(QPolygonF([QPointF(x + dx, middle + dy) for dx, dy in _DIAMOND]))

    def _paint_interval(self, painter: QPainter, interval: Interval, middle: float) -> None:
        colour = accent(self.palette())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(colour, 0.4))
        for value in interval.values:
            painter.drawEllipse(QPointF(self._x(value), middle), 2, 2)
        low, high = self._x(interval.low), self._x(interval.high)
        painter.setBrush(with_alpha(colour, 0.35))
        painter.drawRoundedRect(QRectF(low, middle - 2.5, max(high - low, 1), 5), 2, 2)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(self._x(interval.mean), middle), 4, 4)

    def _x(self, share: float) -> float:
        """The position of a value, clipped to the scale."""
        return _MARGIN + min(max(share, 0.0), 1.0) * (self.width() - 2 * _MARGIN)
