"""Sweeps for the window: a process trains and judges one run after the other, and nobody here waits for it."""

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

from model.evaluation.sweep_results import SweepResults
from model.sweeps.records import SweepRecord, SweepStore, SweptRun, runs_of
from model.sweeps.runner import SweepPlan
from modinv_app.jobs.client import Job, JobClient
from modinv_app.jobs.executor import SerialExecutor, describe_error
from modinv_app.sweep.sweep_entry import SweepState, failures, listings, open_sweep, title_of, title_of_run, with_heard

log = logging.getLogger(__name__)

_SAVING_SECONDS = 10.0  # that a process may take to keep its run while the window closes


class SweepService(QObject):
    """The sweep at hand: the one that trains here, or that was opened last.

    Parameters
    ----------
    store
        Where the user's sweeps are kept.
    client
        Trains and judges its runs.

    Signals
    -------
    listed(list of Listing)
        The sweeps to choose from: the one that ships first, then the user's own, the newest first.
    state_changed(SweepState)
        How the sweep at hand stands.
    loaded(SweepResults)
        The results of the sweep at hand.
    finished(str)
        The sweep of this title is trained and judged.
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
        self._lane = SerialExecutor("sweeps", self)
        self._job: Job | None = None
        self._file: Path | None = None  # the results, once the job has written them
        self._state: SweepState | None = None

    @property
    def busy(self) -> bool:
        """Whether a sweep is trained or judged, or is on its way or its way out."""
        return self._client.training == "sweep"

    @property
    def state(self) -> SweepState | None:
        """How the sweep at hand stands."""
        return self._state

    def close(self) -> None:
        """End the thread. What trains is the client's business."""
        self._lane.close()

    # What there is

    def look(self) -> None:
        """Find the sweeps to choose from."""
        self._lane.submit(lambda: listings(self._store), self.listed.emit, self._broken)

    def open(self, path: Path) -> None:
        """Take a sweep at hand: a folder, or a file of results; not while another one is trained."""
        if self.busy:
            return

        def opened(found: tuple[SweepState, SweepResults | None]) -> None:
            if self.busy:
                return
            state, results = found
            self._change(state)
            if results is not None:
                self.loaded.emit(results)

        self._lane.submit(partial(open_sweep, path), opened, self._broken)

    # Training

    def start(self, plan: SweepPlan) -> None:
        """Train a new sweep."""
        self._begin(
            SweepState(title_of(plan, datetime.now().astimezone()), runs_of(plan)),
            lambda: (self._store.new(plan), plan),
        )

    def resume(self) -> None:
        """Go on with the sweep at hand: what is complete is not trained again, what has failed is tried again."""
        state = self._state
        if state is not None and state.record is not None:
            record = state.record
            self._begin(replace(state, message=""), lambda: (record, record.plan()))

    def stop(self) -> None:
        """End the sweep and keep what there is."""
        if self._state is not None and self._state.active and not self._state.ending:
            self._change(replace(self._state, ending=True))
            if self._job is not None:
                self._job.stop()

    def _begin(self, state: SweepState, prepare: Callable[[], tuple[SweepRecord, SweepPlan]]) -> None:
        if not self._client.begin_training("sweep"):
            if obstacle := self._client.obstacle("sweep"):
                self.failed.emit(obstacle, "")
            return
        waiting = tuple(
            run if run.state == "complete" else replace(run, message="", state="waiting") for run in state.runs
        )
        ready = replace(state, runs=waiting, active=True, ending=False)
        self._change(replace(ready, share=0.0, text="Getting ready", ends_at=None))

        def prepared(found: tuple[SweepRecord, SweepPlan]) -> None:
            record, plan = found
            assert self._state is not None
            self._change(replace(self._state, record=record))
            if self._state.ending:  # before it had begun
                self._end("")
                return
            job = self._job = self._client.submit("sweep", plan=plan.to_dict(), folder=str(record.folder))
            job.patience = _SAVING_SECONDS
            job.said.connect(self._hear)
            job.finished.connect(self._finish)
            job.failed.connect(self._end)

        def failed(error: Exception) -> None:
            self._end(str(error))
            self._broken(error)

        self._lane.submit(prepare, prepared, failed)

    def _end(self, message: str, details: str | None = None) -> None:
        """Nothing is done any more; what there is was kept."""
        assert self._state is not None
        self._job = self._file = None
        state = replace(self._state, active=False, ending=False, text="", message=message)
        self._change(state)
        self._client.end_training()
        if details is not None:
            self.failed.emit(message, details)
        self.look()
        if state.record is None:
            return
        record = state.record

        def read(runs: tuple[SweptRun, ...]) -> None:
            if self._state is not None and self._state.record == record and not self.busy:
                known = with_heard(runs, self._state.runs)
                self._change(replace(self._state, runs=known, message=message or failures(known)))

        self._lane.submit(record.runs, read, partial(log.warning, "The sweep's folder can't be read: %s"))

    # What the process says

    def _hear(self, message: Mapping[str, Any]) -> None:
        word = message["say"]
        if word == "progress":
            self._hear_progress(message)
        elif word == "judged":
            figures = {"purity": message["purity"], "modality_svm": message["modality_svm"]}
            self._change_run(message["name"], state="complete", share=1.0, **figures)
        elif word == "run_failed":
            self._change_run(message["name"], state="failed", message=message["message"])
        elif word == "swept":
            self._file = Path(message["file"])

    def _hear_progress(self, message: Mapping[str, Any]) -> None:
        assert self._state is not None
        heard = message["run"]
        run = next(run for run in self._state.runs if run.name == heard["name"])
        self._state = replace(
            self._state,
            share=message["share"],
            text=f"{title_of_run(run)}: {heard['text']}",
            ends_at=None if message["left"] is None else time.monotonic() + message["left"],
        )
        self._change_run(run.name, state="running", share=heard["share"])

    def _finish(self) -> None:
        """The job is over: there are results, or it was stopped."""
        if (file := self._file) is None:
            self._end("")
            return

        def loaded(results: SweepResults) -> None:
            assert self._state is not None
            title = self._state.title
            self._state = replace(self._state, finished=True, share=1.0)
            self._end("")
            self.loaded.emit(results)
            self.finished.emit(title)

        def broken(error: Exception) -> None:
            self._end(str(error))
            self._broken(error)

        self._lane.submit(lambda: SweepResults.load(file), loaded, broken)

    def _change_run(self, name: str, **values: Any) -> None:
        assert self._state is not None
        runs = tuple(replace(run, **values) if run.name == name else run for run in self._state.runs)
        self._change(replace(self._state, runs=runs))

    def _change(self, state: SweepState) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _broken(self, error: Exception) -> None:
        log.error("A sweep failed", exc_info=error)
        self.failed.emit(*describe_error(error))
