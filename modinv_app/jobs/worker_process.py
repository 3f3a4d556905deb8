"""A process that computes, and the threads that talk to it: the window's own thread neither works nor waits."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from typing import IO, Any

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from model.processes import environment, python
from modinv_app.jobs.mailbox import mailbox

log = logging.getLogger(__name__)

COMMAND = python("-m", "model.jobs.worker")
"""Speaks JSON lines on its standard streams (see :mod:`model.jobs.worker`)."""

_TAIL = 60  # lines of the process's last words


class Worker(QObject):
    """One process that does heavy jobs, one after the other. It keeps what it has loaded for the next.

    It starts with the first message, or with `start` before that. If it dies, ``ended`` says so, and the next message
    starts another. It can't outlive the window or this object: the end of its standard input is its sign to stop, keep
    what there is, and go.

    Signals
    -------
    said(dict)
        A message of the process.
    ended(int, str)
        The process is gone, though nobody closed it: its exit code and the last lines that it wrote to standard
        error. Everything sent to it before is lost.
    """

    said = Signal(object)
    ended = Signal(int, str)

    def __init__(self, parent: QObject | None = None, command: Sequence[str] = COMMAND) -> None:
        super().__init__(parent)
        self._command = command
        self._process: _Process | None = None
        self._closed = False

    @property
    def running(self) -> bool:
        """Whether there is a process, or one is on its way."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The process's number, once the system has given it one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process if there is none, so that it is ready when it is needed."""
        if self._process is None and not self._closed:
            self._process = process = _Process(self._command, self)
            weakref.finalize(self, process.leave).atexit = False

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell the process something; it is started if there is none."""
        self.start()
        if self._process is not None:
            self._process.send(message)

    def close(self, timeout: float = 5.0) -> None:
        """Let the process keep what it has and go; after ``timeout`` seconds it is killed. Nothing is signalled."""
        self._closed = True
        if self._process is not None:
            self._process.close(timeout)
            self._process = None

    def take_end(self, code: int, tail: str) -> None:
        """The process is gone."""
        self._process = None
        self.ended.emit(code, tail)


class _Process:
    """One life of the process. A thread starts it and reads what it says, one writes to it, one reads its complaints.

    Daemons, because no process that hangs may keep the program from ending. They hold no object of Qt.
    """

    def __init__(self, command: Sequence[str], owner: Worker) -> None:
        self._command = command
        self._owner = weakref.ref(owner)
        self._post = mailbox().post
        self._outbox: SimpleQueue[str | None] = SimpleQueue()
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._live, name="worker", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def send(self, message: Mapping[str, Any]) -> None:
        self._outbox.put(json.dumps(dict(message)))

    def leave(self) -> None:
        """Let it keep what it has and go, in its own time."""
        self._closed = True
        self._outbox.put(None)

    def close(self, timeout: float) -> None:
        self.leave()
        self._thread.join(timeout)
        if self._thread.is_alive() and self._process is not None:
            log.info("The worker was killed: it had nothing to keep, or took too long")
            self._process.kill()
            self._thread.join(timeout)

    # In the threads

    def _live(self) -> None:
        try:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows alone
            )
        except OSError as error:
            self._post(partial(self._tell_end, -1, str(error)))
            return
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        helpers = [
            threading.Thread(target=self._write, args=(process.stdin,), name="worker-in", daemon=True),
            threading.Thread(target=self._tail.extend, args=(process.stderr,), name="worker-errors", daemon=True),
        ]
        for thread in helpers:
            thread.start()
        for line in process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("The worker said something that is no message: %s", line.rstrip())
            else:
                self._post(partial(self._tell, message))
        code = process.wait()
        self._outbox.put(None)
        for thread in helpers:
            thread.join()
        process.stdout.close()
        process.stderr.close()
        self._post(partial(self._tell_end, code, "".join(self._tail)))

    def _write(self, stream: IO[str]) -> None:
        # A pipe that breaks says that the process is gone: whoever reads from it will notice.
        with contextlib.suppress(OSError), stream:
            while (line := self._outbox.get()) is not None:
                stream.write(f"{line}\n")
                stream.flush()

    # In the GUI thread

    def _tell(self, message: dict[str, Any]) -> None:
        if (worker := self._listener()) is not None:
            worker.said.emit(message)

    def _tell_end(self, code: int, tail: str) -> None:
        if (worker := self._listener()) is not None:
            worker.take_end(code, tail)

    def _listener(self) -> Worker | None:
        worker = self._owner()
        return worker if worker is not None and isValid(worker) and not self._closed else None
