"""The takes of one person: a column for each digit, which fills as they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPalette, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem

from model.data.prompts import ROUNDS
from model.data.takes import Take
from model.types import WORDS, FloatArray, Modality
from modinv_app.common.grid_view import (
    GAP,
    CellDelegate,
    LabelledGrid,
    empty_cell,
    paint_crossed_out,
    paint_features,
    paint_outline,
)
from modinv_app.common.item_view import ROOT, AnyIndex
from modinv_app.common.theme import antialiased, digit_colour, is_dark, muted_text, with_alpha

_LOWEST_ROW = 26


class TakeTable(QAbstractTableModel):
    """Takes by digit, oldest first; an empty cell is a take that is still to be made."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[list[Take]] = [[] for _ in range(10)]
        self.features: dict[str, FloatArray] = {}
        self.playing: str | None = None
        self.next: int | None = None

    def show_takes(self, takes: Sequence[Take]) -> None:
        """Show these takes."""
        columns: list[list[Take]] = [[] for _ in range(10)]
        for take in takes:
            columns[take.label].append(take)
        if columns != self.columns:
            self.beginResetModel()
            self.columns = columns
            self.endResetModel()

    def show_features(self, features: Mapping[str, FloatArray]) -> None:
        """Show pictures of what the encoder sees of takes, by their keys."""
        self.features.update(features)
        self.refresh()

    def refresh(self) -> None:
        """Have everything painted again."""
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 9))

    def take_at(self, index: AnyIndex) -> Take | None:
        """The take in a cell."""
        takes = self.columns[index.column()] if index.isValid() else []
        return takes[index.row()] if index.row() < len(takes) else None

    def is_next(self, index: AnyIndex) -> bool:
        """Whether the next take will be in this cell."""
        return index.column() == self.next and index.row() == len(self.columns[index.column()])

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        most = max(map(len, self.columns))
        return 0 if parent.isValid() else max(ROUNDS, -(-most // ROUNDS) * ROUNDS)

    def columnCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else 10

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return str(section)
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        take = self.take_at(index)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if take is None:
                return f"{WORDS[index.column()]}, {'next' if self.is_next(index) else 'no take yet'}"
            left_out = ", left out" if take.excluded else ""
            return f"{WORDS[take.label]}, take {index.row() + 1}{left_out}"
        if role == Qt.ItemDataRole.ToolTipRole and take is not None:
            verb = "play" if take.modality is Modality.SPEECH else "choose"
            left_out = "\nLeft out of gallery and training" if take.excluded else ""
            return f"{WORDS[take.label]}, {take.when.astimezone():%d %b %Y, %H:%M:%S}{left_out}\nClick to {verb}"
        return None


class _Delegate(CellDelegate):
    """Paints what the encoder sees of takes. Whole cells are kept as pictures: all are painted for every new take."""

    def __init__(self, table: TakeTable) -> None:
        super().__init__()
        self._table = table
        self._cells: dict[tuple[object, ...], QPixmap] = {}

    def forget(self) -> None:
        """Forget the pictures of cells, which are of another size or colour now."""
        self._cells.clear()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        take = self._table.take_at(index)
        painter.drawPixmap(option.rect.topLeft(), self._cell(index, take, option, painter.device().devicePixelRatioF()))
        if take is None:
            return
        paint_outline(painter, option, playing=take.key == self._table.playing)

    def _cell(self, index: AnyIndex, take: Take | None, option: QStyleOptionViewItem, dpr: float) -> QPixmap:
        """The picture of a cell."""
        size = option.rect.size()
        known = take is not None and take.key in self._table.features
        of = (take.key, known) if take is not None else (index.column() if self._table.is_next(index) else -1,)
        slot = (*of, size.width(), size.height(), dpr)
        if slot not in self._cells:
            cell = empty_cell(size, dpr)
            painter = antialiased(cell)
            inner = QRectF(0, 0, size.width(), size.height()).adjusted(GAP, GAP, -GAP, -GAP)
            if take is None:
                self._paint_empty(painter, index, inner, option.palette)
            else:
                self._paint_take(painter, take, inner, option.palette)
            painter.end()
            self._cells[slot] = cell
        return self._cells[slot]

    def _paint_empty(self, painter: QPainter, index: AnyIndex, cell: QRectF, palette: QPalette) -> None:
        is_next = self._table.is_next(index)
        faint = with_alpha(palette.color(QPalette.ColorRole.Text), 0.13)
        colour = digit_colour(index.column(), is_dark(palette)) if is_next else faint
        painter.setPen(QPen(colour, 2 if is_next else 1))
        painter.setBrush(with_alpha(colour, 0.18) if is_next else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(cell, 4, 4)

    def _paint_take(self, painter: QPainter, take: Take, cell: QRectF, palette: QPalette) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha(digit_colour(take.label, is_dark(palette)), 0.25 if take.excluded else 0.9))
        painter.drawRoundedRect(cell, 4, 4)
        inner = cell.adjusted(1, 1, -1, -4)
        features = self._table.features.get(take.key)
        if take.excluded:
            painter.setOpacity(0.3)
        if features is None:
            painter.setPen(palette.color(QPalette.ColorRole.Base))
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, "…")
        else:
            paint_features(painter, features, take.modality, inner)
        painter.setOpacity(1)
        if take.excluded:
            paint_crossed_out(painter, inner, palette)


class _Header(QHeaderView):
    """The digits in their colours, with the number of takes of each."""

    def __init__(self, table: TakeTable) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._table = table
        self.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(20)
        table.modelReset.connect(self.viewport().update)

    def sizeHint(self) -> QSize:
        return QSize(0, round(2.5 * self.fontMetrics().height()))

    def paintSection(self, painter: QPainter, rect: Any, section: int) -> None:
        painter.save()
        line = self.fontMetrics().height()
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(digit_colour(section, is_dark(self.palette())))
        upper = rect.adjusted(0, 2, 0, -line)
        painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, str(section))
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(muted_text(self.palette()))
        lower = rect.adjusted(0, line + 2, 0, 0)
        count = len(self._table.columns[section])
        painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, str(count) if count else "–")
        painter.restore()

    def paintEvent(self, event: Any) -> None:
        antialiased(self.viewport()).fillRect(self.viewport().rect(), self.palette().base())
        super().paintEvent(event)


