"""A line that says what was deleted, with a button that restores it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from modinv_app.common.layouts import row


class UndoStrip(QWidget):
    """Hidden until something is deleted; then shown until it is used or closed, without a time limit.

    Signals
    -------
    undo_wanted()
        Restore what was deleted.
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
        close.setToolTip("Close; it stays deleted")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.hide)
        row((self._text, 1), undo, close, parent=self)
        self.hide()

    def offer(self, text: str) -> None:
        """Say what was deleted."""
        self._text.setText(text)
        self.show()

    def _undo(self) -> None:
        self.hide()
        self.undo_wanted.emit()
