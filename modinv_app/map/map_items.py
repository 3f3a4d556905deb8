"""The graphics items of a map: clouds of points, labels of digits, and links between the clouds of a digit.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainterPath, QPalette, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsLineItem, QGraphicsPathItem

from model.types import FloatArray, Modality
from modinv_app.common.theme import with_alpha
from modinv_app.map.query_layer import SYMBOLS

_POINT_SIZE = {Modality.IMAGE: 7, Modality.SPEECH: 8}  # a triangle of the same width looks smaller
_MAP = QRectF(-1.5, -1.5, 3, 3)  # the square from -1 to 1 with a margin for points at its edge
_FEW, _LARGER = 1000, 1.25  # maps with fewer points have larger ones
_BESIDE = 16.0  # pixels between a label and the centre of a small cloud, which it would hide


class Cloud(pg.ScatterPlotItem):  # type: ignore[misc]
    """The points of one digit in one modality, all of one style, so that they are moved quickly."""

    def __init__(
        self, members: npt.NDArray[np.intp], modality: Modality, among: int, brush: QBrush, rim: QPen | None = None
    ) -> None:
        size = _POINT_SIZE[modality] * (_LARGER if among < _FEW else 1)
        super().__init__(x=[0.0], y=[0.0], pen=rim, symbol=SYMBOLS[modality], size=size, brush=brush)
        self._record: npt.NDArray[Any] = self.data  # of one point
        self.set_members(members)

    def set_members(self, members: npt.NDArray[np.intp]) -> None:
        """Have other points, which are to be moved then; setData would look up the symbol of each."""
        self.members = members
        self.data = np.repeat(self._record, len(members))

    def move(self, points: FloatArray) -> None:
        """Move to the members' positions among all points."""
        self.data["x"], self.data["y"] = points[self.members].T
        self.invalidate()
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole map: the rectangle of the points would have to be computed for every frame."""
        return _MAP


class Name(QGraphicsPathItem):
    """The label of a cloud, outlined so that it is readable above points of any colour."""

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
        """Label a cloud with this centre ``(2,)`` and radius in pixels: at its centre, or above it if it is small."""
        self.setPos(*map(float, middle))
        self.setTransform(QTransform.fromTranslate(0, -min(_BESIDE, max(0.0, 2 * (_BESIDE - radius)))))
        self.setOpacity(opacity)
        self.show()

    def set_colours(self, palette: QPalette, font: QFont) -> None:
        """Use the theme's text colour, with an outline of its background."""
        bold = QFont(font)
        bold.setBold(True)
        bold.setPointSizeF(1.5 * font.pointSizeF())
        path = QPainterPath()
        path.addText(0, 0, bold, self._text)
        path.translate(-path.boundingRect().center())
        rim = with_alpha(palette.color(QPalette.ColorRole.Base), 0.85)
        self.setPath(path)
        self.setPen(QPen(rim, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        self._letters.setPath(path)
        self._letters.setBrush(palette.color(QPalette.ColorRole.Text))


class Link(QGraphicsLineItem):
    """A line between the two clouds of one digit."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(-10)
        self.hide()
        box.addItem(self, ignoreBounds=True)

    def set_colour(self, colour: QColor) -> None:
        """Use the digit's colour."""
        faint = with_alpha(colour, 0.55)
        pen = QPen(faint, 2)
        pen.setCosmetic(True)
        self.setPen(pen)

    def span(self, ends: list[FloatArray]) -> None:
        """Connect two centres ``(2,)``; hide if there is only one."""
        self.setVisible(len(ends) == 2)
        if len(ends) == 2:
            self.setLine(QLineF(*map(float, ends[0]), *map(float, ends[1])))
