"""The window's one client of the worker process (:mod:`model.jobs.worker`)."""

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

Training = Literal["train", "sweep"]
Kind = Literal["train", "sweep", "estimate", "quick", "evaluate", "export"]

_TRAININGS = ("train", "sweep")
_BY_THE_WAY = ("estimate", "quick")  # not worth delaying a training for
_OBSTACLES: dict[Training, str] = {
    "train": "A run is training on the page “Train”. Stop it there first, or wait until it is done.",
    "sweep": "A sweep is training on the page “λ dial”. Stop it there first, or wait until it is done.",
}
_RESUME = "All that was saved is kept: Resume goes on from there."
_ENDS: dict[Kind, tuple[str, str]] = {  # what ended, and what to do, where the process ended under a job
    "train": ("The training ended because its process did", _RESUME),
    "sweep": ("The sweep ended because its process did", _RESUME),
    "estimate": ("The trial steps ended because their process did", "Choose a smaller batch or another device."),
    "quick": ("The comparison ended because its process did", "It is made again with the next run."),
    "evaluate": ("The evaluation ended because its process did", "Evaluate again; if that fails, free some memory."),
    "export": ("The export ended because its process did", "Export again; if that fails, free some memory."),
}
_SPARE_SECONDS = 60.0  # that a second process may idle beside a training
_IDLE_PATIENCE = 1.0  # seconds for a process to end that has nothing to keep


class Job(QObject):
    """One job, from :meth:`JobClient.submit` to ``finished`` or ``failed``.

    Attributes
    ----------
    id : int
        Tells its messages from those of other jobs.
    kind : Kind
        What is done.
    stopping : bool
        Somebody wants it to end.
    died : bool
        It failed because its process ended.
    patience : float
        Seconds that it may take to keep what there is when the window closes.

    Signals
    -------
    said(dict)
        A message of the job, as :mod:`model.jobs.worker` and the job's own function document them.
    finished()
        It is over, by itself or because it was stopped.
    failed(str, str)
        It failed, or its process ended: what happened and what to do, and details to copy.
    """

    said = Signal(object)
    finished = Signal()
    failed = Signal(str, str)

    def __init__(self, client: JobClient, id: int, kind: Kind, details: dict[str, Any]) -> None:
        super().__init__()
        self.id, self.kind = id, kind
        self.stopping = self.died = False
        self.patience = _IDLE_PATIENCE
        self.request = {"id": id, "do": kind, **details}
        self._client = client

    @property
    def trains(self) -> bool:
        """Whether it is a training."""
        return self.kind in _TRAININGS

    def pause(self) -> None:
        """Hold on; it says ``paused`` once it does."""
        self._client.tell(self, "pause")

    def go(self) -> None:
        """Go on after a pause; it says ``going``."""
        self._client.tell(self, "go")

    def stop(self) -> None:
        """End it, keeping what there is; ``finished`` follows."""
        self.stopping = True
        self._client.tell(self, "stop")


