"""Strokes of a pen as data, and the one way to paint them: on the canvas and for the encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen

MetricPoint = tuple[float, float]

# Of the 20 pixels that a digit is high: with this pen, MNIST's digits drawn again have as much ink as they had.
_PEN_SHARE = 2.6 / 20
_RASTER_SIDE = 112
_RASTER_MARGIN = 6
_SMALLEST = 0.04  # of the canvas; anything smaller is a dot, and stays one


@dataclass(slots=True)
class Stroke:
    """What the pen drew from down to up.

    Attributes
    ----------
    points
        Places in the unit square, (0, 0) at the top left.
    widths
        For each point, how wide the pen was there as a share of its usual width.
    """

    points: list[MetricPoint] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)


def paint_strokes(
    painter: QPainter, strokes: Iterable[Stroke], pen_width: float, scale: float, origin: QPointF
) -> None:
    """Paint smooth curves through the strokes' points in the colour of the painter's pen.

    Parameters
    ----------
    painter
        Has no transform of its own: Qt strokes curves that it has to enlarge twenty times slower.
    pen_width
        The pen's usual width in the unit square.
    scale, origin
        Length of the unit square's side, and where its top left is, in the painter's coordinates.
    """
    pen = QPen(painter.pen().color(), 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for stroke in strokes:
        for share, path in _curves(stroke, scale, origin):
            pen.setWidthF(scale * pen_width * share)
            painter.setPen(pen)
            painter.drawPath(path)


def _curves(stroke: Stroke, scale: float, origin: QPointF) -> Iterable[tuple[float, QPainterPath]]:
    """The stroke as quadratic curves from midpoint to midpoint, in runs of one width."""
    points = [QPointF(scale * x, scale * y) + origin for x, y in stroke.points]
    if len(points) == 1:  # a line of no length gets its round cap from some of Qt's paint engines only
        points.append(points[0] + QPointF(0.01, 0))
    ends = [points[0], *((a + b) / 2 for a, b in pairwise(points[1:])), points[-1]]
    last = len(stroke.widths) - 1
    pieces = [(round(16 * stroke.widths[min(k + 1, last)]) / 16, k) for k in range(len(points) - 1)]
    for share, run in groupby(pieces, key=lambda piece: piece[0]):
        first, *others = (k for _, k in run)
        path = QPainterPath(ends[first])
        for k in (first, *others):
            path.quadTo(points[k + 1], ends[k + 1])
        yield share, path


def rasterise(strokes: Sequence[Stroke]) -> npt.NDArray[np.uint8]:
    """Paint the strokes for the encoder, as a writer of MNIST's with an ordinary pen would have written them.

    The drawing fills the raster and the pen is as wide as the drawing demands, because size normalisation would
    make a fat blot of a small drawing and a hairline of a large one: whether it is small or large, its strokes end
    up as wide as MNIST's.

    Returns
    -------
    ndarray of uint8, shape (112, 112)
        Ink 255 on 0, with smooth edges.
    """
    places = np.concatenate([stroke.points for stroke in strokes])
    low, high = places.min(axis=0), places.max(axis=0)
    extent = max(float(np.max(high - low)), _SMALLEST)
    pen = extent * _PEN_SHARE / (1 - _PEN_SHARE)  # the pen's own width is part of the drawing's
    scale = (_RASTER_SIDE - 2 * _RASTER_MARGIN) / (extent + pen)
    image = QImage(_RASTER_SIDE, _RASTER_SIDE, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.GlobalColor.white)
    middle = QPointF(_RASTER_SIDE / 2, _RASTER_SIDE / 2)
    paint_strokes(painter, strokes, pen, scale, middle - QPointF(*(low + high) / 2) * scale)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(_RASTER_SIDE, image.bytesPerLine())
    return rows[:, :_RASTER_SIDE].copy()
