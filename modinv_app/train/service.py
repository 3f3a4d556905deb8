"""Trains runs in the worker process, and follows them in their folders."""

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

_SAVING_SECONDS = 30.0  # for a process to save its run when the window closes


@dataclass(slots=True, eq=False)
class _ActiveRun:
    """The current run: ``record`` and ``info`` once its folder is read, ``job`` while it trains."""

    record: RunRecord | None = None
    info: RunInfo | None = None
    job: Job | None = None
    started: bool = False  # the first step is done
    ending: bool = False  # it was asked to stop
    discard: bool = False  # and to be discarded
    over: bool = False  # the job has ended
    died: bool = False  # because its process ended
    message: str = ""


class TrainingService(QObject):
    """The current run: the one that trains here, or trained last.

    Parameters
    ----------
    store
        Where runs are stored.
    client
        Trains.
    library
        Follows the run.

    Signals
    -------
    activity(float or None, str)
        Progress in [0, 1], or None, and what is done before the first step or between steps.
    state_changed(RunInfo or None)
        The state of the current run; None if there is none any more.
    updated(RunUpdate)
        New points and snapshots of the current run.
    failed(str, str)
        The current run has failed, or could not start: what happened and what to do, and details to copy.
    finished(RunInfo)
        The current run is complete.
    cancelled(str)
        The run of this name was discarded; `undo_cancel` restores it.
    compared(dict)
        The quick estimates of another model on the items of the current run.
    """

    activity = Signal(object, str)
    state_changed = Signal(object)
    updated = Signal(object)
    failed = Signal(str, str)
    finished = Signal(object)
    cancelled = Signal(str)
    compared = Signal(object)

    def __init__(self, store: RunStore, client: JobClient, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._client = client
        self._library = library
        self._library.updated.connect(self._follow)
        self._executor = SerialExecutor("training", self)
        self._active: _ActiveRun | None = None
        self._discarded: RunRecord | None = None

    @property
    def busy(self) -> bool:
        """Whether a run trains, is paused, starts or stops."""
        return self._client.training == "train"

    @property
    def record(self) -> RunRecord | None:
        """The current run."""
        return self._active.record if self._active else None

    # Commands

    def start(self, plan: TrainingConfig) -> None:
        """Train a new run."""
        self._begin(lambda: RunRecord(self._store.new_folder(plan)))

    def resume(self, record: RunRecord) -> None:
        """Continue a run from its last checkpoint."""
        self._begin(lambda: record)

    def pause(self) -> None:
        """Pause after the current step."""
        if (job := self._job) is not None:
            job.pause()

    def unpause(self) -> None:
        """Continue after a pause."""
        if (job := self._job) is not None:
            job.unpause()

    def stop(self) -> None:
        """Stop training and keep what there is."""
        if self._active is not None and not self._active.over:
            self._active.ending = True
            if (job := self._job) is not None:
                job.stop()

    def cancel(self) -> None:
        """Stop training and discard the run; `undo_cancel` restores it."""
        if self._active is not None and not self._active.over:
            self._active.discard = True
            self.stop()

    @property
    def _job(self) -> Job | None:
        return self._active.job if self._active else None

    def undo_cancel(self) -> None:
        """Restore the run that was discarded last, as a stopped one."""
        record = self._discarded
        if record is not None:
            self._discarded = None
            self._executor.submit(lambda: self._store.undo_delete(record), self._show_restored, self._report_error)

    def refresh(self) -> None:
        """Forget the current run if its folder was deleted."""
        run = self._active
        if run is None or run.record is None or self.busy:
            return

        def see(exists: bool) -> None:
            if not exists and run is self._active:
                self._active = None
                self.state_changed.emit(None)

        record = run.record
        self._executor.submit(lambda: record.exists, see, self._report_error)

    def compare(self, model: Path) -> None:
        """Estimate another model quickly on the items of the current run."""
        record = self.record
        if record is not None and self._client.training is None and record.probe_file.exists():
            job = self._client.submit("quick", checkpoint=str(model), probe=str(record.probe_file))
            job.received.connect(self._on_comparison)

    def close(self) -> None:
        """End the thread; the client ends the training."""
        self._executor.close()

    # Starting and following

    def _begin(self, open_run: Callable[[], RunRecord]) -> None:
        if not self._client.begin_training("train"):
            if obstacle := self._client.obstacle("train"):
                self.failed.emit(obstacle, "")
            return
        run = self._active = _ActiveRun()

        def opened(found: tuple[RunRecord, RunInfo]) -> None:
            run.record, info = found
            run.info = replace(info, state="waiting", message="")
            self._library.follow(self, [run.record])
            if run.ending:  # stopped before it started
                self._on_job_end("")
                return
            job = run.job = self._client.submit("train", plan=info.plan.to_dict(), folder=str(run.record.folder))
            job.received.connect(self._on_message)
            job.finished.connect(self._on_job_end)
            job.failed.connect(self._on_job_end)
            self.state_changed.emit(run.info)

        def failed(error: Exception) -> None:
            self._clear()
            self._report_error(error)
            self.state_changed.emit(None)

        def work() -> tuple[RunRecord, RunInfo]:
            record = open_run()
            return record, record.info()

        self._executor.submit(work, opened, failed)

    def _on_message(self, message: Mapping[str, Any]) -> None:
        run = self._active
        assert run is not None
        assert run.job is not None
        if message["say"] == "progress":
            self.activity.emit(message["share"], message["text"])
        elif message["say"] == "started":
            run.started = True
            run.job.close_timeout = _SAVING_SECONDS
            assert run.record is not None
            self._library.poll(run.record, partial(self._take_update, run), self._report_error)

    def _on_comparison(self, message: Mapping[str, Any]) -> None:
        if message["say"] == "quick":
            self.compared.emit(message["values"])

    def _follow(self, record: RunRecord, update: RunUpdate) -> None:
        run = self._active
        if run is not None and not run.over and run.record is not None and record.folder == run.record.folder:
            self._take_update(run, update)

    def _take_update(self, run: _ActiveRun, update: RunUpdate) -> None:
        info = update.info
        if not run.over and (not run.started or info.state not in ("running", "paused")):
            # The folder is older than the job, or the job has not yet reported its end.
            info = replace(info, state="running" if run.started else "waiting", message="")
        if run.over and info.state not in ("stopped", "complete", "failed"):  # the process could not write it
            state: State = "interrupted" if run.died else "failed" if run.message else "stopped"
            info = replace(info, state=state, message=run.message, resumable=True)
        if update.points or update.snapshots or update.restarted:
            self.updated.emit(replace(update, info=info))
        if info != run.info:
            run.info = info
            self.state_changed.emit(info)

    def _on_job_end(self, message: str = "", details: str = "") -> None:
        """Read the last update after the end of the job, then report how it ended."""
        run = self._active
        assert run is not None
        assert run.record is not None

        def read(update: RunUpdate) -> None:
            run.over = True
            self._library.follow(self, [])
            if not run.discard:
                self._client.end_training()
            self._take_update(run, update)
            if run.discard:
                self._discard(run)
            elif run.info is not None and run.info.state == "complete":
                self.finished.emit(run.info)
            elif message:
                self.failed.emit(message, details)

        def unreadable(error: Exception) -> None:
            self._clear()
            self._report_error(error)
            self.state_changed.emit(None)

        run.died = run.job is not None and run.job.died
        run.job, run.message = None, message
        self._library.poll(run.record, read, unreadable)

    def _discard(self, run: _ActiveRun) -> None:
        record, info = run.record, run.info
        assert record is not None
        assert info is not None

        def gone(_nothing: None) -> None:
            self._clear()
            self._discarded = record
            self.state_changed.emit(None)
            self.cancelled.emit(info.name)

        def kept(error: Exception) -> None:
            self._client.end_training()
            self._report_error(error)
            self.state_changed.emit(info)

        self._executor.submit(lambda: self._store.delete(record), gone, kept)

    def _show_restored(self, record: RunRecord | None) -> None:
        if record is None or self.busy:
            return
        run = self._active = _ActiveRun(record, started=True, over=True)
        self._executor.submit(RunTail(record).poll, partial(self._take_update, run), self._report_error)

    def _clear(self) -> None:
        """Have no current run."""
        self._active = None
        self._client.end_training()

    def _report_error(self, error: Exception) -> None:
        log.error("A run's folder failed", exc_info=error)
        self.failed.emit(*describe_error(error))
