"""The items that a grid shows, in lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QItemSelection, QItemSelectionRange, QModelIndex, Qt

from model.types import FloatArray, Modality
from modinv_app.common.item_view import ROOT, AnyIndex

_CHOOSABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_NOTHING = np.zeros(0, np.int64)


Places = npt.NDArray[np.int64]
"""Positions of items among all of them."""


class GridItems(Protocol):
    """Items that a grid can show, by their places."""

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of all items."""

    @property
    def digits(self) -> Places:
        """The digits that count, ``(n,)``."""

    @property
    def excluded(self) -> npt.NDArray[np.bool_]:
        """Which items are left out, ``(n,)``."""

    def modality_of(self, place: int) -> Modality:
        """Image or speech."""

    def features_of(self, place: int) -> FloatArray:
        """What an encoder sees of an item, ``(28, 28)`` or ``(100, 80)``."""

    def caption(self, place: int) -> str:
        """What is written below an item."""

    def described(self, place: int) -> str:
        """An item in words."""


class ItemTable(QAbstractTableModel):
    """The chosen items, in lines of ``columns``.

    Attributes
    ----------
    items
        All items; None before there are any.
    places
        Those that are shown.
    playing
        The place of the item that plays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.items: GridItems | None = None
        self.places: Places = _NOTHING
        self.columns = 1
        self.playing: int | None = None

    def show_items(self, items: GridItems | None, places: Places) -> None:
        """Show the items at these places."""
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

    def between(self, first: int, last: int) -> QItemSelection:
        """The cells from one of the shown items to another, in either order."""
        first, last = sorted((first, last))
        top, bottom = first // self.columns, last // self.columns
        selection = QItemSelection()
        if top == bottom:
            selection.append(QItemSelectionRange(self.cell(first), self.cell(last)))
            return selection
        selection.append(QItemSelectionRange(self.cell(first), self.index(top, self.columns - 1)))
        if bottom > top + 1:
            selection.append(QItemSelectionRange(self.index(top + 1, 0), self.index(bottom - 1, self.columns - 1)))
        selection.append(QItemSelectionRange(self.index(bottom, 0), self.cell(last)))
        return selection

    def places_in(self, selection: Iterable[QItemSelectionRange]) -> Places:
        """The places of the items in some cells, in the order in which they are shown."""
        numbers = [
            (
                np.arange(part.top(), part.bottom() + 1)[:, None] * self.columns
                + np.arange(part.left(), part.right() + 1)
            )
            for part in selection
        ]
        found = np.unique(np.concatenate([part.ravel() for part in numbers])) if numbers else _NOTHING
        return self.places[found[found < len(self.places)]]

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


def ranges_of(selection: QItemSelection) -> list[QItemSelectionRange]:
    """The ranges of a selection, which PySide does not know to be iterable."""
    return [selection.at(number) for number in range(selection.size())]
