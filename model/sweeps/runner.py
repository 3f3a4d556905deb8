"""Train and evaluate the runs of a plan, a sweep over lambda_IG or a comparison of systems, and align their maps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import describe_failure
from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.report import Report
from model.evaluation.sweep_results import SweepResults
from model.progress import JobContext
from model.runs.store import RunRecord, RunStore
from model.sweeps.plans import Plan, PlannedRun, SweepFailed, plan_from, protocol_of
from model.sweeps.results import COMPARISON_FILE, SWEEP_FILE, Results
from model.training.config import TrainingConfig
from model.training.time_left import Pace

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation
    from model.runs.corpus_cache import CorpusCache

log = logging.getLogger(__name__)

_EVALUATION_SECONDS = 30.0  # assumed until the first one was measured
_TRAINING_SHARE = 0.95  # of a run's work: FAST trains for minutes and is evaluated in half of one


@dataclass(frozen=True, slots=True)
class Working:
    """The progress of run ``number`` of ``runs``, counted from 1: share of its work in [0, 1], and a description.

    ``seconds_left`` estimates the time to the end of the sweep; ``None`` while too little was measured.
    """

    name: str
    number: int
    runs: int
    share: float
    text: str
    seconds_left: float | None = None

    @property
    def share_of_all(self) -> float:
        """Share of the whole sweep, in [0, 1]."""
        return (self.number - 1 + self.share) / self.runs


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run was evaluated."""

    name: str
    report: Report


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run failed; the others continue."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class SweepEnded:
    """The runs have ended: with results, or without if they were stopped and can be resumed."""

    results: Results | None


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRun:
    """A run with its evaluation, and what its training took: seconds (0 if unknown), and its number of weights."""

    run: PlannedRun
    evaluation: Evaluation
    seconds: float
    parameters: int


Event = Working | Evaluated | RunFailed | SweepEnded


def sweep(
    plan: Plan,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
    *,
    train: bool = True,
    data: Path | None = None,
    corpora: CorpusCache | None = None,
) -> Iterator[Event]:
    """Train and evaluate the runs of a plan; ends with :class:`SweepEnded`.

    Runs are identified by their configurations, not by their folders' names. Complete ones are not trained again,
    stopped and failed ones resume from their last checkpoints, and cached evaluations are not repeated. A run that
    fails does not end the others.

    Parameters
    ----------
    plan
        The runs.
    folder
        Folder of the plan, with a sub-folder for each run.
    stop
        Called before each step; true ends the work, which can be resumed.
    train
        Whether to train. Otherwise only complete runs are evaluated, and the folder is only read.
    data
        Folder of the corpora; by default the user's.
    corpora
        A cache of corpora in that folder.

    Raises
    ------
    SweepFailed
        If no run succeeded.
    MissingData
        If the corpus of images was removed meanwhile.
    """
    from model.evaluation.checkpoints import evaluate_checkpoint  # late: all of these import torch
    from model.runs.corpus_cache import CorpusCache
    from model.sweeps.gathering import gather
    from model.systems.model_io import parameter_count
    from model.training.loop import TrainingFailed

    existing = RunStore(folder).readable()
    runs = plan.runs()
    corpora = corpora or CorpusCache(data)
    context = _EvaluationContext(stop)
    clock = _Clock(len(runs), plan.plan.recipe.steps)
    evaluated: list[EvaluatedRun] = []
    failures: dict[str, str] = {}
    for number, run in enumerate(runs, 1):
        name, config = run.name, run.config
        known = next((record for record, info in existing if info.plan.trains_as(config)), None)
        record = known or RunRecord(folder / name)
        try:
            if known is None or known.info().state != "complete":
                if not train:
                    continue
                for step in _train(record, config, corpora, stop):
                    share, text = step / config.recipe.steps, f"step {step:,} of {config.recipe.steps:,}"
                    left = clock.after_step(number, step)
                    yield Working(name, number, len(runs), _TRAINING_SHARE * share, text, left)
            yield Working(name, number, len(runs), _TRAINING_SHARE, "evaluating", clock.begin_evaluation(number))
            evaluation = None if stop() else evaluate_checkpoint(record.model_file, protocol_of(config), context, data)
            if evaluation is None:
                yield SweepEnded(None)
                return
            clock.end_evaluation()
            parameters = parameter_count(config.recipe)
            evaluated.append(EvaluatedRun(run, evaluation, record.info().seconds, parameters))
        except Exception as error:  # any error: the other runs take hours and shall not be lost
            if not isinstance(error, OSError | ValueError | TrainingFailed):
                log.exception("%s failed unexpectedly", name)
            failures[name] = describe_failure(error)
            yield RunFailed(name, failures[name])
            continue
        yield Evaluated(name, evaluation.report)
    if not evaluated:
        raise SweepFailed(f"No run in {folder} succeeded. {next(iter(failures.values()), '')}".rstrip())
    yield SweepEnded(gather(plan, evaluated, failures, data, stop))


