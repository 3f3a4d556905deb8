"""What can be done with selected items: export them, or leave them out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from model.data.curation import digest
from model.data.takes import Take
from model.errors import ModinvError
from model.progress import Cancelled
from model.retrieval import curated
from model.retrieval.gallery import Gallery
from model.types import FloatArray, Modality
from modinv_app.common.take_library import TakeLibrary
from modinv_app.explore.model_service import ModelService
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:
    from model.export.items import ExportedItems

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class LeftOut:
    """Items that were left out at once, so that they can be taken in again.

    Attributes
    ----------
    count
        Their number.
    former
        What was decided about those of corpora before.
    takes
        Those that are takes of the user, once their library has moved them.
    undone
        Whether they are to be in again: takes that have not been moved yet stay then.
    """

    count: int
    former: curated.Former
    takes: Sequence[Take] = ()
    undone: bool = False


class SelectionService(QObject):
    """Exports items and leaves them out, in a thread of its own.

    Items of corpora are left out by the user's decisions about corpora, which training and evaluation follow, too;
    takes by the library of takes.

    Signals
    -------
    exporting(float or None)
        The share that is exported; ``None`` when the export has ended.
    left_out(LeftOut)
        Items were left out, or, takes, will be in a moment; `take_in` takes them in again.
    informed(str), warned(str), failed(str, str)
        As of a page.
    """

    exporting = Signal(object)
    left_out = Signal(object)
    informed = Signal(str)
    warned = Signal(str)
    failed = Signal(str, str)

    def __init__(self, model: ModelService, takes: TakeLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model, self._takes = model, takes
        self._executor = SerialExecutor("selection", self)
        self._stopped = False

    def close(self) -> None:
        """Stop an export, which leaves nothing, and end the thread."""
        self._stopped = True
        self._executor.close()

    def export(self, gallery: Gallery, indices: Sequence[int], kind: str, coordinates: FloatArray, into: Path) -> None:
        """Write items to a new folder in a folder; see :func:`model.export.items.export_items`."""
        self._stopped = False
        report = self._executor.relay(self.exporting.emit)
        self.exporting.emit(0.0)

        def go_on(share: float | None, _text: str) -> None:
            if self._stopped:
                raise Cancelled
            report(share)

        def work() -> ExportedItems:
            from model.export.items import export_items  # in the thread: it imports the decoders of sound

            return export_items(gallery, indices, into, kind, coordinates, go_on)

        def done(exported: ExportedItems) -> None:
            self.exporting.emit(None)
            words = f"Exported {count_in_words(exported.count)} to {exported.folder}."
            if exported.problems:
                source, why = next(iter(exported.problems.items()))
                more = "" if len(exported.problems) == 1 else f" and {len(exported.problems) - 1} more"
                self.warned.emit(f"{words} Not {source}{more}: {why}")
            else:
                self.informed.emit(words)

        def fail(error: Exception) -> None:
            self.exporting.emit(None)
            if isinstance(error, Cancelled):
                self.informed.emit("The export was stopped. Nothing is left of it.")
            elif isinstance(error, OSError) and not isinstance(error, ModinvError):
                why = error.strerror or str(error)
                self.warned.emit(
                    f"The items can't be written to {into}: {why}. Nothing is left there; choose another folder."
                )
            else:
                self._report(error)

        self._executor.submit(work, done, fail)

    def stop_export(self) -> None:
        """Break off an export; nothing is left of it."""
        self._stopped = True

    def leave_out(self, gallery: Gallery, indices: Sequence[int]) -> None:
        """Leave items out of gallery, training and evaluation."""
        if modality := _emptied(gallery, indices):
            what = "images" if modality is Modality.IMAGE else "utterances"
            self.warned.emit(f"These are all {what} of the gallery, without which it answers nothing. Select fewer.")
            return

        def work() -> tuple[curated.Former, set[str], set[str]]:
            own = curated.takes_among(gallery, indices)
            keys = {gallery.key(index).split(":", 1)[1] for index in own if _spoken(gallery, index)}
            pictures = {digest(gallery.image_features[index]) for index in own if not _spoken(gallery, index)}
            return curated.leave_out(gallery, indices), keys, pictures

        def decided(result: tuple[curated.Former, set[str], set[str]]) -> None:
            former, keys, pictures = result
            self._model.update_curation()
            left_out = LeftOut(len(indices), former)
            self.left_out.emit(left_out)
            if keys or pictures:
                self._takes.find(keys, pictures, partial(self._leave_out_takes, left_out))

        self._executor.submit(work, decided, self._report)

    def _leave_out_takes(self, left_out: LeftOut, takes: list[Take]) -> None:
        def done(moved: list[Take]) -> None:
            left_out.takes = moved
            if left_out.undone:
                self._take_in_takes(left_out)

        if not left_out.undone:
            self._takes.exclude(takes, True, done)

    def take_in(self, left_out: LeftOut) -> None:
        """Undo what `left_out` has announced."""
        left_out.undone = True
        self._take_in_takes(left_out)
        self._executor.submit(
            lambda: curated.restore(left_out.former), lambda _nothing: self._model.update_curation(), self._report
        )

    def _take_in_takes(self, left_out: LeftOut) -> None:
        """Take in again those that have been moved."""
        takes, left_out.takes = left_out.takes, ()
        if takes:
            self._takes.exclude(takes, False)

    def _report(self, error: Exception) -> None:
        if isinstance(error, ModinvError):
            self.warned.emit(str(error))
            return
        log.error("Selected items could not be exported or left out", exc_info=error)
        self.failed.emit(*describe_error(error))


def _spoken(gallery: Gallery, index: int) -> bool:
    return gallery.items[index].modality is Modality.SPEECH


def _emptied(gallery: Gallery, indices: Sequence[int]) -> Modality | None:
    """A modality of which no item would stay without these."""
    kept = np.ones(len(gallery.items), np.bool_)
    kept[list(indices)] = False
    return next((modality for modality in Modality if not kept[gallery.places(modality)].any()), None)


def count_in_words(count: int) -> str:
    """``"1 item"``, ``"42 items"``."""
    return "1 item" if count == 1 else f"{count:,} items"
