"""The query in the map: its posterior and its matches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPainterPathStroker, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from model.retrieval.projection import convex_hull, core
from model.types import FloatArray, Modality
from modinv_app.common.theme import accent, digit_colour, is_dark, with_alpha

SYMBOLS = {Modality.IMAGE: "o", Modality.SPEECH: "t1"}
_MARGIN = 16.0  # pixels between the samples and the outline around them
_ANYWHERE = QRectF(-100, -100, 200, 200)  # samples may be far outside the square from -1 to 1


@dataclass(frozen=True, eq=False)
class Query:
    """A query, in units of the map.

    Attributes
    ----------
    modality
        Its modality, which determines the shape of the marker.
    mean, samples
        The posterior's mean ``(2,)`` and samples ``(m, 2)``.
    matches
        Indices of the matches.
    guess
        The recognised digit.
    """

    modality: Modality
    mean: FloatArray
    samples: FloatArray
    matches: tuple[int, ...]
    guess: int | None


class QueryLayer:
    """The graphics items that show a query above the points."""

    def __init__(self, box: pg.ViewBox) -> None:
        self._lines = pg.PlotCurveItem(antialias=True, connect="pairs")
        self._matches = pg.ScatterPlotItem(size=14)
        self._region = _Region()
        self._marker = pg.ScatterPlotItem(size=24)
        self._samples = pg.ScatterPlotItem(size=5)  # on top of the marker
        self._parts = [self._region, self._lines, self._matches, self._marker, self._samples]
        for height, part in enumerate(self._parts, start=20):
            part.setZValue(height)
            part.hide()
            box.addItem(part, ignoreBounds=True)
        self._region.setZValue(5)  # above the points, below the labels

    def set_palette(self, palette: QPalette) -> None:
        """Use the colours of a theme."""
        dark, text, light = is_dark(palette), palette.color(QPalette.ColorRole.Text), accent(palette)
        # One brush per digit: pyqtgraph caches a symbol for each brush object.
        self._brushes = [QBrush(digit_colour(digit, dark)) for digit in range(10)]
        self._unsure = QBrush(text)
        self._lines.setPen(_pen(text, 1.0, 0.4))
        self._matches.setPen(_pen(text, 1.6))
        self._region.set_colours(with_alpha(light, 0.22), _pen(light, 1.6))
        self._samples.setPen(_pen(palette.color(QPalette.ColorRole.Base), 1.0))
        self._samples.setBrush(QBrush(text))
        self._marker.setPen(_pen(text, 2.6))

    def hide(self) -> None:
        for part in self._parts:
            part.hide()

    def show(
        self, query: Query, points: FloatArray, labels: npt.NDArray[np.intp], speech: npt.NDArray[np.bool_]
    ) -> None:
        """Show a query among points ``(n, 2)`` with labels and modalities ``(n,)``."""
        mean, found = query.mean[None], list(query.matches)
        self._marker.setSymbol(SYMBOLS[query.modality])
        self._marker.setBrush(self._unsure if query.guess is None else self._brushes[query.guess])
        self._marker.setData(x=mean[:, 0], y=mean[:, 1])
        self._samples.setData(x=query.samples[:, 0], y=query.samples[:, 1])
        self._region.surround(convex_hull(query.samples[core(query.samples)]))
        self._matches.setData(
            x=points[found, 0],
            y=points[found, 1],
            symbol=[SYMBOLS[Modality.SPEECH if speech[index] else Modality.IMAGE] for index in found],
            brush=[self._brushes[labels[index]] for index in found],
        )
        ends = np.stack([np.repeat(mean, len(found), axis=0), points[found]], axis=1).reshape(-1, 2)
        self._lines.setData(ends[:, 0], ends[:, 1], connect="pairs")
        for part in self._parts:
            part.show()


class _Region(QGraphicsItem):
    """A rounded area around a polygon, with a margin in pixels at any zoom."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._polygon = QPolygonF()
        self._margin = QPainterPathStroker()
        self._margin.setWidth(2 * _MARGIN)
        self._margin.setCapStyle(Qt.PenCapStyle.RoundCap)
        self._margin.setJoinStyle(Qt.PenJoinStyle.RoundJoin)

    def set_colours(self, fill: QColor, outline: QPen) -> None:
        self._fill, self._outline = fill, outline
        self.update()

    def surround(self, corners: FloatArray) -> None:
        """Surround a polygon of ``(k, 2)`` corners, k >= 1."""
        self._polygon = QPolygonF([QPointF(x, y) for x, y in corners.tolist()])
        self.update()

    def boundingRect(self) -> QRectF:
        return _ANYWHERE

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        on_screen = painter.transform().map(self._polygon)
        on_screen.append(on_screen.first() + QPointF(0.01, 0))  # a line without length has no caps
        inner = QPainterPath()
        inner.addPolygon(on_screen)
        painter.save()
        painter.resetTransform()
        painter.setPen(self._outline)
        painter.setBrush(self._fill)
        painter.drawPath(self._margin.createStroke(inner).united(inner).simplified())
        painter.restore()


def _pen(colour: QColor, width: float, opacity: float = 1.0) -> QPen:
    pen = QPen(with_alpha(colour, opacity), width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
