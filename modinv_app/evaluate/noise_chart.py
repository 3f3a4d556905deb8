"""The share of recognised utterances against the level of noise."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF

from model.data.conditions import NOISE_LEVELS, NOISES
from model.evaluation.robustness import Recognition, Robustness
from model.palette import NOISE_COLOURS
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.theme import antialiased, digit_colour, is_dark, muted_text, with_alpha

CHANCE = 0.1
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLEAN = NOISE_LEVELS[0] + 5  # place of what has no noise on the axis of decibels
_DOT = 3.0  # radius


class NoiseChart(PaintedWidget):
    """A line and its band of 95 % intervals for each kind of noise, from none on the left to the loudest."""

    preferred: ClassVar[tuple[int, int]] = (24, 16)
    least: ClassVar[tuple[int, int]] = (16, 9)

    def __init__(self) -> None:
        super().__init__()
        self._found: Robustness | None = None
        self.show_robustness(None)

    def show_robustness(self, found: Robustness | None) -> None:
        """Draw what has been measured so far, or nothing."""
        self._found = found
        results = [] if found is None else [one for kind in ("clean", *NOISES) for one in found.of_kind(kind)]
        lines = [in_words(one) for one in results]
        self.setToolTip("\n".join(lines))
        self.setAccessibleName("Share of recognised utterances against noise")
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        self._paint_axes(painter)
        if self._found is None:
            return
        dark = is_dark(self.palette())
        lines = {
            kind: (*self._found.of_kind("clean"), *results) for kind in NOISES if (results := self._found.of_kind(kind))
        }
        for kind, results in lines.items():
            self._paint_band(painter, results, digit_colour(NOISE_COLOURS[kind], dark))
        for kind, results in lines.items():
            self._paint_line(painter, results, digit_colour(NOISE_COLOURS[kind], dark))

    def _frame(self) -> QRectF:
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("100 %") + 8
        return QRectF(self.rect()).adjusted(left, line / 2 + 2, -2 * line, -line - 8)

    def _x(self, level: float | None) -> float:
        """From the level in dB; ``None`` is without noise."""
        frame = self._frame()
        loudest = NOISE_LEVELS[-1]
        return frame.right() - ((_CLEAN if level is None else level) - loudest) / (_CLEAN - loudest) * frame.width()

    def _y(self, share: float) -> float:
        frame = self._frame()
        return frame.bottom() - share * frame.height()

    def _paint_axes(self, painter: QPainter) -> None:
        frame, words, height = self._frame(), muted_text(self.palette()), self.fontMetrics().height()
        ruler = with_alpha(self.palette().color(QPalette.ColorRole.WindowText), 0.16)
        for tick in _TICKS:
            y = self._y(tick)
            painter.setPen(QPen(ruler, 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(words)
            beside = QRectF(0, y - height / 2, frame.left() - 6, height)
            painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick:.0%}")
        painter.setPen(QPen(words, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(frame.left(), self._y(CHANCE)), QPointF(frame.right(), self._y(CHANCE)))
        for level in (None, *NOISE_LEVELS):
            x = self._x(level)
            painter.setPen(QPen(ruler, 1))
            painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + 4))
            painter.setPen(words)
            below = QRectF(x - 40, frame.bottom() + 5, 80, height)
            text = "no noise" if level is None else f"{level:g} dB"
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_band(self, painter: QPainter, results: tuple[Recognition, ...], colour: QColor) -> None:
        above = [QPointF(self._x(one.level), self._y(one.high)) for one in results]
        below = [QPointF(self._x(one.level), self._y(one.low)) for one in results]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(colour, 0.13))
        painter.drawPolygon(QPolygonF([*above, *reversed(below)]))

    def _paint_line(self, painter: QPainter, results: tuple[Recognition, ...], colour: QColor) -> None:
        points = [QPointF(self._x(one.level), self._y(one.share)) for one in results]
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for point in points:
            painter.drawEllipse(point, _DOT, _DOT)


def in_words(one: Recognition) -> str:
    """``"White noise, 10 dB: 71 of 81 right, 87.7 % (78.5 to 93.9)"``."""
    interval = f"{100 * one.low:.1f} to {100 * one.high:.1f}"
    silent = f", no speech found in {one.undetected}" if one.undetected else ""
    return f"{one.title}: {one.right:,} of {one.count:,} right, {100 * one.share:.1f} % ({interval}){silent}"
