"""How many utterances are understood in noise, as a line behind the dial that adds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF

from modinv_app.common.painted import PaintedWidget
from modinv_app.common.theme import accent, antialiased, muted_text, with_alpha

_DOT = 3.0


class NoiseCurve(PaintedWidget):
    """Shares of understood utterances at the steps of a slider, from left to right; 0 below, 1 above."""

    preferred: ClassVar[tuple[int, int]] = (10, 4)
    least: ClassVar[tuple[int, int]] = (6, 4)

    def __init__(self) -> None:
        super().__init__()
        self._shares: Sequence[float] = ()
        self._step = 0
        self._margin = 8.0
        self.setAccessibleName("Utterances understood in noise")

    def show_shares(self, shares: Sequence[float], margin: float) -> None:
        """Draw another line; ``margin`` is from the edge to the first and the last step, in pixels."""
        self._shares, self._margin = shares, margin
        self.update()

    def show_step(self, step: int) -> None:
        """Mark the step that is chosen."""
        self._step = step
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if len(self._shares) < 2:
            return
        with antialiased(self) as painter:
            area = QRectF(self.rect()).adjusted(self._margin, _DOT + 1, -self._margin, -_DOT - 1)
            self._paint_scale(painter, area)
            width = area.width() / (len(self._shares) - 1)
            points = [
                QPointF(area.left() + width * step, area.bottom() - area.height() * share)
                for step, share in enumerate(self._shares)
            ]
            colour = accent(self.palette())
            painter.setPen(QPen(colour, 2))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            for step, point in enumerate(points):
                painter.drawEllipse(point, *[_DOT * (1.6 if step == self._step else 1)] * 2)

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(with_alpha(muted_text(self.palette()), 0.4), 1, Qt.PenStyle.DotLine))
        for share in (0.0, 0.5, 1.0):
            height = area.bottom() - area.height() * share
            painter.drawLine(QPointF(area.left(), height), QPointF(area.right(), height))
