"""A bar chart of scores by digit or speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from modinv_app.common.theme import accent, antialiased, digit_colour, is_dark, warning_colour, with_alpha

_NAME = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_VALUE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_TALLEST = 2.2  # text lines per bar at most, so that the bars look like a group
_THICKEST = 9.0  # pixels


@dataclass(frozen=True, slots=True)
class Score:
    """Name and value in [0, 1] of one bar, and the digit whose colour it has (``None``: the accent colour)."""

    name: str
    share: float
    digit: int | None = None


class ScoreBars(QWidget):
    """Horizontal bars on the scale from 0 to 1, with a line at their mean.

    Parameters
    ----------
    what
        Accessible name: ``"P@1 by speaker, image to speech"``.
    """

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: Sequence[Score] = ()
        self._mean: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(what)

    def show_scores(self, scores: Sequence[Score], mean: float | None = None) -> None:
        """Show these bars from top to bottom, and a line at the mean."""
        self._scores, self._mean = scores, mean
        self.setAccessibleDescription(", ".join(f"{score.name}: {score.share:.3f}" for score in scores))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(20 * line, round(1.6 * line * max(1, len(self._scores))))

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(14 * line, (line + 2) * max(1, len(self._scores)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._scores:
            return
        painter = antialiased(self)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        left, width = self._scale()
        for place, score in enumerate(self._scores):
            row = self._row(place)
            high = min(0.45 * row.height(), _THICKEST)
            bar = QRectF(left, row.center().y() - high / 2, width, high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(with_alpha(warning_colour(is_dark(self.palette())), 0.35))
            painter.drawRoundedRect(bar, 3, 3)
            painter.setBrush(self._colour(score))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * score.share, bar.height()), 3, 3)
            painter.setPen(text)
            painter.drawText(QRectF(0, row.top(), left - 8, row.height()), _NAME, score.name)
            painter.drawText(QRectF(left + width + 8, row.top(), row.width(), row.height()), _VALUE, _form(score.share))
        if self._mean is not None:
            x = left + width * self._mean
            painter.setPen(with_alpha(text, 0.55))
            painter.drawLine(round(x), 0, round(x), round(self._row(len(self._scores) - 1).bottom()))

    def _row(self, place: int) -> QRectF:
        height = min(self.height() / len(self._scores), _TALLEST * self.fontMetrics().height())
        return QRectF(0, place * height, self.width(), height)

    def _scale(self) -> tuple[float, float]:
        """Left end of the bars, and the width of a full bar."""
        metrics = self.fontMetrics()
        left = max(metrics.horizontalAdvance(score.name) for score in self._scores) + 8
        return left, self.width() - left - metrics.horizontalAdvance(_form(1.0)) - 8

    def _colour(self, score: Score) -> QColor:
        return accent(self.palette()) if score.digit is None else digit_colour(score.digit, is_dark(self.palette()))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._scores:
            place = int(event.pos().y() // self._row(0).height())
            words = ""
            if place < len(self._scores):
                score = self._scores[place]
                words = f"{score.name}: {score.share:.2%} of nearest matches correct"
                words += f"; all: {self._mean:.2%}" if self._mean is not None else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)


def _form(share: float) -> str:
    return f"{share:.3f}"
