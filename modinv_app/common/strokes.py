"""Pen strokes, and how they are painted on the canvas and for the encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen, QTransform

from modinv_app.common.theme import antialiased

MetricPoint = tuple[float, float]

# Of the 20 pixels of a digit's height: with this pen, redrawn MNIST digits have as much ink as the originals.
_PEN_SHARE = 2.6 / 20
_RASTER_SIDE = 112
_RASTER_MARGIN = 6
_SMALLEST = 0.04  # of the canvas; smaller drawings are dots and are not enlarged
_DOT = 3e-5  # length of a dot in the unit square: a hundredth of a pixel


@dataclass(slots=True)
class Stroke:
    """One stroke, from pen down to pen up.

    Attributes
    ----------
    points
        Positions in the unit square, (0, 0) at the top left.
    widths
        For each point, the pen width relative to the usual one.
    """

    points: list[MetricPoint] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    _curves: list[tuple[float, QPainterPath]] = field(default_factory=list, init=False, repr=False, compare=False)
    _curved: int = field(default=0, init=False, repr=False, compare=False)  # number of points that these go through

    def curves(self) -> list[tuple[float, QPainterPath]]:
        """Quadratic curves from midpoint to midpoint, in runs of one relative width, in the unit square.

        They are kept until there are more points: while a digit is drawn, each stroke is painted hundreds of times.
        """
        if self._curved != len(self.points):
            self._curves, self._curved = list(_curves(self.points, self.widths)), len(self.points)
        return self._curves


def paint_strokes(
    painter: QPainter, strokes: Iterable[Stroke], pen_width: float, scale: float, origin: QPointF
) -> None:
    """Paint smooth curves through the strokes' points in the colour, or texture, of the painter's pen.

    Parameters
    ----------
    painter
        Without a transform: Qt strokes enlarged curves twenty times slower.
    pen_width
        The pen's usual width in the unit square.
    scale, origin
        Side length and top left corner of the unit square in the painter's coordinates.
    """
    pen = QPen(painter.pen().brush(), 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    place = QTransform(scale, 0, 0, scale, origin.x(), origin.y())
    for stroke in strokes:
        for share, path in stroke.curves():
            pen.setWidthF(scale * pen_width * share)
            painter.setPen(pen)
            painter.drawPath(place.map(path))


def _curves(positions: Sequence[MetricPoint], widths: Sequence[float]) -> Iterable[tuple[float, QPainterPath]]:
    points = [QPointF(x, y) for x, y in positions]
    if len(points) == 1:  # only some of Qt's paint engines draw caps of a line without length
        points.append(points[0] + QPointF(_DOT, 0))
    ends = [points[0], *((a + b) / 2 for a, b in pairwise(points[1:])), points[-1]]
    last = len(widths) - 1
    pieces = [(round(16 * widths[min(k + 1, last)]) / 16, k) for k in range(len(points) - 1)]
    for share, run in groupby(pieces, key=lambda piece: piece[0]):
        first, *others = (k for _, k in run)
        path = QPainterPath(ends[first])
        for k in (first, *others):
            path.quadTo(points[k + 1], ends[k + 1])
        yield share, path


def rasterise(strokes: Sequence[Stroke]) -> npt.NDArray[np.uint8]:
    """Paint the strokes for the encoder, as wide as those of MNIST.

    The drawing is scaled to fill the raster, and the pen width is relative to its size: otherwise size normalisation
    would make the strokes of small drawings too wide and those of large ones too thin.

    Returns
    -------
    ndarray of uint8, shape (112, 112)
        Ink 255 on 0, with smooth edges.
    """
    low, high, extent, pen = _measured(strokes)
    scale = (_RASTER_SIDE - 2 * _RASTER_MARGIN) / (extent + pen)
    image = QImage(_RASTER_SIDE, _RASTER_SIDE, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = antialiased(image)
    painter.setPen(Qt.GlobalColor.white)
    middle = QPointF(_RASTER_SIDE / 2, _RASTER_SIDE / 2)
    paint_strokes(painter, strokes, pen, scale, middle - QPointF(*(low + high) / 2) * scale)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(_RASTER_SIDE, image.bytesPerLine())
    return rows[:, :_RASTER_SIDE].copy()


def inked(strokes: Sequence[Stroke]) -> QRectF:
    """The rectangle in the unit square that the strokes cover with the encoder's pen, as `rasterise` paints them."""
    low, high, _, pen = _measured(strokes)
    return QRectF(QPointF(*low), QPointF(*high)).adjusted(-pen / 2, -pen / 2, pen / 2, pen / 2)


def _measured(strokes: Sequence[Stroke]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float, float]:
    """The least and the greatest coordinates, the greater extent, and the width of the encoder's pen."""
    places = np.concatenate([stroke.points for stroke in strokes])
    low, high = places.min(axis=0), places.max(axis=0)
    extent = max(float(np.max(high - low)), _SMALLEST)
    return low, high, extent, extent * _PEN_SHARE / (1 - _PEN_SHARE)  # the drawing's extent includes the pen width