def run_sweep(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache | None = None) -> None:
    """The worker's job that runs a plan: ``{"plan": {...}, "folder": path}``, for :func:`plan_from`, and its folder.

    Sends ``progress`` (share, text and seconds left of the plan; run: its name, share and text), ``judged`` (name,
    purity, modality_svm) and ``run_failed`` (name, message), and at the end ``swept`` (file, for
    :func:`model.sweeps.results.load_results`) or ``stopped``.
    """
    folder = Path(request["folder"])
    for event in sweep(plan_from(request["plan"]), folder, context.cancelled, corpora=corpora):
        match event:
            case Working():
                run = {"name": event.name, "share": event.share, "text": event.text}
                text = f"{event.name}, {event.text}"
                left = event.seconds_left
                context.send({"say": "progress", "share": event.share_of_all, "text": text, "left": left, "run": run})
            case Evaluated(name, report):
                figures = {"purity": report.purity.mean, "modality_svm": report.modality_svm.mean}
                context.send({"say": "judged", "name": name, **figures})
            case RunFailed():
                context.send({"say": "run_failed", "name": event.name, "message": event.message})
            case SweepEnded(None):
                context.send({"say": "stopped"})
            case SweepEnded(SweepResults() | ComparisonResults() as results):
                context.send({"say": "swept", "file": str(write(results, folder))})


def write(results: Results, folder: Path) -> Path:
    """Write results to a folder: the file of results, whose path it returns, ``table.*``, and of a sweep ``figure3.*``.

    Raises ``OSError``.
    """
    from model.export import drawing, figures, tables  # late: it imports matplotlib

    file = folder / COMPARISON_FILE
    if isinstance(results, SweepResults):
        file = folder / SWEEP_FILE
        for suffix in ("png", "svg"):
            drawing.save(figures.figure3(results.rows), folder / f"figure3.{suffix}")
    table = tables.of_results(results)
    for suffix in tables.FORMATS:
        tables.save(table, folder / f"table.{suffix}")
    results.save(file)
    return file


def _train(record: RunRecord, config: TrainingConfig, corpora: CorpusCache, stop: Callable[[], bool]) -> Iterator[int]:
    """Train a run to its end or until it is stopped; yields the number of steps done."""
    from model.runs.session import TrainingSession  # late: both import torch
    from model.training.loop import Stepped

    with TrainingSession(record.folder, config) as session:
        for event in session.train(corpora, stop):
            if isinstance(event, Stepped):
                yield event.step


class _Clock:
    """Estimates the remaining time of a plan from the durations of its steps and evaluations so far.

    Parameters
    ----------
    runs, steps
        Number of runs, including complete ones, and number of steps of each.
    """

    def __init__(self, runs: int, steps: int) -> None:
        self._runs, self._steps = runs, steps
        self._run = 0
        self._pace = Pace()
        self._begun = 0.0
        self._evaluation_seconds = _EVALUATION_SECONDS

    def after_step(self, run: int, step: int) -> float | None:
        """Seconds left after a step of a run, both counted from 1; ``None`` while too little is known."""
        if run != self._run:  # the time between two runs is not part of a step
            self._run, self._pace = run, Pace()
        self._pace.update(time.monotonic(), step)
        return self._left(run, self._steps - step)

    def begin_evaluation(self, run: int) -> float | None:
        """Seconds left once a run is trained."""
        self._begun = time.monotonic()
        return self._left(run, 0)

    def end_evaluation(self) -> None:
        """Measure the evaluation that has just ended."""
        self._evaluation_seconds = time.monotonic() - self._begun

    def _left(self, run: int, steps: int) -> float | None:
        further = self._runs - run
        each = self._pace.unit_seconds
        steps += further * self._steps
        if steps and each is None:
            return None
        return steps * (each or 0.0) + (further + 1) * self._evaluation_seconds


@dataclass(frozen=True, slots=True)
class _EvaluationContext(JobContext):
    """Cancels an evaluation together with its plan, and ignores its progress, as it takes only seconds."""

    stop: Callable[[], bool]

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the work should end."""
        return self.stop()
