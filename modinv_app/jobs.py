"""One thread that does jobs in order, and hands their results back to the thread that owns it."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from PySide6.QtCore import QObject, Signal, Slot

T = TypeVar("T")


def told(error: Exception) -> tuple[str, str]:
    """What a person is told of an error: its words, and details to copy."""
    return str(error) or type(error).__name__, "".join(traceback.format_exception(error))


class Lane(QObject):
    """A daemon thread with a queue: opening a device or importing a detector takes long, and may even hang.

    A daemon, because no driver that hangs may keep the program from ending. Jobs of one lane never overlap.
    """

    _arrived = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._arrived.connect(self._hand_back)
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run ``job`` in the lane, then ``done(result)`` or ``failed(error)`` in the owner's thread."""

        def run() -> None:
            try:
                result = job()
            except Exception as error:  # whatever it is, the owner decides what to say
                self._send_back(partial(failed, error))
            else:
                self._send_back(partial(done, result))

        if not self._closed:
            self._jobs.put(run)

    def close(self, timeout: float = 2.0) -> None:
        """Let the jobs that wait finish, for at most ``timeout`` seconds; their results are dropped."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _send_back(self, answer: Callable[[], None]) -> None:
        # A RuntimeError says that Qt has destroyed this object: then nobody waits for the answer.
        with contextlib.suppress(RuntimeError):
            self._arrived.emit(answer)

    @Slot(object)
    def _hand_back(self, answer: Callable[[], None]) -> None:
        if not self._closed:
            answer()
