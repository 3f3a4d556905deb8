"""The list of runs, in which several can be chosen for a comparison."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView

from modinv_app.common.item_view import EditableView
from modinv_app.common.run_entry import RunEntry
from modinv_app.train.run_delegate import RunDelegate
from modinv_app.train.run_model import RunModel


class RunList(EditableView):
    """Shows a `RunModel`. Ctrl or Shift choose several, F2 renames, Delete deletes.

    Signals
    -------
    chosen(list)
        Other runs (:class:`RunEntry`) are chosen, or one of them has changed; in the order in which they were chosen.
    delete_wanted()
        Delete the chosen runs; see `EditableView`.
    """

    chosen = Signal(object)

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self._runs = model
        self._order: list[Path] = []
        self._emitted: list[RunEntry] = []
        self._delegate = RunDelegate(model)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Runs")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.selectionModel().selectionChanged.connect(self._update_chosen)
        model.rowsRemoved.connect(self._update_chosen)
        model.dataChanged.connect(self._update_chosen)

    def chosen_entries(self) -> list[RunEntry]:
        """The chosen runs, in the order in which they were chosen."""
        entries = {self._runs.entries[index.row()].folder: self._runs.entries[index.row()] for index in self._indexes()}
        return [entries[folder] for folder in self._order if folder in entries]

    def choose(self, folder: Path) -> bool:
        """Choose only this run; False if it is not in the list."""
        for row, entry in enumerate(self._runs.entries):
            if entry.folder == folder:
                index = self._runs.index(row)
                self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.scrollTo(index)
                return True
        return False

    def _indexes(self) -> list:  # type: ignore[type-arg]
        return sorted(self.selectionModel().selectedIndexes(), key=lambda index: index.row())

    def _update_chosen(self) -> None:
        selected = [self._runs.entries[index.row()].folder for index in self._indexes()]
        kept = [folder for folder in self._order if folder in selected]
        order = kept + [folder for folder in selected if folder not in kept]
        if order != self._order:
            self._order = order
            self._runs.set_places(order)  # calls this again by dataChanged
        entries = self.chosen_entries()
        if entries != self._emitted:
            self._emitted = entries
            self.chosen.emit(entries)
