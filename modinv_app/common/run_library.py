"""The runs on disk: listed, followed while they grow, and changed, in a thread of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from model.runs.store import RunRecord, RunStore, RunTail, RunUpdate
from modinv_app.common.run_entry import ACTIVE, DamagedEntry, Entry, RunEntry
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int] | None, ...]
_LOOK_MS = 250
_LIST_EVERY = 4  # looks
_WATCHED = ("run.json", "metrics.jsonl", "label.json", "model.safetensors", "resume.safetensors")


class RunLibrary(QObject):
    """Lists runs, whoever trains them, follows some, and changes what a person may change.

    Four times a second it reads what has come to the runs that somebody follows, and once a second, while somebody
    wants the list, how all of them stand. What was deleted before this was made is gone for good from then on.

    Signals
    -------
    listed(list)
        The runs as they are now (:class:`RunEntry`, :class:`DamagedEntry`), newest first; those opened from elsewhere
        come after.
    grown(RunRecord, RunUpdate)
        What has come to a run that is followed; at first all that there is, even where that is nothing. One that
        somebody else follows from now on, too, is told anew, as if it had restarted.
    deleted(list)
        Runs that are gone (:class:`RunEntry`), until :meth:`undo_delete`.
    restored(list)
        The folders of runs that are back.
    failed(str, str)
        Something could not be done: what, and details to copy.
    """

    listed = Signal(object)
    grown = Signal(object, object)
    deleted = Signal(object)
    restored = Signal(object)
    failed = Signal(str, str)

    def __init__(self, store: RunStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._lane = SerialExecutor("runs", self)
        self._reading = False
        self._listing = False
        self._followed: dict[object, set[Path]] = {}  # by whom
        self._tails: dict[Path, RunTail] = {}
        self._told: dict[Path, object] = {}
        self._anew: set[Path] = set()  # what others know already is about to be told again
        self._looking = False
        self._changed = False  # since the look that is on its way began
        self._looks = 0
        self._clock = QTimer(self, interval=_LOOK_MS)
        self._clock.timeout.connect(self._tick)
        # These are touched by the lane only.
        self._elsewhere: dict[Path, RunRecord] = {}
        self._known: dict[Path, tuple[_Stamp, list[int], Entry]] = {}
        self._lane.submit(store.purge, lambda _done: None, partial(self._broken, "Deleted runs could not be removed"))

    def close(self) -> None:
        """End the thread."""
        self._clock.stop()
        self._lane.close()

    def follow(self, follower: object, records: Sequence[RunRecord]) -> None:
        """Follow these runs for somebody from now on, and no others; those that are followed already go on."""
        before = self._followed.get(follower, set())
        self._followed[follower] = {record.folder for record in records}
        wanted = set().union(*self._followed.values())
        anew = {record.folder: RunTail(record) for record in records if record.folder not in before}
        self._anew |= set(anew) & set(self._tails)
        self._tails = {folder: tail for folder, tail in (self._tails | anew).items() if folder in wanted}
        for folder in set(self._told) - wanted:
            del self._told[folder]
        self._changed = True
        self._set_clock()
        self._look()

    def look(
        self, record: RunRecord, read: Callable[[RunUpdate], None], unreadable: Callable[[Exception], None]
    ) -> None:
        """Read now what has come to a run that is followed; ``read`` is told before all others are."""
        tail = self._tails[record.folder]

        def tell(update: RunUpdate) -> None:
            read(update)
            self._tell_of(tail, update)

        self._lane.submit(tail.poll, tell, unreadable)

    def keep_listing(self, wanted: bool) -> None:
        """Say whether somebody wants to know how all runs stand."""
        self._listing = wanted
        self._set_clock()
        if wanted:
            self.refresh()

    def refresh(self) -> None:
        """Look at the folders again; a look that is on its way is enough."""
        if not self._reading:
            self._reading = True
            self._lane.submit(self._read, self._have_read, partial(self._broken, "The runs could not be read"))

    def rename(self, record: RunRecord, name: str) -> None:
        """Give a run another name."""
        self._label(record, lambda: record.rename(name), "The run could not be renamed")

    def set_note(self, record: RunRecord, note: str) -> None:
        """Write down something about a run."""
        self._label(record, lambda: record.set_note(note), "The note could not be kept")

    def open_elsewhere(self, folder: Path) -> None:
        """List a run that lies in any other folder, until the window closes."""

        def add() -> None:
            record = RunRecord(folder)
            record.info()  # raises what is wrong with it
            self._elsewhere.setdefault(folder.resolve(), record)

        self._change(add, "This folder could not be opened as a run")

    def take_off(self, record: RunRecord) -> None:
        """List a run from elsewhere no longer; its folder stays."""
        self._change(lambda: self._elsewhere.pop(record.folder.resolve(), None), "The run could not be taken off")

    def delete(self, entries: Sequence[Entry]) -> None:
        """Delete runs of the library; :meth:`undo_delete` brings them back."""

        def delete() -> Sequence[Entry]:
            for entry in entries:
                self._store.delete(entry.record)
            return entries

        self._change(delete, "The run could not be deleted", self.deleted.emit)

    def undo_delete(self, entries: Sequence[Entry]) -> None:
        """Bring deleted runs back."""

        def undo() -> list[Path]:
            back = [self._store.undo_delete(entry.record) for entry in entries]
            return [record.folder for record in back if record is not None]

        self._change(undo, "The run could not be brought back", self.restored.emit)

    def _label(self, record: RunRecord, job: Callable[[], None], trouble: str) -> None:
        def label() -> None:
            if not record.exists:  # a label would make a folder that holds nothing else
                raise FileNotFoundError(f"{record.folder} holds no run any more.")
            job()

        self._change(label, trouble)

    def _change(
        self, job: Callable[[], object], trouble: str, done: Callable[[object], None] = lambda _result: None
    ) -> None:
        self._lane.submit(job, done, partial(self._broken, trouble))
        # A look that is on its way may have come too early to see the change.
        self._reading = False
        self.refresh()

    def _set_clock(self) -> None:
        if not (self._tails or self._listing):
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()

    def _tick(self) -> None:
        self._looks += 1
        if self._listing and self._looks % _LIST_EVERY == 0:
            self.refresh()
        self._look()

    def _look(self) -> None:
        if self._tails and not self._looking:
            self._looking, self._changed = True, False
            self._lane.submit(partial(_poll, list(self._tails.values())), self._tell, self._not_followed)

    # In the lane

    def _read(self) -> list[Entry]:
        own = [self._entry(record, elsewhere=False) for record in self._store.list()]
        listed = {entry.folder.resolve() for entry in own if entry}
        others = [self._entry(record, True) for folder, record in self._elsewhere.items() if folder not in listed]
        entries = [entry for entry in (*own, *others) if entry]
        self._known = {entry.folder: self._known[entry.folder] for entry in entries}
        return entries

    def _entry(self, record: RunRecord, elsewhere: bool) -> Entry | None:
        """What there is to know of a run; None where its folder has just gone."""
        stamp = tuple(_stamp(record.folder / name) for name in _WATCHED)
        before = self._known.get(record.folder)
        # Of a run that is worked at the lock tells more than the files: it may have died since.
        if before and before[0] == stamp and before[2].state not in ACTIVE:
            return before[2]
        entry: Entry
        snapshots: list[int] = []
        try:
            info, snapshots = record.info(), record.snapshots()
            # Estimates come with snapshots: no need to read all points again and again while a run grows.
            known = before is not None and before[1] == snapshots and isinstance(before[2], RunEntry)
            estimates = before[2].estimates if known else _estimates(record)  # type: ignore[index, union-attr]
            entry = RunEntry(record, info, estimates, record.model_file.is_file(), elsewhere)
        except (OSError, ValueError) as error:
            if not record.exists:
                return None
            log.warning("The run in %s could not be read: %s", record.folder, error)
            created = record.changed.isoformat(timespec="seconds")
            entry = DamagedEntry(record, str(error), created, record.model_file.is_file(), elsewhere)
        self._known[record.folder] = stamp, snapshots, entry
        return entry

    # In the window's thread again

    def _have_read(self, entries: list[Entry]) -> None:
        self._reading = False
        self.listed.emit(entries)

    def _tell(self, found: list[tuple[RunTail, RunUpdate]]) -> None:
        self._looking = False
        for tail, update in found:
            self._tell_of(tail, update)
        if self._changed:
            self._look()  # somebody has chosen others meanwhile, and waits

    def _tell_of(self, tail: RunTail, update: RunUpdate) -> None:
        folder = tail.record.folder
        if self._tails.get(folder) is not tail:
            return  # nobody looks at it any more
        if folder in self._anew:
            self._anew.remove(folder)
            update = replace(update, restarted=True)
        if update.points or update.snapshots or update.restarted or self._told.get(folder) != update.info:
            self._told[folder] = update.info
            self.grown.emit(tail.record, update)

    def _not_followed(self, error: Exception) -> None:
        self._looking = False
        log.error("The runs could not be followed", exc_info=error)

    def _broken(self, trouble: str, error: Exception) -> None:
        self._reading = False
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
