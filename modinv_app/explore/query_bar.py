"""The name of the query, with buttons for the history."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from modinv_app.common.card import muted
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import row


class QueryBar(QWidget):
    """Back, forward, and the name of the current query.

    Signals
    -------
    back_clicked(), forward_clicked()
        The user wants the former query, or the next one.
    """

    back_clicked = Signal()
    forward_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._back = IconButton("back", "Back to the former query (Alt+Left)")
        self._back.clicked.connect(self.back_clicked)
        self._forward = IconButton("forward", "Forward to the next query (Alt+Right)")
        self._forward.clicked.connect(self.forward_clicked)
        self._name = muted()
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        row(self._back, self._forward, (self._name, 1), parent=self, margins=(2, 2, 6, 0), spacing=2)
        self.show_query("")
        self.enable(False, False)

    def show_query(self, name: str) -> None:
        """Name the query; empty if there is none."""
        self._name.setText(name or "No query")
        self._name.setToolTip(name)
        self._name.setAccessibleName(f"Query: {name or 'none'}")

    def enable(self, back: bool, forward: bool) -> None:
        """Enable or disable the two buttons."""
        self._back.setEnabled(back)
        self._forward.setEnabled(forward)
