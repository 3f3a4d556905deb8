"""A worker process (:mod:`model.jobs.worker`), which exchanges JSON lines with the window."""

from __future__ import annotations

import json
import logging
import sys
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QCoreApplication, QProcess, QProcessEnvironment
from shiboken6 import isValid

from model.processes import environment, python

if TYPE_CHECKING:
    from modinv_app.jobs.client import Job

log = logging.getLogger(__name__)

COMMAND = python("-m", "model.jobs.worker")
"""Starts the worker process."""

_TAIL = 60  # lines of standard error that are kept


class Owner(Protocol):
    """Receives what a process sends."""

    def on_message(self, worker: Worker, message: dict[str, Any]) -> None:
        """Process a message of the worker."""

    def on_exit(self, worker: Worker, code: int, tail: str) -> None:
        """Process its end: exit code, negative for a signal, and the last lines of its standard error."""


class Worker:
    """One process, which ends when its standard input is closed, after saving what there is.

    Parameters
    ----------
    owner
        Receives messages in the GUI thread; referenced weakly.
    command
        Starts it.
    """

    def __init__(self, owner: Owner, command: Sequence[str]) -> None:
        self.job: Job | None = None
        """The job that it does."""
        self.ending = False
        """Whether it was told to end."""
        self._owner = weakref.ref(owner)
        self._tail: deque[str] = deque(maxlen=_TAIL)
        # Owned by the application: a process can't be deleted in a slot of its own signal.
        self._process = process = QProcess(QCoreApplication.instance())
        process.setProcessEnvironment(_environment())
        if sys.platform != "win32":  # fork would copy the page tables of the window, which takes a while
            parameters = QProcess.UnixProcessParameters()
            parameters.flags = QProcess.UnixProcessFlag.UseVFork | QProcess.UnixProcessFlag.CloseFileDescriptors
            process.setUnixProcessParameters(parameters)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._not_started)
        process.start(command[0], list(command[1:]))
        _alive.add(self)

    @property
    def pid(self) -> int:
        """The process ID, or 0."""
        return int(self._process.processId())

    @property
    def idle(self) -> bool:
        """Whether it can take a job."""
        return self.job is None and not self.ending

    def begin(self, job: Job) -> None:
        """Start a job."""
        self.job = job
        self.send(job.request)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; it is lost if the process has ended, which is about to be reported."""
        if self._process.isWritable():
            self._process.write(f"{json.dumps(message)}\n".encode())

    def end(self) -> None:
        """Tell it to save what there is and to end."""
        self.ending = True
        self._process.closeWriteChannel()

    def close(self, deadline: float) -> None:
        """Wait until it has ended, and kill it at ``deadline`` of the monotonic clock. Nothing is reported."""
        self._process.blockSignals(True)
        if not self._process.waitForFinished(max(0, round(1000 * (deadline - time.monotonic())))):
            log.info("The worker was killed: it had nothing to save, or took too long")
            self._process.kill()
            self._process.waitForFinished()
        self._release()

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("The worker sent an invalid message of %d bytes", len(line))
                continue
            if (owner := self._live_owner()) is not None:
                owner.on_message(self, message)

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        self._tail.extend(text.splitlines(keepends=True))

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._read_errors()
        self._report_exit(-code if status is QProcess.ExitStatus.CrashExit else code)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tail.append(self._process.errorString())
            self._report_exit(-1)

    def _report_exit(self, code: int) -> None:
        self._release()
        if (owner := self._live_owner()) is not None:
            owner.on_exit(self, code, "".join(self._tail))

    def _release(self) -> None:
        _alive.discard(self)
        self._process.deleteLater()

    def _live_owner(self) -> Owner | None:
        owner = self._owner()
        return owner if owner is not None and isValid(owner) else None


_alive: set[Worker] = set()  # processes that have not ended, also those whose client was deleted


def _environment() -> QProcessEnvironment:
    found = QProcessEnvironment.systemEnvironment()
    for name, value in environment().items():
        found.insert(name, value)
    return found
