"""Evaluates models in the worker process, and loads the results in a thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from model import locations
from model.data.corpora import registry
from model.evaluation import robustness
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.robustness import Robustness
from model.evaluation.store import Evaluation, find
from model.evaluation.sweep_results import SweepResults
from model.types import FloatArray
from modinv_app.common.model_catalogue import Model
from modinv_app.jobs.client import Job, JobClient, Kind
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A model and the protocol by which to evaluate it."""

    model: Model
    protocol: EvaluationProtocol


class EvaluationService(QObject):
    """Evaluates models, one at a time, and loads what an evaluation shows.

    Parameters
    ----------
    client
        Evaluates, and writes exports.

    Signals
    -------
    corpora_found(set of str)
        The names of the installed corpora.
    looked_up(Request, Evaluation or None)
        The former evaluation of a model, if there is one.
    busy_changed(bool)
        An evaluation or an export has started or ended.
    progressed(float or None, str)
        Progress in [0, 1], and what is being done.
    partial_report(Request, dict)
        The numbers measured so far, as of :meth:`~model.evaluation.report.Report.to_json_dict`.
    evaluated(Request, Evaluation)
        A model has been evaluated.
    stopped(Request)
        An evaluation has ended without a result.
    robustness_known(Request, Robustness or None, Robustness or None)
        What is known of a model in noise, perhaps in some conditions only; and what its maker has measured, perhaps on
        other data.
    features_loaded(Evaluation)
        ``features_of`` can return its test inputs now.
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
    partial_report = Signal(object, object)
    evaluated = Signal(object, object)
    stopped = Signal(object)
    robustness_known = Signal(object, object, object)
    features_loaded = Signal(object)
    sweep_loaded = Signal(object, object)
    exported = Signal(str)
    failed = Signal(str, str)

    def __init__(self, client: JobClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._executor = SerialExecutor("evaluations", self)
        self._job: Job | None = None
        self._folder: Path | None = None  # of the evaluation, once it is written
        self._request: Request | None = None  # what is being evaluated
        self._in_noise: Request | None = None  # what is being measured in noise
        self._robustness: Robustness | None = None  # its results so far
        self._known: dict[str, Evaluation] = {}  # evaluations with features in memory, by their test inputs

    @property
    def stoppable(self) -> bool:
        """Whether a model is being evaluated, or measured in noise."""
        return self._request is not None or self._in_noise is not None

    @property
    def busy(self) -> bool:
        """Whether an evaluation or an export is running."""
        return self._job is not None

    def close(self) -> None:
        """End the thread."""
        self._executor.close()

    def prepare(self) -> None:
        """Start the process, so that the first evaluation need not wait for its imports."""
        self._client.prepare()

    def find_corpora(self) -> None:
        """Find the installed corpora."""
        self._executor.submit(_installed, self.corpora_found.emit, self._report_error)

    def look_up(self, request: Request) -> None:
        """Look for a former evaluation of a model by the same protocol."""
        find_it = partial(find, request.model.file, request.protocol)
        self._executor.submit(find_it, lambda found: self.looked_up.emit(request, found), self._report_error)

    def evaluate(self, request: Request) -> None:
        """Evaluate a model, unless something else is running."""
        if self.busy:
            return
        self._request = request
        self._submit("evaluate", checkpoint=str(request.model.file), protocol=request.protocol.to_dict())
        self.progressed.emit(None, "Starting…")

    def look_up_in_noise(self, request: Request) -> None:
        """Look for what is known of a model in noise."""

        def work() -> tuple[Robustness | None, Robustness | None]:
            file = request.model.file
            return robustness.find(file, request.protocol), robustness.made_with(file)

        self._executor.submit(work, lambda found: self.robustness_known.emit(request, *found), self._report_error)

    def measure_in_noise(self, request: Request) -> None:
        """Measure a model in all conditions, unless something else is running."""
        if self.busy:
            return
        self._in_noise = request
        self._submit("robustness", checkpoint=str(request.model.file), protocol=request.protocol.to_dict())
        self.progressed.emit(None, "Starting…")

    def export(
        self,
        what: str,
        to: Path,
        models: Sequence[tuple[str, Evaluation]],
        sweep: Path | None,
        noisy: Sequence[tuple[str, Robustness]] = (),
    ) -> None:
        """Write an export of :mod:`model.export`, unless something else is running.

        Parameters
        ----------
        what
            A name in :data:`model.export.writers.WRITERS`, or ``"everything"``.
        to
            The file or folder.
        models
            Evaluated models with their names; the export is about the first.
        sweep
            The file of a sweep, if there is one.
        noisy
            Models that were measured in noise, with their names.
        """
        if self.busy:
            return
        folders = [(title, str(evaluation.folder)) for title, evaluation in models]
        in_noise = [(title, found.to_dict()) for title, found in noisy]
        self._submit("export", what=what, to=str(to), models=folders, sweep=str(sweep or ""), noisy=in_noise)
        self.progressed.emit(None, f"Writing {to.name}…")

    def cancel(self) -> None:
        """Stop what is being evaluated or measured; ``stopped`` or ``robustness_known`` follows."""
        if self.stoppable and self._job is not None:
            self.progressed.emit(None, "Stopping…")
            self._job.stop()

    def load_features(self, evaluation: Evaluation) -> None:
        """Load the test inputs of an evaluation, unless they are in memory."""
        state = _inputs(evaluation)
        if state in self._known:
            return

        def work() -> None:
            evaluation.features(0)  # one of each modality loads all of it
            evaluation.features(evaluation.image_count)

        def done(_nothing: None) -> None:
            self._known[state] = evaluation
            self.features_loaded.emit(evaluation)

        self._executor.submit(work, done, self._report_error)

    def features_of(self, evaluation: Evaluation, index: int) -> FloatArray | None:
        """The features of an item; ``None`` before ``features_loaded``."""
        known = self._known.get(_inputs(evaluation))
        return None if known is None else known.features(index)

    def load_sweep(self, path: Path | None = None) -> None:
        """Load a sweep; by default the shipped one, if there is one."""
        file = path or locations.shipped_sweep()
        if path is None and not file.is_file():
            return
        self._executor.submit(
            lambda: SweepResults.load(file), lambda found: self.sweep_loaded.emit(found, file), self._report_error
        )

    def _submit(self, kind: Kind, **details: Any) -> None:
        job = self._job = self._client.submit(kind, **details)
        job.received.connect(self._on_message)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        self.busy_changed.emit(True)

    def _on_message(self, message: Mapping[str, Any]) -> None:
        kind = message["say"]
        if kind == "progress":
            self.progressed.emit(message["share"], message["text"])
        elif kind == "partial":
            self.partial_report.emit(self._request, message["report"])
        elif kind == "evaluated":
            self._folder = Path(message["folder"])
        elif kind == "robustness":
            self._robustness = Robustness.from_dict(message["found"])
            self.robustness_known.emit(self._in_noise, self._robustness, None)
        elif kind == "exported":
            self.exported.emit(message["path"])

    def _finish(self) -> None:
        """Handle the end of the job: it has written something, or was stopped."""
        request, folder = self._request, self._folder
        if request is None or folder is None:
            self._end()
            return

        def done(evaluation: Evaluation) -> None:
            self._request = None
            self._end()
            self.evaluated.emit(request, evaluation)

        def failed(error: Exception) -> None:
            self._end()
            self._report_error(error)

        self._executor.submit(lambda: Evaluation.load(folder), done, failed)

    def _fail(self, message: str, details: str) -> None:
        self._end()
        self.failed.emit(message, details)

    def _end(self) -> None:
        """Reset the state; an evaluation that has not been delivered counts as stopped."""
        request, self._request, self._job, self._folder = self._request, None, None, None
        in_noise, self._in_noise = self._in_noise, None
        complete = self._robustness is not None and self._robustness.complete
        self._robustness = None
        self.busy_changed.emit(False)
        if in_noise is not None and not complete:
            self.look_up_in_noise(in_noise)  # there may be former results; those of some conditions are not kept
        if request is not None:
            self.stopped.emit(request)

    def _report_error(self, error: Exception) -> None:
        log.error("An evaluation failed", exc_info=error)
        self.failed.emit(*describe_error(error))


def _installed() -> set[str]:
    return {name for name, kind in registry().items() if kind().location() is not None}


def _inputs(evaluation: Evaluation) -> str:
    """A key of the test inputs."""
    return json.dumps(evaluation.report.setting["inputs"], sort_keys=True)