class TakeGrid(LabelledGrid):
    """A grid of takes. A click plays, too, and Delete deletes.

    Signals
    -------
    chosen(list)
        Other takes are selected.
    play_wanted(Take), delete_wanted()
        What to do with the current or selected takes.
    """

    chosen = Signal(object)
    play_wanted = Signal(object)
    delete_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = TakeTable()
        self._chosen: list[Take] = []
        self.setModel(self.table)
        self._delegate = _Delegate(self.table)
        self.setItemDelegate(self._delegate)
        self.setHorizontalHeader(_Header(self.table))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(_LOWEST_ROW)
        self.setAccessibleName("Takes")
        self.clicked.connect(self.play)
        self.selectionModel().selectionChanged.connect(self._update_chosen)

    def chosen_takes(self) -> list[Take]:
        """The selected takes."""
        found = (self.table.take_at(index) for index in self.selectionModel().selectedIndexes())
        return [take for take in found if take is not None]

    def show_takes(self, takes: Sequence[Take]) -> None:
        """Show these takes; those that were selected stay so, also if they were relabelled."""
        names = {take.path.name for take in self.chosen_takes()}
        at = QPersistentModelIndex(self.currentIndex())
        place = at.row(), at.column()
        self.table.show_takes(takes)
        self._fit_rows()
        if place[0] >= 0 and not self.currentIndex().isValid():
            current = self.table.index(min(place[0], self.table.rowCount() - 1), place[1])
            self.selectionModel().setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)
        for column, column_takes in enumerate(self.table.columns):
            for row, take in enumerate(column_takes):
                if take.path.name in names:
                    flag = QItemSelectionModel.SelectionFlag.Select
                    self.selectionModel().select(self.table.index(row, column), flag)
        self._update_chosen()

    def show_next(self, digit: int | None) -> None:
        """Mark where the next take will be, and scroll there."""
        self.table.next = digit
        self.table.refresh()
        if digit is not None:
            self.scrollTo(self.table.index(len(self.table.columns[digit]), digit))

    def show_playing(self, key: str | None) -> None:
        """Mark the take that plays."""
        if key != self.table.playing:
            self.table.playing = key
            self.table.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._delegate.forget()
        self._fit_rows()

    def keys(self) -> Mapping[Qt.Key, Callable[[], object]]:
        delete = self.delete_wanted.emit
        return {**super().keys(), Qt.Key.Key_Delete: delete, Qt.Key.Key_Backspace: delete}

    def play(self, index: AnyIndex) -> None:
        """Play a recording."""
        take = self.table.take_at(index)
        if take is not None and take.modality is Modality.SPEECH:
            self.play_wanted.emit(take)

    def _fit_rows(self) -> None:
        """Let ten rows fill the height."""
        height = max(_LOWEST_ROW, self.viewport().height() // ROUNDS)
        if height != self.verticalHeader().defaultSectionSize():
            self.verticalHeader().setDefaultSectionSize(height)

    def _update_chosen(self) -> None:
        chosen = self.chosen_takes()
        if chosen != self._chosen:
            self._chosen = chosen
            self.chosen.emit(chosen)
