"""A word in a panel about what went wrong, or might."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from modinv_app.common.theme import is_dark, warning_colour

_BAR = 3  # pixels


class Note(QLabel):
    """Plain text that wraps, marked by a bar at its side as well as by its words; without text it takes no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.setContentsMargins(3 * _BAR, 1, 0, 1)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setVisible(False)

    def show_text(self, text: str) -> None:
        """Say this; nothing takes the word away."""
        self.setText(text)
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint bar and words; a style sheet would keep the colours of the theme in which it was set."""
        super().paintEvent(event)
        QPainter(self).fillRect(0, 0, _BAR, self.height(), warning_colour(is_dark(self.palette())))
