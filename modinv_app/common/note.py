"""A warning inside a panel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from modinv_app.common.theme import is_dark, warning_colour

_BAR = 3  # pixels


class Note(QLabel):
    """Plain text with a coloured bar on its left; hidden while empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.setContentsMargins(3 * _BAR, 1, 0, 1)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setVisible(False)

    def show_text(self, text: str) -> None:
        """Show a text; an empty one hides the note."""
        self.setText(text)
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        # Not by a style sheet, which would keep the colours of the theme in which it was set.
        QPainter(self).fillRect(0, 0, _BAR, self.height(), warning_colour(is_dark(self.palette())))
