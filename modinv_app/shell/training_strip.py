"""The state of a training, shown on all pages."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget

from modinv_app.common.theme import accent


class TrainingStrip(QToolButton):
    """A button with a progress line, shown while a run trains, which leads to its page.

    Signals
    -------
    page_wanted(str)
        Show the page of this name, on which the run trains.
    """

    page_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page, self._share = "", 0.0
        self.clicked.connect(lambda: self.page_wanted.emit(self._page))
        self.setAutoRaise(True)
        self.setToolTip("Go to the run")
        self.setVisible(False)

    def show_training(self, page: str, words: str, share: float) -> None:
        """Show what a page trains, and the share that is done; without words it trains nothing any more."""
        if not words:
            if page == self._page:
                self.hide()
            return
        self._page, self._share = page, share
        text = f"{words}: {100 * share:.0f} %"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        groove = QColor(128, 128, 128, 70)
        painter.fillRect(4, self.height() - 3, self.width() - 8, 2, groove)
        painter.fillRect(4, self.height() - 3, round(self._share * (self.width() - 8)), 2, accent(self.palette()))
