"""Selected points in a map, above the others, which are dimmed.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QBrush, QColor

from model.types import FloatArray
from modinv_app.map.map_items import Points

_ABOVE_THE_POINTS = 2


class SelectionLayer:
    """The selected points, with a rim.

    Parameters
    ----------
    box
        Shows them.

    Attributes
    ----------
    chosen
        Indices of the selected points, ``(k,)``.
    """

    def __init__(self, box: pg.ViewBox) -> None:
        self._box = box
        self._item: Points | None = None
        self._brushes: Sequence[QBrush] = ()
        self._rim = QColor()
        self.set_items(np.empty(0, np.intp), np.empty(0, np.bool_))

    def set_items(self, labels: npt.NDArray[np.intp], speech: npt.NDArray[np.bool_]) -> None:
        """Select among points of these labels and modalities, ``(n,)`` each, which have no places yet; nothing is."""
        self._labels, self._speech = labels, speech
        self._points = np.empty((0, 2), np.float32)
        self._visible = np.ones(len(labels), np.bool_)
        self.chosen = np.empty(0, np.intp)
        self._make_item()

    def set_style(self, brushes: Sequence[QBrush], rim: QColor) -> None:
        """Use the colours of a theme, a brush for each digit."""
        self._brushes, self._rim = brushes, rim
        self._make_item()

    def show(self, chosen: npt.NDArray[np.intp]) -> None:
        """Select other points."""
        self.chosen = chosen
        self._update()

    def move(self, points: FloatArray) -> None:
        """Move to the places of all points, ``(n, 2)``."""
        self._points = points
        self._update()

    def set_visible(self, visible: npt.NDArray[np.bool_]) -> None:
        """Hide some points, ``(n,)``."""
        self._visible = visible
        self._update()

    def _make_item(self) -> None:
        if not self._brushes:
            return
        if self._item is not None:
            self._box.removeItem(self._item)
        self._item = Points(self._labels, self._speech, self._brushes, pg.mkPen(self._rim, width=1))
        self._item.setZValue(_ABOVE_THE_POINTS)
        self._box.addItem(self._item, ignoreBounds=True)
        self._update()

    def _update(self) -> None:
        if self._item is not None and len(self._points):
            self._item.set_members(self.chosen[self._visible[self.chosen]])
            self._item.move(self._points)
