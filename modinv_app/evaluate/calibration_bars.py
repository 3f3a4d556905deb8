"""Does a wider posterior mean a wrong match? Wrong matches by width, narrowest posteriors first."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.evaluation.report import Calibration
from modinv_app.common.card import faint
from modinv_app.common.theme import accent

_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_MIDDLE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom


class CalibrationBars(QWidget):
    """One bar for each group of equally many queries: how many of them got a wrong nearest match."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._calibration: Calibration | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_calibration(self, calibration: Calibration | None) -> None:
        """Show it, or nothing while it is not there."""
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

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(14 * line, 6 * line)

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(10 * line, 5 * line)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        ground = QRectF(self.rect()).adjusted(0, line + 2, 0, -line - 4)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(faint(text, 0.25))
        painter.drawLine(ground.bottomLeft(), ground.bottomRight())
        below = QRectF(ground.left(), ground.bottom() + 3, ground.width(), line)
        painter.setPen(quiet)
        painter.drawText(below, _LEFT, "narrow")
        painter.drawText(below, _RIGHT, "wide")
        if self._calibration is None or not self._calibration.bins:
            return
        bins = self._calibration.bins
        step = ground.width() / len(bins)
        most = max(max(1 - part.p_at_1 for part in bins), 0.01)  # one wrong match shall not look like a disaster
        for place, part in enumerate(bins):
            wrong = 1 - part.p_at_1
            height = max(wrong / most * ground.height(), 1.0)
            bar = QRectF(ground.left() + place * step + 0.15 * step, ground.bottom() - height, 0.7 * step, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(accent(self.palette()))
            painter.drawRoundedRect(bar, 2, 2)
            painter.setPen(text if wrong else quiet)
            above = QPointF(bar.center().x() - step, bar.top() - line - 1)
            painter.drawText(QRectF(above.x(), above.y(), 2 * step, line), _MIDDLE, _percent(wrong))


def _percent(share: float) -> str:
    """As short as a bar is narrow: ``"0"``, ``"0.4"``, ``"12"``, in percent."""
    percent = 100 * share
    return "0" if share == 0 else f"{percent:.1f}" if percent < 9.95 else f"{percent:.0f}"
