"""What stands in the place of items while there are none: progress, or why, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from modinv_app.common.layouts import column, row


class Notice(QWidget):
    """A text, perhaps a progress bar, and a button.

    Signals
    -------
    action_wanted()
        The button was pressed.
    """

    action_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText, alignment=Qt.AlignmentFlag.AlignCenter)
        self.text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress")
        self.button = QPushButton()
        self.button.clicked.connect(self.action_wanted)
        column(
            None,
            self.text,
            8,
            self.bar,
            8,
            row(None, self.button, None),
            None,
            parent=self,
            margins=(24, 0, 24, 0),
        )
        self.show_words("")

    def show_words(self, text: str, action: str = "") -> None:
        """Show a text, and a button unless its title is empty."""
        self.text.setText(text)
        self.bar.setVisible(False)
        self.button.setText(action)
        self.button.setVisible(bool(action))

    def show_progress(self, share: float | None, text: str) -> None:
        """Show progress in [0, 1], or None while it is unknown, and a button to cancel."""
        self.show_words(f"{text}…", "Cancel")
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(round(1000 * (share or 0)))
        self.bar.setVisible(True)
