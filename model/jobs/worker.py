"""The worker process of the window and of sweeps, which does one job after the other: ``python -m model.jobs.worker``.

It reads and writes JSON lines. ``{"id": ..., "do": ...}`` starts a job of `JOBS`, or is a command to the job of that
id: ``pause``, ``go``, ``stop``. Every message of a job has its id; the last one is ``done`` or ``failed``. The end of
the input means that the parent process is gone: the worker then stops its jobs, which save their work, and exits.
"""

from __future__ import annotations

import faulthandler
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

from model.processes import avoid_current_folder
from model.progress import JobContext

if TYPE_CHECKING:
    from pathlib import Path

    from model.runs.corpus_cache import CorpusCache

Request = Mapping[str, Any]

_EXIT_SECONDS = 60.0  # after the end of the input the process exits at the latest
_NICENESS = 10  # the window has priority


class Job(JobContext):
    """A requested job: sends messages, and can be paused and stopped.

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
        """Send a message with the id of the job."""
        self._send({"id": self.request["id"], **message})

    def control(self, command: str) -> None:
        """Carry out ``pause``, ``go`` or ``stop``; can be called from any thread."""
        with self._changed:
            self._stopped |= command == "stop"
            self._paused = command == "pause" or (self._paused and command != "go")
            self._changed.notify_all()

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:
        """Whether the job should end now; while the job is paused, waits within the context ``pausing()``."""
        with self._changed:
            if self._paused and not self._stopped:
                with pausing():
                    self.send({"say": "paused"})
                    self._changed.wait_for(lambda: self._stopped or not self._paused)
                self.send({"say": "going"})
            return self._stopped


@functools.cache
def _corpora(folder: Path | None) -> CorpusCache:
    """The corpora of a folder (``None``: the user's) loaded so far, shared by all jobs."""
    from model.runs.corpus_cache import CorpusCache

    return CorpusCache(folder)


def _train(request: Request, context: JobContext) -> None:
    from model.jobs.training import train_run

    train_run(request, context, _corpora(None))


def _trial(request: Request, context: JobContext) -> None:
    from model.jobs.training import do_trial

    do_trial(request, context, _corpora)


def _takes(request: Request, context: JobContext) -> None:
    from model.jobs.takes import train_with_takes

    train_with_takes(request, context, _corpora(None))


def _estimate(request: Request, context: JobContext) -> None:
    from model.jobs.training import estimate_cost

    estimate_cost(request, context, _corpora(None))


def _quick(request: Request, context: JobContext) -> None:
    from model.jobs.training import estimate_quality

    estimate_quality(request, context)


def _evaluate(request: Request, context: JobContext) -> None:
    from model.evaluation.checkpoints import evaluate

    evaluate(request, context)


def _robustness(request: Request, context: JobContext) -> None:
    from model.evaluation.robustness import measure_for_window

    measure_for_window(request, context)


def _export(request: Request, context: JobContext) -> None:
    from model.jobs.export import export

    export(request, context)


def _sweep(request: Request, context: JobContext) -> None:
    from model.jobs.local_processes import LocalProcesses, engine_for
    from model.sweeps.plans import plan_from
    from model.sweeps.runner import run_sweep

    engine = engine_for(plan_from(request["plan"]), None, _corpora(None))
    if isinstance(engine, LocalProcesses):
        _corpora.cache_clear()  # each of its processes needs the memory for its own
    run_sweep(request, context, engine)


JOBS: dict[str, Callable[[Request, JobContext], None]] = {
    "train": _train,
    "takes": _takes,
    "trial": _trial,
    "estimate": _estimate,
    "quick": _quick,
    "evaluate": _evaluate,
    "robustness": _robustness,
    "export": _export,
    "sweep": _sweep,
}
"""All jobs by name. They import their modules late, so that the process is ready early."""


class Reader:
    """Reads requests while a job runs: jobs are queued, commands reach the job of their id at once."""

    def __init__(self, lines: Iterable[bytes], send: Callable[[Mapping[str, Any]], None]) -> None:
        self._lines = lines
        self._send = send
        self._unfinished: list[Job] = []
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()

    def read(self) -> None:
        """Read to the end of the input, then stop all jobs."""
        try:
            for line in self._lines:
                self._dispatch(json.loads(line))
        finally:
            self.end()

    def end(self) -> None:
        """Stop all jobs and start no more; can be called from any thread and from signal handlers."""
        for job in tuple(self._unfinished):
            job.control("stop")
        self.jobs.put(None)

    def _dispatch(self, request: Request) -> None:
        if request["do"] in JOBS:
            job = Job(request, self._send)
            self._unfinished.append(job)
            self.jobs.put(job)
        else:
            for job in tuple(self._unfinished):
                if job.request["id"] == request["id"]:
                    job.control(request["do"])

    def finish(self, job: Job) -> None:
        """Remove a finished job, which takes no more commands."""
        self._unfinished.remove(job)


def run_job(job: Job) -> None:
    """Do a job; if it fails, send why and what to do."""
    try:
        JOBS[job.request["do"]](job.request, job)
    except Exception as error:
        from model.errors import describe_failure

        details = "".join(traceback.format_exception(error))
        job.send({"say": "failed", "message": describe_failure(error), "details": details})
    else:
        job.send({"say": "done"})


def main() -> None:
    """Do jobs until the end of the input."""
    avoid_current_folder()
    faulthandler.enable()  # the window shows and logs the end of standard error
    # Ctrl-C in a terminal reaches the window too, which stops its worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICENESS)
    output = os.dup(1)
    os.dup2(2, 1)  # libraries may print to standard output
    lock = threading.Lock()

    def send(message: Mapping[str, Any]) -> None:
        line = f"{json.dumps(dict(message))}\n".encode()
        # If the parent is gone, the input ends as well, and with it the job.
        with lock, suppress(OSError):
            while line:
                line = line[os.write(output, line) :]

    reader = Reader(sys.stdin.buffer, send)

    def leave(*_signal: object) -> None:
        reader.end()
        exit_timer = threading.Timer(_EXIT_SECONDS, os._exit, [1])
        exit_timer.daemon = True
        exit_timer.start()

    def read() -> None:
        reader.read()
        leave()

    # At shutdown, or when the terminal closes, the window exits as well.
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
    reading = threading.Thread(target=read, name="reader", daemon=True)
    reading.start()
    send({"say": "ready", "devices": _devices()})
    while (job := reader.jobs.get()) is not None:
        run_job(job)
        reader.finish(job)
    if reading.is_alive():  # ended by a signal: the regular exit would abort, as a thread still waits for input
        sys.stderr.flush()
        os._exit(0)


def _devices() -> list[tuple[str, str]]:
    """Names of the devices to train on; none without torch: jobs that need it say so."""
    try:
        from model.runs.estimate import device_names  # with torch, which takes seconds
    except ModuleNotFoundError:
        return []
    return device_names()


if __name__ == "__main__":
    main()
