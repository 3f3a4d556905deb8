"""A plot with two axes.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy

_GRID = 64  # opacity of grid lines, of 255


class AxedPlot(pg.GraphicsView):  # type: ignore[misc]
    """A plot that can't be dragged or zoomed; items are added to its ``box``.

    pyqtgraph's PlotWidget takes twice as long to create, because it includes context menus.

    Parameters
    ----------
    left, bottom
        The axes; the left one has grid lines.
    """

    def __init__(self, left: pg.AxisItem, bottom: pg.AxisItem) -> None:
        super().__init__()
        self.left, self.bottom = left, bottom
        self.box = pg.ViewBox(enableMenu=False, enableMouse=False)
        self.box.disableAutoRange()
        left.setGrid(_GRID)
        grid = self.centralLayout
        grid.setContentsMargins(1, 1, 1, 1)
        grid.setSpacing(0)
        grid.addItem(self.box, 0, 1)
        for axis, place in ((left, (0, 0)), (bottom, (1, 1))):
            axis.linkToView(self.box)
            axis.setZValue(0.5)
            grid.addItem(axis, *place)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_colours(self, background: QColor, lines: QColor, words: QColor) -> None:
        """Use the colours of a theme."""
        self.setBackground(background)
        for axis in (self.left, self.bottom):
            axis.setPen(lines)
            axis.setTextPen(words)
