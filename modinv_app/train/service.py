"""Training from the window: a process trains, its run's folder tells, and nobody here waits for either."""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from model.runs.store import RunInfo, RunRecord, RunStore, RunTail, RunUpdate, State
from model.training.config import Estimate, TrainingConfig
from modinv_app.jobs.executor import SerialExecutor, describe_error
from modinv_app.jobs.worker_process import COMMAND, Worker

log = logging.getLogger(__name__)

_LOOK_MS = 250
_SAVING_SECONDS = 30.0  # that a process may take to keep its run while the window closes
_IDLE_SECONDS = 1.0  # where there is nothing to keep
_ELSEWHERE = "A sweep is training on the page “λ dial”. Stop it there first, or wait until it is done."
_LAST_WORDS = ("estimate", "ended", "quick", "stopped", "failed")
"""What the process says at the end of a job: one of these, once."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Something that the process was told to do."""

    kind: Literal["estimate", "train", "quick"]
    plan: TrainingConfig | None = None


@dataclass(slots=True, eq=False)
class _Course:
    """The run at hand: ``record``, ``tail`` and ``info`` once its folder is read."""

    record: RunRecord | None = None
    tail: RunTail | None = None
    info: RunInfo | None = None
    started: bool = False  # the process has begun
    ending: bool = False  # somebody wants it to end
    unwanted: bool = False  # and nothing of it to stay
    over: bool = False  # the process has let go of it
    died: bool = False  # with the process
    message: str = ""


