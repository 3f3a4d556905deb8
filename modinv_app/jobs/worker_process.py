"""The worker process (:mod:`model.jobs.worker`) as the window holds it: lines go in and come out, all by events."""

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
"""Starts the worker process, which speaks JSON lines on its standard streams."""

_TAIL = 60  # lines of a process's standard error that are kept


class Owner(Protocol):
    """Who hears of a process."""

    def take(self, worker: Worker, message: dict[str, Any]) -> None:
        """A message of it."""

    def take_end(self, worker: Worker, code: int, tail: str) -> None:
        """It is gone: its exit code, negative for a signal, and the last lines of its standard error."""


class Worker:
    """One process. It can't outlive the window: the end of its standard input is its sign to keep what there is and go.

    Parameters
    ----------
    owner
        Hears of it in the GUI thread; held weakly.
    command
        Starts it.
    """

    def __init__(self, owner: Owner, command: Sequence[str]) -> None:
        self.job: Job | None = None
        """What it works at."""
        self.leaving = False
        """It was told to go."""
        self._owner = weakref.ref(owner)
        self._tail: deque[str] = deque(maxlen=_TAIL)
        # Of the application, and not of this object: a process that ends is in the midst of a signal of its own.
        self._process = process = QProcess(QCoreApplication.instance())
        process.setProcessEnvironment(_environment())
        if sys.platform != "win32":  # without vfork, the whole memory map of the window is copied, which takes a while
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
        """The process's number, or 0."""
        return int(self._process.processId())

    @property
    def idle(self) -> bool:
        """Whether it would take a job."""
        return self.job is None and not self.leaving

    def begin(self, job: Job) -> None:
        """Do a job."""
        self.job = job
        self.send(job.request)

    def send(self, message: dict[str, Any]) -> None:
        """Send a line; lost where the process is gone, which is about to be told."""
        if self._process.isWritable():
            self._process.write(f"{json.dumps(message)}\n".encode())

    def leave(self) -> None:
        """Let it keep what there is and go, in its own time."""
        self.leaving = True
        self._process.closeWriteChannel()

    def close(self, deadline: float) -> None:
        """Wait until it is gone; at a time on the monotonic clock it is killed. Nothing is told."""
        self._process.blockSignals(True)
        if not self._process.waitForFinished(max(0, round(1000 * (deadline - time.monotonic())))):
            log.info("The worker was killed: it had nothing to keep, or took too long")
            self._process.kill()
            self._process.waitForFinished()
        self._let_go()

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("The worker said something that is no message: %s", line.decode(errors="replace").rstrip())
                continue
            if (owner := self._listener()) is not None:
                owner.take(self, message)

    def _read_errors(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        self._tail.extend(said.splitlines(keepends=True))

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._read_errors()
        self._tell_end(-code if status is QProcess.ExitStatus.CrashExit else code)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tail.append(self._process.errorString())
            self._tell_end(-1)

    def _tell_end(self, code: int) -> None:
        self._let_go()
        if (owner := self._listener()) is not None:
            owner.take_end(self, code, "".join(self._tail))

    def _let_go(self) -> None:
        _alive.discard(self)
        self._process.deleteLater()

    def _listener(self) -> Owner | None:
        owner = self._owner()
        return owner if owner is not None and isValid(owner) else None


_alive: set[Worker] = set()  # the processes that have not ended, also those whose client is gone


def _environment() -> QProcessEnvironment:
    found = QProcessEnvironment.systemEnvironment()
    for name, value in environment().items():
        found.insert(name, value)
    return found
