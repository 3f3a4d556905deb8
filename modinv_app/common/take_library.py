"""The user's own recordings and drawings: listed, made and changed, in threads of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from model.data.curation import digest
from model.data.takes import Deletion, Take, TakeError, TakeStore, device_of
from model.progress import Cancelled
from model.retrieval.gallery import Gallery
from model.types import FloatArray, Modality
from modinv_app.common.settings import Answers
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:  # its libraries take time to import
    from model.data.take_features import TakeFeatures

log = logging.getLogger(__name__)
T = TypeVar("T")

Added = Callable[[Take | None], object]
_BATCH = 8  # takes whose features are computed at once: new ones come between


@dataclass(frozen=True, slots=True)
class Listing:
    """All people, and all takes, oldest first."""

    people: tuple[str, ...] = ()
    takes: tuple[Take, ...] = ()

    def of(self, person: str | None, modality: Modality) -> list[Take]:
        """The takes of one person in one modality."""
        return [take for take in self.takes if take.person == person and take.modality is modality]


class TakeLibrary(QObject):
    """Changes the folder of takes in one thread, and computes what an encoder sees of takes in another.

    Every change is followed by ``listed``. What was deleted more than a week ago is removed for good when the list is
    first read.

    Attributes
    ----------
    listing
        The people and takes as of the last ``listed``.
    answers
        Whether queries retrieve takes, too.

    Signals
    -------
    answers_changed(str)
        Queries are to retrieve other items.
    listed(Listing)
        People and takes have been read, perhaps again.
    features_ready(dict)
        What an encoder sees of takes, by their keys: ``(28, 28)``, or ``(100, 80)``.
    deleted(Deletion, str)
        Something was deleted, and what in words; `restore` brings it back.
    informed(str)
        Something is done that the user may have waited for.
    warned(str)
        A request could not be met: why, and what to do.
    failed(str, str)
        Something went wrong: what, and details to copy.
    """

    answers_changed = Signal(str)
    listed = Signal(object)
    features_ready = Signal(object)
    deleted = Signal(object, str)
    informed = Signal(str)
    warned = Signal(str)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.listing = Listing()
        self.answers: Answers = "mine"
        self._executor = SerialExecutor("takes", self)
        self._feature_executor = SerialExecutor("features of takes", self)
        self._features: TakeFeatures | None = None  # used by its thread only
        self._wanted: frozenset[str] = frozenset()  # keys of the takes whose features are still wanted
        self._read = self._closing = False

    def close(self) -> None:
        """End the threads; takes that are being saved are saved first."""
        self._wanted, self._closing = frozenset(), True
        self._executor.close()
        self._feature_executor.close()

    def set_answers(self, answers: Answers) -> None:
        """Set which items queries retrieve."""
        if answers != self.answers:
            self.answers = answers
            self.answers_changed.emit(answers)

    # People

    def refresh(self) -> None:
        """Read people and takes again."""
        first, self._read = not self._read, True
        self._change(lambda store: store.purge() if first else None)

    def add_person(self, name: str, done: Callable[[str], object]) -> None:
        """Add somebody; ``done`` gets the name as it is stored. An empty name is replaced by a number."""
        self._change(lambda store: store.add_person(name), done)

    def rename_person(self, old: str, new: str, done: Callable[[str], object]) -> None:
        """Give somebody another name; ``done`` gets the name as it is stored."""
        self._change(lambda store: store.rename_person(old, new), done)

    def delete_person(self, name: str) -> None:
        """Delete somebody with all takes; this can be undone."""
        self._change(lambda store: store.delete_person(name), lambda gone: self.deleted.emit(gone, f"Deleted {name}."))

    # Takes

    def add_speech(self, person: str, label: int, samples: FloatArray, rate: int, device: str, done: Added) -> None:
        """Save a recording ``(n,)`` in [-1, 1] at ``rate`` Hz; ``done`` gets the take, or None if that failed."""
        self._change(
            lambda store: store.add_speech(person, label, samples, rate, device), done, partial(self._not_added, done)
        )

    def add_drawing(self, person: str, label: int, pixels: npt.NDArray[np.uint8], device: str, done: Added) -> None:
        """Save a grey picture ``(h, w)``; otherwise as `add_speech`."""
        self._change(
            lambda store: store.add_drawing(person, label, pixels, device), done, partial(self._not_added, done)
        )

    def relabel(self, takes: Sequence[Take], label: int) -> None:
        """Say that takes are of another digit."""
        self._change(lambda store: [store.relabel(take, label) for take in takes])

    def exclude(
        self, takes: Sequence[Take], excluded: bool, done: Callable[[list[Take]], object] = lambda _takes: None
    ) -> None:
        """Leave takes out of everything, or take them in again; ``done`` gets them as they are then."""
        self._change(lambda store: [store.exclude(take, excluded) for take in takes], done)

    def find(self, keys: Collection[str], pictures: Collection[str], done: Callable[[list[Take]], object]) -> None:
        """Find the takes of a gallery: recordings by their keys, drawings by the digests of what the encoder sees."""
        takes = [take for take in self.listing.takes if not take.excluded]

        def matches(take: Take) -> bool:
            if take.modality is Modality.SPEECH:
                return take.key in keys
            try:
                return bool(pictures) and digest(self._get_features().features(take)) in pictures
            except (ValueError, OSError):  # it is in no gallery
                return False

        self._feature_executor.submit(lambda: [take for take in takes if matches(take)], done, self._report)

    def delete(self, takes: Sequence[Take], words: str) -> None:
        """Delete takes, described in words; this can be undone."""
        self._change(lambda store: store.delete(takes), lambda gone: self.deleted.emit(gone, words))

    def restore(self, deletion: Deletion) -> None:
        """Bring back what was deleted at once."""
        self._change(lambda store: store.restore(deletion))

    def ask_device(self, take: Take, done: Callable[[str], object]) -> None:
        """Have the name of the device read that made a take."""
        self._executor.submit(lambda: device_of(take), done, self._report)

    # Exchange

    def export(self, takes: Sequence[Take], folder: Path) -> None:
        """Copy takes to a labelled folder."""

        def work(_store: TakeStore) -> int:
            from model.data.take_exchange import export_takes

            return export_takes(takes, folder)

        def done(copied: int) -> None:
            self.informed.emit(f"Exported {_number(copied)} to {folder}.")

        self._change(work, done)

    def import_folder(self, folder: Path) -> None:
        """Copy the takes of a labelled folder here."""

        def work(store: TakeStore) -> tuple[int, int, dict[str, str]]:
            from model.data.take_exchange import import_takes

            found = import_takes(store, folder)
            return found.added, found.known, found.problems

        def done(found: tuple[int, int, dict[str, str]]) -> None:
            added, known, problems = found
            words = f"Imported {_number(added)}."
            if known:
                words += " One was there already." if known == 1 else f" {known} were there already."
            if problems:
                path, why = next(iter(problems.items()))
                more = "" if len(problems) == 1 else f" and {len(problems) - 1} more"
                self.warned.emit(f"{words} Not {path}{more}: {why}")
            else:
                self.informed.emit(words)

        self._change(work, done)

    # Features

    def want_features(self, takes: Sequence[Take]) -> None:
        """Have the features of these takes computed, the newest first, and those of no others any more."""
        self._wanted = frozenset(take.key for take in takes)
        newest = list(reversed(takes))
        for start in range(0, len(newest), _BATCH):
            batch = newest[start : start + _BATCH]
            self._feature_executor.submit(partial(self._compute, batch), self._send_features, self._report)

    def make_gallery(self, done: Callable[[Gallery], object]) -> None:
        """Make a gallery of all takes that are not left out, without posteriors."""
        takes = self.listing.takes

        def work() -> Gallery:
            from model.retrieval.retriever import unencoded_gallery

            features = self._get_features()
            return unencoded_gallery(*(features.samples(takes, modality, self._go_on) for modality in Modality))

        self._feature_executor.submit(work, done, self._report)

    def _go_on(self, _share: float | None, _text: str) -> None:
        """Break off when the window closes."""
        if self._closing:
            raise Cancelled

    def _compute(self, takes: Sequence[Take]) -> dict[str, FloatArray]:
        """In the thread of features: what can be read of those that are still wanted."""
        found = {}
        for take in takes:
            if take.key in self._wanted:
                try:
                    found[take.key] = self._get_features().features(take)
                except (ValueError, OSError) as error:  # it is shown without a picture
                    log.warning("The take %s can't be shown: %s", take.key, error)
        return found

    def _send_features(self, found: dict[str, FloatArray]) -> None:
        if found:
            self.features_ready.emit(found)

    def _get_features(self) -> TakeFeatures:
        if self._features is None:
            from model.data.take_features import TakeFeatures

            self._features = TakeFeatures()
        return self._features

    # The thread of changes

    def _change(
        self,
        change: Callable[[TakeStore], T],
        done: Callable[[T], object] = lambda _nothing: None,
        failed: Callable[[Exception], object] | None = None,
    ) -> None:
        """Change the folder, read it again, emit ``listed`` and call ``done``."""

        def work() -> tuple[T, Listing]:
            store = TakeStore()
            result = change(store)
            return result, Listing(tuple(store.people()), tuple(store.takes()))

        def deliver(answer: tuple[T, Listing]) -> None:
            result, self.listing = answer
            self.listed.emit(self.listing)
            done(result)

        self._executor.submit(work, deliver, failed or self._report)

    def _not_added(self, done: Callable[[None], object], error: Exception) -> None:
        self._report(error)
        done(None)

    def _report(self, error: Exception) -> None:
        if isinstance(error, TakeError):
            self.warned.emit(str(error))
            self.refresh()  # what is shown may be outdated
            return
        log.error("Takes could not be read or changed", exc_info=error)
        words, details = describe_error(error)
        if isinstance(error, OSError):
            place = f": {error.filename}" if error.filename else ""
            words = f"Your takes can't be read or saved ({error.strerror or error}){place}."
        self.failed.emit(words, details)


def _number(count: int) -> str:
    return "one take" if count == 1 else f"{count} takes"