class JobClient(QObject):
    """Does heavy jobs in a child process that stays for the next job, as its imports and data take seconds to load.

    The rule: trainings (``train``, ``sweep``) run one at a time, and so do all other, short jobs, each sort in the
    order in which it was submitted. A job takes an idle process if there is one, and waits where the job that occupies
    the process is being stopped; otherwise, that is while the other sort is at work, a second process is started. It
    ends when both are idle, or after a minute beside a training. So there is no process before the first job or
    `prepare`, at most one at rest, and an evaluation never waits for a training, nor a training for an evaluation.

    A process that ends fails the job in it, in words that say what to do; all other jobs go on. Nothing is signalled
    before control returns to the event loop.

    Parameters
    ----------
    command
        Starts a process.
    spare_seconds
        How long a second process may idle beside a training.

    Signals
    -------
    devices_found(list of (str, str))
        The devices there are to train on: names for PyTorch and for people.
    training_changed()
        A training has begun or ended: `training` is another.
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
        weakref.finalize(self, _leave, self._workers).atexit = False

    # Trainings: a machine has room for one at a time

    @property
    def training(self) -> Training | None:
        """The training that is on its way, from `begin_training` to `end_training`."""
        return self._training

    def obstacle(self, kind: Training) -> str:
        """Why a training of this kind can't begin because of another kind, and what to do; empty if there is none."""
        return "" if self._training in (None, kind) else _OBSTACLES[self._training]

    def begin_training(self, kind: Training) -> bool:
        """Claim the machine for a training, unless one is on its way.

        Trial steps and comparisons are stopped: they would delay it, and be measured beside it.
        """
        if self._training is not None:
            return False
        self._training = kind
        for job in [*self._waiting, *self._running()]:
            if job.kind in _BY_THE_WAY:
                job.stop()
        self.training_changed.emit()
        return True

    def end_training(self) -> None:
        """The training is over, and nothing of it is left to be done."""
        self._training = None
        self.training_changed.emit()

    # Jobs

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes there are, the oldest first."""
        return [worker.pid for worker in self._workers if worker.pid]

    def prepare(self) -> None:
        """Start a process if there is none, so that it is ready when it is needed."""
        if not self._present() and not self._closed:
            self._start()

    def submit(self, kind: Kind, **details: Any) -> Job:
        """Have a job done as soon as the rule allows it; ``details`` are its request."""
        job = Job(self, next(self._ids), kind, details)
        self._waiting.append(job)
        self._schedule()
        return job

    def tell(self, job: Job, word: str) -> None:
        """Tell a job something; one that waits only listens to ``stop``."""
        worker = next((worker for worker in self._workers if worker.job is job), None)
        if worker is not None:
            worker.send({"id": job.id, "do": word})
        elif word == "stop":
            QTimer.singleShot(0, self._schedule)

    def close(self) -> None:
        """Let every job keep what there is, within its patience, and end all processes. Nothing is signalled."""
        self._closed = True
        self._spare.stop()
        self._waiting.clear()
        _leave(self._workers)
        begun = time.monotonic()
        while self._workers:
            worker = self._workers.pop()
            worker.close(begun + (worker.job.patience if worker.job else _IDLE_PATIENCE))

    def _running(self) -> list[Job]:
        return [worker.job for worker in self._workers if worker.job is not None]

    def _schedule(self) -> None:
        if self._closed:
            return
        for job in list(self._waiting):
            if job not in self._waiting:
                continue  # whoever was told of the one before has submitted another: that was a round of its own
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
            worker.leave()
        if idle and len(idle) < len(self._present()):
            self._spare.start()
        else:
            self._spare.stop()

    def _present(self) -> list[Worker]:
        return [worker for worker in self._workers if not worker.leaving]

    def _start(self) -> Worker:
        worker = Worker(self, self._command)
        self._workers.append(worker)
        return worker

    def _end_spare(self) -> None:
        for worker in self._workers:
            if worker.idle:
                worker.leave()

    # What the processes say

    def take(self, worker: Worker, message: dict[str, Any]) -> None:
        """A message of a process."""
        word, job = message["say"], worker.job
        if word == "ready":
            self.devices = [(name, title) for name, title in message["devices"]]
            self.devices_found.emit(self.devices)
        elif job is None or message["id"] != job.id:
            log.warning("A message of no job: %s", message)
        elif word in ("done", "failed"):
            worker.job = None
            if word == "done":
                job.finished.emit()
            else:
                job.failed.emit(message["message"], message["details"])
            self._schedule()
        else:
            job.said.emit(message)

    def take_end(self, worker: Worker, code: int, tail: str) -> None:
        """A process is gone: ended by the client, killed by a person or the system, or crashed."""
        self._workers.remove(worker)
        job, worker.job = worker.job, None
        if job is not None:
            log.warning("The process of a job (%s) ended with %d: %s", job.kind, code, tail)
            job.died = True
            what, remedy = _ENDS[job.kind]
            killed = code == -getattr(signal, "SIGKILL", 9)
            job.failed.emit(f"{what}{', perhaps because memory ran out' if killed else ''}. {remedy}", tail)
        self._schedule()


def _leave(workers: list[Worker]) -> None:
    for worker in workers:
        worker.leave()
