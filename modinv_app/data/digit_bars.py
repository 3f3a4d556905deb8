"""How many items there are of each digit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPalette

from modinv_app.common.painted import PaintedWidget
from modinv_app.common.theme import antialiased, digit_colour, is_dark, muted_text, with_alpha

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class DigitBars(PaintedWidget):
    """A bar for each digit, with its number of items; digits that are not chosen are faint.

    Signals
    -------
    chosen(int)
        A bar was clicked.
    """

    chosen = Signal(int)

    preferred: ClassVar[tuple[int, int]] = (14, 13)
    least: ClassVar[tuple[int, int]] = (10, 10)

    def __init__(self) -> None:
        super().__init__()
        self._counts: list[int] = []
        self._digit: int | None = None
        self.setAccessibleName("Items by digit")
        self.setToolTip("Items of each digit. Click to show one digit only, or all again")

    def show_counts(self, counts: Sequence[int], digit: int | None) -> None:
        """Show ten counts, or none, and which digit is chosen, ``None`` for all."""
        self._counts, self._digit = list(counts), digit
        self.setAccessibleDescription(", ".join(f"{digit}: {count:,}" for digit, count in enumerate(counts)))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        digit = int(10 * event.position().y() / max(1, self.height()))
        if self._counts and event.button() == Qt.MouseButton.LeftButton and 0 <= digit <= 9:
            self.chosen.emit(digit)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._counts:
            return
        painter, palette, metrics = antialiased(self), self.palette(), self.fontMetrics()
        line = self.height() / 10
        left = metrics.horizontalAdvance("00")
        right = max(metrics.horizontalAdvance(f"{count:,}") for count in self._counts) + 6
        room, most = self.width() - left - right, max(self._counts) or 1
        for digit, count in enumerate(self._counts):
            row = QRectF(0, digit * line, self.width(), line)
            on = self._digit in (None, digit)
            colour = digit_colour(digit, is_dark(palette))
            painter.setPen(colour)
            painter.drawText(row, _LEFT, str(digit))
            painter.setPen(palette.color(QPalette.ColorRole.WindowText) if on else muted_text(palette))
            painter.drawText(row, _RIGHT, f"{count:,}")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(with_alpha(colour, 0.9 if on else 0.3))
            painter.drawRoundedRect(QRectF(left, row.top() + 2, room * count / most, max(2, line - 4)), 3, 3)
