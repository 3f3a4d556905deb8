"""Ranks the items of a split by how much they surprise the model in use."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from model.progress import Cancelled
from modinv_app.common.page import Consult
from modinv_app.data.items import Items
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.confidence import Doubles, Margins
    from model.retrieval.surprise import Surprise
    from model.systems.base import Encoder

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.1
_KEPT = 6  # splits whose scores are kept: a few megabytes for the largest


class Ranker(QObject):
    """Has the model encode splits in a thread of its own, one at a time.

    The scores of some splits are kept for the model that made them, so that a split is not encoded again when it is
    shown again, or when labels change.

    Signals
    -------
    progressed(float)
        How much of the split is encoded, in [0, 1].
    ranked(Surprise)
        Of the items that were asked for last.
    failed(str, str)
        As of a page.
    """

    progressed = Signal(float)
    ranked = Signal(object)
    failed = Signal(str, str)

    def __init__(self, consult: Consult, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._consult = consult
        self._executor = SerialExecutor("ranking of items", self)
        self._ticket: object = None  # of the ranking that is wanted
        self._known: OrderedDict[bytes, tuple[Margins, Doubles]] = OrderedDict()  # used by the thread only

    def close(self) -> None:
        """Break off, and end the thread."""
        self.forget()
        self._executor.close()

    @property
    def busy(self) -> bool:
        """Whether items are being ranked, or wait for a model."""
        return self._ticket is not None

    def forget(self) -> None:
        """Break off."""
        self._ticket = None

    def rank(self, items: Items) -> None:
        """Rank items by the labels that count; another ranking is broken off. Without a model nothing comes."""
        ticket = self._ticket = object()

        def go_on(report: Callable[..., None]) -> Callable[[float | None, str], None]:
            sent_at = float("-inf")

            def progress(share: float | None, _text: str) -> None:
                nonlocal sent_at
                if self._ticket is not ticket:
                    raise Cancelled
                if time.monotonic() - sent_at > _PROGRESS_SECONDS:
                    sent_at = time.monotonic()
                    report(share)

            return progress

        def submit(model: tuple[Encoder, Margins]) -> None:
            report = self._executor.relay(lambda share: self.progressed.emit(share) if self._ticket is ticket else None)
            self._executor.submit(lambda: self._work(*model, items, go_on(report)), done, failed)

        def done(found: Surprise) -> None:
            if self._ticket is ticket:
                self._ticket = None
                self.ranked.emit(found)

        def failed(error: Exception) -> None:
            if self._ticket is ticket and not isinstance(error, Cancelled):
                self._ticket = None
                log.error("Items can't be ranked", exc_info=error)
                self.failed.emit("The items can't be ranked.", describe_error(error)[1])

        # Only the model is fetched in its thread, so that queries need not wait for the ranking.
        self._consult(lambda retriever: (retriever.encoder, retriever.margins), submit, lambda _why: None)

    def _work(
        self, encoder: Encoder, margins: Margins, items: Items, progress: Callable[[float | None, str], None]
    ) -> Surprise:
        """In the thread."""
        from model.retrieval.surprise import scores_of, surprise

        split = hashlib.sha256(items.content).digest()
        known = self._known.pop(split, None)
        if known is None or known[0] is not margins:
            known = margins, scores_of(encoder, margins, items.modality, items.features, progress)
        self._known[split] = known
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return surprise(margins, items.modality, known[1], items.digits)
