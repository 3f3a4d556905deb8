"""A map whose points somebody else moves: what the timeline of a run and the dial of lambda_IG have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent

from model.types import FloatArray, Item
from modinv_app.map.map_panel import MapPanel

_SOON_MS = 1  # a timer of 0 would come before the first picture of the page


class MorphMap(MapPanel):
    """Items that are placed anew with every frame; a message stands in their place until there are points."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Map of test digits", ties=True)
        layout = self.layout()
        assert layout is not None
        layout.setAlignment(self._legend, Qt.AlignmentFlag.AlignHCenter)

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
        plot = self.prepare()
        plot.place_points(points)
        self._stage.setCurrentWidget(plot)

    def showEvent(self, event: QShowEvent) -> None:
        """Have the plot ready when points come, but show the page without it first."""
        super().showEvent(event)
        QTimer.singleShot(_SOON_MS, self, self.prepare)
