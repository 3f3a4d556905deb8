"""What grids of pictures have in common: tables whose cells are pictures of items."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from model.types import FloatArray, Modality
from modinv_app.common.pictures import features_pixmap
from modinv_app.common.theme import accent, with_alpha

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