class TrainingService(QObject):
    """One process that estimates and trains, and the run that it trains or trained last.

    Parameters
    ----------
    store
        Where runs are kept.
    command
        Starts the process.

    Signals
    -------
    prepared(list of (str, str))
        The devices there are to train on: names for torch and for people.
    estimated(Plan, Estimate)
        What a plan will cost.
    inestimable(Plan, str)
        Why trial steps of a plan failed, and what to do.
    activity(float or None, str)
        What is done before the first step, in words, and how far that is, in [0, 1], where it is known.
    state_changed(RunInfo or None)
        How the run at hand stands; None where there is none any more.
    grown(RunUpdate)
        New points and snapshots of the run at hand.
    failed(str, str)
        The run at hand could not go on, or could not begin: what happened and what to do, and details to copy.
    finished(RunInfo)
        The run at hand is complete.
    cancelled(str)
        The run of this name was discarded; `undo_cancel` brings it back.
    compared(dict)
        The quick estimates of the loaded model on the items of the run at hand.
    """

    prepared = Signal(object)
    estimated = Signal(object, object)
    inestimable = Signal(object, str)
    activity = Signal(object, str)
    state_changed = Signal(object)
    grown = Signal(object)
    failed = Signal(str, str)
    finished = Signal(object)
    cancelled = Signal(str)
    compared = Signal(object)

    def __init__(self, store: RunStore, parent: QObject | None = None, command: Sequence[str] = COMMAND) -> None:
        super().__init__(parent)
        self._store = store
        self._lane = SerialExecutor("runs", self)
        self._worker = Worker(self, command)
        self._worker.said.connect(self._hear)
        self._worker.ended.connect(self._worker_ended)
        self._jobs: deque[_Job] = deque()  # of the process, the one that it works on first
        self._course: _Course | None = None
        self._discarded: RunRecord | None = None
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._poll)
        self._looking = False
        self._elsewhere = False

    @property
    def elsewhere(self) -> str:
        """Why nothing can begin here while there is another training; empty while there is none."""
        return _ELSEWHERE if self._elsewhere else ""

    def set_elsewhere(self, busy: bool) -> None:
        """Say whether a sweep trains: a machine has room for one training at a time."""
        self._elsewhere = busy
        if busy and not self.busy:
            self._drop_estimates()

    @property
    def busy(self) -> bool:
        """Whether a run trains, is paused, or is on its way or its way out."""
        return self._course is not None and (not self._course.over or self._course.unwanted)

    @property
    def record(self) -> RunRecord | None:
        """The run at hand: the one that trains, or trained last."""
        return self._course.record if self._course else None

    @property
    def worker_pid(self) -> int | None:
        """The process's number, once there is one."""
        return self._worker.pid

    # What the window wants

    def prepare(self) -> None:
        """Start the process, so that it is ready when it is needed."""
        self._worker.start()

    def estimate(self, plan: TrainingConfig) -> None:
        """Try some steps of a plan, unless something else is done."""
        if not self.busy and not self._elsewhere and _Job("estimate", plan) not in self._jobs:
            self._drop_estimates()
            self._do(_Job("estimate", plan), plan=plan.to_dict())

    def start(self, plan: TrainingConfig) -> None:
        """Train a new run."""
        self._begin(lambda: RunRecord(self._store.new_folder(plan)))

    def resume(self, record: RunRecord) -> None:
        """Go on with a run from its last checkpoint."""
        self._begin(lambda: record)

    def pause(self) -> None:
        """Hold on after the present step."""
        self._worker.send({"do": "pause"})

    def go(self) -> None:
        """Go on after a pause."""
        self._worker.send({"do": "go"})

    def stop(self) -> None:
        """End training and keep what there is."""
        if self._course is not None and not self._course.over:
            self._course.ending = True
            if any(job.kind == "train" for job in self._jobs):
                self._worker.send({"do": "stop"})

    def cancel(self) -> None:
        """End training and discard the run; `undo_cancel` brings it back."""
        if self._course is not None and not self._course.over:
            self._course.unwanted = True
            self.stop()

    def undo_cancel(self) -> None:
        """Bring back the run that was discarded last, as one that was stopped."""
        record = self._discarded
        if record is not None:
            self._discarded = None
            self._lane.submit(lambda: self._store.undo_delete(record), self._show_again, self._broken)

    def look_again(self) -> None:
        """See whether the run at hand is still there: it may have been deleted meanwhile."""
        course = self._course
        if course is None or course.record is None or self.busy:
            return

        def see(exists: bool) -> None:
            if not exists and course is self._course:
                self._course = None
                self.state_changed.emit(None)

        record = course.record
        self._lane.submit(lambda: record.exists, see, self._broken)

    def compare(self, model: Path) -> None:
        """Judge another model, quickly, by the items of the run at hand."""
        record = self.record
        if record is not None and not self.busy and record.probe_file.exists():
            self._do(_Job("quick"), checkpoint=str(model), probe=str(record.probe_file))

    def close(self) -> None:
        """Let the process keep what it has and go, and end the threads."""
        self._look.stop()
        saves = self.busy and self._course is not None and self._course.started
        self._worker.close(_SAVING_SECONDS if saves else _IDLE_SECONDS)
        self._lane.close()

    # Beginning and following

    def _begin(self, open_run: Callable[[], RunRecord]) -> None:
        if self.elsewhere:
            self.failed.emit(self.elsewhere, "")
        if self.busy or self.elsewhere:
            return
        course = self._course = _Course()

        def opened(found: tuple[RunRecord, RunInfo]) -> None:
            course.record, info = found
            course.tail = RunTail(course.record)
            course.info = replace(info, state="waiting", message="")
            if course.ending:  # before it had begun
                self._conclude("")
                return
            self._drop_estimates()
            self._do(_Job("train"), plan=info.plan.to_dict(), folder=str(course.record.folder))
            self.state_changed.emit(course.info)
            self._look.start()

        def failed(error: Exception) -> None:
            self._course = None
            self._broken(error)
            self.state_changed.emit(None)

        def work() -> tuple[RunRecord, RunInfo]:
            record = open_run()
            return record, record.info()

        self._lane.submit(work, opened, failed)

    def _poll(self) -> None:
        """Look for what is new in the run's folder, one look at a time."""
        course = self._course
        if course is not None and course.tail is not None and not self._looking:
            self._looking = True
            self._lane.submit(course.tail.poll, partial(self._take_growth, course), self._not_read)

    def _take_growth(self, course: _Course, growth: RunUpdate) -> None:
        self._looking = False
        if course is not self._course:
            return
        info = growth.info
        if not course.over and (not course.started or info.state not in ("running", "paused")):
            # What the folder says is from before, or the process has not yet said that it is done.
            info = replace(info, state="running" if course.started else "waiting", message="")
        if course.over and info.state not in ("stopped", "complete", "failed"):  # that could not be written down
            state: State = "interrupted" if course.died else "failed" if course.message else "stopped"
            info = replace(info, state=state, message=course.message, resumable=True)
        if growth.points or growth.snapshots or growth.restarted:
            self.grown.emit(replace(growth, info=info))
        if info != course.info:
            course.info = info
            self.state_changed.emit(info)

    def _not_read(self, error: Exception) -> None:
        self._looking = False
        log.warning("The run can't be read", exc_info=error)

    def _conclude(self, message: str, details: str = "") -> None:
        """The process has let the run go: read its last words, then say how it ended."""
        course = self._course
        if course is None or course.over:
            return
        self._look.stop()

        def read(growth: RunUpdate) -> None:
            course.over, course.message = True, message
            self._take_growth(course, growth)
            if course.unwanted:
                self._discard(course)
            elif course.info is not None and course.info.state == "complete":
                self.finished.emit(course.info)
            elif message:
                self.failed.emit(message, details)

        def unreadable(error: Exception) -> None:
            course.over = True
            self._course = None
            self._broken(error)
            self.state_changed.emit(None)

        assert course.tail is not None
        self._lane.submit(course.tail.poll, read, unreadable)

    def _discard(self, course: _Course) -> None:
        record, info = course.record, course.info
        assert record is not None
        assert info is not None

        def gone(_nothing: None) -> None:
            self._course, self._discarded = None, record
            self.state_changed.emit(None)
            self.cancelled.emit(info.name)

        def kept(error: Exception) -> None:
            course.unwanted = False
            self._broken(error)
            self.state_changed.emit(info)

        self._lane.submit(lambda: self._store.delete(record), gone, kept)

    def _show_again(self, record: RunRecord | None) -> None:
        if record is None or self.busy:
            return
        course = self._course = _Course(record, RunTail(record), started=True, over=True)
        self._lane.submit(RunTail(record).poll, partial(self._take_growth, course), self._broken)

    def _broken(self, error: Exception) -> None:
        log.error("A run's folder failed", exc_info=error)
        self.failed.emit(*describe_error(error))

    # The process

    def _do(self, job: _Job, **details: Any) -> None:
        self._jobs.append(job)
        self._worker.send({"do": job.kind, **details})

    def _drop_estimates(self) -> None:
        """Nobody waits for a process that tries steps of another plan."""
        if self._jobs:
            self._worker.send({"do": "stop"})

    def _hear(self, message: Mapping[str, Any]) -> None:
        word = message["say"]
        job = self._jobs.popleft() if word in _LAST_WORDS and self._jobs else None
        if word == "ready":
            devices = [(name, title) for name, title in message["devices"]]
            self.prepared.emit([("auto", f"Automatic: {devices[0][1]}"), *devices])
        elif word == "progress":
            self.activity.emit(message["share"], message["text"])
        elif word == "started" and self._course is not None:
            self._course.started = True
            self._poll()
        elif job is not None and job.kind == "train":
            self._conclude(message.get("message", ""), message.get("details", ""))
        elif word == "estimate" and job is not None:
            self.estimated.emit(job.plan, Estimate.from_dict(message))
        elif word == "quick":
            self.compared.emit(message["values"])
        elif word == "failed" and job is not None and job.kind == "estimate":
            self.inestimable.emit(job.plan, message["message"])

    def _worker_ended(self, code: int, tail: str) -> None:
        """The process is gone: killed by a person or by a system that ran out of memory, or crashed."""
        log.warning("The training process ended with %d: %s", code, tail)
        jobs = [*self._jobs]
        self._jobs.clear()
        if any(job.kind == "train" for job in jobs):
            killed = code == -getattr(signal, "SIGKILL", 9)
            why = "was ended from outside, perhaps because memory ran out" if killed else "ended unexpectedly"
            if self._course is not None:
                self._course.died = True
            self._conclude(f"The training process {why}. What was saved last is kept: Resume goes on from there.", tail)
        for job in jobs:
            if job.kind == "estimate":
                self.inestimable.emit(
                    job.plan, "The trial steps ended unexpectedly. Choose a smaller batch or another device."
                )
