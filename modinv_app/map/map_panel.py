"""A map with its legend: what every page that shows items in two dimensions has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from model.types import FloatArray, Item
from modinv_app.map.hover_card import HoverCard
from modinv_app.map.legend import Legend

if TYPE_CHECKING:
    from modinv_app.map.map_plot import MapPlot


class MapPanel(QWidget):
    """Items with their legend, which hides digits and modalities; a card shows what lies under the pointer.

    Parameters
    ----------
    message
        What stands in place of the map until there are points.
    name
        The map's name for screen readers.
    ties
        Draw a line between the two clouds of a digit whose modalities lie apart.

    Signals
    -------
    clicked(int)
        Index of the item that was clicked.
    """

    clicked = Signal(int)

    def __init__(self, message: str, name: str, *, ties: bool = False) -> None:
        super().__init__()
        self._name, self._ties = name, ties
        self._items: Sequence[Item] = ()
        self._features_of: Callable[[int], FloatArray | None] = lambda _index: None
        self._plot: MapPlot | None = None
        self._message = QLabel(message, alignment=Qt.AlignmentFlag.AlignCenter)
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
        layout.addWidget(self._legend)

    def prepare(self) -> MapPlot:
        """Build the plot, if it isn't there: a third of a second, for the moment after the window is seen."""
        if self._plot is None:
            # Not at the top of this file: it imports pyqtgraph, for which a window that opens can't wait.
            from modinv_app.map.map_plot import MapPlot

            self._plot = plot = MapPlot(ties=self._ties)
            plot.setAccessibleName(self._name)
            plot.set_items(self._items)
            self._card = HoverCard(plot)
            plot.hovered.connect(self._show_card)
            plot.clicked.connect(self.clicked)
            self._stage.addWidget(plot)
            self._filter()
        return self._plot

    def reset_view(self) -> None:
        """Show all points again."""
        if self._plot is not None:
            self._plot.reset_view()

    def position_of(self, index: int) -> QPoint | None:
        """Where an item lies on this widget; None while there is no map."""
        if self._plot is None or self._stage.currentWidget() is self._message:
            return None
        return QWidget.mapTo(self._plot, self, self._plot.position_of(index).toPoint())

    def _filter(self) -> None:
        if self._plot is not None:
            self._plot.set_hidden(self._legend.hidden_digits, self._legend.hidden_modalities)

    def _show_card(self, index: int) -> None:
        if self._plot is None or index < 0:
            self._card.hide()
        else:
            at = self._plot.position_of(index).toPoint()
            self._card.show_item(self._items[index], self._features_of(index), at)
