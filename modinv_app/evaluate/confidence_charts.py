"""What the confidence is worth: the reliability diagram and the risk-coverage curve of one direction."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.confidence import ConfidenceMeasures
from modinv_app.common.layouts import row
from modinv_app.common.theme import accent, with_alpha

_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_LEAST_RISK = 0.01  # so that one wrong match is a low point
_DOT = 3.0


class ConfidenceCharts(QWidget):
    """Both charts side by side; empty until something is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reliability = _Chart("Right by confidence", "confidence", diagonal=True)
        self.risk = _Chart("Wrong by coverage", "coverage")
        row((self.reliability, 1), (self.risk, 1), parent=self, spacing=14)

    def show_measures(self, found: ConfidenceMeasures | None) -> None:
        """Show them, or nothing while they are not there."""
        bins = found.bins if found else ()
        least = min((min(one.confidence, one.right) for one in bins), default=0.0)
        low = max(0.0, min(least, 0.9))
        self.reliability.show_points(
            [(one.confidence, one.right) for one in bins],
            (low, 1.0),
            (low, 1.0),
            [f"confidence {one.confidence:.3f}: {one.right:.3f} of {one.count} right" for one in bins],
        )
        curve = found.curve if found else ()
        self.risk.show_points(
            curve,
            (0.0, 1.0),
            (0.0, max([_LEAST_RISK, *(risk for _coverage, risk in curve)])),
            [f"the most confident {coverage:.0%}: {risk:.2%} wrong" for coverage, risk in curve],
        )


class _Chart(QWidget):
    """Points joined by a line, with the ends of both axes."""

    def __init__(self, title: str, below: str, diagonal: bool = False) -> None:
        super().__init__()
        self._title, self._below, self._diagonal = title, below, diagonal
        self._points: Sequence[tuple[float, float]] = ()
        self._across, self._up = (0.0, 1.0), (0.0, 1.0)
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_points(
        self,
        points: Sequence[tuple[float, float]],
        across: tuple[float, float],
        up: tuple[float, float],
        lines: Sequence[str],
    ) -> None:
        """Show points in a range of both axes, and a line of text for each."""
        self._points, self._across, self._up = points, across, up
        self.setToolTip("\n".join(lines))
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(12 * line, 9 * line)

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        words = self.fontMetrics().horizontalAdvance(f"0.00   {self._below}   0.00")
        return QSize(max(words, self.fontMetrics().horizontalAdvance(self._title)) + 4, 7 * line)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("0.000") + 6
        ground = QRectF(self.rect()).adjusted(left, line + 2 * _DOT, -2 * _DOT, -line - 4)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(text)
        painter.drawText(QRectF(0, 0, self.width(), line), _LEFT, self._title)
        painter.setPen(with_alpha(text, 0.25))
        painter.drawLine(ground.bottomLeft(), ground.bottomRight())
        painter.drawLine(ground.bottomLeft(), ground.topLeft())
        painter.setPen(quiet)
        if not self._points:
            painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, "–")
            return
        below = QRectF(ground.left(), ground.bottom() + 3, ground.width(), line)
        painter.drawText(below, _LEFT, f"{self._across[0]:.2g}")
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self._below)
        painter.drawText(below, _RIGHT, f"{self._across[1]:.2g}")
        beside = QRectF(0, ground.top() - line / 2, left - 6, line)
        painter.drawText(beside, _RIGHT, f"{self._up[1]:.2g}")
        painter.drawText(beside.translated(0, ground.height()), _RIGHT, f"{self._up[0]:.2g}")
        if self._diagonal:
            painter.setPen(QPen(with_alpha(text, 0.4), 1, Qt.PenStyle.DotLine))
            painter.drawLine(ground.bottomLeft(), ground.topRight())
        places = [self._place(point, ground) for point in self._points]
        painter.setPen(QPen(accent(self.palette()), 1.5))
        painter.drawPolyline(QPolygonF(places))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent(self.palette()))
        for place in places:
            painter.drawEllipse(place, _DOT, _DOT)

    def _place(self, point: tuple[float, float], ground: QRectF) -> QPointF:
        across, up = (
            (value - low) / (high - low) for value, (low, high) in zip(point, (self._across, self._up), strict=True)
        )
        return QPointF(ground.left() + across * ground.width(), ground.bottom() - up * ground.height())
