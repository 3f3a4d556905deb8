"""A grid of any number of items, of which only those in view are painted.

It is a table whose rows are lines of the grid: a `QListView` lays out each item one by one, which takes a second for
55,000 of them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyleOptionViewItem,
)

from model.types import Modality
from modinv_app.common.grid_view import GAP, CellDelegate, GridView, empty_cell, paint_features, paint_outline
from modinv_app.common.item_view import ROOT, AnyIndex
from modinv_app.common.theme import antialiased, digit_colour, is_dark, with_alpha
from modinv_app.data.items import Items, Places

_FRAME_SECONDS = 0.003  # for new pictures in one frame; the others follow in the next ones
_KEPT = 2_000  # pictures of cells: some screens full of them
_WIDTHS = {Modality.IMAGE: 4, Modality.SPEECH: 7}  # least width of a cell, in heights of a line of text
_HEIGHTS = {Modality.IMAGE: 5, Modality.SPEECH: 5}

_CURSOR = QAbstractItemView.CursorAction
_CHOOSABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_NOTHING = np.zeros(0, np.int64)


class ItemTable(QAbstractTableModel):
    """The chosen items, in lines of ``columns``.

    Attributes
    ----------
    items
        All items of the split; None before there are any.
    places
        Those that are shown.
    playing
        The place of the item that plays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.items: Items | None = None
        self.places: Places = _NOTHING
        self.columns = 1
        self.playing: int | None = None

    def show_items(self, items: Items | None, places: Places) -> None:
        """Show these places of a split."""
        self.beginResetModel()
        self.items, self.places = items, places
        self.endResetModel()

    def set_columns(self, columns: int) -> None:
        """Arrange the items in other lines."""
        self.beginResetModel()
        self.columns = columns
        self.endResetModel()

    def number(self, index: AnyIndex) -> int | None:
        """Which of the shown items is in a cell."""
        number = index.row() * self.columns + index.column()
        return number if index.isValid() and number < len(self.places) else None

    def cell(self, number: int) -> QModelIndex:
        """The cell of one of the shown items."""
        return self.index(number // self.columns, number % self.columns)

    def place_at(self, index: AnyIndex) -> int | None:
        """The place of the item in a cell."""
        number = self.number(index)
        return None if number is None else int(self.places[number])

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else -(-len(self.places) // self.columns)

    def columnCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else self.columns

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        return _CHOOSABLE if self.number(index) is not None else Qt.ItemFlag.NoItemFlags

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        place = self.place_at(index)
        return None if place is None or self.items is None else self.items.described(place)


class _Delegate(CellDelegate):
    """Paints cells from pictures of them, which are made in view only, and no more in a frame than there is time for.

    Attributes
    ----------
    late
        The rectangle of what could not be painted in this frame.
    """

    def __init__(self, table: ItemTable) -> None:
        super().__init__()
        self._table = table
        self._cells: OrderedDict[int, QPixmap] = OrderedDict()
        self._kind = QSize(), 1.0  # size of the cells, and pixels of the screen for each of theirs
        self._end = 0.0
        self._empty = QColor()
        self.late = QRect()

    def begin_frame(self, palette: QPalette) -> None:
        """Start the clock."""
        self._end = time.perf_counter() + _FRAME_SECONDS
        self._empty = with_alpha(palette.color(QPalette.ColorRole.Text), 0.06)
        self.late = QRect()

    def forget(self) -> None:
        """Forget all pictures: they are of other items, or of another size or colour."""
        self._cells.clear()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        place, rect = self._table.place_at(index), option.rect
        if place is None:
            return
        cell = self._cell(place, rect.size(), option, painter.device().devicePixelRatioF())
        if cell is not None:
            painter.drawPixmap(rect.topLeft(), cell)
        else:
            self.late |= rect
            painter.fillRect(rect.adjusted(GAP, GAP, -GAP, -GAP), self._empty)
        paint_outline(painter, option, playing=place == self._table.playing)

    def _cell(self, place: int, size: QSize, option: QStyleOptionViewItem, dpr: float) -> QPixmap | None:
        """The picture of a cell, or None if there is no time to make it."""
        if (size, dpr) != self._kind:
            self._kind = size, dpr
            self._cells.clear()
        if place in self._cells:
            self._cells.move_to_end(place)
            return self._cells[place]
        if time.perf_counter() > self._end or self._table.items is None:
            return None
        cell = empty_cell(size, dpr)
        painter = antialiased(cell)
        painter.setFont(option.font)
        _paint_item(painter, self._table.items, place, QRect(QPoint(0, 0), size), option)
        painter.end()
        self._cells[place] = cell
        if len(self._cells) > _KEPT:
            self._cells.popitem(last=False)
        return cell


def _paint_item(painter: QPainter, items: Items, place: int, rect: QRect, option: QStyleOptionViewItem) -> None:
    """The picture or spectrogram, and below it the digit on its colour with the speaker."""
    palette, metrics, label = option.palette, option.fontMetrics, int(items.labels[place])
    frame = rect.adjusted(GAP, GAP, -GAP, -GAP)
    picture_room = frame.adjusted(0, 0, 0, -metrics.height())
    paint_features(painter, items.features[place], items.modality, QRectF(picture_room))
    caption = QRect(frame.left(), picture_room.bottom() + 1, frame.width(), metrics.height())
    painter.fillRect(caption, digit_colour(label, is_dark(palette)))
    painter.setPen(palette.color(QPalette.ColorRole.Base))
    speaker = items.speaker_of(place)
    text = f"{label}  {speaker}" if speaker else str(label)
    inner = caption.adjusted(4, 0, -4, 0)
    aligned = Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignLeft if speaker else Qt.AlignmentFlag.AlignHCenter)
    painter.drawText(inner, aligned, metrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width()))


