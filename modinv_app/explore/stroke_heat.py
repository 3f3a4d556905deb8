"""Heat over the strokes of a drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from model.types import FloatArray
from modinv_app.common.canvas import PEN, Canvas, paper_and_ink
from modinv_app.common.pictures import picture_of_heat
from modinv_app.common.strokes import Stroke, inked, paint_strokes
from modinv_app.common.theme import antialiased


class StrokeHeat(QWidget):
    """Paints the strokes on a canvas again, in the colour of heat where a match is based on them; nothing at first.

    It lies over the canvas, which gets all events, and shows nothing any more once the drawing changes.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._strokes: Sequence[Stroke] = ()
        self._features = self._shares = np.zeros((28, 28), np.float32)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        canvas.installEventFilter(self)
        canvas.changed.connect(self.clear)
        self.clear()

    def show_heat(self, strokes: Sequence[Stroke], features: FloatArray, shares: FloatArray) -> None:
        """Show heat in [0, 1] of the encoder's input, ``(28, 28)`` each, on the strokes that it was made of."""
        self._strokes, self._features, self._shares = strokes, features, shares
        self.setVisible(bool(strokes) and bool(features.any()))
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._strokes = ()
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        paper = self._canvas.paper
        painter = antialiased(self)
        painter.setPen(QPen(QBrush(self._texture(paper)), 1))
        painter.setBrushOrigin(paper.topLeft())
        paint_strokes(painter, self._strokes, PEN, paper.width(), paper.topLeft())

    def _texture(self, paper: QRectF) -> QPixmap:
        """The colours of the whole paper: the encoder's input was scaled and moved, so that its ink fills the box."""
        ratio = self.devicePixelRatioF()
        texture = QPixmap((paper.size() * ratio).toSize())
        texture.setDevicePixelRatio(ratio)
        ink, colours = np.ones_like(self._shares), paper_and_ink(self.palette())
        texture.fill(picture_of_heat(ink, 0 * ink, *colours).pixelColor(0, 0))
        rows, columns = (np.flatnonzero(self._features.any(axis=axis)) for axis in (1, 0))
        box = QRectF(columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
        unit, side = inked(self._strokes), paper.width()
        place = QRectF(side * unit.x(), side * unit.y(), side * unit.width(), side * unit.height())
        painter = QPainter(texture)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, picture_of_heat(ink, self._shares, *colours), box)
        painter.end()
        return texture

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # As garbage, this gets events after its attributes are gone.
        if watched is self.parent() and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        return super().eventFilter(watched, event)
