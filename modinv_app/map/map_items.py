"""What a map draws: clouds of points, names of digits, and ties between the two halves of one.

This module imports pyqtgraph, which takes a third of a second: import it once the window can be seen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainterPath, QPalette, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsLineItem, QGraphicsPathItem

from model.types import FloatArray, Modality
from modinv_app.map.query_layer import SYMBOLS

_POINT_SIZE = {Modality.IMAGE: 7, Modality.SPEECH: 8}  # a triangle of equal width looks smaller
_MAP = QRectF(-1.5, -1.5, 3, 3)  # the square from -1 to 1, and points half beyond its rim, however far away
_FEW, _LARGER = 1000, 1.25  # so few points have room to be larger
_BESIDE = 16.0  # pixels that a name keeps from the middle of a cloud which it would hide


class Cloud(pg.ScatterPlotItem):  # type: ignore[misc]
    """The points of one digit in one modality, all of one style, so that moving them restyles nothing."""

    def __init__(self, members: npt.NDArray[np.intp], modality: Modality, among: int, brush: QBrush) -> None:
        nowhere = np.zeros(len(members), np.float32)
        size = _POINT_SIZE[modality] * (_LARGER if among < _FEW else 1)
        super().__init__(x=nowhere, y=nowhere, pen=None, symbol=SYMBOLS[modality], size=size, brush=brush)
        self.members = members

    def move(self, points: FloatArray) -> None:
        """Move to the members' places among all points; setData would look up every point's symbol again."""
        self.data["x"], self.data["y"] = points[self.members].T
        self.invalidate()
        self.update()

    def boundingRect(self) -> QRectF:
        """Wherever in the map they move: a rectangle of their own would have to be found anew for every frame."""
        return _MAP


class Name(QGraphicsPathItem):
    """A word that stays upright and readable above points of any colour."""

    def __init__(self, text: str, box: pg.ViewBox) -> None:
        super().__init__()
        self._text = text
        self._letters = QGraphicsPathItem(self)
        self._letters.setPen(QPen(Qt.PenStyle.NoPen))
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(10)
        self.hide()
        box.addItem(self, ignoreBounds=True)

    def show_at(self, middle: FloatArray, radius: float, opacity: float) -> None:
        """Name a cloud around a middle ``(2,)``, whose points lie so many pixels from it: a small one from above."""
        self.setPos(*map(float, middle))
        self.setTransform(QTransform.fromTranslate(0, -min(_BESIDE, max(0.0, 2 * (_BESIDE - radius)))))
        self.setOpacity(opacity)
        self.show()

    def set_colours(self, palette: QPalette, font: QFont) -> None:
        """Write in a theme's text colour on a rim of its ground."""
        bold = QFont(font)
        bold.setBold(True)
        bold.setPointSizeF(1.5 * font.pointSizeF())
        path = QPainterPath()
        path.addText(0, 0, bold, self._text)
        path.translate(-path.boundingRect().center())
        rim = QColor(palette.color(QPalette.ColorRole.Base))
        rim.setAlphaF(0.85)
        self.setPath(path)
        self.setPen(QPen(rim, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        self._letters.setPath(path)
        self._letters.setBrush(palette.color(QPalette.ColorRole.Text))


class Tie(QGraphicsLineItem):
    """A line between the two clouds of one digit: which belong together is seen at a glance."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(-10)
        self.hide()
        box.addItem(self, ignoreBounds=True)

    def set_colour(self, colour: QColor) -> None:
        """Take the digit's colour in a theme."""
        faint = QColor(colour)
        faint.setAlphaF(0.55)
        pen = QPen(faint, 2)
        pen.setCosmetic(True)
        self.setPen(pen)

    def span(self, ends: list[FloatArray]) -> None:
        """Lead from one centre ``(2,)`` to the other; one alone needs no tie."""
        self.setVisible(len(ends) == 2)
        if len(ends) == 2:
            self.setLine(QLineF(*map(float, ends[0]), *map(float, ends[1])))
