"""The runs: all that were trained here or on the command line, to look for, compare, use, resume and tidy up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from modinv_app.common.icons import IconButton
from modinv_app.common.note import Note
from modinv_app.common.run_entry import ACTIVE, Entry, RunEntry
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.train.run_comparison import RunComparison
from modinv_app.train.run_list import RunList
from modinv_app.train.run_model import RunModel

_NONE = "No runs yet. What you train here, or with “modinv train”, is kept and shows in this list."
_NOT_FOUND = "No run matches these words."


class RunsPanel(QWidget):
    """Every run, also one that another process is training right now.

    Parameters
    ----------
    library
        Lists the runs, and changes what a person may change.

    Signals
    -------
    run_selected(RunRecord)
        One run is chosen.
    comparison_changed(list)
        The chosen runs (:class:`RunRecord`) are others now, or in another order, that of their colours; may be empty.
    model_chosen(str)
        The window shall use the model of this file.
    evaluation_wanted(str)
        The model of this file shall be evaluated.
    resume_wanted(RunRecord)
        A run shall go on from its last checkpoint.
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
        self._entries: list[Entry] = []
        self._chosen: list[Entry] = []
        self._to_choose: Path | None = None
        self._gone: list[Entry] = []  # what Undo would bring back
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
        self._list.chosen.connect(self._take_choice)
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
        self._undo.undo_wanted.connect(self._bring_back)
        self._actions = {
            "use": self._action("Use", "Draw and speak with this model from now on", self._use),
            "resume": self._action("Resume", "Go on from the last checkpoint", self._resume),
            "evaluate": self._action("Evaluate", "Measure this model in full", self._evaluate),
            "rename": self._action("Rename", "Give it another name (F2)", self._rename),
            "note": self._action("Write a note", "A line that stands with the run", self._write_note),
            "folder": self._action("Open its folder", "Show its files", self._show_folder),
            "delete": self._action("Delete", "Delete it; this can be undone", self._delete),
        }
        self._lay_out()
        self._take_choice([])
        self._show_stage()

    def refresh(self) -> None:
        """Look at the folders now; while the panel shows it does so by itself."""
        self._library.refresh()

    def choose(self, folder: Path) -> None:
        """Choose a run, now or as soon as it is in the list."""
        self._to_choose = folder
        self._search.clear()
        self._filter()
        self._library.refresh()

    def open_folder(self) -> None:
        """Let the user choose a run's folder elsewhere."""
        dialog = QFileDialog(self, "Open the folder of a run")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.open_elsewhere(Path(folder)))
        dialog.open()

    def open_elsewhere(self, folder: Path) -> None:
        """List a run that lies outside of the library, and choose it."""
        self._library.open_elsewhere(folder)
        self.choose(folder)

    # What there is, and what is chosen

    def _show_entries(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._filter()

    def _filter(self) -> None:
        self._model.set_entries([entry for entry in self._entries if entry.matches(self._search.text())])
        if self._to_choose is not None and self._list.choose(self._to_choose):
            self._to_choose = None
        self._show_stage()

    def _show_stage(self) -> None:
        self._empty.setText(_NOT_FOUND if self._entries else _NONE)
        self._stage.setCurrentWidget(self._list if self._model.rowCount() else self._empty)

    def _take_choice(self, entries: list[Entry]) -> None:
        changed = [entry.folder for entry in self._chosen] != [entry.folder for entry in entries]
        if changed:
            self._keep_note()  # of the run that was chosen until now
        self._chosen = entries
        one = entries[0] if len(entries) == 1 else None
        self._trouble.show_text(one.message if one else "")
        self._note.setVisible(isinstance(one, RunEntry))
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
            self._actions[name].setEnabled(isinstance(one, RunEntry))
        for name in ("use", "evaluate"):
            self._actions[name].setEnabled(one is not None and one.has_model)
        self._actions["resume"].setEnabled(one is not None and one.resumable)
        busy = any(entry.state in ACTIVE for entry in self._chosen)
        elsewhere = bool(self._chosen) and all(entry.elsewhere for entry in self._chosen)
        delete, many = self._actions["delete"], len(self._chosen) > 1
        delete.setText("Take off the list" if elsewhere else f"Delete {len(self._chosen)} runs" if many else "Delete")
        delete.setToolTip(
            "The folder stays where it is" if elsewhere else "Stop it first" if busy else "This can be undone (Del)"
        )
        delete.setEnabled(bool(self._chosen) and (elsewhere or not busy))

    # What can be done

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

    def _show_deleted(self, entries: list[Entry]) -> None:
        self._gone = entries
        self._undo.offer(f"Deleted {entries[0].name}." if len(entries) == 1 else f"Deleted {len(entries)} runs.")

    def _bring_back(self) -> None:
        self._library.undo_delete(self._gone)

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
        top = QHBoxLayout()
        top.addWidget(self._search, stretch=1)
        top.addWidget(self._open)
        self._stage = QStackedWidget()
        self._stage.addWidget(self._list)
        self._stage.addWidget(self._empty)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._stage)
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
        # A menu of its own would be marked by an arrow over the dots.
        more.clicked.connect(lambda: self._menu.popup(more.mapToGlobal(QPoint(0, -self._menu.sizeHint().height()))))
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for name in ("use", "resume", "evaluate"):
            buttons.addWidget(self._button(name))
        buttons.addStretch()
        buttons.addWidget(more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(split, stretch=1)
        layout.addWidget(self._trouble)
        layout.addWidget(self._note)
        layout.addLayout(buttons)
        layout.addWidget(self._undo)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow what happens on disk while this can be seen."""
        super().showEvent(event)
        self._library.keep_listing(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the disk alone."""
        super().hideEvent(event)
        self._library.keep_listing(False)
