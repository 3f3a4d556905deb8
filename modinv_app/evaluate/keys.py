"""The legend of a chart: samples of its lines and marks, each with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.card import faint
from modinv_app.common.theme import digit_colour, is_dark

Sample = Literal["line", "broken", "dotted", "star"]
_SAMPLE = 26  # pixels of a line
_GAP = 7


@dataclass(frozen=True, slots=True)
class Key:
    """One entry: its name, how it is drawn, and the digit whose colour it has (``None``: that of text)."""

    name: str
    sample: Sample
    digit: int | None = None


class Keys(QWidget):
    """Entries side by side, in as many rows as the width makes of them."""

    def __init__(self, keys: Sequence[Key], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend: " + ", ".join(key.name for key in keys))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Be as high as the rows; a layout would ask for it too late."""
        self.setFixedHeight(round(self._places(self.width())[-1].bottom()) + 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(max(self._width(key) for key in self._keys)), self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for key, place in zip(self._keys, self._places(self.width()), strict=True):
            self._paint_sample(painter, key, QPointF(place.left(), place.center().y()))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(place.adjusted(_SAMPLE + _GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, key.name)

    def _paint_sample(self, painter: QPainter, key: Key, left: QPointF) -> None:
        text = self.palette().color(QPalette.ColorRole.WindowText)
        colour = text if key.digit is None else digit_colour(key.digit, is_dark(self.palette()))
        middle = left + QPointF(_SAMPLE / 2, 0)
        if key.sample == "star":
            font = painter.font()
            painter.setPen(colour)
            painter.drawText(QRectF(left.x(), 0, _SAMPLE, 2 * left.y()), Qt.AlignmentFlag.AlignCenter, "★")
            painter.setFont(font)
            return
        styles = {"line": Qt.PenStyle.SolidLine, "broken": Qt.PenStyle.DashLine, "dotted": Qt.PenStyle.DotLine}
        drawn: QColor = colour if key.sample == "line" else faint(colour, 0.55)
        painter.setPen(QPen(drawn, 2.2 if key.sample == "line" else 1.4, styles[key.sample]))
        painter.drawLine(left, left + QPointF(_SAMPLE, 0))
        if key.sample == "broken":
            painter.setPen(QPen(drawn, 1.4))
            painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
            painter.drawEllipse(middle, 3.5, 3.5)

    def _width(self, key: Key) -> float:
        return _SAMPLE + _GAP + self.fontMetrics().horizontalAdvance(key.name)

    def _places(self, width: float) -> list[QRectF]:
        line = self.fontMetrics().height() + 2
        places, x, y = [], 0.0, 0.0
        for key in self._keys:
            needed = self._width(key)
            if x and x + needed > width:
                x, y = 0.0, y + line
            places.append(QRectF(x, y, needed, line))
            x += needed + 3 * _GAP
        return places
