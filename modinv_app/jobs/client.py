"""The client of the worker processes (:mod:`model.jobs.worker`)."""

from __future__ import annotations

import itertools
import logging
import signal
import time
import weakref
from collections.abc import Sequence
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from modinv_app.jobs.worker_process import COMMAND, Worker

log = logging.getLogger(__name__)

Training = Literal["train", "sweep", "takes"]
Kind = Literal["train", "sweep", "takes", "estimate", "quick", "evaluate", "robustness", "export"]

_TRAININGS = ("train", "sweep", "takes")
_LOW_PRIORITY = ("estimate", "quick")  # stopped when a training starts
_OBSTACLES: dict[Training, str] = {
    "train": "A run is training on the page “Train”. Stop it there first, or wait until it is done.",
    "sweep": "A sweep is training on the page “λ dial”. Stop it there first, or wait until it is done.",
    "takes": "A model trains with takes on the page “My digits”. Stop it there first, or wait until it is done.",
}
_RESUME = "Everything that was saved is kept. Resume continues from there."
_ENDS: dict[Kind, tuple[str, str]] = {  # what happened, and what to do, when the process of a job ended
    "train": ("The training ended because its process did", _RESUME),
    "sweep": ("The sweep ended because its process did", _RESUME),
    "takes": ("The training with takes ended because its process did", _RESUME),
    "estimate": ("The trial steps ended because their process did", "Choose a smaller batch or another device."),
    "quick": ("The comparison ended because its process did", "It is repeated with the next run."),
    "evaluate": ("The evaluation ended because its process did", "Evaluate again; if that fails, free some memory."),
    "robustness": ("The measurement ended because its process did", "Measure again; if that fails, free some memory."),
    "export": ("The export ended because its process did", "Export again; if that fails, free some memory."),
}
_SPARE_SECONDS = 60.0  # for which a second process may idle during a training
_IDLE_TIMEOUT = 1.0  # seconds for a process to end that has nothing to save


class Job(QObject):
    """One job, from :meth:`JobClient.submit` to ``finished`` or ``failed``.

    Attributes
    ----------
    id : int
        Identifies its messages.
    kind : Kind
        The kind of work.
    stopping : bool
        Whether it was asked to stop.
    died : bool
        Whether it failed because its process ended.
    close_timeout : float
        Seconds that it may take to save what there is when the window closes.

    Signals
    -------
    received(dict)
        A message of the job, as :mod:`model.jobs.worker` and the job's own function document them.
    finished()
        It is done or was stopped.
    failed(str, str)
        It failed, or its process ended: what happened and what to do, and details to copy.
    """

    received = Signal(object)
    finished = Signal()
    failed = Signal(str, str)

    def __init__(self, client: JobClient, id: int, kind: Kind, details: dict[str, Any]) -> None:
        super().__init__()
        self.id, self.kind = id, kind
        self.stopping = self.died = False
        self.close_timeout = _IDLE_TIMEOUT
        self.request = {"id": id, "do": kind, **details}
        self._client = client

    @property
    def trains(self) -> bool:
        """Whether it is a run, a sweep or a training with takes."""
        return self.kind in _TRAININGS

    def pause(self) -> None:
        """Pause it; ``paused`` is received once it does."""
        self._client.send(self, "pause")

    def unpause(self) -> None:
        """Continue after a pause; ``going`` is received."""
        self._client.send(self, "go")

    def stop(self) -> None:
        """Stop it and keep what there is; ``finished`` follows."""
        self.stopping = True
        self._client.send(self, "stop")


