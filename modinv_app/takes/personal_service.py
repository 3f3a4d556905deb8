"""Trains with people's takes in the worker process, and finds the results of earlier trainings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model.evaluation.personal_results import Counts, PersonalResults
from model.runs.personal_runs import PersonalRun, latest_run, personal_config
from model.runs.store import RunRecord, RunStore
from model.training.config import TrainingConfig
from modinv_app.jobs.client import Job, JobClient
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_SAVING_SECONDS = 30.0  # for a process to save its run when the window closes


@dataclass(frozen=True, slots=True)
class Work:
    """What a training is doing.

    Attributes
    ----------
    share
        Of all its steps that are done, in [0, 1].
    text
        What is being done.
    paused
        Whether it is paused.
    pending
        What was asked of it and is not done yet, ``"Stopping…"``; may be empty.
    """

    share: float = 0.0
    text: str = "Getting ready"
    paused: bool = False
    pending: str = ""


class PersonalService(QObject):
    """The training that runs here, and the results of the latest one.

    Parameters
    ----------
    store
        Where runs are stored.
    client
        Trains.

    Attributes
    ----------
    work
        What is being done; ``None`` while nothing trains here.
    run
        The latest run that has ended, or is trained by another process; ``None`` if there is none.
    results
        What has been counted: of the training here, or else of the latest run.
    message
        Why the last training here has failed, and what to do; empty if it has not.

    Signals
    -------
    changed()
        An attribute has changed.
    failed(str, str)
        Something went wrong: what and what to do, and details to copy.
    finished(PersonalRun)
        A training is complete.
    """

    changed = Signal()
    failed = Signal(str, str)
    finished = Signal(object)

    def __init__(self, store: RunStore, client: JobClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.work: Work | None = None
        self.run: PersonalRun | None = None
        self.results: PersonalResults | None = None
        self.message = ""
        self._store = store
        self._client = client
        self._executor = SerialExecutor("training with takes", self)
        self._job: Job | None = None
        self._folder: Path | None = None  # of the run that trains
        self._complete = False

    def close(self) -> None:
        """End the thread; the client ends the training."""
        self._executor.close()

    def refresh(self) -> None:
        """Look for the latest run again, unless one trains here."""
        if self.work is None:
            self._executor.submit(lambda: latest_run(self._store), self._show_run, self._report)

    def plan(self, start: Path, counts: Counts, done: Callable[[TrainingConfig | Exception], object]) -> None:
        """Have read what would be trained; ``done`` gets the configuration, or why it is impossible.

        Parameters
        ----------
        start
            File of the model to start from.
        counts
            How many takes there are to train on.
        """
        self._executor.submit(partial(personal_config, start, counts), done, done)

    # Commands

    def start(self, start: Path, people: tuple[str, ...], leave_out: bool) -> None:
        """Train a model, given by its file, with the takes of these people."""
        self._begin(start=str(start), people=list(people), leave_out=leave_out)

    def resume(self) -> None:
        """Train the latest run to its end, and count what was not."""
        if self.run is not None:
            self._begin(folder=str(self.run.record.folder))

    def pause(self) -> None:
        """Pause after the current step."""
        if self._job is not None and self.work is not None:
            self._change(replace(self.work, pending="Pausing…"))
            self._job.pause()

    def unpause(self) -> None:
        """Continue after a pause."""
        if self._job is not None:
            self._job.unpause()

    def stop(self) -> None:
        """Stop training and keep what there is."""
        if self._job is not None and self.work is not None:
            self._change(replace(self.work, pending="Stopping…"))
            self._job.stop()

    # The job

    def _begin(self, **request: Any) -> None:
        if not self._client.begin_training("takes"):
            if obstacle := self._client.obstacle("takes"):
                self.failed.emit(obstacle, "")
            return
        self.message, self._folder, self._complete = "", None, False
        job = self._job = self._client.submit("takes", **request)
        job.received.connect(self._on_message)
        job.finished.connect(self._on_end)
        job.failed.connect(self._on_end)
        self._change(Work())

    def _on_message(self, message: Mapping[str, Any]) -> None:
        assert self.work is not None
        assert self._job is not None
        word = message["say"]
        if word == "progress":
            share = self.work.share if message["share"] is None else max(self.work.share, message["share"])
            if self._folder is None:  # the share is that of reading takes
                share = 0.0
            self._change(replace(self.work, share=share, text=message["text"]))
        elif word == "run":
            self._folder = Path(message["folder"])
            self._job.close_timeout = _SAVING_SECONDS
        elif word == "results":
            self.results = PersonalResults.from_dict(message["results"])
            self.changed.emit()
        elif word in ("paused", "going"):
            pending = self.work.pending if self.work.pending == "Stopping…" else ""
            self._change(replace(self.work, paused=word == "paused", pending=pending))
        elif word == "ended":
            self._complete = message["complete"]

    def _on_end(self, message: str = "", details: str = "") -> None:
        """Read the run as its process has left it."""
        self._job, self.message = None, message
        complete, counted = self._complete, self.results if self._folder is not None else None

        def look() -> PersonalRun | None:
            found = latest_run(self._store)
            if self._folder is None or counted is None:
                return found
            if found is not None and found.record.folder == self._folder:
                return replace(found, results=counted)
            record = RunRecord(self._folder)  # there was no room for its results, perhaps
            return PersonalRun(record, record.info(), counted, record.model_file.is_file())

        def show(run: PersonalRun | None) -> None:
            self._end()
            self._show_run(run)
            if message:
                self.failed.emit(message, details)
            elif complete and run is not None:
                self.finished.emit(run)

        def unreadable(error: Exception) -> None:
            self._end()
            self._report(error)

        self._executor.submit(look, show, unreadable)

    def _end(self) -> None:
        self._change(None)
        self._client.end_training()

    def _change(self, work: Work | None) -> None:
        self.work = work
        self.changed.emit()

    def _show_run(self, run: PersonalRun | None) -> None:
        if self.work is None:
            self.run, self.results = run, run.results if run is not None else None
            self.changed.emit()

    def _report(self, error: Exception) -> None:
        log.error("Runs with takes could not be read", exc_info=error)
        self.failed.emit(*describe_error(error))
