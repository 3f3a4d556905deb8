"""Train and evaluate the runs of a plan, a sweep over lambda_IG or a comparison of systems, and align their maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.report import Report
from model.evaluation.store import find
from model.evaluation.sweep_results import SweepResults
from model.progress import JobContext
from model.runs.store import RunRecord, RunStore
from model.sweeps.course import Course
from model.sweeps.plans import Plan, PlannedRun, SweepFailed, plan_from, protocol_of
from model.sweeps.results import COMPARISON_FILE, SWEEP_FILE, Results
from model.sweeps.trials import Done, Engine, Evaluating, Failed, Serial, Step, Trial, failure

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation


@dataclass(frozen=True, slots=True)
class Working:
    """The progress of one of the runs in progress: share of its work in [0, 1], and a description.

    Attributes
    ----------
    name, share, text
        The run.
    ended, runs
        How many of how many runs have ended.
    share_of_all
        Share of the whole plan, in [0, 1].
    seconds_left
        Estimated time to the end of all runs; ``None`` while too little was measured.
    """

    name: str
    share: float
    text: str
    ended: int
    runs: int
    share_of_all: float
    seconds_left: float | None = None


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
    engine: Engine | None = None,
) -> Iterator[Event]:
    """Train and evaluate the runs of a plan; ends with :class:`SweepEnded`.

    Runs are identified by their configurations, not by their folders' names. Complete ones are not trained again,
    stopped and failed ones resume from their last checkpoints, and cached evaluations are not repeated. A run that
    fails does not end the others. On the CPU, results are the same with every engine.

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
    engine
        Carries out the runs; by default one after another in this process.

    Raises
    ------
    SweepFailed
        If no run succeeded.
    MissingData
        If the corpus of images was removed meanwhile.
    """
    from model.runs.corpus_cache import CorpusCache  # late: all of these import torch
    from model.sweeps.gathering import gather
    from model.systems.model_io import parameter_count

    trials = _trials(plan, folder, train=train, data=data)
    cached = tuple(trial for trial in trials.values() if _is_evaluated(trial))
    others = tuple(trial for trial in trials.values() if trial not in cached)
    here = Serial(CorpusCache(data))
    course = Course(tuple(trials.values()))
    runs = {run.name: run for run in plan.runs()}
    evaluated: dict[str, EvaluatedRun] = {}
    failures: dict[str, str] = {}

    def fail(name: str, message: str) -> RunFailed:
        failures[name] = message
        return RunFailed(name, message)

    # What is evaluated already is only read: no other process has to be started for that.
    for event in chain(here.run(cached, stop), (engine or here).run(others, stop)):
        course.follow(event)
        match event:
            case Step(name, step):
                text = f"step {step:,} of {trials[name].config.recipe.steps:,}"
                yield _working(course, name, text)
            case Evaluating(name):
                yield _working(course, name, "evaluating")
            case Failed(name, message):
                yield fail(name, message)
            case Done(name, evaluation):
                try:
                    seconds = RunRecord(trials[name].folder).info().seconds
                    parameters = parameter_count(runs[name].config.recipe)
                except Exception as error:  # any error, as in a trial
                    yield fail(name, failure(name, error))
                    continue
                evaluated[name] = EvaluatedRun(runs[name], evaluation, seconds, parameters)
                yield Evaluated(name, evaluation.report)
    if len(evaluated) + len(failures) < len(trials):  # stopped
        yield SweepEnded(None)
        return
    if not evaluated:
        raise SweepFailed(f"No run in {folder} succeeded. {next(iter(failures.values()), '')}".rstrip())
    in_order = [evaluated[name] for name in trials if name in evaluated]
    yield SweepEnded(gather(plan, in_order, {name: failures[name] for name in trials if name in failures}, data, stop))


def _trials(plan: Plan, folder: Path, *, train: bool, data: Path | None) -> dict[str, Trial]:
    """The runs of a plan that are to be evaluated, by their names."""
    existing = RunStore(folder).readable()
    trials = {}
    for run in plan.runs():
        known = next(((record, info) for record, info in existing if info.plan.trains_as(run.config)), None)
        complete = known is not None and known[1].state == "complete"
        if train or complete:
            place = known[0].folder if known else folder / run.name
            protocol = protocol_of(run.config)
            trials[run.name] = Trial(run.name, place, run.config, protocol, plan.threads, complete, data)
    return trials


def _is_evaluated(trial: Trial) -> bool:
    if trial.complete:
        with suppress(OSError):
            return find(RunRecord(trial.folder).model_file, trial.protocol) is not None
    return False


def _working(course: Course, name: str, text: str) -> Working:
    return Working(
        name, course.share(name), text, course.ended, course.runs, course.share_of_all, course.seconds_left()
    )


def run_sweep(request: Mapping[str, Any], context: JobContext, engine: Engine) -> None:
    """The worker's job that runs a plan: ``{"plan": {...}, "folder": path}``, for :func:`plan_from`, and its folder.

    Sends ``progress`` (share, text and seconds left of the plan; run: its name, share and text), ``judged`` (name,
    purity, modality_svm) and ``run_failed`` (name, message), and at the end ``swept`` (file, for
    :func:`model.sweeps.results.load_results`) or ``stopped``.
    """
    folder = Path(request["folder"])
    plan = plan_from(request["plan"])
    for event in sweep(plan, folder, lambda: context.cancelled(engine.paused), engine=engine):
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
