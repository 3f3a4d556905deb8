"""A line that says what has just gone, and a button that brings it back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget


class UndoStrip(QWidget):
    """Hidden until something goes; it stays until it is used or closed, for nobody can be too slow for it.

    Signals
    -------
    undo_wanted()
        What has gone shall come back.
    """

    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        undo = QPushButton("Undo")
        undo.clicked.connect(self._undo)
        close = QToolButton()
        close.setText("✕")
        close.setAutoRaise(True)
        close.setAccessibleName("Close")
        close.setToolTip("It stays deleted")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text, stretch=1)
        layout.addWidget(undo)
        layout.addWidget(close)
        self.hide()

    def offer(self, text: str) -> None:
        """Say what has gone."""
        self._text.setText(text)
        self.show()

    def _undo(self) -> None:
        self.hide()
        self.undo_wanted.emit()
