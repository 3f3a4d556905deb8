"""The panel of all runs, also those of the command line: search, compare, use, resume, delete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QWidget,
)

from modinv_app.common.dialogs import ask_for_folder
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import column, row
from modinv_app.common.note import Note
from modinv_app.common.run_entry import ACTIVE, RunEntry
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.train.run_comparison import RunComparison
from modinv_app.train.run_list import RunList
from modinv_app.train.run_model import RunModel

_NONE = "No runs yet. What you train here, or with “modinv train”, is listed here."
_NOT_FOUND = "No run matches these words."


class RunsPanel(QWidget):
    """All runs, also those that other processes are training.

    Parameters
    ----------
    library
        Lists and changes the runs.

    Signals
    -------
    run_selected(RunRecord)
        One run is chosen.
    comparison_changed(list)
        Other runs (:class:`RunRecord`) are chosen, perhaps none; in the order of their colours.
    model_chosen(str)
        Use the model of this file.
    evaluation_wanted(str)
        Evaluate the model of this file.
    resume_wanted(RunRecord)
        Continue a run from its last checkpoint.
    failed(str, str)
        Something could not be done: what, and details to copy.
    """

    run_selected = Signal(object)
    comparison_changed = Signal(object)
    model_chosen = Signal(str)
    evaluation_wanted = Signal(str)
    resume_wanted = Signal(object)
    failed = Signal(str, str)

    def __init__(self, library: RunLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[RunEntry] = []
        self._chosen: list[RunEntry] = []
        self._to_choose: Path | None = None
        self._deleted: list[RunEntry] = []  # what Undo restores
        self._library = library
        self._library.listed.connect(self._show_entries)
        self._library.deleted.connect(self._show_deleted)
        self._library.restored.connect(self._choose_restored)
        self._library.failed.connect(self.failed)

        self._search = QLineEdit(placeholderText="Search runs", clearButtonEnabled=True)
        self._search.setAccessibleName("Search runs")
        self._search.textChanged.connect(self._filter)
        self._open = IconButton("open", "Open a run in another folder")
        self._open.clicked.connect(self.open_folder)
        self._model = RunModel()
        self._model.renamed.connect(self._library.rename)
        self._list = RunList(self._model)
        self._list.chosen.connect(self._show_chosen)
        self._list.delete_wanted.connect(self._delete)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._empty = QLabel("", alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True, margin=12)
        self._empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._comparison = RunComparison()
        self._trouble = Note()
        self._note = QLineEdit(placeholderText="Add a note")
        self._note.setAccessibleName("Note on the run")
        self._note.editingFinished.connect(self._keep_note)
        self._undo = UndoStrip()
        self._undo.undo_wanted.connect(self._restore)
        self._actions = {
            "use": self._action("Use", "Draw and speak with this model from now on", self._use),
            "resume": self._action("Resume", "Continue from the last checkpoint", self._resume),
            "evaluate": self._action("Evaluate", "Evaluate this model in full", self._evaluate),
            "rename": self._action("Rename", "Give it another name (F2)", self._rename),
            "note": self._action("Write a note", "Add a line of text to the run", self._write_note),
            "folder": self._action("Open its folder", "Show its files", self._show_folder),
            "delete": self._action("Delete", "Delete it; this can be undone", self._delete),
        }
        self._lay_out()
        self._show_chosen([])
        self._show_list()

    def refresh(self) -> None:
        """Read the list now; while the panel is visible, it is read regularly."""
        self._library.refresh()

    def choose(self, folder: Path) -> None:
        """Choose a run, now or as soon as it is in the list."""
        self._to_choose = folder
        self._search.clear()
        self._filter()
        self._library.refresh()

    def open_folder(self) -> None:
        """Let the user choose another folder of a run."""
        ask_for_folder(self, "Open the folder of a run", lambda folder: self.open_elsewhere(Path(folder)))

    def open_elsewhere(self, folder: Path) -> None:
        """List a run outside of the library, and choose it."""
        self._library.open_elsewhere(folder)
        self.choose(folder)

    # List and choice

    def _show_entries(self, entries: list[RunEntry]) -> None:
        self._entries = entries
        self._filter()

    def _filter(self) -> None:
        self._model.set_entries([entry for entry in self._entries if entry.matches(self._search.text())])
        if self._to_choose is not None and self._list.choose(self._to_choose):
            self._to_choose = None
        self._show_list()

    def _show_list(self) -> None:
        self._empty.setText(_NOT_FOUND if self._entries else _NONE)
        self._stack.setCurrentWidget(self._list if self._model.rowCount() else self._empty)

    def _show_chosen(self, entries: list[RunEntry]) -> None:
        changed = [entry.folder for entry in self._chosen] != [entry.folder for entry in entries]
        if changed:
            self._keep_note()  # of the former run
        self._chosen = entries
        one = entries[0] if len(entries) == 1 else None
        self._trouble.show_text(one.message if one else "")
        self._note.setVisible(one is not None and one.info is not None)
        if one and (changed or not self._note.hasFocus()):
            self._note.setText(one.note)
        self._comparison.setVisible(len(entries) > 1)
        self._comparison.show_runs(entries if len(entries) > 1 else [])
        self._enable()
        if changed:
            if one:
                self.run_selected.emit(one.record)
            self.comparison_changed.emit([entry.record for entry in entries])

    def _enable(self) -> None:
        one = self._chosen[0] if len(self._chosen) == 1 else None
        self._actions["folder"].setEnabled(one is not None)
        for name in ("rename", "note"):
            self._actions[name].setEnabled(one is not None and one.info is not None)
        for name in ("use", "evaluate"):
            self._actions[name].setEnabled(one is not None and one.has_model)
        self._actions["resume"].setEnabled(one is not None and one.resumable)
        busy = any(entry.state in ACTIVE for entry in self._chosen)
        elsewhere = bool(self._chosen) and all(entry.elsewhere for entry in self._chosen)
        delete, many = self._actions["delete"], len(self._chosen) > 1
        delete.setText(
            "Remove from the list" if elsewhere else f"Delete {len(self._chosen)} runs" if many else "Delete"
        )
        delete.setToolTip(
            "The folder stays where it is" if elsewhere else "Stop it first" if busy else "This can be undone (Del)"
        )
        delete.setEnabled(bool(self._chosen) and (elsewhere or not busy))

    # Actions

    def _use(self) -> None:
        self.model_chosen.emit(str(self._chosen[0].record.model_file))

    def _resume(self) -> None:
        self.resume_wanted.emit(self._chosen[0].record)

    def _evaluate(self) -> None:
        self.evaluation_wanted.emit(str(self._chosen[0].record.model_file))

    def _rename(self) -> None:
        self._list.setFocus()
        self._list.edit(self._list.selectionModel().selectedIndexes()[0])

    def _write_note(self) -> None:
        self._note.setFocus()

    def _keep_note(self) -> None:
        if len(self._chosen) == 1 and self._note.text().strip() != self._chosen[0].note:
            self._library.set_note(self._chosen[0].record, self._note.text().strip())

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._chosen[0].folder)))

    def _delete(self) -> None:
        if not self._actions["delete"].isEnabled():
            return
        own = [entry for entry in self._chosen if not entry.elsewhere]
        if own:
            self._library.delete(own)
        else:
            for entry in self._chosen:
                self._library.take_off(entry.record)

    def _show_deleted(self, entries: list[RunEntry]) -> None:
        self._deleted = entries
        self._undo.offer(f"Deleted {entries[0].name}." if len(entries) == 1 else f"Deleted {len(entries)} runs.")

    def _restore(self) -> None:
        self._library.undo_delete(self._deleted)

    def _choose_restored(self, folders: list[Path]) -> None:
        if folders:
            self.choose(folders[-1])

    def _show_menu(self, at: QPoint) -> None:
        if self._list.indexAt(at).isValid():
            self._menu.popup(self._list.viewport().mapToGlobal(at))

    # Building

    def _action(self, title: str, tip: str, callback: Callable[[], None]) -> QAction:
        action = QAction(title, self, toolTip=tip)
        action.triggered.connect(lambda: callback())
        return action

    def _button(self, name: str) -> QPushButton:
        action = self._actions[name]
        button = QPushButton(action.text())
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        return button

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self._list)
        self._stack.addWidget(self._empty)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._stack)
        split.addWidget(self._comparison)
        split.setChildrenCollapsible(False)
        split.setSizes([1000, 1000])
        self._menu = QMenu(self)
        for name, action in self._actions.items():
            if name in ("rename", "delete"):
                self._menu.addSeparator()
            self._menu.addAction(action)
        more = IconButton("more", "More: rename, write a note, open its folder, delete")
        more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # With setMenu, Qt would paint an arrow over the dots.
        more.clicked.connect(lambda: self._menu.popup(more.mapToGlobal(QPoint(0, -self._menu.sizeHint().height()))))
        buttons = row(*map(self._button, ("use", "resume", "evaluate")), None, more, spacing=4)
        top = row((self._search, 1), self._open)
        column(top, (split, 1), self._trouble, self._note, buttons, self._undo, parent=self, spacing=4)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._library.keep_listing(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._library.keep_listing(False)
