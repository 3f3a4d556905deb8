"""Selected points in a map, above the others, which are dimmed.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QBrush, QColor

from model.types import FloatArray, Modality
from modinv_app.map.map_items import Cloud

_ABOVE_THE_POINTS = 2


class SelectionLayer:
    """The selected points, and their graphics items: a cloud for each digit in each modality, with a rim.

    Parameters
    ----------
    box
        Shows them.
    selectable
        Whether points can be selected; if not, there are no clouds, which take longer than those of all points.

    Attributes
    ----------
    chosen
        Indices of the selected points, ``(k,)``.
    """

    def __init__(self, box: pg.ViewBox, selectable: bool) -> None:
        self._box, self._selectable = box, selectable
        self._clouds: dict[tuple[int, Modality], Cloud] = {}
        self._brushes: Sequence[QBrush] = ()
        self._rim = QColor()
        self._hidden: tuple[frozenset[int], frozenset[Modality]] = (frozenset(), frozenset())
        self.set_items(np.empty(0, np.intp), np.empty(0, np.bool_))

    def set_items(self, labels: npt.NDArray[np.intp], speech: npt.NDArray[np.bool_]) -> None:
        """Select among points of these labels and modalities, ``(n,)`` each, which have no places yet; nothing is."""
        self._labels, self._speech = labels, speech
        self._points = np.empty((0, 2), np.float32)
        self.chosen = np.empty(0, np.intp)
        self._make_clouds()

    def set_style(self, brushes: Sequence[QBrush], rim: QColor) -> None:
        """Use the colours of a theme, a brush for each digit."""
        self._brushes, self._rim = brushes, rim
        self._make_clouds()

    def show(self, chosen: npt.NDArray[np.intp]) -> None:
        """Select other points."""
        self.chosen = chosen
        for (digit, modality), cloud in self._clouds.items():
            ours = (self._labels[chosen] == digit) & (self._speech[chosen] == (modality is Modality.SPEECH))
            cloud.set_members(chosen[ours])
        self.move(self._points)

    def move(self, points: FloatArray) -> None:
        """Move to the places of all points, ``(n, 2)``."""
        self._points = points
        for cloud in self._clouds.values() if len(points) else ():
            cloud.move(points)

    def set_hidden(self, digits: frozenset[int], modalities: frozenset[Modality]) -> None:
        """Hide the points of some digits and modalities."""
        self._hidden = digits, modalities
        for (digit, modality), cloud in self._clouds.items():
            cloud.setVisible(digit not in digits and modality not in modalities)

    def _make_clouds(self) -> None:
        if not self._selectable:
            return
        for cloud in self._clouds.values():
            self._box.removeItem(cloud)
        nobody = np.empty(0, np.intp)
        pen = pg.mkPen(self._rim, width=1)
        self._clouds = {
            (digit, modality): Cloud(nobody, modality, len(self._labels), brush, pen)
            for digit, brush in enumerate(self._brushes)
            for modality in Modality
        }
        for cloud in self._clouds.values():
            cloud.setZValue(_ABOVE_THE_POINTS)
            self._box.addItem(cloud, ignoreBounds=True)
        self.set_hidden(*self._hidden)
        self.show(self.chosen)
