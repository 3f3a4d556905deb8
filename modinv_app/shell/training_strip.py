"""How a run stands, in few words: seen from every page, and the way to it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget

from model.recipes.recipe import objective_text
from model.runs.store import RunInfo
from modinv_app.common.theme import accent

_WORDS = {"waiting": "Preparing", "running": "Training", "paused": "Paused"}


class TrainingStrip(QToolButton):
    """A button that shows while a run is on its way, with its share done as a line below.

    Signals
    -------
    page_wanted(str)
        It was clicked: the name of the page where the run trains.
    """

    page_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page, self._share = "", 0.0
        self.clicked.connect(lambda: self.page_wanted.emit(self._page))
        self.setAutoRaise(True)
        self.setToolTip("Go to the run")
        self.setVisible(False)

    def show_run(self, page: str, info: RunInfo | None) -> None:
        """Show how a run of a page stands; nothing once it has ended."""
        self._page = page
        if info is None or info.state not in _WORDS:
            self.hide()
            return
        self._share = info.step / max(1, info.steps)
        text = f"{_WORDS[info.state]}, {objective_text(info.plan.recipe.to_dict())}: {100 * self._share:.0f} %"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button, and the line."""
        super().paintEvent(event)
        painter = QPainter(self)
        rail = QColor(128, 128, 128, 70)
        painter.fillRect(4, self.height() - 3, self.width() - 8, 2, rail)
        painter.fillRect(4, self.height() - 3, round(self._share * (self.width() - 8)), 2, accent(self.palette()))
