"""What is imagined, in the map: its place, and the way that it lies on."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QPalette

from model.types import FloatArray
from modinv_app.common.theme import accent, with_alpha

_ABOVE_THE_QUERY = 26


class ImaginedLayer:
    """The graphics items that show an imagined place above the query: a diamond, and a dashed line."""

    def __init__(self, box: pg.ViewBox) -> None:
        self._way = pg.PlotCurveItem(antialias=True)
        self._marker = pg.ScatterPlotItem(size=18, symbol="d")
        for height, part in enumerate((self._way, self._marker), start=_ABOVE_THE_QUERY):
            part.setZValue(height)
            part.hide()
            box.addItem(part, ignoreBounds=True)

    def set_palette(self, palette: QPalette) -> None:
        """Use the colours of a theme."""
        text = palette.color(QPalette.ColorRole.Text)
        self._way.setPen(pg.mkPen(with_alpha(text, 0.8), width=1.6, style=Qt.PenStyle.DashLine))
        self._marker.setPen(pg.mkPen(text, width=2))
        self._marker.setBrush(QBrush(accent(palette)))

    def show(self, place: FloatArray, ends: FloatArray | None) -> None:
        """Show a place ``(2,)``, and the line between two ends ``(2, 2)`` that it lies on, if there is one."""
        self._marker.setData(x=place[None, 0], y=place[None, 1])
        self._marker.show()
        self._way.setVisible(ends is not None)
        if ends is not None:
            self._way.setData(ends[:, 0], ends[:, 1])

    def hide(self) -> None:
        """Show nothing."""
        self._way.hide()
        self._marker.hide()
