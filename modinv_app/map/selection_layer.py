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
    """The graphics items of selected points: a cloud for each digit in each modality, with a rim."""

    def __init__(self, box: pg.ViewBox) -> None:
        self._box = box
        self._clouds: dict[tuple[int, Modality], Cloud] = {}

    def set_style(self, among: int, brushes: Sequence[QBrush], rim: QColor) -> None:
        """Show points among so many, in the colours of a theme; none are selected then."""
        for cloud in self._clouds.values():
            self._box.removeItem(cloud)
        nobody = np.empty(0, np.intp)
        pen = pg.mkPen(rim, width=1)
        self._clouds = {
            (digit, modality): Cloud(nobody, modality, among, brush, pen)
            for digit, brush in enumerate(brushes)
            for modality in Modality
        }
        for cloud in self._clouds.values():
            cloud.setZValue(_ABOVE_THE_POINTS)
            self._box.addItem(cloud, ignoreBounds=True)

    def show(self, chosen: npt.NDArray[np.intp], labels: npt.NDArray[np.intp], speech: npt.NDArray[np.bool_]) -> None:
        """Select other points, given the labels and modalities ``(n,)`` of all."""
        for (digit, modality), cloud in self._clouds.items():
            ours = (labels[chosen] == digit) & (speech[chosen] == (modality is Modality.SPEECH))
            cloud.set_members(chosen[ours])

    def move(self, points: FloatArray) -> None:
        """Move to the places of all points, ``(n, 2)``."""
        for cloud in self._clouds.values():
            cloud.move(points)

    def set_hidden(self, digits: frozenset[int], modalities: frozenset[Modality]) -> None:
        """Hide the points of some digits and modalities."""
        for (digit, modality), cloud in self._clouds.items():
            cloud.setVisible(digit not in digits and modality not in modalities)
