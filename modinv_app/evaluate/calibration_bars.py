"""A bar chart of wrong matches by the width of the query's posterior."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from model.evaluation.report import Calibration
from modinv_app.common.painted import PaintedWidget
from modinv_app.common.theme import accent, antialiased, with_alpha

_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_MIDDLE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom


class CalibrationBars(PaintedWidget):
    """One bar per group of equally many queries, narrowest posteriors first: how many nearest matches are wrong."""

    preferred, least = (14, 6), (10, 5)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._calibration: Calibration | None = None

    def show_calibration(self, calibration: Calibration | None) -> None:
        """Show a calibration, or nothing."""
        self._calibration = calibration
        parts = calibration.bins if calibration else ()
        lines = [
            f"width {part.width_low:.1f} to {part.width_high:.1f} nats: {1 - part.p_at_1:.1%} of {part.count} wrong"
            for part in parts
        ]
        self.setToolTip("\n".join(lines))
        self.setAccessibleName("Wrong matches by width of the posterior")
        self.setAccessibleDescription("; ".join(lines))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        line = self.fontMetrics().height()
        area = QRectF(self.rect()).adjusted(0, line + 2, 0, -line - 4)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(with_alpha(text, 0.25))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        below = QRectF(area.left(), area.bottom() + 3, area.width(), line)
        painter.setPen(muted)
        painter.drawText(below, _LEFT, "narrow")
        painter.drawText(below, _RIGHT, "wide")
        if self._calibration is None or not self._calibration.bins:
            return
        bins = self._calibration.bins
        step = area.width() / len(bins)
        most = max(max(1 - part.p_at_1 for part in bins), 0.01)  # so that one wrong match is a low bar
        for place, part in enumerate(bins):
            wrong = 1 - part.p_at_1
            height = max(wrong / most * area.height(), 1.0)
            bar = QRectF(area.left() + place * step + 0.15 * step, area.bottom() - height, 0.7 * step, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(accent(self.palette()))
            painter.drawRoundedRect(bar, 2, 2)
            painter.setPen(text if wrong else muted)
            above = QPointF(bar.center().x() - step, bar.top() - line - 1)
            painter.drawText(QRectF(above.x(), above.y(), 2 * step, line), _MIDDLE, _percent(wrong))


def _percent(share: float) -> str:
    """In percent, as briefly as possible: ``"0"``, ``"0.4"``, ``"12"``."""
    percent = 100 * share
    return "0" if share == 0 else f"{percent:.1f}" if percent < 9.95 else f"{percent:.0f}"
