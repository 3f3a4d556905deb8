"""Evaluations for the window: the worker process judges models, and a thread reads what it found."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model import locations
from model.data.corpora import registry
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.store import Evaluation, find
from model.evaluation.sweep_results import SweepResults
from model.types import FloatArray
from modinv_app.common.model_catalogue import Model
from modinv_app.jobs.client import Job, JobClient, Kind
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A model and how to judge it."""

    model: Model
    protocol: EvaluationProtocol


class EvaluationService(QObject):
    """Judges models, one at a time, and fetches whatever an evaluation shows.

    Parameters
    ----------
    client
        Judges, and writes exports.

    Signals
    -------
    corpora_found(set of str)
        Those that are installed.
    looked_up(Request, Evaluation or None)
        What is known of a model from before.
    busy_changed(bool)
        An evaluation or an export has begun, or is over.
    progressed(float or None, str)
        The share of the work that is done, in [0, 1], and what is being done.
    partial(Request, dict)
        The numbers that are there so far, as of :meth:`~model.evaluation.report.Report.to_json_dict`.
    evaluated(Request, Evaluation)
        A model has been judged.
    stopped(Request)
        An evaluation is over without a result.
    features_loaded(Evaluation)
        From now on ``features_of`` knows its test inputs.
    sweep_loaded(SweepResults, Path)
        A sweep and its file.
    exported(str)
        A file or folder has been written.
    failed(str, str)
        What went wrong and what to do, and details to copy.
    """

    corpora_found = Signal(object)
    looked_up = Signal(object, object)
    busy_changed = Signal(bool)
    progressed = Signal(object, str)
    partial = Signal(object, object)
    evaluated = Signal(object, object)
    stopped = Signal(object)
    features_loaded = Signal(object)
    sweep_loaded = Signal(object, object)
    exported = Signal(str)
    failed = Signal(str, str)

    def __init__(self, client: JobClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._lane = SerialExecutor("evaluations", self)
        self._job: Job | None = None
        self._folder: Path | None = None  # the evaluation, once the job has written it
        self._request: Request | None = None  # what is being judged
        self._known: dict[str, Evaluation] = {}  # with their features in memory, by the state of their test inputs

    @property
    def evaluating(self) -> bool:
        """Whether a model is being judged."""
        return self._request is not None

    @property
    def busy(self) -> bool:
        """Whether an evaluation or an export is on its way."""
        return self._job is not None

    def close(self) -> None:
        """End the thread."""
        self._lane.close()

    def prepare(self) -> None:
        """Start the process, so that the first evaluation need not wait for its imports."""
        self._client.prepare()

    def look_around(self) -> None:
        """Find corpora to judge with."""
        self._lane.submit(_installed, self.corpora_found.emit, self._broken)

    def look_up(self, request: Request) -> None:
        """Find out whether a model was judged like this before."""

        def work() -> Evaluation | None:
            return find(request.model.file, request.protocol)

        self._lane.submit(work, lambda found: self.looked_up.emit(request, found), self._broken)

    def evaluate(self, request: Request) -> None:
        """Judge a model, unless something else is on its way."""
        if self.busy:
            return
        self._request = request
        self._submit("evaluate", checkpoint=str(request.model.file), protocol=request.protocol.to_dict())
        self.progressed.emit(None, "Starting…")

    def export(self, what: str, to: Path, models: Sequence[tuple[str, Evaluation]], sweep: Path | None) -> None:
        """Write something of :mod:`model.export`, unless something else is on its way.

        Parameters
        ----------
        what
            A name in :data:`model.export.writers.WRITERS`, or ``"everything"``.
        to
            The file or folder.
        models
            Judged models, each with its name; the first is the one that the export is about.
        sweep
            The file of a sweep, if there is one.
        """
        if self.busy:
            return
        folders = [(title, str(evaluation.folder)) for title, evaluation in models]
        self._submit("export", what=what, to=str(to), models=folders, sweep=str(sweep or ""))
        self.progressed.emit(None, f"Writing {to.name}…")

    def cancel(self) -> None:
        """Stop the evaluation that is on its way; ``stopped`` follows."""
        if self._request is not None and self._job is not None:
            self.progressed.emit(None, "Stopping…")
            self._job.stop()

    def load_features(self, evaluation: Evaluation) -> None:
        """Read the test inputs behind an evaluation, unless they are in memory."""
        state = _inputs(evaluation)
        if state in self._known:
            return

        def work() -> None:
            evaluation.features(0)  # the first of either modality reads all of them
            evaluation.features(evaluation.image_count)

        def done(_nothing: None) -> None:
            self._known[state] = evaluation
            self.features_loaded.emit(evaluation)

        self._lane.submit(work, done, self._broken)

    def features_of(self, evaluation: Evaluation, index: int) -> FloatArray | None:
        """What the encoder saw of an item: a look-up; ``None`` where ``load_features`` has not come so far."""
        known = self._known.get(_inputs(evaluation))
        return None if known is None else known.features(index)

    def load_sweep(self, path: Path | None = None) -> None:
        """Read a sweep; by default the one that ships, and nothing is said where none does."""
        file = path or locations.shipped_sweep()
        if path is None and not file.is_file():
            return
        self._lane.submit(
            lambda: SweepResults.load(file), lambda found: self.sweep_loaded.emit(found, file), self._broken
        )

    def _submit(self, kind: Kind, **details: Any) -> None:
        job = self._job = self._client.submit(kind, **details)
        job.said.connect(self._hear)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        self.busy_changed.emit(True)

    def _hear(self, message: Mapping[str, Any]) -> None:
        said = message["say"]
        if said == "progress":
            self.progressed.emit(message["share"], message["text"])
        elif said == "partial":
            self.partial.emit(self._request, message["report"])
        elif said == "evaluated":
            self._folder = Path(message["folder"])
        elif said == "exported":
            self.exported.emit(message["path"])

    def _finish(self) -> None:
        """The job is over: there is an evaluation or a file, or it was stopped."""
        request, folder = self._request, self._folder
        if request is None or folder is None:
            self._end()
            return

        def done(evaluation: Evaluation) -> None:
            self._request = None
            self._end()
            self.evaluated.emit(request, evaluation)

        def broken(error: Exception) -> None:
            self._end()
            self._broken(error)

        self._lane.submit(lambda: Evaluation.load(folder), done, broken)

    def _fail(self, message: str, details: str) -> None:
        self._end()
        self.failed.emit(message, details)

    def _end(self) -> None:
        """Nothing is on its way any more; what was judged and has not been told came to nothing."""
        request, self._request, self._job, self._folder = self._request, None, None, None
        self.busy_changed.emit(False)
        if request is not None:
            self.stopped.emit(request)

    def _broken(self, error: Exception) -> None:
        log.error("An evaluation failed", exc_info=error)
        self.failed.emit(*describe_error(error))


def _installed() -> set[str]:

    return {name for name, kind in registry().items() if kind().location() is not None}


def _inputs(evaluation: Evaluation) -> str:
    """What tells one state of the test inputs from another."""
    return json.dumps(evaluation.report.setting["inputs"], sort_keys=True)
