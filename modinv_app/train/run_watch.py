"""Runs that somebody looks at, followed while they grow, whatever process trains them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from model.runs.store import RunRecord, RunTail, RunUpdate
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)

_LOOK_MS = 250


class RunWatch(QObject):
    """Reads what comes to some runs, in a thread of its own, four times a second.

    Signals
    -------
    grown(RunRecord, RunUpdate)
        What has come to a run that is watched; at first all that there is, even where that is nothing.
    """

    grown = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tails: dict[Path, RunTail] = {}
        self._told: dict[Path, object] = {}
        self._looking = False
        self._changed = False  # since the look that is on its way began
        self._lane = SerialExecutor("watch", self)
        self._clock = QTimer(self, interval=_LOOK_MS)
        self._clock.timeout.connect(self._look)

    def watch(self, records: Sequence[RunRecord]) -> None:
        """Follow these runs from now on, and no others; those that are followed already go on."""
        self._tails = {record.folder: self._tails.get(record.folder) or RunTail(record) for record in records}
        self._told = {folder: info for folder, info in self._told.items() if folder in self._tails}
        self._changed = True
        if self._tails:
            self._clock.start()
            self._look()
        else:
            self._clock.stop()

    def close(self) -> None:
        """End the thread."""
        self._clock.stop()
        self._lane.close()

    def _look(self) -> None:
        if self._looking:
            return
        self._looking, self._changed = True, False
        tails = list(self._tails.values())
        self._lane.submit(lambda: _poll(tails), self._tell, self._broken)

    def _tell(self, found: list[tuple[RunTail, RunUpdate]]) -> None:
        self._looking = False
        for tail, growth in found:
            folder = tail.record.folder
            if self._tails.get(folder) is not tail:
                continue  # nobody looks at it any more
            if growth.points or growth.snapshots or growth.restarted or self._told.get(folder) != growth.info:
                self._told[folder] = growth.info
                self.grown.emit(tail.record, growth)
        if self._changed:
            self._look()  # somebody has chosen others meanwhile, and waits

    def _broken(self, error: Exception) -> None:
        self._looking = False
        log.error("The runs could not be followed", exc_info=error)


def _poll(tails: list[RunTail]) -> list[tuple[RunTail, RunUpdate]]:
    found = []
    for tail in tails:
        try:
            found.append((tail, tail.poll()))
        except (OSError, ValueError) as error:  # deleted, or damaged: the list of runs says so
            log.info("A run can't be followed: %s", error)
    return found
