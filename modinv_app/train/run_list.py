"""The list of runs: one is chosen, or several to compare."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView

from modinv_app.common.run_entry import Entry
from modinv_app.train.run_delegate import RunDelegate
from modinv_app.train.run_model import RunModel


class RunList(QListView):
    """Shows a `RunModel`. Ctrl or Shift choose several, F2 renames, Delete deletes.

    Signals
    -------
    chosen(list)
        The chosen runs (:class:`RunEntry`, :class:`DamagedEntry`) have changed: others, or something about them. First
        chosen, first named.
    delete_wanted()
        The chosen runs shall go.
    """

    chosen = Signal(object)
    delete_wanted = Signal()

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self._runs = model
        self._order: list[Path] = []
        self._said: list[Entry] = []
        self._delegate = RunDelegate(model)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Runs")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.selectionModel().selectionChanged.connect(self._reconsider)
        model.rowsRemoved.connect(self._reconsider)
        model.dataChanged.connect(self._reconsider)

    def chosen_entries(self) -> list[Entry]:
        """The chosen runs, the one that was chosen first in front."""
        entries = {self._runs.entries[index.row()].folder: self._runs.entries[index.row()] for index in self._indexes()}
        return [entries[folder] for folder in self._order if folder in entries]

    def choose(self, folder: Path) -> bool:
        """Choose a run alone; False if it is not in the list."""
        for row, entry in enumerate(self._runs.entries):
            if entry.folder == folder:
                index = self._runs.index(row)
                self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.scrollTo(index)
                return True
        return False

    def _indexes(self) -> list:  # type: ignore[type-arg]
        return sorted(self.selectionModel().selectedIndexes(), key=lambda index: index.row())

    def _reconsider(self) -> None:
        selected = [self._runs.entries[index.row()].folder for index in self._indexes()]
        kept = [folder for folder in self._order if folder in selected]
        order = kept + [folder for folder in selected if folder not in kept]
        if order != self._order:
            self._order = order
            self._runs.set_places(order)  # comes back here by dataChanged
        entries = self.chosen_entries()
        if entries != self._said:
            self._said = entries
            self.chosen.emit(entries)

    def event(self, event: QEvent) -> bool:
        """Claim Delete and F2 before a shortcut of the window does."""
        wanted = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_F2)
        override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if override and event.key() in wanted:  # type: ignore[attr-defined]
            event.accept()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete deletes what is chosen."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)
