"""Training from the window: a process trains, its run's folder tells, and nobody here waits for either."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model.runs.store import RunInfo, RunRecord, RunStore, RunTail, RunUpdate, State
from model.training.config import TrainingConfig
from modinv_app.common.run_library import RunLibrary
from modinv_app.jobs.client import Job, JobClient
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_SAVING_SECONDS = 30.0  # that a process may take to keep its run while the window closes


@dataclass(slots=True, eq=False)
class _Course:
    """The run at hand: ``record`` and ``info`` once its folder is read, ``job`` while it trains."""

    record: RunRecord | None = None
    info: RunInfo | None = None
    job: Job | None = None
    started: bool = False  # the first step is done
    ending: bool = False  # somebody wants it to end
    unwanted: bool = False  # and nothing of it to stay
    over: bool = False  # the process has let go of it
    died: bool = False  # with the process
    message: str = ""


class TrainingService(QObject):
    """The run that trains here or trained last, and what can be done with it.

    Parameters
    ----------
    store
        Where runs are kept.
    client
        Trains.
    library
        Follows the run.

    Signals
    -------
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

    activity = Signal(object, str)
    state_changed = Signal(object)
    grown = Signal(object)
    failed = Signal(str, str)
    finished = Signal(object)
    cancelled = Signal(str)
    compared = Signal(object)

    def __init__(self, store: RunStore, client: JobClient, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._client = client
        self._library = library
        self._library.grown.connect(self._follow)
        self._lane = SerialExecutor("training", self)
        self._course: _Course | None = None
        self._discarded: RunRecord | None = None

    @property
    def busy(self) -> bool:
        """Whether a run trains, is paused, or is on its way or its way out."""
        return self._client.training == "train"

    @property
    def record(self) -> RunRecord | None:
        """The run at hand: the one that trains, or trained last."""
        return self._course.record if self._course else None

    # What the window wants

    def start(self, plan: TrainingConfig) -> None:
        """Train a new run."""
        self._begin(lambda: RunRecord(self._store.new_folder(plan)))

    def resume(self, record: RunRecord) -> None:
        """Go on with a run from its last checkpoint."""
        self._begin(lambda: record)

    def pause(self) -> None:
        """Hold on after the present step."""
        if (job := self._job) is not None:
            job.pause()

    def go(self) -> None:
        """Go on after a pause."""
        if (job := self._job) is not None:
            job.go()

    def stop(self) -> None:
        """End training and keep what there is."""
        if self._course is not None and not self._course.over:
            self._course.ending = True
            if (job := self._job) is not None:
                job.stop()

    def cancel(self) -> None:
        """End training and discard the run; `undo_cancel` brings it back."""
        if self._course is not None and not self._course.over:
            self._course.unwanted = True
            self.stop()

    @property
    def _job(self) -> Job | None:
        return self._course.job if self._course else None

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
        if record is not None and self._client.training is None and record.probe_file.exists():
            job = self._client.submit("quick", checkpoint=str(model), probe=str(record.probe_file))
            job.said.connect(self._hear_comparison)

    def close(self) -> None:
        """End the thread. What trains is the client's business."""
        self._lane.close()

    # Beginning and following

    def _begin(self, open_run: Callable[[], RunRecord]) -> None:
        if not self._client.begin_training("train"):
            if obstacle := self._client.obstacle("train"):
                self.failed.emit(obstacle, "")
            return
        course = self._course = _Course()

        def opened(found: tuple[RunRecord, RunInfo]) -> None:
            course.record, info = found
            course.info = replace(info, state="waiting", message="")
            self._library.follow(self, [course.record])
            if course.ending:  # before it had begun
                self._conclude("")
                return
            job = course.job = self._client.submit("train", plan=info.plan.to_dict(), folder=str(course.record.folder))
            job.said.connect(self._hear)
            job.finished.connect(self._conclude)
            job.failed.connect(self._conclude)
            self.state_changed.emit(course.info)

        def failed(error: Exception) -> None:
            self._let_go()
            self._broken(error)
            self.state_changed.emit(None)

        def work() -> tuple[RunRecord, RunInfo]:
            record = open_run()
            return record, record.info()

        self._lane.submit(work, opened, failed)

    def _hear(self, message: Mapping[str, Any]) -> None:
        """What the job says."""
        course = self._course
        assert course is not None
        assert course.job is not None
        if message["say"] == "progress":
            self.activity.emit(message["share"], message["text"])
        elif message["say"] == "started":
            course.started = True
            course.job.patience = _SAVING_SECONDS
            assert course.record is not None
            self._library.look(course.record, partial(self._take_update, course), self._broken)

    def _hear_comparison(self, message: Mapping[str, Any]) -> None:
        if message["say"] == "quick":
            self.compared.emit(message["values"])

    def _follow(self, record: RunRecord, update: RunUpdate) -> None:
        """Something has come to a run that the library follows."""
        course = self._course
        at_hand = self.record
        if course is not None and not course.over and at_hand is not None and record.folder == at_hand.folder:
            self._take_update(course, update)

    def _take_update(self, course: _Course, update: RunUpdate) -> None:
        info = update.info
        if not course.over and (not course.started or info.state not in ("running", "paused")):
            # What the folder says is from before, or the process has not yet said that it is done.
            info = replace(info, state="running" if course.started else "waiting", message="")
        if course.over and info.state not in ("stopped", "complete", "failed"):  # that could not be written down
            state: State = "interrupted" if course.died else "failed" if course.message else "stopped"
            info = replace(info, state=state, message=course.message, resumable=True)
        if update.points or update.snapshots or update.restarted:
            self.grown.emit(replace(update, info=info))
        if info != course.info:
            course.info = info
            self.state_changed.emit(info)

    def _conclude(self, message: str = "", details: str = "") -> None:
        """The process has let the run go: read its last words, then say how it ended."""
        course = self._course
        assert course is not None
        assert course.record is not None

        def read(update: RunUpdate) -> None:
            course.over = True
            self._library.follow(self, [])
            if not course.unwanted:
                self._client.end_training()
            self._take_update(course, update)
            if course.unwanted:
                self._discard(course)
            elif course.info is not None and course.info.state == "complete":
                self.finished.emit(course.info)
            elif message:
                self.failed.emit(message, details)

        def unreadable(error: Exception) -> None:
            self._let_go()
            self._broken(error)
            self.state_changed.emit(None)

        course.died = course.job is not None and course.job.died
        course.job, course.message = None, message
        self._library.look(course.record, read, unreadable)

    def _discard(self, course: _Course) -> None:
        record, info = course.record, course.info
        assert record is not None
        assert info is not None

        def gone(_nothing: None) -> None:
            self._let_go()
            self._discarded = record
            self.state_changed.emit(None)
            self.cancelled.emit(info.name)

        def kept(error: Exception) -> None:
            self._client.end_training()
            self._broken(error)
            self.state_changed.emit(info)

        self._lane.submit(lambda: self._store.delete(record), gone, kept)

    def _show_again(self, record: RunRecord | None) -> None:
        if record is None or self.busy:
            return
        course = self._course = _Course(record, started=True, over=True)
        self._lane.submit(RunTail(record).poll, partial(self._take_update, course), self._broken)

    def _let_go(self) -> None:
        """Nothing is at hand any more."""
        self._course = None
        self._client.end_training()

    def _broken(self, error: Exception) -> None:
        log.error("A run's folder failed", exc_info=error)
        self.failed.emit(*describe_error(error))
