"""A map with its legend, the base of all maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from model.types import FloatArray, Item
from modinv_app.common.layouts import column
from modinv_app.map.hover_card import HoverCard
from modinv_app.map.legend import Legend

if TYPE_CHECKING:
    from modinv_app.map.map_plot import MapPlot


class MapPanel(QWidget):
    """Items in two dimensions, with a legend that hides digits and modalities and a card for the hovered item.

    Parameters
    ----------
    message
        Shown until there are points.
    name
        Accessible name of the map.
    links
        Draw lines between the two clouds of a digit.
    selectable
        Whether points can be selected with a lasso.

    Signals
    -------
    clicked(int)
        Index of the item that was clicked.
    """

    clicked = Signal(int)

    def __init__(self, message: str, name: str, *, links: bool = False, selectable: bool = False) -> None:
        super().__init__()
        self._name, self._links, self._selectable = name, links, selectable
        self._items: Sequence[Item] = ()
        self._features_of: Callable[[int], FloatArray | None] = lambda _index: None
        self._plot: MapPlot | None = None
        self._message = QLabel(message, alignment=Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.setAutoFillBackground(True)
        self._message.setBackgroundRole(QPalette.ColorRole.Base)
        self._message.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._message)
        self._legend = Legend()
        self._legend.changed.connect(self._filter)
        column((self._stack, 1), self._legend, parent=self, spacing=4)

    def prepare(self) -> MapPlot:
        """Create the plot, if necessary; the first takes a third of a second."""
        if self._plot is None:
            # Imported late: it imports pyqtgraph, which would delay the start of the window.
            from modinv_app.map.map_plot import MapPlot

            self._plot = plot = MapPlot(links=self._links, selectable=self._selectable)
            plot.setAccessibleName(self._name)
            plot.set_items(self._items)
            self._card = HoverCard(plot)
            plot.hovered.connect(self._show_card)
            plot.clicked.connect(self.clicked)
            self._stack.addWidget(plot)
            self._filter()
        return self._plot

    def reset_view(self) -> None:
        """Show all points again."""
        if self._plot is not None:
            self._plot.reset_view()

    def position_of(self, index: int) -> QPoint | None:
        """The position of an item on this widget; None while there is no map."""
        if self._plot is None or self._stack.currentWidget() is self._message:
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
