"""A map whose points somebody else moves: what the timeline of a run and the dial of lambda_IG have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from model.types import FloatArray, Item
from modinv_app.map.hover_card import HoverCard
from modinv_app.map.legend import Legend

if TYPE_CHECKING:
    from modinv_app.map.map_plot import MapPlot

_SOON_MS = 1  # a timer of 0 would come before the first picture of the page


class MorphMap(QWidget):
    """Items in two dimensions with their legend; a card shows what lies under the pointer.

    Signals
    -------
    clicked(int)
        Index of the item that was clicked.
    """

    clicked = Signal(int)

    def __init__(self, invitation: str) -> None:
        super().__init__()
        self._items: Sequence[Item] = ()
        self._features_of: Callable[[int], FloatArray | None] = lambda _index: None
        self._plot: MapPlot | None = None
        self._message = QLabel(invitation, alignment=Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setAutoFillBackground(True)
        self._message.setBackgroundRole(QPalette.ColorRole.Base)
        self._message.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._stage = QStackedWidget()
        self._stage.addWidget(self._message)
        self._legend = Legend()
        self._legend.changed.connect(self._filter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._stage, 1)
        layout.addWidget(self._legend, 0, Qt.AlignmentFlag.AlignHCenter)

    def say(self, text: str) -> None:
        """Show words in place of points, until there are points again."""
        self._message.setText(text)
        self._stage.setCurrentWidget(self._message)

    def set_items(self, items: Sequence[Item], features_of: Callable[[int], FloatArray | None]) -> None:
        """Take other items, which show once they are placed.

        Parameters
        ----------
        items
            ``items[i].index == i``.
        features_of
            Gives the features of an item, by its index, for the card under the pointer; None where there are none.
        """
        self._items, self._features_of = items, features_of
        self._stage.setCurrentWidget(self._message)
        if self._plot is not None:
            self._plot.set_items(items)

    def place(self, points: FloatArray) -> None:
        """Show the items at ``(n, 2)``, in units of the map: one frame of a motion."""
        plot = self._plot or self._build()
        plot.place_points(points)
        self._stage.setCurrentWidget(plot)

    def reset_view(self) -> None:
        """Show all points again."""
        if self._plot is not None:
            self._plot.reset_view()

    def position_of(self, index: int) -> QPoint | None:
        """Where an item lies on this widget; None while words show."""
        plot = self._plot
        if plot is None or self._stage.currentWidget() is self._message:
            return None
        return QWidget.mapTo(plot, self, plot.position_of(index).toPoint())

    def showEvent(self, event: QShowEvent) -> None:
        """Have the plot ready when points come, but show the page without it first."""
        super().showEvent(event)
        QTimer.singleShot(_SOON_MS, self, lambda: self._plot or self._build())

    def _build(self) -> MapPlot:
        # Not at the top of this file: pyqtgraph is imported with it, and a window that opens can't wait for that.
        from modinv_app.map.map_plot import MapPlot

        self._plot = plot = MapPlot(ties=True)
        plot.setAccessibleName("Map of test digits")
        plot.set_items(self._items)
        self._card = HoverCard(plot)
        plot.hovered.connect(self._show_card)
        plot.clicked.connect(self.clicked)
        self._stage.addWidget(plot)
        self._filter()
        return plot

    def _filter(self) -> None:
        if self._plot is not None:
            self._plot.set_hidden(self._legend.hidden_digits, self._legend.hidden_modalities)

    def _show_card(self, index: int) -> None:
        if self._plot is None or index < 0:
            self._card.hide()
        else:
            at = self._plot.position_of(index).toPoint()
            self._card.show_item(self._items[index], self._features_of(index), at)
