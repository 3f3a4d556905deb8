"""The plot inside a map, for up to ten thousand points.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QBrush, QKeyEvent, QPalette, QResizeEvent

from model.retrieval.projection import enclosed
from model.types import FloatArray, Item, Modality
from modinv_app.common.theme import digit_colour, is_dark
from modinv_app.map.imagined_layer import ImaginedLayer
from modinv_app.map.lasso import LassoBox, Outline
from modinv_app.map.map_items import Names, Points
from modinv_app.map.query_layer import SYMBOLS, Query, QueryLayer
from modinv_app.map.selection_layer import SelectionLayer

_HOME = QRectF(-1.12, -1.12, 2.24, 2.24)  # the points fill the square from -1 to 1
_MORPH_MS, _CAMERA_MS = 400, 250
_REACH = 10.0  # pixels within which the pointer selects a point
_DIM = 0.35  # opacity of all points while there is a query or a selection
_DIGITS = range(10)


class MapPlot(pg.GraphicsView):  # type: ignore[misc]
    """Points by digit and modality, labels of digits, and a query on top.

    All points are within the square from -1 to 1.

    Parameters
    ----------
    links
        Draw lines between the two clouds of a digit.
    selectable
        Whether points can be selected with a lasso.

    Signals
    -------
    hovered(int)
        Index of the item under the pointer, -1 for none.
    clicked(int)
        Index of the item that was clicked.
    background_clicked(float, float)
        An empty place was clicked, in units of the map; not while there is a selection.
    lassoed(object, bool)
        Indices ``(k,)`` of the visible points in an outline, and whether they join the selection.
    deselected()
        Nothing is to be selected any more.
    """

    hovered = Signal(int)
    clicked = Signal(int)
    background_clicked = Signal(float, float)
    lassoed = Signal(object, bool)
    deselected = Signal()

    _complete = False  # GraphicsView changes its palette in its constructor

    def __init__(self, *, links: bool = False, selectable: bool = False) -> None:
        super().__init__()
        self.setAntialiasing(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._outline = Outline(self.viewport())
        self._box = LassoBox(self._outline if selectable else None)
        self._box.disableAutoRange()
        self._box.setLimits(minXRange=0.02, maxXRange=12, minYRange=0.02, maxYRange=12)
        self.setCentralItem(self._box)

        self._item: Points | None = None
        self._names = Names(self._box, links)
        self._selection = SelectionLayer(self._box)
        self._query_layer = QueryLayer(self._box)
        self._imagined_layer = ImaginedLayer(self._box)
        self._pointed = pg.ScatterPlotItem(size=17)
        self._pointed.setZValue(30)
        self._box.addItem(self._pointed, ignoreBounds=True)

        self._points = np.empty((0, 2), np.float32)
        self._from = self._to = self._points
        self._labels = np.empty(0, np.intp)
        self._speech = np.empty(0, np.bool_)
        self._visible = np.empty(0, np.bool_)
        self._hidden: tuple[frozenset[int], frozenset[Modality]] = (frozenset(), frozenset())
        self._query: Query | None = None
        self._under = -1
        self._at_home = True

        self._morph = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=_MORPH_MS)
        self._morph.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._morph.valueChanged.connect(self._advance)
        self._camera = QVariantAnimation(self, duration=_CAMERA_MS)
        self._camera.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._camera.valueChanged.connect(self._look_at)
        self._box.sigRangeChangedManually.connect(self._moved_by_hand)
        self._box.outlined.connect(self._select_inside)
        self.scene().sigMouseMoved.connect(self._pointer_moved)
        self.scene().sigMouseClicked.connect(self._pointer_clicked)
        self._complete = True
        self._update_colours()

    def position_of(self, index: int) -> QPointF:
        """The position of an item on this widget, in pixels."""
        scene = self._box.mapViewToScene(QPointF(*map(float, self._points[index])))
        return QPointF(self.mapFromScene(scene))

    def set_items(self, items: Sequence[Item]) -> None:
        """Set other items, which are shown once they have points."""
        self._morph.stop()
        self._point_at(-1)
        self._labels = np.array([item.label for item in items], np.intp)
        self._speech = np.array([item.modality is Modality.SPEECH for item in items], np.bool_)
        self._visible = np.ones(len(items), np.bool_)
        self._points = np.empty((0, 2), np.float32)
        self._query = None
        self._query_layer.hide()
        self._imagined_layer.hide()
        self._selection.set_items(self._labels, self._speech)
        self._make_item()
        self.set_hidden(*self._hidden)

    def set_points(self, points: FloatArray) -> None:
        """Show the items at coordinates ``(n, 2)``; from the second time on they move there in an animation."""
        self._morph.stop()
        self._to = points
        if len(self._points) == len(points):
            self._from = self._points
            self._morph.start()
        else:
            self._from = points
            self._advance(1.0)

    def place_points(self, points: FloatArray) -> None:
        """Show the items at coordinates ``(n, 2)`` at once, for one frame of an animation."""
        self._morph.stop()
        self._from = self._to = points
        self._advance(1.0)

    def set_hidden(self, digits: frozenset[int], modalities: frozenset[Modality]) -> None:
        """Hide the points of some digits and modalities."""
        self._hidden = digits, modalities
        shown_modality = np.array([Modality.IMAGE not in modalities, Modality.SPEECH not in modalities])
        shown_digit = np.array([digit not in digits for digit in _DIGITS])
        self._visible = shown_digit[self._labels] & shown_modality[self._speech.astype(np.intp)]
        self._show_members()
        self._selection.set_visible(self._visible)
        self._redraw()

    def show_query(self, query: Query | None) -> None:
        """Show a query, or none; the view pans to one that is outside."""
        self._query = query
        self._dim()
        self._redraw_query()
        if query is not None:
            self._follow(query.mean)

    def show_imagined(self, place: FloatArray | None, ends: FloatArray | None = None) -> None:
        """Show an imagined place ``(2,)`` and the ends ``(2, 2)`` of the line that it lies on; nothing for None."""
        if place is None:
            self._imagined_layer.hide()
        else:
            self._imagined_layer.show(place, ends)

    @property
    def shown(self) -> npt.NDArray[np.intp]:
        """Indices of the points that are not hidden, ``(k,)``."""
        return np.flatnonzero(self._visible) if len(self._points) else np.empty(0, np.intp)

    def show_selection(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> None:
        """Show which points are selected; the others are dimmed."""
        self._selection.show(np.array(indices, np.intp))
        self._dim()

    def set_lasso(self, on: bool) -> None:
        """Let dragging select points, or pan."""
        self._box.lasso = on
        self._show_cursor()

    def cancel_outline(self) -> bool:
        """Drop the outline that is being drawn; whether there was one."""
        drawing = self._outline.drawing
        self._outline.hide()
        return drawing

    def mark(self, index: int) -> None:
        """Mark a point as if the pointer were on it; none for -1."""
        self._under = index
        if index >= 0:
            modality = Modality.SPEECH if self._speech[index] else Modality.IMAGE
            self._pointed.setSymbol(SYMBOLS[modality])
            self._pointed.setBrush(self._brushes[self._labels[index]])
            self._pointed.setData(x=self._points[[index], 0], y=self._points[[index], 1])
        self._pointed.setVisible(index >= 0)

    def reset_view(self) -> None:
        """Show all points again."""
        self._at_home = True
        self._glide_to(_HOME)

    def _advance(self, share: float) -> None:
        self._points = self._to if share == 1.0 else self._from + np.float32(share) * (self._to - self._from)
        if self._item is not None:
            self._item.move(self._points)
        self._selection.move(self._points)
        self._point_at(-1)
        self._redraw()

    def _make_item(self) -> None:
        if self._item is not None:
            self._box.removeItem(self._item)
        self._item = Points(self._labels, self._speech, self._brushes)
        self._box.addItem(self._item, ignoreBounds=True)
        self._dim()
        self._show_members()

    def _show_members(self) -> None:
        """Show the points that are not hidden, digit by digit, images below utterances."""
        order = np.lexsort((self._speech, self._labels))
        if self._item is not None:
            self._item.set_members(order[self._visible[order]])
            if len(self._points):
                self._item.move(self._points)

    def _dim(self) -> None:
        if self._item is not None:
            self._item.setOpacity(1.0 if self._query is None and not len(self._selection.chosen) else _DIM)

    def _redraw(self) -> None:
        if len(self._points):
            pixel = self._box.viewPixelSize()[0]
            self._names.place(self._points, self._labels, self._speech, self._visible, pixel)
            self._redraw_query()

    def _redraw_query(self) -> None:
        if self._query is None:
            self._query_layer.hide()
            return
        found = tuple(index for index in self._query.matches if self._visible[index])
        query = replace(self._query, matches=found)
        self._query_layer.show(query, self._points, self._labels, self._speech)

    def _update_colours(self) -> None:
        palette = self.palette()
        dark = is_dark(palette)
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        # One brush per digit: pyqtgraph caches a symbol for each brush object.
        self._brushes = [QBrush(digit_colour(digit, dark)) for digit in _DIGITS]
        if self._item is not None:
            self._make_item()
        self._names.set_colours(palette, self.font())
        self._pointed.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Text), width=2))
        self._selection.set_style(self._brushes, palette.color(QPalette.ColorRole.Text))
        self._query_layer.set_palette(palette)
        self._imagined_layer.set_palette(palette)
        self._redraw()

    # The pointer

    def _item_at(self, scene_at: QPointF) -> int:
        """The item under the pointer; matches take precedence over other items."""
        if not len(self._points):
            return -1
        at = self._box.mapSceneToView(scene_at)
        pixel = np.array(self._box.viewPixelSize(), np.float32)
        distances = np.linalg.norm((self._points - np.array([at.x(), at.y()], np.float32)) / pixel, axis=1)
        distances[~self._visible] = np.inf
        if self._query is not None and self._query.matches:
            found = np.array(self._query.matches)
            nearest = int(found[distances[found].argmin()])
            if distances[nearest] <= _REACH:
                return nearest
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= _REACH else -1

    def _point_at(self, index: int) -> None:
        if index == self._under:
            return
        self.mark(index)
        self._show_cursor()
        self.hovered.emit(index)

    def _show_cursor(self) -> None:
        if self._under >= 0:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        elif self._box.lasso:
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.viewport().unsetCursor()

    def _pointer_moved(self, scene_at: QPointF) -> None:
        self._point_at(-1 if self._outline.drawing else self._item_at(scene_at))

    def _select_inside(self, outline: FloatArray, add: bool) -> None:
        if len(self._points):
            self.lassoed.emit(np.flatnonzero(enclosed(self._points, outline) & self._visible), add)

    def _pointer_clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        index = self._item_at(event.scenePos())
        if event.double():
            if index < 0:
                self.reset_view()
        elif index >= 0:
            self.clicked.emit(index)
        elif len(self._selection.chosen):
            self.deselected.emit()
        elif len(self._points):
            at = self._box.mapSceneToView(event.scenePos())
            self.background_clicked.emit(at.x(), at.y())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(-1)

    # The camera

    def _follow(self, at: FloatArray) -> None:
        """Pan just so far that a position is well inside the view."""
        view = self._camera.endValue() if self._gliding() else self._box.viewRect()
        margin_x, margin_y = 0.08 * view.width(), 0.08 * view.height()
        inside = view.adjusted(margin_x, margin_y, -margin_x, -margin_y)
        x, y = map(float, at)
        right = min(0.0, x - inside.left()) + max(0.0, x - inside.right())
        up = min(0.0, y - inside.top()) + max(0.0, y - inside.bottom())
        if right or up:
            self._at_home = False
            self._glide_to(view.translated(right, up))

    def _gliding(self) -> bool:
        return self._camera.state() is QVariantAnimation.State.Running

    def _glide_to(self, view: QRectF) -> None:
        self._camera.stop()
        self._camera.setStartValue(self._box.viewRect())
        self._camera.setEndValue(view)
        self._camera.start()

    def _look_at(self, view: QRectF) -> None:
        self._box.setRange(view, padding=0)

    def _moved_by_hand(self) -> None:
        self._at_home = False
        self._camera.stop()
        self._point_at(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show all points, unless the user has changed the view."""
        super().resizeEvent(event)
        if self._complete and self._at_home:
            self._look_at(_HOME)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show all points by Home, zoom by plus and minus, pan by arrows."""
        step = 0.1 * self._box.viewRect().width()
        pans = {
            Qt.Key.Key_Left: (-step, 0.0),
            Qt.Key.Key_Right: (step, 0.0),
            Qt.Key.Key_Up: (0.0, step),
            Qt.Key.Key_Down: (0.0, -step),
        }
        zooms = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25}
        key = Qt.Key(event.key())
        if key is Qt.Key.Key_Home:
            self.reset_view()
        elif key in pans:
            self._moved_by_hand()
            self._box.translateBy(pans[key])
        elif key in zooms:
            self._moved_by_hand()
            self._box.scaleBy((zooms[key], zooms[key]))
        else:
            event.ignore()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._complete and event.type() == QEvent.Type.PaletteChange:
            self._update_colours()
