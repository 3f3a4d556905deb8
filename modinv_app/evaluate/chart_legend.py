"""The legend of a chart: its lines and marks with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.theme import antialiased, digit_colour, is_dark, with_alpha

Sample = Literal["line", "dashed", "dotted", "star"]
_SAMPLE = 26  # pixels of a line
_GAP = 7


@dataclass(frozen=True, slots=True)
class Entry:
    """Name and line style of one entry, and the digit whose colour it has (``None``: the colour of text)."""

    name: str
    sample: Sample
    digit: int | None = None


class ChartLegend(QWidget):
    """Entries side by side, in as many rows as necessary."""

    def __init__(self, entries: Sequence[Entry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries = entries
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend: " + ", ".join(entry.name for entry in entries))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Be as high as the rows; a layout would ask for it too late."""
        self.setFixedHeight(round(self._places(self.width())[-1].bottom()) + 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(max(self._width(entry) for entry in self._entries)), self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        for entry, place in zip(self._entries, self._places(self.width()), strict=True):
            self._paint_sample(painter, entry, QPointF(place.left(), place.center().y()))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(place.adjusted(_SAMPLE + _GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, entry.name)

    def _paint_sample(self, painter: QPainter, entry: Entry, left: QPointF) -> None:
        text = self.palette().color(QPalette.ColorRole.WindowText)
        colour = text if entry.digit is None else digit_colour(entry.digit, is_dark(self.palette()))
        middle = left + QPointF(_SAMPLE / 2, 0)
        if entry.sample == "star":
            font = painter.font()
            painter.setPen(colour)
            painter.drawText(QRectF(left.x(), 0, _SAMPLE, 2 * left.y()), Qt.AlignmentFlag.AlignCenter, "★")
            painter.setFont(font)
            return
        styles = {"line": Qt.PenStyle.SolidLine, "dashed": Qt.PenStyle.DashLine, "dotted": Qt.PenStyle.DotLine}
        drawn: QColor = colour if entry.sample == "line" else with_alpha(colour, 0.55)
        painter.setPen(QPen(drawn, 2.2 if entry.sample == "line" else 1.4, styles[entry.sample]))
        painter.drawLine(left, left + QPointF(_SAMPLE, 0))
        if entry.sample == "dashed":
            painter.setPen(QPen(drawn, 1.4))
            painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
            painter.drawEllipse(middle, 3.5, 3.5)

    def _width(self, entry: Entry) -> float:
        return _SAMPLE + _GAP + self.fontMetrics().horizontalAdvance(entry.name)

    def _places(self, width: float) -> list[QRectF]:
        line = self.fontMetrics().height() + 2
        places, x, y = [], 0.0, 0.0
        for entry in self._entries:
            needed = self._width(entry)
            if x and x + needed > width:
                x, y = 0.0, y + line
            places.append(QRectF(x, y, needed, line))
            x += needed + 3 * _GAP
        return places
