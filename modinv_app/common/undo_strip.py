"""A line that says what was done, with a button that takes it back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from modinv_app.common.layouts import row


class UndoStrip(QWidget):
    """Hidden until something is done; then shown until it is used or closed, without a time limit.

    Signals
    -------
    undo_wanted()
        Take back what was done.
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
        close.setToolTip("Close; it stays as it is")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.hide)
        row((self._text, 1), undo, close, parent=self)
        self.hide()

    def listen_in(self, panel: QWidget) -> None:
        """Undo by Ctrl+Z, too, while the focus is in this panel."""
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), panel)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.undo)

    def undo(self) -> None:
        """Take it back, if that is offered."""
        if self.isVisible():
            self._undo()

    def offer(self, text: str) -> None:
        """Say what was done."""
        self._text.setText(text)
        self.show()

    def _undo(self) -> None:
        self.hide()
        self.undo_wanted.emit()
