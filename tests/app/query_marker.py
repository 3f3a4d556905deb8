"""Where a map shows its query: read from what the map draws."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QGraphicsView, QWidget

_SIZE = 24  # of the query's marker; no other mark in the map is as large


def query_marker(panel: QWidget) -> QPoint | None:
    """The middle of the query's marker on a panel with a map; None where none is drawn."""
    plot = panel.findChild(QGraphicsView)
    if plot is None or not plot.isVisibleTo(panel):
        return None
    for item in plot.scene().items():
        if isinstance(item, pg.ScatterPlotItem) and item.opts["size"] == _SIZE and item.isVisible():
            (x,), (y,) = item.getData()
            return plot.mapTo(panel, plot.mapFromScene(item.mapToScene(QPointF(x, y))))
    return None
