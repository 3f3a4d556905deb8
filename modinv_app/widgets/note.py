"""A word in a panel about what went wrong, or might."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from modinv_app.theme import is_dark, warning_colour


class Note(QLabel):
    """Plain text that wraps, marked by a bar at its side as well as by its words; without text it takes no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.setObjectName("note")
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setVisible(False)
        self._colour()

    def show_text(self, text: str) -> None:
        """Say this; nothing takes the word away."""
        self.setText(text)
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def _colour(self) -> None:
        bar = warning_colour(is_dark(self.palette())).name()
        style = f"#note {{ border: 0px solid {bar}; border-left-width: 3px; padding-left: 6px; }}"
        if style != self.styleSheet():
            self.setStyleSheet(style)
