"""A thread that runs jobs in order, and delivers their results to the GUI thread."""

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

from model.errors import describe_failure, for_training
from modinv_app.jobs.mailbox import Call, mailbox

T = TypeVar("T")


def describe_error(error: Exception) -> tuple[str, str]:
    """The message of an error, and its traceback."""
    message = describe_failure(error) if for_training(error) else str(error)
    return message or type(error).__name__, "".join(traceback.format_exception(error))


class SerialExecutor:
    """A daemon thread with a queue of jobs, which never overlap.

    It is a daemon, so that a driver that hangs can't keep the program from ending. It ends after the waiting jobs once
    the executor is closed or garbage.

    Parameters
    ----------
    name
        Of the thread.
    owner
        The object that submits jobs; results are dropped once it is destroyed.
    """

    def __init__(self, name: str, owner: QObject) -> None:
        self._owner = weakref.ref(owner)
        self._closed = False
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._post = mailbox().post
        self._thread = threading.Thread(target=_work, args=(self._jobs, self._post), name=name, daemon=True)
        self._thread.start()
        weakref.finalize(self, self._jobs.put, None).atexit = False
        _executors.add(self)

    def submit(self, job: Callable[[], T], done: Callable[[T], object], failed: Callable[[Exception], object]) -> None:
        """Run ``job`` in the thread, then ``done(result)`` or ``failed(error)`` in the GUI thread."""
        if not self._closed:
            self._jobs.put(_Job(self, job, done, failed))

    def relay(self, callback: Callable[..., object]) -> Callable[..., None]:
        """A function that jobs may call: it has ``callback`` called in the GUI thread with the same arguments."""

        def call(*arguments: object) -> None:
            self._post(lambda: callback(*arguments) if self.wanted else None)

        return call

    def close(self, timeout: float = 2.0) -> None:
        """Wait at most ``timeout`` seconds for the remaining jobs; their results are dropped."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join(timeout)

    @property
    def wanted(self) -> bool:
        """Whether results are still wanted."""
        owner = self._owner()
        return not self._closed and owner is not None and isValid(owner)


_executors: weakref.WeakSet[SerialExecutor] = weakref.WeakSet()


def close_executors() -> None:
    """Close all executors without waiting, because the program ends."""
    for executor in list(_executors):
        executor.close(0)


class _Job:
    """A job on its way to the thread and back. Only the GUI thread drops its references: they may own Qt objects."""

    def __init__(
        self,
        executor: SerialExecutor,
        job: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[Exception], object],
    ) -> None:
        self._executor: SerialExecutor | None = executor
        self._job: Callable[[], Any] | None = job
        self._done: Callable[[Any], object] | None = done
        self._failed: Callable[[Exception], object] | None = failed
        self._result: Call | None = None

    def run(self) -> None:
        """Run the job, in the thread."""
        assert self._job is not None
        assert self._done is not None
        assert self._failed is not None
        try:
            result = self._job()
        except Exception as error:  # the owner decides how to report it
            self._result = partial(self._failed, error)
        else:
            self._result = partial(self._done, result)

    def deliver(self) -> None:
        """Deliver the result, in the GUI thread."""
        assert self._executor is not None
        deliver = self._result if self._executor.wanted else None
        self._executor = self._job = self._done = self._failed = self._result = None
        if deliver is not None:
            deliver()


def _work(jobs: SimpleQueue[_Job | None], post: Callable[[Call], None]) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        post(job.deliver)
