"""The digit to say or draw, large, and the one that comes after it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from model.types import WORDS
from modinv_app.common.theme import antialiased, digit_colour, is_dark, muted_text

_CENTRE = Qt.AlignmentFlag.AlignCenter
_LARGEST = 260.0  # pixels of a digit's height


class DigitPrompt(QWidget):
    """A digit with its word below, and the next one faintly beside it."""

    def __init__(self, verb: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verb = verb
        self._digits: list[int] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.show_digits([])

    @property
    def digits(self) -> list[int]:
        """What is shown."""
        return self._digits

    def set_verb(self, verb: str) -> None:
        """Set what to do with the digit: "Say" or "Draw"."""
        self._verb = verb
        self.show_digits(self._digits)

    def show_digits(self, digits: Sequence[int]) -> None:
        """Show these digits, at most two; a tick if there are none."""
        self._digits = list(digits)
        self.setAccessibleName(f"{self._verb} {WORDS[digits[0]]}" if digits else "All takes are there")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, 170)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 84)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = antialiased(self)
        area = QRectF(self.rect())
        line = 1.5 * self.fontMetrics().height()
        height = min(_LARGEST, area.height() - line, 0.66 * area.width())  # beside the next one
        top = area.top() + (area.height() - height - line) / 2
        place = QRectF(area.left(), top, area.width(), height)
        if not self._digits:
            self._write(painter, place, "✓", 0.6 * height, muted_text(self.palette()))
            return
        colour = digit_colour(self._digits[0], is_dark(self.palette()))
        self._write(painter, place, str(self._digits[0]), height, colour, bold=True)
        word = QRectF(place.left(), place.bottom(), place.width(), line)
        text = self.palette().windowText().color()
        self._write(painter, word, f"{self._verb} “{WORDS[self._digits[0]]}”", 0.62 * line, text, bold=True)
        if len(self._digits) > 1:
            aside = QRectF(place.right() - 0.24 * place.width(), place.top(), 0.24 * place.width(), height)
            self._write(painter, aside, str(self._digits[1]), 0.3 * height, muted_text(self.palette()))
            below = aside.translated(0, 0.5 * height + 2)
            below.setHeight(line)
            below.moveTop(aside.center().y() + 0.17 * height)
            self._write(painter, below, "next", 0.5 * line, muted_text(self.palette()))

    def _write(
        self, painter: QPainter, place: QRectF, words: str, height: float, colour: QColor, bold: bool = False
    ) -> None:
        """Write words of a height in pixels, smaller if they would not fit."""
        font = QFont(self.font())
        font.setBold(bold)
        font.setPixelSize(max(8, round(height)))
        wide = QFontMetricsF(font).horizontalAdvance(words)
        if wide > place.width() - 4:
            font.setPixelSize(max(8, int(font.pixelSize() * (place.width() - 4) / wide)))
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(place, _CENTRE, words)
