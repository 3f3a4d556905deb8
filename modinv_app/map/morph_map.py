"""A map whose points are animated from outside, for the timeline of a run and the dial of lambda_IG."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent

from model.types import FloatArray, Item
from modinv_app.map.map_panel import MapPanel

_SOON_MS = 1  # 0 would be before the page is first painted


class MorphMap(MapPanel):
    """Items whose positions are set for every frame; a message is shown until there are points."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Map of test digits", links=True)
        layout = self.layout()
        assert layout is not None
        layout.setAlignment(self._legend, Qt.AlignmentFlag.AlignHCenter)

    def say(self, text: str) -> None:
        """Show a message until points are placed again."""
        self._message.setText(text)
        self._stack.setCurrentWidget(self._message)

    def set_items(self, items: Sequence[Item], features_of: Callable[[int], FloatArray | None]) -> None:
        """Set other items, which are shown once they are placed.

        Parameters
        ----------
        items
            ``items[i].index == i``.
        features_of
            Item index to features, for the card under the pointer; None where there are none.
        """
        self._items, self._features_of = items, features_of
        self._stack.setCurrentWidget(self._message)
        if self._plot is not None:
            self._plot.set_items(items)

    def place(self, points: FloatArray) -> None:
        """Show the items at ``(n, 2)``, in units of the map, for one frame of an animation."""
        plot = self.prepare()
        plot.place_points(points)
        self._stack.setCurrentWidget(plot)

    def showEvent(self, event: QShowEvent) -> None:
        """Create the plot soon after the page is painted."""
        super().showEvent(event)
        QTimer.singleShot(_SOON_MS, self, self.prepare)
