"""A lasso: dragging in a map draws a closed outline around points.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainterPath, QPaintEvent, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from modinv_app.common.theme import accent, antialiased, with_alpha

_STEP = 3.0  # pixels between two corners
_RIM = 4  # pixels that the outline takes beside its line


class LassoBox(pg.ViewBox):  # type: ignore[misc]
    """Dragging pans, or draws an outline if a lasso is in the hand or Shift is held.

    Without pyqtgraph's zoom by dragging with the right button, by which users get lost.

    Parameters
    ----------
    outline
        Shows what is drawn; ``None`` if there is no lasso.

    Attributes
    ----------
    lasso
        Whether dragging draws an outline without Shift, too.

    Signals
    -------
    outlined(object, bool)
        The corners of an outline, ``(m, 2)`` in units of the map, and whether Shift was held when it was begun.
    """

    outlined = Signal(object, bool)

    def __init__(self, outline: Outline | None) -> None:
        super().__init__(lockAspect=True, enableMenu=False)
        self.lasso = False
        self._outline = outline
        self._corners: list[tuple[float, float]] = []
        self._draws = self._adds = False  # whether what is being dragged is a lasso, and Shift was held

    def mouseDragEvent(self, event: pg.GraphicsScene.mouseEvents.MouseDragEvent, axis: int | None = None) -> None:
        if event.button() is Qt.MouseButton.RightButton:
            event.ignore()
            return
        outline = self._outline
        if event.isStart():
            self._adds = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._draws = event.button() is Qt.MouseButton.LeftButton and (self.lasso or self._adds)
            if outline is not None and self._draws:
                outline.begin(event.buttonDownScenePos(event.button()))
                self._corners = [self._place(event.buttonDownScenePos(event.button()))]
        if outline is None or not self._draws:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        if not outline.drawing:  # it was cancelled
            return
        if outline.extend(event.scenePos()):
            self._corners.append(self._place(event.scenePos()))
        if event.isFinish():
            outline.hide()
            self.outlined.emit(np.array(self._corners, np.float32), self._adds)

    def _place(self, scene_at: QPointF) -> tuple[float, float]:
        at = self.mapSceneToView(scene_at)
        return at.x(), at.y()


class Outline(QWidget):
    """A line that a hand draws, its straight way back to the start, and the area inside.

    It covers a view with a picture of it meanwhile: to paint ten thousand points below each new piece of the line would
    take many times longer than the line.
    """

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self._path = QPainterPath()
        self._ground = QPixmap()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.hide()

    @property
    def drawing(self) -> bool:
        """Whether an outline is being drawn."""
        return not self.isHidden()

    def begin(self, at: QPointF) -> None:
        """Start a new outline at a point of the view."""
        self._ground = self._view.grab()
        self._path = QPainterPath(at)
        self._path.setFillRule(Qt.FillRule.WindingFill)  # as the points inside are found
        self.setGeometry(self._view.rect())
        self.show()

    def extend(self, to: QPointF) -> bool:
        """Go on to a point of the view, unless it is nearly the same; whether it is another one."""
        far = (to - self._path.currentPosition()).manhattanLength() >= _STEP
        if far:
            self._path.lineTo(to)
            self.update(self._path.controlPointRect().toAlignedRect().adjusted(-_RIM, -_RIM, _RIM, _RIM))
        return far

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette, path = antialiased(self), self.palette(), self._path
        painter.drawPixmap(0, 0, self._ground)
        painter.setClipRect(event.rect())
        painter.fillPath(path, with_alpha(accent(palette), 0.14))
        text = palette.color(QPalette.ColorRole.Text)
        # With a rim in the colour of the background, it is visible above points of any colour.
        for colour, width in ((with_alpha(palette.color(QPalette.ColorRole.Base), 0.85), 4.5), (text, 1.8)):
            pen = QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
            painter.strokePath(path, pen)
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawLine(path.currentPosition(), QPointF(path.elementAt(0).x, path.elementAt(0).y))
