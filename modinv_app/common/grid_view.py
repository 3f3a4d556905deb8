"""What grids of pictures have in common: tables whose cells are pictures of items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from model.types import FloatArray, Modality
from modinv_app.common.item_view import AnyIndex
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import accent, is_dark, warning_colour, with_alpha

GAP = 2
"""Pixels between the edge of a cell and what is painted in it."""


class CellDelegate(QStyledItemDelegate):
    """Paints cells from pictures of them, which it keeps."""

    def forget(self) -> None:
        """Forget all pictures: they are of other items, or of another size or colour."""
        raise NotImplementedError


class GridView(QTableView):
    """A table without lines, whose cells a `CellDelegate` paints."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)

    def changeEvent(self, event: QEvent) -> None:
        delegate = self.itemDelegate()  # Qt's own while the grid is being made
        if event.type() == QEvent.Type.PaletteChange and isinstance(delegate, CellDelegate):
            delegate.forget()
            self.viewport().update()
        super().changeEvent(event)


class LabelledGrid(GridView):
    """A grid of labelled items, of which several can be selected.

    Return and the space bar play the current item, 0 to 9 relabel the selected ones, X leaves them out.

    Signals
    -------
    relabel_wanted(int), exclude_wanted()
        What to do with the selected items.
    """

    relabel_wanted = Signal(int)
    exclude_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def play(self, index: AnyIndex) -> None:
        """Play the item in a cell."""
        raise NotImplementedError

    def keys(self) -> Mapping[Qt.Key, Callable[[], object]]:
        """What keys do that are pressed alone."""
        play = lambda: self.play(self.currentIndex())  # noqa: E731
        return {
            Qt.Key.Key_Return: play,
            Qt.Key.Key_Enter: play,
            Qt.Key.Key_Space: play,
            Qt.Key.Key_X: self.exclude_wanted.emit,
        }

    def event(self, event: QEvent) -> bool:
        """Accept these keys before shortcuts of the window do."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._action_of(event):
            event.accept()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if action := self._action_of(event):
            action()
        else:
            super().keyPressEvent(event)

    def _action_of(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does; None for those of a table."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        if len(event.text()) == 1 and event.text() in "0123456789":
            return partial(self.relabel_wanted.emit, int(event.text()))
        return self.keys().get(Qt.Key(event.key()))


def empty_cell(size: QSize, dpr: float) -> QPixmap:
    """A transparent picture for a cell; ``dpr`` is the number of pixels of the screen for each of its."""
    cell = QPixmap(size * dpr)
    cell.setDevicePixelRatio(dpr)
    cell.fill(Qt.GlobalColor.transparent)
    return cell


def paint_features(painter: QPainter, features: FloatArray, modality: Modality, room: QRectF) -> None:
    """Paint what the encoder sees of an item in the middle of some room; a picture on white paper."""
    picture = features_pixmap(features, room.size().toSize(), painter.device().devicePixelRatioF())
    if modality is Modality.IMAGE:
        painter.fillRect(room, Qt.GlobalColor.white)
    size = picture.deviceIndependentSize()
    place = QRectF(0, 0, size.width(), size.height())
    place.moveCenter(room.center())
    painter.drawPixmap(place.topLeft(), picture)


def paint_crossed_out(painter: QPainter, rect: QRectF, palette: QPalette) -> None:
    """Cross out an item that is left out."""
    painter.setPen(QPen(warning_colour(is_dark(palette)), 2))
    for ends in ((rect.bottomLeft(), rect.topRight()), (rect.topLeft(), rect.bottomRight())):
        painter.drawLine(*ends)


def paint_outline(painter: QPainter, option: QStyleOptionViewItem, *, playing: bool) -> None:
    """Outline a cell that plays, is chosen or is under the pointer."""
    state = option.state.value
    marked = playing or bool(state & QStyle.StateFlag.State_Selected.value)
    if not (marked or state & QStyle.StateFlag.State_MouseOver.value):
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    hovered = with_alpha(option.palette.color(QPalette.ColorRole.Text), 0.5)
    painter.setPen(QPen(accent(option.palette), 3) if marked else QPen(hovered, 1.5))
    painter.drawRoundedRect(QRectF(option.rect).adjusted(GAP, GAP, -GAP, -GAP), 4, 4)
    painter.restore()
