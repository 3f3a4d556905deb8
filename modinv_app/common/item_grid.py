"""A grid of any number of items, of which only those in view are painted.

It is a table whose rows are lines of the grid: a `QListView` lays out each item one by one, which takes a second for
55,000 of them.
"""

from __future__ import annotations

import time
from collections import OrderedDict

import numpy as np
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyleOptionViewItem

from model.types import Modality
from modinv_app.common.grid_view import (
    GAP,
    CellDelegate,
    LabelledGrid,
    empty_cell,
    paint_crossed_out,
    paint_features,
    paint_outline,
)
from modinv_app.common.item_table import GridItems, ItemTable, Places, ranges_of
from modinv_app.common.item_view import AnyIndex
from modinv_app.common.theme import antialiased, digit_colour, is_dark, with_alpha

_FRAME_SECONDS = 0.003  # for new pictures in one frame; the others follow in the next ones
_KEPT = 2_000  # pictures of cells: some screens full of them
_WIDTHS = {Modality.IMAGE: 4, Modality.SPEECH: 7}  # least width of a cell, in heights of a line of text
_HEIGHTS = {Modality.IMAGE: 5, Modality.SPEECH: 5}

_CURSOR = QAbstractItemView.CursorAction
_SELECTING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_FAINT = 0.3  # opacity of what is left out


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

    def forget_places(self, places: Places) -> None:
        """Forget the pictures of some items, which look otherwise now."""
        if len(places) > len(self._cells):
            self._cells.clear()
        for place in places.tolist():
            self._cells.pop(place, None)

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


def _paint_item(painter: QPainter, items: GridItems, place: int, rect: QRect, option: QStyleOptionViewItem) -> None:
    """The picture or spectrogram, faint and crossed out if it is left out, and below it a caption."""
    palette, metrics, excluded = option.palette, option.fontMetrics, bool(items.excluded[place])
    frame = rect.adjusted(GAP, GAP, -GAP, -GAP)
    picture_room = frame.adjusted(0, 0, 0, -metrics.height())
    painter.setOpacity(_FAINT if excluded else 1)
    paint_features(painter, items.features_of(place), items.modality_of(place), QRectF(picture_room))
    caption = QRect(frame.left(), picture_room.bottom() + 1, frame.width(), metrics.height())
    painter.fillRect(caption, digit_colour(int(items.digits[place]), is_dark(palette)))
    painter.setOpacity(1)
    painter.setPen(palette.color(QPalette.ColorRole.Text if excluded else QPalette.ColorRole.Base))
    inner = caption.adjusted(4, 0, -4, 0)
    spoken = items.modality_of(place) is Modality.SPEECH
    aligned = Qt.AlignmentFlag.AlignLeft if spoken else Qt.AlignmentFlag.AlignHCenter
    text = metrics.elidedText(items.caption(place), Qt.TextElideMode.ElideRight, inner.width())
    painter.drawText(inner, aligned | Qt.AlignmentFlag.AlignVCenter, text)
    if excluded:
        paint_crossed_out(painter, QRectF(picture_room), palette)


class ItemGrid(LabelledGrid):
    """A grid of items. A click plays, too; arrows, Page and Home/End keys move, and with Shift select.

    Signals
    -------
    current_changed(int or None)
        The place of the current item.
    selection_changed()
        Other items are selected.
    activated_at(int)
        The place of an item that was clicked, or chosen by key.
    """

    current_changed = Signal(object)
    selection_changed = Signal()
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
        self.setAccessibleName("Items")
        self._anchor: int | None = None  # which of the shown items a range begins with
        self._modified = False  # whether Ctrl or Shift was held when the mouse was released last
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._paint_late)
        self.clicked.connect(lambda index: None if self._modified else self.play(index))
        self.selectionModel().selectionChanged.connect(self.selection_changed)

    @property
    def selected(self) -> Places:
        """The places of the selected items."""
        return self.table.places_in(ranges_of(self.selectionModel().selection()))

    def show_items(self, items: GridItems | None, places: Places) -> None:
        """Show the items at these places from the start."""
        if items is not self.table.items:
            self._delegate.forget()
        self._anchor = None
        self.table.show_items(items, places)
        self._arrange()
        self.scrollToTop()
        self.current_changed.emit(None)
        self.selection_changed.emit()  # a reset clears it without a word

    def update_items(self, items: GridItems, places: Places) -> None:
        """Show the same items with other decisions about some of them."""
        self.table.items = items
        self._delegate.forget_places(places)
        self.viewport().update()

    @property
    def current(self) -> int | None:
        """The place of the current item."""
        return self.table.place_at(self.currentIndex())

    def make_current(self, place: int) -> None:
        """Make one of the shown items the current one; if several are selected, they stay so."""
        flags = QItemSelectionModel.SelectionFlag
        command = flags.NoUpdate if len(self.selected) > 1 else flags.ClearAndSelect
        cell = self.table.cell(int(np.flatnonzero(self.table.places == place)[0]))
        self.selectionModel().setCurrentIndex(cell, command)

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

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Left and right go on in the next line."""
        index = self._moved(action)
        if not modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._anchor = self.table.number(index)
        return index

    def _moved(self, action: QAbstractItemView.CursorAction) -> QModelIndex:
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

    def setSelection(self, _rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Select items in the order in which they are shown; that of a table would be a rectangle."""
        here = self.table.number(self.currentIndex())
        if here is None:
            return
        if self._anchor is None or not command & QItemSelectionModel.SelectionFlag.Current:
            self._anchor = here
        self.selectionModel().select(self.table.between(self._anchor, here), command)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._modified = bool(event.modifiers() & _SELECTING)
        super().mouseReleaseEvent(event)

    def keyboardSearch(self, _text: str) -> None:
        """Do nothing: to compare all items would take seconds, and they have no text."""

    def play(self, index: AnyIndex) -> None:
        """Say that the item in a cell was chosen."""
        place = self.table.place_at(index)
        if place is not None:
            self.activated_at.emit(place)

    def _paint_late(self) -> None:
        self.viewport().update(self._delegate.late)

    def _arrange(self) -> None:
        """Fill the width with as many cells as fit; the current item stays so, and the first in view in view."""
        modalities = self.table.items.modalities if self.table.items else frozenset()
        modality = Modality.SPEECH if Modality.SPEECH in modalities else Modality.IMAGE
        line = self.fontMetrics().height()
        width = self.viewport().width()
        columns = max(1, width // (_WIDTHS[modality] * line))
        if columns != self.table.columns:
            current, chosen = self.table.number(self.currentIndex()), self.selected
            first = self.table.number(self.indexAt(self.viewport().rect().topLeft()))
            self.table.set_columns(columns)
            if current is not None:
                self.setCurrentIndex(self.table.cell(current))
            self._select(chosen)
            if first is not None:
                self.scrollTo(self.table.cell(first), QAbstractItemView.ScrollHint.PositionAtTop)
        self.horizontalHeader().setDefaultSectionSize(max(8, width // columns))
        self.verticalHeader().setDefaultSectionSize(_HEIGHTS[modality] * line)

    def _select(self, places: Places) -> None:
        """Select these items among those that are shown."""
        numbers = np.flatnonzero(np.isin(self.table.places, places))
        selection = QItemSelection()
        for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1) if len(numbers) else ():
            for part in ranges_of(self.table.between(int(run[0]), int(run[-1]))):
                selection.append(part)
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