class ItemGrid(GridView):
    """A grid of items. A click, Return or the space bar plays; arrows, Page and Home/End keys move.

    Signals
    -------
    current_changed(int or None)
        The place of the current item.
    activated_at(int)
        The place of an item that was clicked, or chosen by key.
    """

    current_changed = Signal(object)
    activated_at = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.table = ItemTable()
        self.setModel(self.table)
        self._delegate = _Delegate(self.table)
        self.setItemDelegate(self._delegate)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(8)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Items")
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._paint_late)
        self.clicked.connect(self._activate)

    def show_items(self, items: Items | None, places: Places) -> None:
        """Show these places of a split from the start."""
        if items is not self.table.items:
            self._delegate.forget()
        self.table.show_items(items, places)
        self._arrange()
        self.scrollToTop()
        self.current_changed.emit(None)

    def show_playing(self, place: int | None) -> None:
        """Mark the item that plays."""
        if place != self.table.playing:
            self.table.playing = place
            self.viewport().update()

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        super().currentChanged(current, previous)
        if current.isValid():
            self.current_changed.emit(self.table.place_at(current))

    def paintEvent(self, event: QPaintEvent) -> None:
        self._delegate.begin_frame(self.palette())
        super().paintEvent(event)
        if not self._delegate.late.isEmpty():
            self._later.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Left and right go on in the next line."""
        count, columns = len(self.table.places), self.table.columns
        if not count:
            return QModelIndex()
        page = columns * max(1, self.viewport().height() // self.verticalHeader().defaultSectionSize())
        here = self.table.number(self.currentIndex())
        if here is None:
            return self.table.cell(0)
        steps = {
            _CURSOR.MoveLeft: -1,
            _CURSOR.MovePrevious: -1,
            _CURSOR.MoveRight: 1,
            _CURSOR.MoveNext: 1,
            _CURSOR.MoveUp: -columns,
            _CURSOR.MoveDown: columns,
            _CURSOR.MovePageUp: -page,
            _CURSOR.MovePageDown: page,
            _CURSOR.MoveHome: -count,
            _CURSOR.MoveEnd: count,
        }
        return self.table.cell(min(max(here + steps[action], 0), count - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            self._activate(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, _text: str) -> None:
        """Do nothing: to compare all items would take seconds, and they have no text."""

    def _activate(self, index: AnyIndex) -> None:
        place = self.table.place_at(index)
        if place is not None:
            self.activated_at.emit(place)

    def _paint_late(self) -> None:
        self.viewport().update(self._delegate.late)

    def _arrange(self) -> None:
        """Fill the width with as many cells as fit; the current item stays so, and the first in view in view."""
        modality = self.table.items.modality if self.table.items else Modality.IMAGE
        line = self.fontMetrics().height()
        width = self.viewport().width()
        columns = max(1, width // (_WIDTHS[modality] * line))
        if columns != self.table.columns:
            current = self.table.number(self.currentIndex())
            first = self.table.number(self.indexAt(self.viewport().rect().topLeft()))
            self.table.set_columns(columns)
            if current is not None:
                self.setCurrentIndex(self.table.cell(current))
            if first is not None:
                self.scrollTo(self.table.cell(first), QAbstractItemView.ScrollHint.PositionAtTop)
        self.horizontalHeader().setDefaultSectionSize(max(8, width // columns))
        self.verticalHeader().setDefaultSectionSize(_HEIGHTS[modality] * line)