class JobClient(QObject):
    """Does jobs in child processes, which are reused because their imports and data take seconds to load.

    Trainings (``train``, ``sweep``, ``takes``) run one at a time, and so do all other, short jobs, in the order of
    submission. A job uses an idle process if there is one, and waits if the job in the process is being stopped;
    otherwise, while a job of the other sort is running, a second process is started. The second process is ended when
    both are idle, or when it was idle for a minute during a training. So a training never waits for an evaluation or
    vice versa.

    If a process ends, its job fails; other jobs are not affected. No signal is emitted before control returns to the
    event loop.

    Parameters
    ----------
    command
        Command line of a process.
    spare_seconds
        How long a second process may idle during a training.

    Signals
    -------
    devices_found(list of (str, str))
        The devices to train on: names for PyTorch and for the user.
    training_changed()
        `training` has changed.
    """

    devices_found = Signal(object)
    training_changed = Signal()

    def __init__(
        self, parent: QObject | None = None, command: Sequence[str] = COMMAND, spare_seconds: float = _SPARE_SECONDS
    ) -> None:
        super().__init__(parent)
        self.devices: list[tuple[str, str]] = []
        """As of ``devices_found``; empty before."""
        self._command = command
        self._ids = itertools.count(1)
        self._waiting: list[Job] = []
        self._workers: list[Worker] = []
        self._training: Training | None = None
        self._closed = False
        self._spare = QTimer(self, singleShot=True, interval=round(1000 * spare_seconds))
        self._spare.timeout.connect(self._end_spare)
        weakref.finalize(self, _end_all, self._workers).atexit = False

    # Trainings, one at a time

    @property
    def training(self) -> Training | None:
        """The kind of the current training, from `begin_training` to `end_training`."""
        return self._training

    def obstacle(self, kind: Training) -> str:
        """Why a training can't start because of one of the other kind, and what to do; empty if it can."""
        return "" if self._training in (None, kind) else _OBSTACLES[self._training]

    def begin_training(self, kind: Training) -> bool:
        """Reserve the machine for a training; False if another one is running.

        Trial steps and comparisons are stopped, because they would slow each other down.
        """
        if self._training is not None:
            return False
        self._training = kind
        for job in [*self._waiting, *self._running()]:
            if job.kind in _LOW_PRIORITY:
                job.stop()
        self.training_changed.emit()
        return True

    def end_training(self) -> None:
        """Note that the training is completely done."""
        self._training = None
        self.training_changed.emit()

    # Jobs

    @property
    def pids(self) -> list[int]:
        """The IDs of all processes, the oldest first."""
        return [worker.pid for worker in self._workers if worker.pid]

    def prepare(self) -> None:
        """Start a process, if there is none, before it is needed."""
        if not self._remaining() and not self._closed:
            self._start()

    def submit(self, kind: Kind, **details: Any) -> Job:
        """Queue a job; ``details`` are the parameters of its request."""
        job = Job(self, next(self._ids), kind, details)
        self._waiting.append(job)
        self._schedule()
        return job

    def send(self, job: Job, word: str) -> None:
        """Send a command to a job; one that waits only obeys ``stop``."""
        worker = next((worker for worker in self._workers if worker.job is job), None)
        if worker is not None:
            worker.send({"id": job.id, "do": word})
        elif word == "stop":
            QTimer.singleShot(0, self._schedule)

    def close(self) -> None:
        """End all processes; jobs may save what there is within their timeout. No signals are emitted."""
        self._closed = True
        self._spare.stop()
        self._waiting.clear()
        _end_all(self._workers)
        begun = time.monotonic()
        while self._workers:
            worker = self._workers.pop()
            worker.close(begun + (worker.job.close_timeout if worker.job else _IDLE_TIMEOUT))

    def _running(self) -> list[Job]:
        return [worker.job for worker in self._workers if worker.job is not None]

    def _schedule(self) -> None:
        if self._closed:
            return
        for job in list(self._waiting):
            if job not in self._waiting:
                continue  # a slot of the one before has submitted a job, which has called this
            if job.stopping:
                self._waiting.remove(job)
                job.finished.emit()
                continue
            running = self._running()
            if any(other.trains == job.trains for other in running):
                continue
            worker = next((worker for worker in self._workers if worker.idle), None)
            if worker is None and any(other.stopping for other in running):
                continue
            self._waiting.remove(job)
            (worker or self._start()).begin(job)
        idle = [worker for worker in self._workers if worker.idle]
        for worker in idle[1:]:
            worker.end()
        if idle and len(idle) < len(self._remaining()):
            self._spare.start()
        else:
            self._spare.stop()

    def _remaining(self) -> list[Worker]:
        return [worker for worker in self._workers if not worker.ending]

    def _start(self) -> Worker:
        worker = Worker(self, self._command)
        self._workers.append(worker)
        return worker

    def _end_spare(self) -> None:
        for worker in self._workers:
            if worker.idle:
                worker.end()

    # Messages

    def on_message(self, worker: Worker, message: dict[str, Any]) -> None:
        """Handle a message of a process."""
        word, job = message["say"], worker.job
        if word == "ready":
            self.devices = [(name, title) for name, title in message["devices"]]
            self.devices_found.emit(self.devices)
        elif job is None or message["id"] != job.id:
            log.warning("A message of an unknown job: %s", word)
        elif word in ("done", "failed"):
            worker.job = None
            if word == "done":
                job.finished.emit()
            else:
                job.failed.emit(message["message"], message["details"])
            self._schedule()
        else:
            job.received.emit(message)

    def on_exit(self, worker: Worker, code: int, tail: str) -> None:
        """Handle the end of a process: ended by the client, killed, or crashed."""
        self._workers.remove(worker)
        job, worker.job = worker.job, None
        if job is not None:
            log.warning("The process of a job (%s) ended with %d: %s", job.kind, code, tail)
            job.died = True
            what, remedy = _ENDS[job.kind]
            killed = code == -getattr(signal, "SIGKILL", 9)
            job.failed.emit(f"{what}{', perhaps because memory ran out' if killed else ''}. {remedy}", tail)
        self._schedule()


def _end_all(workers: list[Worker]) -> None:
    for worker in workers:
        worker.end()
