"""The runs on disk: listed, followed while they train, and changed, in a thread of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from model.runs.store import RunRecord, RunStore, RunTail, RunUpdate
from modinv_app.common.run_entry import ACTIVE, RunEntry
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int] | None, ...]
_POLL_MS = 250
_LIST_EVERY = 4  # looks
_WATCHED = ("run.json", "metrics.jsonl", "label.json", "model.safetensors", "resume.safetensors")


class RunLibrary(QObject):
    """Lists all runs, also those of other processes, follows some, and changes what the user may change.

    Runs that are followed are read four times a second, and the list once a second while it is wanted. Runs that were
    deleted in earlier sessions are removed for good when this is created.

    Signals
    -------
    listed(list)
        The runs as they are now (:class:`RunEntry`), newest first; those opened from elsewhere come last.
    updated(RunRecord, RunUpdate)
        What is new of a run that is followed; the first time everything, even if that is nothing. It is sent again, as
        if the run had restarted, when somebody else begins to follow it, too.
    deleted(list)
        Runs that were deleted (:class:`RunEntry`).
    restored(list)
        The folders of runs that were restored by :meth:`undo_delete`.
    failed(str, str)
        Something could not be done: what, and details to copy.
    """

    listed = Signal(object)
    updated = Signal(object, object)
    deleted = Signal(object)
    restored = Signal(object)
    failed = Signal(str, str)

    def __init__(self, store: RunStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._executor = SerialExecutor("runs", self)
        self._reading = False
        self._read_again = False
        self._listing = False
        self._followed: dict[object, set[Path]] = {}  # by follower
        self._tails: dict[Path, RunTail] = {}
        self._last_infos: dict[Path, object] = {}
        self._to_resend: set[Path] = set()  # runs of which everything has to be sent again
        self._polling = False
        self._changed = False  # whether other runs are followed since polling began
        self._ticks = 0
        self._clock = QTimer(self, interval=_POLL_MS)
        self._clock.timeout.connect(self._tick)
        # These are used by the thread only.
        self._elsewhere: dict[Path, RunRecord] = {}
        self._known: dict[Path, tuple[_Stamp, list[int], RunEntry]] = {}
        problem = "Deleted runs could not be removed"
        self._executor.submit(store.purge, lambda _done: None, partial(self._report_error, problem))

    def close(self) -> None:
        """End the thread."""
        self._clock.stop()
        self._executor.close()

    def follow(self, follower: object, records: Sequence[RunRecord]) -> None:
        """Follow these runs for somebody from now on, and no others."""
        before = self._followed.get(follower, set())
        self._followed[follower] = {record.folder for record in records}
        wanted = set().union(*self._followed.values())
        added = {record.folder: RunTail(record) for record in records if record.folder not in before}
        self._to_resend |= set(added) & set(self._tails)
        self._tails = {folder: tail for folder, tail in (self._tails | added).items() if folder in wanted}
        for folder in set(self._last_infos) - wanted:
            del self._last_infos[folder]
        self._changed = True
        self._set_clock()
        self._poll_tails()

    def poll(
        self, record: RunRecord, read: Callable[[RunUpdate], None], unreadable: Callable[[Exception], None]
    ) -> None:
        """Read at once what is new of a run that is followed; ``read`` gets it before ``updated`` is emitted."""
        tail = self._tails[record.folder]

        def tell(update: RunUpdate) -> None:
            read(update)
            self._send_update(tail, update)

        self._executor.submit(tail.poll, tell, unreadable)

    def keep_listing(self, wanted: bool) -> None:
        """Set whether the list is wanted."""
        self._listing = wanted
        self._set_clock()
        if wanted:
            self.refresh()

    def refresh(self) -> None:
        """Read the list again."""
        if self._reading:
            self._read_again = True  # it may have been too early to see what has changed
        else:
            self._reading, self._read_again = True, False
            self._executor.submit(self._read, self._list_read, self._list_not_read)

    def rename(self, record: RunRecord, name: str) -> None:
        """Give a run another name."""
        self._label(record, lambda: record.rename(name), "The run could not be renamed")

    def set_note(self, record: RunRecord, note: str) -> None:
        """Write a note on a run."""
        self._label(record, lambda: record.set_note(note), "The note could not be kept")

    def open_elsewhere(self, folder: Path) -> None:
        """List a run of any other folder until the window closes."""

        def add() -> None:
            record = RunRecord(folder)
            record.info()  # raises if it can't be read
            self._elsewhere.setdefault(folder.resolve(), record)

        self._change(add, "This folder could not be opened as a run")

    def take_off(self, record: RunRecord) -> None:
        """Remove a run of another folder from the list; its folder stays."""
        self._change(lambda: self._elsewhere.pop(record.folder.resolve(), None), "The run could not be taken off")

    def delete(self, entries: Sequence[RunEntry]) -> None:
        """Delete runs of the library; :meth:`undo_delete` restores them."""

        def delete() -> Sequence[RunEntry]:
            for entry in entries:
                self._store.delete(entry.record)
            return entries

        self._change(delete, "The run could not be deleted", self.deleted.emit)

    def undo_delete(self, entries: Sequence[RunEntry]) -> None:
        """Restore deleted runs."""

        def undo() -> list[Path]:
            back = [self._store.undo_delete(entry.record) for entry in entries]
            return [record.folder for record in back if record is not None]

        self._change(undo, "The run could not be restored", self.restored.emit)

    def _label(self, record: RunRecord, job: Callable[[], None], trouble: str) -> None:
        def label() -> None:
            if not record.exists:  # a label would make a folder that holds nothing else
                raise FileNotFoundError(f"{record.folder} holds no run any more.")
            job()

        self._change(label, trouble)

    def _change(
        self, job: Callable[[], object], trouble: str, done: Callable[[object], None] = lambda _result: None
    ) -> None:
        self._executor.submit(job, done, partial(self._report_error, trouble))
        self.refresh()

    def _set_clock(self) -> None:
        if not (self._tails or self._listing):
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()

    def _tick(self) -> None:
        self._ticks += 1
        if self._listing and self._ticks % _LIST_EVERY == 0:
            self.refresh()
        self._poll_tails()

    def _poll_tails(self) -> None:
        if self._tails and not self._polling:
            self._polling, self._changed = True, False
            self._executor.submit(partial(_poll, list(self._tails.values())), self._send_updates, self._not_followed)

    # In the thread

    def _read(self) -> list[RunEntry]:
        own = [self._entry(record, elsewhere=False) for record in self._store.list()]
        listed = {entry.folder.resolve() for entry in own if entry}
        others = [self._entry(record, True) for folder, record in self._elsewhere.items() if folder not in listed]
        entries = [entry for entry in (*own, *others) if entry]
        self._known = {entry.folder: self._known[entry.folder] for entry in entries}
        return entries

    def _entry(self, record: RunRecord, elsewhere: bool) -> RunEntry | None:
        """The entry of a run; None if its folder has just been removed."""
        stamp = tuple(_stamp(record.folder / name) for name in _WATCHED)
        before = self._known.get(record.folder)
        # The lock tells more about an active run than its files: its process may have died.
        if before and before[0] == stamp and before[2].state not in ACTIVE:
            return before[2]
        snapshots: list[int] = []
        try:
            info, snapshots = record.info(), record.snapshots()
            # Estimates come with snapshots: all points need not be read again while there is no new one.
            known = before is not None and before[1] == snapshots and before[2].info is not None
            estimates = before[2].estimates if known else _estimates(record)  # type: ignore[index]
            entry = RunEntry.of(record, info, estimates, elsewhere)
        except (OSError, ValueError) as error:
            if not record.exists:
                return None
            log.warning("The run in %s could not be read: %s", record.folder, error)
            entry = RunEntry.damaged(record, str(error), elsewhere)
        self._known[record.folder] = stamp, snapshots, entry
        return entry

    # In the GUI thread

    def _list_read(self, entries: list[RunEntry]) -> None:
        self._reading = False
        self.listed.emit(entries)
        if self._read_again:
            self.refresh()

    def _list_not_read(self, error: Exception) -> None:
        self._reading = False
        self._report_error("The runs could not be read", error)

    def _send_updates(self, found: list[tuple[RunTail, RunUpdate]]) -> None:
        self._polling = False
        for tail, update in found:
            self._send_update(tail, update)
        if self._changed:
            self._poll_tails()  # other runs are followed meanwhile

    def _send_update(self, tail: RunTail, update: RunUpdate) -> None:
        folder = tail.record.folder
        if self._tails.get(folder) is not tail:
            return  # it is not followed any more
        if folder in self._to_resend:
            self._to_resend.remove(folder)
            update = replace(update, restarted=True)
        if update.points or update.snapshots or update.restarted or self._last_infos.get(folder) != update.info:
            self._last_infos[folder] = update.info
            self.updated.emit(tail.record, update)

    def _not_followed(self, error: Exception) -> None:
        self._polling = False
        log.error("The runs could not be followed", exc_info=error)

    def _report_error(self, trouble: str, error: Exception) -> None:
        log.error("%s", trouble, exc_info=error)
        what, details = describe_error(error)
        self.failed.emit(f"{trouble}: {what}", details)


def _poll(tails: list[RunTail]) -> list[tuple[RunTail, RunUpdate]]:
    found = []
    for tail in tails:
        try:
            found.append((tail, tail.poll()))
        except (OSError, ValueError) as error:  # deleted, or damaged: the list of runs says so
            log.info("A run can't be followed: %s", error)
    return found


def _estimates(record: RunRecord) -> dict[str, float]:
    """The latest quick estimates of a run."""
    latest: dict[str, float] = {}
    for point in record.points():
        latest |= {name: value for name, value in point.values.items() if name.startswith("quick_")}
    return latest


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
