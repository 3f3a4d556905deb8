"""The graphics items of a map: points, labels of digits, and links between the clouds of a digit.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainterPath, QPalette, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsLineItem, QGraphicsPathItem

from model.types import FloatArray, Modality
from modinv_app.common.theme import digit_colour, is_dark, with_alpha
from modinv_app.map.map_layout import cloud_centres, distinctness, median_point, spread
from modinv_app.map.query_layer import SYMBOLS

_POINT_SIZE = {Modality.IMAGE: 7, Modality.SPEECH: 8}  # a triangle of the same width looks smaller
_MAP = QRectF(-1.5, -1.5, 3, 3)  # the square from -1 to 1 with a margin for points at its edge
_FEW, _LARGER = 1000, 1.25  # maps with fewer points have larger ones
_AWAY = 1e6  # where no view is
_DIGITS = range(10)
_BESIDE = 16.0  # pixels between a label and the centre of a small cloud, which it would hide


class Points(pg.ScatterPlotItem):  # type: ignore[misc]
    """Points in the colours of their digits and the shapes of their modalities, which are painted and moved quickly.

    Parameters
    ----------
    labels, speech
        Digit, and whether it is an utterance, of each item, ``(n,)``.
    brushes
        A brush for each digit.
    rim
        Around each point.
    """

    def __init__(
        self,
        labels: npt.NDArray[np.intp],
        speech: npt.NDArray[np.bool_],
        brushes: Sequence[QBrush],
        rim: QPen | None = None,
    ) -> None:
        larger = _LARGER if len(labels) < _FEW else 1
        modalities = (Modality.IMAGE, Modality.SPEECH)
        looks = len(brushes) * len(modalities)
        super().__init__(
            x=np.full(looks, _AWAY),
            y=np.full(looks, _AWAY),
            pen=rim,
            symbol=[SYMBOLS[modality] for _ in brushes for modality in modalities],
            size=[larger * _POINT_SIZE[modality] for _ in brushes for modality in modalities],
            brush=[brush for brush in brushes for _ in modalities],
        )
        self._looks = slice(looks)  # of the data: one point of each look, out of sight: setData looks up every symbol
        self._look_of = len(modalities) * labels + speech
        self.set_members(np.empty(0, np.intp))

    def set_members(self, members: npt.NDArray[np.intp]) -> None:
        """Show these items, ``(k,)``, which are to be moved then; an item that shows none is not painted at all."""
        self._members = members
        looks: npt.NDArray[Any] = self.data[self._looks]
        self.data: npt.NDArray[Any] = np.concatenate([looks, looks[self._look_of[members]]])
        self.setVisible(len(members) > 0)

    def move(self, points: FloatArray) -> None:
        """Move to the members' positions among all points."""
        shown = self.data[self._looks.stop :]
        shown["x"], shown["y"] = points[self._members].T
        self.invalidate()
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole map: the rectangle of the points would have to be computed for every frame."""
        return _MAP


class Names:
    """The labels of the digits, and lines between the two clouds of a digit.

    Parameters
    ----------
    box
        Shows them.
    links
        Whether there are lines.
    """

    def __init__(self, box: pg.ViewBox, links: bool) -> None:
        self._names = [_Name(str(digit), box) for digit in _DIGITS for _ in Modality]
        self._links = [_Link(box) for _ in _DIGITS] if links else []

    def place(
        self,
        points: FloatArray,
        labels: npt.NDArray[np.intp],
        speech: npt.NDArray[np.bool_],
        visible: npt.NDArray[np.bool_],
        pixel: float,
    ) -> None:
        """Label each digit at the centre of its cloud, or of both clouds if its modalities are separate.

        Labels of digits that are spread over most of the map fade out.

        Parameters
        ----------
        points
            Positions of all items, ``(n, 2)``, n >= 1.
        labels, speech, visible
            Of each item, ``(n,)``: its digit, whether it is an utterance, and whether it is shown.
        pixel
            Width of a pixel in units of the map.
        """
        names = iter(self._names)
        whole = spread(points, median_point(points))
        for digit in _DIGITS:
            ours = visible & (labels == digit)
            clouds = [points[ours & (speech == modality)] for modality in (False, True)]
            middles, width = cloud_centres([cloud for cloud in clouds if len(cloud)])
            for middle in middles:
                next(names).show_at(middle, width / pixel, distinctness(width, whole))
            for _ in range(2 - len(middles)):
                next(names).hide()
            if self._links:
                self._links[digit].span(middles)

    def set_colours(self, palette: QPalette, font: QFont) -> None:
        """Use the colours and the font of a theme."""
        for name in self._names:
            name.set_colours(palette, font)
        for digit, link in enumerate(self._links):
            link.set_colour(digit_colour(digit, is_dark(palette)))


class _Name(QGraphicsPathItem):
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


class _Link(QGraphicsLineItem):
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
