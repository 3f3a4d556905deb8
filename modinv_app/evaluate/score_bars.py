"""Shares side by side: a bar for each digit or speaker, and what it lacks of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from modinv_app.common.card import faint
from modinv_app.common.theme import accent, digit_colour, is_dark, warning_colour

_NAME = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_VALUE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_TALLEST = 2.2  # lines a row: farther apart they are no group any more
_THICKEST = 9.0  # pixels a bar


@dataclass(frozen=True, slots=True)
class Score:
    """One bar: its name, its share in [0, 1], and whose colour it has (``None``: the accent)."""

    name: str
    share: float
    digit: int | None = None


class ScoreBars(QWidget):
    """Horizontal bars on the scale from 0 to 1, with a line at their mean.

    Parameters
    ----------
    what
        What the shares are, for whoever listens: ``"P@1 by speaker, image to speech"``.
    """

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores: Sequence[Score] = ()
        self._mean: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(what)

    def show_scores(self, scores: Sequence[Score], mean: float | None = None) -> None:
        """Show these bars from top to bottom, and a line at a mean of all that they count."""
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
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        left, width = self._scale()
        for place, score in enumerate(self._scores):
            row = self._row(place)
            high = min(0.45 * row.height(), _THICKEST)
            bar = QRectF(left, row.center().y() - high / 2, width, high)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(
                faint(warning_colour(is_dark(self.palette())), 0.35)
            )  # what is wrong is what one looks for
            painter.drawRoundedRect(bar, 3, 3)
            painter.setBrush(self._colour(score))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * score.share, bar.height()), 3, 3)
            painter.setPen(text)
            painter.drawText(QRectF(0, row.top(), left - 8, row.height()), _NAME, score.name)
            painter.drawText(QRectF(left + width + 8, row.top(), row.width(), row.height()), _VALUE, _form(score.share))
        if self._mean is not None:
            x = left + width * self._mean
            painter.setPen(faint(text, 0.55))
            painter.drawLine(round(x), 0, round(x), round(self._row(len(self._scores) - 1).bottom()))

    def _row(self, place: int) -> QRectF:
        height = min(self.height() / len(self._scores), _TALLEST * self.fontMetrics().height())
        return QRectF(0, place * height, self.width(), height)

    def _scale(self) -> tuple[float, float]:
        """Where the bars begin, and the width of a whole one."""
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
                words = f"{score.name}: {score.share:.2%} found at once"
                words += f"; all: {self._mean:.2%}" if self._mean is not None else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)


def _form(share: float) -> str:
    return f"{share:.3f}"
