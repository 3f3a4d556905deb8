"""Trains and evaluates sweeps in the worker process, and loads their results in a thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model.sweeps.plans import Plan
from model.sweeps.records import SweepRecord, SweepStore, SweptRun, runs_of
from model.sweeps.results import Results, load_results
from modinv_app.jobs.client import Job, JobClient
from modinv_app.jobs.executor import SerialExecutor, describe_error
from modinv_app.sweep.sweep_entry import (
    SweepState,
    failures,
    listings,
    open_sweep,
    title_of,
    title_of_run,
    with_reported,
)

log = logging.getLogger(__name__)

_SAVING_SECONDS = 10.0  # for a process to save its run when the window closes


class SweepService(QObject):
    """The current sweep: the one that trains here, or that was opened last.

    Parameters
    ----------
    store
        Where the user's sweeps are stored.
    client
        Trains and evaluates its runs.

    Signals
    -------
    listed(list of Listing)
        The sweeps to choose from: first the shipped one, then the user's, the newest first.
    state_changed(SweepState)
        The state of the current sweep.
    loaded(SweepResults or ComparisonResults)
        The results of the current sweep.
    finished(str)
        The sweep of this title is trained and evaluated.
    failed(str, str)
        Something went wrong: what and what to do, and details to copy.
    """

    listed = Signal(object)
    state_changed = Signal(object)
    loaded = Signal(object)
    finished = Signal(str)
    failed = Signal(str, str)

    def __init__(self, store: SweepStore, client: JobClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._client = client
        self._executor = SerialExecutor("sweeps", self)
        self._job: Job | None = None
        self._file: Path | None = None  # of the results, once they are written
        self._state: SweepState | None = None

    @property
    def busy(self) -> bool:
        """Whether a sweep trains, starts or stops."""
        return self._client.training == "sweep"

    @property
    def state(self) -> SweepState | None:
        """The state of the current sweep."""
        return self._state

    def close(self) -> None:
        """End the thread; the client ends the training."""
        self._executor.close()

    def refresh(self) -> None:
        """List the sweeps to choose from."""
        self._executor.submit(lambda: listings(self._store), self.listed.emit, self._report_error)

    def open(self, path: Path) -> None:
        """Open a folder or a file of results, unless a sweep trains."""
        if self.busy:
            return

        def opened(found: tuple[SweepState, Results | None]) -> None:
            if self.busy:
                return
            state, results = found
            self._change(state)
            if results is not None:
                self.loaded.emit(results)

        self._executor.submit(partial(open_sweep, path), opened, self._report_error)

    # Training

    def start(self, plan: Plan) -> None:
        """Train a new sweep."""
        self._begin(
            SweepState(title_of(plan, datetime.now().astimezone()), runs_of(plan)),
            lambda: (self._store.new(plan), plan),
        )

    def resume(self) -> None:
        """Continue the current sweep: complete runs are kept, failed ones are tried again."""
        state = self._state
        if state is not None and state.record is not None:
            record = state.record
            self._begin(replace(state, message=""), lambda: (record, record.plan()))

    def stop(self) -> None:
        """Stop the sweep and keep what there is."""
        if self._state is not None and self._state.active and not self._state.ending:
            self._change(replace(self._state, ending=True))
            if self._job is not None:
                self._job.stop()

    def _begin(self, state: SweepState, prepare: Callable[[], tuple[SweepRecord, Plan]]) -> None:
        if not self._client.begin_training("sweep"):
            if obstacle := self._client.obstacle("sweep"):
                self.failed.emit(obstacle, "")
            return
        waiting = tuple(
            run if run.state == "complete" else replace(run, message="", state="waiting") for run in state.runs
        )
        ready = replace(state, runs=waiting, active=True, ending=False)
        self._change(replace(ready, share=0.0, text="Getting ready", ends_at=None))

        def prepared(found: tuple[SweepRecord, Plan]) -> None:
            record, plan = found
            assert self._state is not None
            self._change(replace(self._state, record=record))
            if self._state.ending:  # stopped before it started
                self._end("")
                return
            job = self._job = self._client.submit("sweep", plan=plan.to_dict(), folder=str(record.folder))
            job.close_timeout = _SAVING_SECONDS
            job.received.connect(self._on_message)
            job.finished.connect(self._finish)
            job.failed.connect(self._end)

        def failed(error: Exception) -> None:
            self._end(str(error))
            self._report_error(error)

        self._executor.submit(prepare, prepared, failed)

    def _end(self, message: str, details: str | None = None) -> None:
        """Handle the end of the sweep, and read from disk what was kept."""
        assert self._state is not None
        self._job = self._file = None
        state = replace(self._state, active=False, ending=False, text="", message=message)
        self._change(state)
        self._client.end_training()
        if details is not None:
            self.failed.emit(message, details)
        self.refresh()
        if state.record is None:
            return
        record = state.record

        def read(runs: tuple[SweptRun, ...]) -> None:
            if self._state is not None and self._state.record == record and not self.busy:
                known = with_reported(runs, self._state.runs)
                self._change(replace(self._state, runs=known, message=message or failures(known)))

        self._executor.submit(record.runs, read, partial(log.warning, "The sweep's folder can't be read: %s"))

    # Messages of the process

    def _on_message(self, message: Mapping[str, Any]) -> None:
        kind = message["say"]
        if kind == "progress":
            self._on_progress(message)
        elif kind == "judged":
            figures = {"purity": message["purity"], "modality_svm": message["modality_svm"]}
            self._change_run(message["name"], state="complete", share=1.0, **figures)
        elif kind == "run_failed":
            self._change_run(message["name"], state="failed", message=message["message"])
        elif kind == "swept":
            self._file = Path(message["file"])

    def _on_progress(self, message: Mapping[str, Any]) -> None:
        assert self._state is not None
        progress = message["run"]
        runs = tuple(
            replace(run, state="running", share=progress["share"]) if run.name == progress["name"] else run
            for run in self._state.runs
        )
        running = [run for run in runs if run.state == "running"]
        alone = f"{title_of_run(running[0])}: {progress['text']}"
        self._change(
            replace(
                self._state,
                runs=runs,
                share=message["share"],
                text=alone if len(running) == 1 else f"{len(running)} runs at the same time",
                ends_at=None if message["left"] is None else time.monotonic() + message["left"],
            )
        )

    def _finish(self) -> None:
        """Handle the end of the job: it has written results, or was stopped."""
        if (file := self._file) is None:
            self._end("")
            return

        def loaded(results: Results) -> None:
            assert self._state is not None
            title = self._state.title
            self._state = replace(self._state, finished=True, share=1.0)
            self._end("")
            self.loaded.emit(results)
            self.finished.emit(title)

        def failed(error: Exception) -> None:
            self._end(str(error))
            self._report_error(error)

        self._executor.submit(lambda: load_results(file), loaded, failed)

    def _change_run(self, name: str, **values: Any) -> None:
        assert self._state is not None
        runs = tuple(replace(run, **values) if run.name == name else run for run in self._state.runs)
        self._change(replace(self._state, runs=runs))

    def _change(self, state: SweepState) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _report_error(self, error: Exception) -> None:
        log.error("A sweep failed", exc_info=error)
        self.failed.emit(*describe_error(error))
