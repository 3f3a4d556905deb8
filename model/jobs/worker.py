"""A process that computes for the window, one job after the other: ``python -m model.jobs.worker``.

It reads JSON lines and answers in JSON lines. ``{"id": ..., "do": ...}`` is a job of `JOBS`, or a word to the job of
that id: ``pause``, ``go``, ``stop``. Every answer of a job carries its id; the last one is ``done`` or ``failed``. When
there is no more to read, whoever started the process is gone: it stops, keeps what there is, and goes too.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import psutil

from model.processes import shun_current_folder
from model.progress import JobContext

if TYPE_CHECKING:
    from model.runs.corpus_cache import CorpusCache

Request = Mapping[str, Any]

_KEEPING_SECONDS = 60.0  # after which a process that nobody listens to any more goes whatever it does
_NICENESS = 10  # the window comes first


class Job(JobContext):
    """A job that was asked for: it answers through ``send``, and hears words from outside.

    Parameters
    ----------
    request
        The job.
    send
        Sends a message.
    """

    def __init__(self, request: Request, send: Callable[[Mapping[str, Any]], None]) -> None:
        self.request = request
        self._send = send
        self._changed = threading.Condition()
        self._paused = self._stopped = False

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message to whoever asked."""
        self._send({"id": self.request["id"], **message})

    def hear(self, word: str) -> None:
        """Take notice of ``pause``, ``go`` or ``stop``; from any thread."""
        with self._changed:
            self._stopped |= word == "stop"
            self._paused = word == "pause" or (self._paused and word != "go")
            self._changed.notify_all()

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:
        """Whether the job should end now. While it is paused, this waits, within what ``pausing`` returns."""
        with self._changed:
            if self._paused and not self._stopped:
                with pausing():
                    self.send({"say": "paused"})
                    self._changed.wait_for(lambda: self._stopped or not self._paused)
                self.send({"say": "going"})
            return self._stopped


@functools.cache
def _library() -> CorpusCache:
    """What is loaded stays loaded: the next run begins at once."""
    from model.runs.corpus_cache import CorpusCache

    return CorpusCache()


def _train(request: Request, context: JobContext) -> None:
    from model.jobs.training import train_plan

    train_plan(request, context, _library())


def _estimate(request: Request, context: JobContext) -> None:
    from model.jobs.training import estimate_plan

    estimate_plan(request, context, _library())


def _quick(request: Request, context: JobContext) -> None:
    from model.jobs.training import judge_quickly

    judge_quickly(request, context)


def _evaluate(request: Request, context: JobContext) -> None:
    from model.evaluation.checkpoints import evaluate

    evaluate(request, context)


def _export(request: Request, context: JobContext) -> None:
    from model.jobs.export import export

    export(request, context)


def _sweep(request: Request, context: JobContext) -> None:
    from model.sweeps.runner import run_sweep

    run_sweep(request, context, _library())


JOBS: dict[str, Callable[[Request, JobContext], None]] = {
    "train": _train,
    "estimate": _estimate,
    "quick": _quick,
    "evaluate": _evaluate,
    "export": _export,
    "sweep": _sweep,
}
"""Every job by its word. They import late: this process says that it is ready as soon as it is."""


class Reader:
    """Reads what is to be done, while a job is done: jobs wait in line, words reach the job of their id at once."""

    def __init__(self, lines: Iterable[bytes], send: Callable[[Mapping[str, Any]], None]) -> None:
        self._lines = lines
        self._say = send
        self._unfinished: list[Job] = []
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def read(self) -> None:
        """Read to the end, then stop everything."""
        try:
            for line in self._lines:
                self._take(json.loads(line))
        finally:
            self.end()

    def end(self) -> None:
        """Stop everything, keep what there is, and take no more; from any thread, or on a signal."""
        for job in tuple(self._unfinished):
            job.hear("stop")
        self.jobs.put(None)

    def _take(self, request: Request) -> None:
        if request["do"] in JOBS:
            job = Job(request, self._say)
            self._unfinished.append(job)
            self.jobs.put(job)
        else:
            for job in tuple(self._unfinished):
                if job.request["id"] == request["id"]:
                    job.hear(request["do"])

    def finish(self, job: Job) -> None:
        """A job is done; words don't reach it any more."""
        self._unfinished.remove(job)


def run_job(job: Job) -> None:
    """Do a job; if it fails, say why and what to do."""
    try:
        JOBS[job.request["do"]](job.request, job)
    except Exception as error:
        from model.errors import describe_failure

        details = "".join(traceback.format_exception(error))
        job.send({"say": "failed", "message": describe_failure(error), "details": details})
    else:
        job.send({"say": "done"})


def main() -> None:
    """Do jobs until there is nothing more to read."""
    shun_current_folder()
    # Ctrl-C in a terminal reaches the window too, which then says what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICENESS)
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    lock = threading.Lock()

    def send(message: Mapping[str, Any]) -> None:
        line = f"{json.dumps(dict(message))}\n".encode()
        # Where nobody listens any more there will be nothing to read either, which ends the job as it should.
        with lock, suppress(OSError):
            while line:
                line = line[os.write(answers, line) :]

    reader = Reader(sys.stdin.buffer, send)

    def leave(*_signal: object) -> None:
        reader.end()
        last = threading.Timer(_KEEPING_SECONDS, os._exit, [1])
        last.daemon = True
        last.start()

    def read() -> None:
        reader.read()
        leave()

    # As when nobody listens any more: the system shuts down, or the terminal closes, and the window goes as well.
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
    reading = threading.Thread(target=read, name="reader", daemon=True)
    reading.start()
    from model.runs.estimate import device_names  # with torch, which takes seconds

    send({"say": "ready", "devices": device_names()})
    while (job := reader.jobs.get()) is not None:
        run_job(job)
        reader.finish(job)
    if reading.is_alive():  # ended by a signal: Python would abort at its own end, where a thread still waits for input
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
