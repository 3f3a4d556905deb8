"""Lists corpora, reads their items, and adds and removes the user's folders, in threads."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from model.data import curation
from model.data.corpora import CorpusInfo, MissingData, Split, add_folder, added, find, registry, remove, restore
from model.data.corpora.base import Contents
from model.data.curation import Decision
from model.errors import ModinvError
from model.progress import Cancelled, ProgressCallback
from modinv_app.common.item_table import Places
from modinv_app.data.items import Items
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ListedCorpus:
    """A corpus in the list.

    Attributes
    ----------
    info
        Its description.
    added
        Whether the user has added it.
    missing
        Why it can't be used, and how to get it; empty if it is installed.
    """

    info: CorpusInfo
    added: bool
    missing: str


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Decisions were made.

    Attributes
    ----------
    items
        The items with what is decided now.
    words
        What was done; empty if nothing was, and decisions were only read.
    former
        What was decided before about the same items of the corpus, by their names.
    """

    items: Items
    words: str
    former: Mapping[str, Decision]


class CorpusService(QObject):
    """Corpora for the page Data. The list has a thread of its own, so that it never waits for items.

    Signals
    -------
    listed(tuple of ListedCorpus)
        All corpora.
    progressed(float or None, str)
        How much of a split is read or computed, in [0, 1], and what is being done.
    opened(Items)
        The items that were asked for last.
    stopped()
        Reading was stopped.
    not_opened(str)
        Why items can't be shown, and what to do.
    described(str, Contents)
        The name of a corpus, and what all of its splits hold.
    not_described()
        That can't be counted, for example because a split is empty.
    decided(Decided)
        Items were left out or relabelled, or that was taken back.
    folder_added(str)
        A folder is a corpus now, or was one already: its name.
    folder_removed(Entry)
        A folder is none any more; `restore` puts it on the list again.
    warned(str), failed(str, str)
        As of a page.
    """

    listed = Signal(object)
    progressed = Signal(object, str)
    opened = Signal(object)
    stopped = Signal()
    not_opened = Signal(str)
    described = Signal(str, object)
    not_described = Signal()
    decided = Signal(object)
    folder_added = Signal(str)
    folder_removed = Signal(object)
    warned = Signal(str)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lister = SerialExecutor("list of corpora", self)
        self._reader = SerialExecutor("items of corpora", self)
        self._ticket: object = None  # of the items that are wanted

    def close(self) -> None:
        """Break off what is being read, and end the threads."""
        self._ticket = None
        self._lister.close()
        self._reader.close()

    # The list

    def refresh(self) -> None:
        """List the corpora."""
        self._lister.submit(_corpora, self.listed.emit, self._report)

    def add(self, path: Path) -> None:
        """Make a corpus of a folder or table."""

        def done(name: str) -> None:
            self.refresh()
            self.folder_added.emit(name)

        self._lister.submit(partial(_add, path), done, self._report)

    def remove(self, name: str) -> None:
        """Take a folder off the list; its files stay."""

        def done(entry: added.Entry) -> None:
            self.refresh()
            self.folder_removed.emit(entry)

        self._lister.submit(lambda: remove(name), done, self._report)

    def restore(self, entry: added.Entry) -> None:
        """Put a folder on the list again."""

        def done(_nothing: None) -> None:
            self.refresh()
            self.folder_added.emit(entry.name)

        self._lister.submit(lambda: restore(entry), done, self._report)

    # Items

    def open(self, name: str, split: Split) -> None:
        """Read a split, then what the whole corpus holds; whatever else is being read is broken off."""
        ticket = self._ticket = object()
        go_on = self._progress(ticket)

        def work() -> Items:
            go_on(None, f"Reading {find(name).info.title}")
            return Items.of(find(name)().published(split, go_on), split, curation.decisions(name))

        def done(items: Items) -> None:
            if self._ticket is ticket:
                self.opened.emit(items)

        def failed(error: Exception) -> None:
            if self._ticket is not ticket or isinstance(error, Cancelled):
                return
            if isinstance(error, MissingData | ValueError):
                self.not_opened.emit(str(error))
            else:
                log.error("A corpus can't be read", exc_info=error)
                self.not_opened.emit(f"It can't be read: {describe_error(error)[0]}.")

        self._reader.submit(work, done, failed)

    def describe(self, name: str) -> None:
        """Count what all splits of a corpus hold, unless another one is opened meanwhile."""
        ticket = self._ticket = object()
        go_on = self._progress(ticket)

        def work() -> Contents:
            go_on(None, f"Counting {find(name).info.title}")
            return find(name)().contents(go_on)

        def done(contents: Contents) -> None:
            if self._ticket is ticket:
                self.described.emit(name, contents)

        def failed(error: Exception) -> None:
            if not isinstance(error, Cancelled):
                log.info("The corpus %s can't be counted: %s", name, error)
                self.not_described.emit()

        self._reader.submit(work, done, failed)

    # Decisions

    def decide(self, items: Items, places: Places, change: Callable[[Decision], Decision], words: str) -> None:
        """Change what is decided about items at some places; ``words`` say what was done."""

        def changes() -> dict[str, Decision]:
            now = items.with_decisions(curation.decisions(items.corpus))  # other ones may just have been made
            return {now.names[place]: change(now.decision(place)) for place in places.tolist()}

        self._decide(items, changes, words)

    def restore_decisions(self, items: Items, former: Mapping[str, Decision]) -> None:
        """Decide about items of a corpus as before."""
        self._decide(items, lambda: former, "")

    def take_back_all(self, items: Items, words: str) -> None:
        """Forget all decisions about the corpus of these items, in all splits."""

        def changes() -> dict[str, Decision]:
            known = curation.decisions(items.corpus)
            return {name: Decision(one.published, one.digest) for name, one in known.items()}

        self._decide(items, changes, words)

    def read_decisions(self, items: Items) -> None:
        """Read again what is decided: another page or process may have decided something."""
        self._decide(items, dict, "")

    def _decide(self, items: Items, changes: Callable[[], Mapping[str, Decision]], words: str) -> None:
        def work() -> Decided:
            made = changes()
            former = curation.decide(items.corpus, made) if made else {}
            return Decided(items.with_decisions(curation.decisions(items.corpus)), words, former)

        self._lister.submit(work, self.decided.emit, self._report)

    # Breaking off

    def stop(self) -> None:
        """Break off what is being read, and say so; filterbanks that were computed are kept."""
        self.forget()
        self.stopped.emit()

    def forget(self) -> None:
        """Break off what is being read."""
        self._ticket = None

    def _progress(self, ticket: object) -> ProgressCallback:
        """A progress callback for the thread: it reports now and then, and breaks off what is not wanted any more."""
        report = self._reader.relay(lambda *now: self.progressed.emit(*now) if self._ticket is ticket else None)
        sent_at = float("-inf")

        def go_on(share: float | None, text: str) -> None:
            nonlocal sent_at
            if self._ticket is not ticket:
                raise Cancelled
            if time.monotonic() - sent_at > _PROGRESS_SECONDS:
                sent_at = time.monotonic()
                report(share, text)

        return go_on

    def _report(self, error: Exception) -> None:
        if isinstance(error, ModinvError | ValueError):
            self.warned.emit(str(error))
            return
        log.error("The list of corpora can't be read or changed", exc_info=error)
        self.failed.emit("The list of corpora can't be read or changed.", describe_error(error)[1])


def _corpora() -> tuple[ListedCorpus, ...]:
    own = {entry.name for entry in _entries()}
    return tuple(ListedCorpus(kind.info, name in own, _missing(name)) for name, kind in registry().items())


def _entries() -> list[added.Entry]:
    try:
        return added.entries()
    except ValueError:  # the registry has warned of it
        return []


def _missing(name: str) -> str:
    try:
        find(name)().require()
    except (MissingData, OSError) as error:
        return str(error)
    return ""


def _add(path: Path) -> str:
    """The name under which a folder is a corpus, if it is one already, or else from now on."""
    path = path.expanduser().absolute()
    for entry in added.entries():
        if Path(entry.path) == path:
            return entry.name
    wanted = added.default_name(path)
    names = itertools.chain([wanted], (f"{wanted[:36]}-{number}" for number in itertools.count(2)))
    return add_folder(path, next(name for name in names if name not in registry())).name
