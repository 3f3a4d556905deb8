"""One thread that does jobs in order, and hands their results back to the GUI thread."""

from __future__ import annotations

import threading
import traceback
import weakref
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject
from shiboken6 import isValid

from modinv_app.jobs.mailbox import Call, mailbox

T = TypeVar("T")


def describe_error(error: Exception) -> tuple[str, str]:
    """What a person is told of an error: its words, and details to copy."""
    return str(error) or type(error).__name__, "".join(traceback.format_exception(error))


class SerialExecutor:
    """A daemon thread with a queue: opening a device or importing a detector takes long, and may even hang.

    A daemon, because no driver that hangs may keep the program from ending. Jobs of one lane never overlap. The thread
    ends when the lane is closed or nobody holds it any more, after the jobs that wait.

    Parameters
    ----------
    name
        Of the thread.
    owner
        Whoever submits, in the GUI thread; results that come after its end are dropped.
    """

    def __init__(self, name: str, owner: QObject) -> None:
        self._owner = weakref.ref(owner)
        self._closed = False
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._post = mailbox().post
        self._thread = threading.Thread(target=_work, args=(self._jobs, self._post), name=name, daemon=True)
        self._thread.start()
        weakref.finalize(self, self._jobs.put, None).atexit = False
        _lanes.add(self)

    def submit(self, job: Callable[[], T], done: Callable[[T], object], failed: Callable[[Exception], object]) -> None:
        """Run ``job`` in the lane, then ``done(result)`` or ``failed(error)`` in the GUI thread."""
        if not self._closed:
            self._jobs.put(_Job(self, job, done, failed))

    def relay(self, callback: Callable[..., object]) -> Callable[..., None]:
        """A function for jobs to call from within the lane: the GUI thread calls ``callback`` with what it is given."""

        def call(*arguments: object) -> None:
            self._post(lambda: callback(*arguments) if self.wanted else None)

        return call

    def close(self, timeout: float = 2.0) -> None:
        """Let the jobs that wait finish, for at most ``timeout`` seconds; their results are dropped."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join(timeout)

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for results."""
        owner = self._owner()
        return not self._closed and owner is not None and isValid(owner)


_lanes: weakref.WeakSet[SerialExecutor] = weakref.WeakSet()


def close_lanes() -> None:
    """Close every lane that is still open, without waiting: the program ends."""
    for lane in list(_lanes):
        lane.close(0)


class _Job:
    """A job on its way to the lane and back. What it holds may hold objects of Qt, so only the GUI thread lets go."""

    def __init__(
        self,
        lane: SerialExecutor,
        job: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[Exception], object],
    ) -> None:
        self._lane: SerialExecutor | None = lane
        self._job: Callable[[], Any] | None = job
        self._done: Callable[[Any], object] | None = done
        self._failed: Callable[[Exception], object] | None = failed
        self._answer: Call | None = None

    def run(self) -> None:
        """In the lane: do it."""
        assert self._job is not None
        assert self._done is not None
        assert self._failed is not None
        try:
            result = self._job()
        except Exception as error:  # whatever it is, the owner decides what to say
            self._answer = partial(self._failed, error)
        else:
            self._answer = partial(self._done, result)

    def hand_over(self) -> None:
        """In the GUI thread: tell what came of it."""
        assert self._lane is not None
        answer = self._answer if self._lane.wanted else None
        self._lane = self._job = self._done = self._failed = self._answer = None
        if answer is not None:
            answer()


def _work(jobs: SimpleQueue[_Job | None], post: Callable[[Call], None]) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        post(job.hand_over)
