"""The ground of a plot: two axes and a view between them.

This module imports pyqtgraph, which takes a third of a second: import it once the window can be seen.
"""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy

_GRID = 64  # of 255: opacity of the lines across


class AxedPlot(pg.GraphicsView):  # type: ignore[misc]
    """Shows what is added to its ``box``; nobody drags or zooms it.

    pyqtgraph's PlotWidget brings context menus and forms of which none would ever be seen, and takes twice as long to
    build: it would be felt where a page has several.

    Parameters
    ----------
    left, bottom
        The axes; across the left one run lines.
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

    def set_colours(self, ground: QColor, lines: QColor, words: QColor) -> None:
        """Take the colours of a theme."""
        self.setBackground(ground)
        for axis in (self.left, self.bottom):
            axis.setPen(lines)
            axis.setTextPen(words)
