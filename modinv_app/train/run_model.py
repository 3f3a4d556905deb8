"""Runs as a Qt list model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, Qt, Signal

from modinv_app.common.item_view import ROOT, AnyIndex
from modinv_app.common.run_entry import RunEntry


class RunModel(QAbstractListModel):
    """The runs that are shown, in order; rows that stay keep their selection.

    Signals
    -------
    renamed(RunRecord, str)
        The user has renamed a run.
    """

    renamed = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[RunEntry] = []
        self._places: dict[Path, int] = {}

    @property
    def entries(self) -> Sequence[RunEntry]:
        """The runs, in order."""
        return self._entries

    def set_entries(self, entries: Sequence[RunEntry]) -> None:
        """Show these runs."""
        wanted = {entry.folder for entry in entries}
        for row in reversed(range(len(self._entries))):
            if self._entries[row].folder not in wanted:
                self._remove(row)
        for row, entry in enumerate(entries):
            folders = [each.folder for each in self._entries]
            if folders[row : row + 1] == [entry.folder]:
                self._replace(row, entry)
                continue
            if entry.folder in folders:
                self._remove(folders.index(entry.folder))
            self.beginInsertRows(ROOT, row, row)
            self._entries.insert(row, entry)
            self.endInsertRows()

    def set_places(self, places: Sequence[Path]) -> None:
        """Set the runs that are compared, in the order of their colours."""
        self._places = {folder: place for place, folder in enumerate(places)}
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))

    def place_of(self, row: int) -> int | None:
        """The index of a run among those that are compared, if it is."""
        return self._places.get(self._entries[row].folder)

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        flags = super().flags(index) | Qt.ItemFlag.ItemNeverHasChildren
        damaged = self._entries[index.row()].info is None
        return flags if damaged else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self._entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return entry.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            lines = (entry.name, entry.setting, entry.progress, entry.figures, entry.message, entry.note)
            return "\n".join(filter(None, (*lines, str(entry.folder))))
        return None

    def setData(self, index: AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry, name = self._entries[index.row()], str(value).strip()
        if role != Qt.ItemDataRole.EditRole or name in ("", entry.name):
            return False
        self.renamed.emit(entry.record, name)  # the new name is shown once it is stored
        return True

    def _replace(self, row: int, entry: RunEntry) -> None:
        if self._entries[row] is not entry:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row), self.index(row))

    def _remove(self, row: int) -> None:
        self.beginRemoveRows(ROOT, row, row)
        del self._entries[row]
        self.endRemoveRows()
