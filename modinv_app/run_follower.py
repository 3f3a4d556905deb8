"""Follows a run's folder while it grows, whatever process trains in it."""

from __future__ import annotations

import logging
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from model.gallery import Gallery
from model.runs import Growth, RunRecord, RunTail
from modinv_app.jobs import Lane

log = logging.getLogger(__name__)

_LOOK_MS = 250
_REST_MS = 1000  # between looks at a run that nobody trains: it may be resumed


class RunFollower(QObject):
    """Tells what is in a run's folder, then what comes to it.

    Parameters
    ----------
    record
        The run.
    lane
        Where its files are read.

    Signals
    -------
    probe_found(Gallery)
        The items of its snapshots; once, before the first of them.
    grown(Growth)
        How it stands, with all points and snapshots that are new.
    """

    probe_found = Signal(object)
    grown = Signal(object)

    def __init__(self, record: RunRecord, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.record = record
        self._lane = lane
        self._tail = RunTail(record)
        self._knows_probe = False
        self._looking = False
        self._stopped = True
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Look, now and from then on."""
        self._stopped = False
        self._look()

    def stop(self) -> None:
        """Look no more, until `start`; nothing is told meanwhile."""
        self._stopped = True
        self._timer.stop()

    def _look(self) -> None:
        if not self._looking and not self._stopped:
            self._looking = True
            self._lane.submit(partial(self._read, self._knows_probe), self._tell, self._not_read)

    def _read(self, knows_probe: bool) -> tuple[Gallery | None, Growth]:
        growth = self._tail.poll()
        probe = self.record.probe() if growth.snapshots and not knows_probe else None
        return probe, growth

    def _tell(self, found: tuple[Gallery | None, Growth]) -> None:
        probe, growth = found
        if probe is not None:
            self._knows_probe = True
            self.probe_found.emit(probe)
        self.grown.emit(growth)
        self._rest(_LOOK_MS if growth.info.state in ("running", "paused") else _REST_MS)

    def _not_read(self, error: Exception) -> None:
        log.warning("%s can't be read: %s", self.record.folder, error)
        self._rest(_REST_MS)

    def _rest(self, milliseconds: int) -> None:
        self._looking = False
        if not self._stopped:
            self._timer.start(milliseconds)
