"""Sweeps for the window: a process trains and judges one run after the other, and nobody here waits for it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model.evaluation.sweep_results import SweepResults
from model.sweeps.records import SweepRecord, SweepStore, SweptRun, runs_of
from model.sweeps.runner import SweepPlan
from model.training.config import Estimate, TrainingConfig
from modinv_app.jobs.executor import SerialExecutor, describe_error
from modinv_app.jobs.worker_process import COMMAND, Worker
from modinv_app.sweep.sweep_entry import SweepState, failures, listings, open_sweep, title_of, title_of_run, with_heard

log = logging.getLogger(__name__)

_SAVING_SECONDS = 10.0  # that a process may take to keep its run while the window closes
_IDLE_SECONDS = 1.0  # where there is nothing to keep
_LAST_WORDS = ("estimate", "swept", "stopped", "failed")
"""What the process says at the end of a job: one of these, once."""
_DIED = (
    "The sweep's process ended, perhaps because memory ran out. All that was saved is kept: Resume goes on from there."
)


class SweepService(QObject):
    """One process that estimates and sweeps, and the sweep at hand: the one that it works at, or that was opened last.

    Parameters
    ----------
    store
        Where the user's sweeps are kept.
    command
        Starts the process.

    Signals
    -------
    listed(list of Listing)
        The sweeps to choose from: the one that ships first, then the user's own, the newest first.
    state_changed(SweepState)
        How the sweep at hand stands.
    loaded(SweepResults)
        The results of the sweep at hand.
    busy_changed(bool)
        A sweep has begun, or is over.
    finished(str)
        The sweep of this title is trained and judged.
    estimated(Plan, Estimate)
        What a run will cost.
    inestimable(Plan, str)
        Why trial steps failed, and what to do.
    failed(str, str)
        Something went wrong: what and what to do, and details to copy.
    """

    listed = Signal(object)
    state_changed = Signal(object)
    loaded = Signal(object)
    busy_changed = Signal(bool)
    finished = Signal(str)
    estimated = Signal(object, object)
    inestimable = Signal(object, str)
    failed = Signal(str, str)

    def __init__(self, store: SweepStore, parent: QObject | None = None, command: Sequence[str] = COMMAND) -> None:
        super().__init__(parent)
        self._store = store
        self._lane = SerialExecutor("sweeps", self)
        self._worker = Worker(self, command)
        self._worker.said.connect(self._hear)
        self._worker.ended.connect(self._worker_ended)
        self._jobs: deque[TrainingConfig | SweepPlan] = deque()  # of the process: a plan is tried out, a sweep trained
        self._state: SweepState | None = None

    @property
    def busy(self) -> bool:
        """Whether a sweep is trained or judged, or is on its way or its way out."""
        return self._state is not None and self._state.active

    @property
    def state(self) -> SweepState | None:
        """How the sweep at hand stands."""
        return self._state

    @property
    def worker_pid(self) -> int | None:
        """The process's number, once there is one."""
        return self._worker.pid

    def close(self) -> None:
        """Let the process keep what it has and go, and end the threads."""
        self._worker.close(_SAVING_SECONDS if self.busy else _IDLE_SECONDS)
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

    def estimate(self, plan: TrainingConfig) -> None:
        """Try some steps of a run, unless something else is done."""
        if not self.busy and plan not in self._jobs:
            self.drop_estimates()
            self._jobs.append(plan)
            self._worker.send({"do": "estimate", "plan": plan.to_dict()})

    def drop_estimates(self) -> None:
        """Nobody waits for an estimate any more."""
        if self._jobs and not self.busy:
            self._worker.send({"do": "stop"})

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
            if any(isinstance(job, SweepPlan) for job in self._jobs):
                self._worker.send({"do": "stop"})

    def _begin(self, state: SweepState, prepare: Callable[[], tuple[SweepRecord, SweepPlan]]) -> None:
        if self.busy:
            return
        self.drop_estimates()
        waiting = tuple(
            run if run.state == "complete" else replace(run, message="", state="waiting") for run in state.runs
        )
        ready = replace(state, runs=waiting, active=True, ending=False)
        self._change(replace(ready, share=0.0, text="Getting ready", ends_at=None))
        self.busy_changed.emit(True)

        def prepared(found: tuple[SweepRecord, SweepPlan]) -> None:
            record, plan = found
            assert self._state is not None
            self._change(replace(self._state, record=record))
            if self._state.ending:  # before it had begun
                self._end("")
                return
            self._jobs.append(plan)
            self._worker.send({"do": "sweep", "plan": plan.to_dict(), "folder": str(record.folder)})

        def failed(error: Exception) -> None:
            self._end(str(error))
            self._broken(error)

        self._lane.submit(prepare, prepared, failed)

    def _end(self, message: str, details: str | None = None) -> None:
        """Nothing is done any more; what there is was kept."""
        assert self._state is not None
        state = replace(self._state, active=False, ending=False, text="", message=message)
        self._change(state)
        self.busy_changed.emit(False)
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
        if not self._jobs:
            return  # it is ready
        job = self._jobs.popleft() if message["say"] in _LAST_WORDS else self._jobs[0]
        if isinstance(job, TrainingConfig):
            self._hear_estimate(job, message)
        else:
            self._hear_sweep(message)

    def _hear_sweep(self, message: Mapping[str, Any]) -> None:
        word = message["say"]
        if word == "progress":
            self._hear_progress(message)
        elif word == "judged":
            figures = {"purity": message["purity"], "modality_svm": message["modality_svm"]}
            self._change_run(message["name"], state="complete", share=1.0, **figures)
        elif word == "run_failed":
            self._change_run(message["name"], state="failed", message=message["message"])
        elif word == "swept":
            self._take_results(Path(message["file"]))
        elif word == "stopped":
            self._end("")
        elif word == "failed":
            self._end(message["message"], message["details"])

    def _hear_estimate(self, plan: TrainingConfig, message: Mapping[str, Any]) -> None:
        if message["say"] == "estimate":
            self.estimated.emit(plan, Estimate.from_dict(message))
        elif message["say"] == "failed":
            self.inestimable.emit(plan, message["message"])

    def _hear_progress(self, message: Mapping[str, Any]) -> None:
        assert self._state is not None
        describe_error = message["run"]
        run = next(run for run in self._state.runs if run.name == describe_error["name"])
        self._state = replace(
            self._state,
            share=message["share"],
            text=f"{title_of_run(run)}: {describe_error['text']}",
            ends_at=None if message["left"] is None else time.monotonic() + message["left"],
        )
        self._change_run(run.name, state="running", share=describe_error["share"])

    def _take_results(self, file: Path) -> None:
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

    def _worker_ended(self, code: int, tail: str) -> None:
        log.warning("The sweep's process ended with %d: %s", code, tail)
        jobs = [*self._jobs]
        self._jobs.clear()
        for job in jobs:
            if isinstance(job, TrainingConfig):
                self.inestimable.emit(job, "The trial steps ended unexpectedly. Choose a smaller batch.")
            else:
                self._end(_DIED, tail)

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
