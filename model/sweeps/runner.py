"""Many lambda_IG, many seeds, one recipe: train and judge each, then lay the maps upon each other.

Without torch at import, so that a window can plan a sweep that another process carries out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.data.corpora import preferred
from model.errors import ModinvError, describe_failure
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.parsing import parse
from model.progress import JobContext
from model.recipes.recipe import PAPER_LAMBDAS, lambda_text
from model.runs.store import RunRecord, RunStore
from model.training.config import TrainingConfig
from model.training.time_left import Pace
from model.types import Modality

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation
    from model.runs.corpus_cache import CorpusCache

log = logging.getLogger(__name__)

_EVALUATION_SECONDS = 30.0  # until the first one was measured
_TRAINED = 0.95  # of a run's work: FAST trains for minutes and is judged in half of one


class SweepFailed(ModinvError, RuntimeError):
    """Not one run of a sweep came to something; the message says why the first did not."""


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What is chosen before a sweep.

    Attributes
    ----------
    plan
        Of every run, but for its lambda_IG and its seed.
    lambdas, seeds
        Each with each; neither is empty.
    """

    plan: TrainingConfig
    lambdas: tuple[float, ...] = PAPER_LAMBDAS
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not self.lambdas or not self.seeds:
            raise ValueError("A sweep needs at least one lambda_IG and one seed.")
        if not self.plan.recipe.has("lambda_ig"):
            raise ValueError(f"The system {self.plan.recipe.system} has no λ_IG, so there is nothing to sweep over.")
        self.plans()  # a value that can't be trained with is found now, not after hours

    def plans(self) -> list[TrainingConfig]:
        """Every run, one seed after the other: a first table is whole as soon as can be."""
        return [
            replace(self.plan, recipe=replace(self.plan.recipe, lambda_ig=lambda_ig), seed=seed)
            for seed in dict.fromkeys(self.seeds)
            for lambda_ig in sorted(set(self.lambdas))
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"plan": self.plan.to_dict(), "lambdas": list(self.lambdas), "seeds": list(self.seeds)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SweepPlan:
        """The inverse of :meth:`to_dict`; a ``ValueError`` says what does not belong to it."""
        return parse(cls, values, "the sweep")


@dataclass(frozen=True, slots=True)
class Working:
    """So far is one run of the sweep.

    Attributes
    ----------
    name, number, runs
        Which run, and how many there are; counted from 1.
    share
        Of this run's work, in [0, 1].
    text
        What is being done, for people.
    seconds_left
        Until the whole sweep is done, by the steps and evaluations so far; None while too little is known.
    """

    name: str
    number: int
    runs: int
    share: float
    text: str
    seconds_left: float | None = None

    @property
    def share_of_all(self) -> float:
        """Of the whole sweep, in [0, 1]."""
        return (self.number - 1 + self.share) / self.runs


@dataclass(frozen=True, slots=True)
class Judged:
    """A run has its row in the table."""

    name: str
    row: SweepRow


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run came to nothing; the others go on."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class SweepEnded:
    """The sweep is over: with its results, or stopped and resumable without."""

    results: SweepResults | None


Event = Working | Judged | RunFailed | SweepEnded


def run_name(plan: TrainingConfig) -> str:
    """The folder of a run: ``"lambda-2.15e-2-seed-0"``."""
    return f"lambda-{lambda_text(plan.recipe.lambda_ig)}-seed-{plan.seed}"


def protocol_of(plan: TrainingConfig) -> EvaluationProtocol:
    """How the runs of a sweep are judged: on humans where the models have heard humans."""
    return EvaluationProtocol(images=plan.images[0], speech=preferred(Modality.SPEECH, plan.speech))


def found_in(folder: Path) -> SweepPlan:
    """The plan whose runs a folder holds, of those that are complete; the folder is only read.

    Raises
    ------
    SweepFailed
        If there is no complete run, or if they have more between them than lambda_IG and seed.
    """
    plans = [info.plan for _, info in RunStore(folder).readable() if info.state == "complete"]
    if not plans:
        raise SweepFailed(f"{folder} holds no complete run.")
    lambdas, seeds = {plan.recipe.lambda_ig for plan in plans}, {plan.seed for plan in plans}
    found = SweepPlan(plans[0], tuple(sorted(lambdas)), tuple(sorted(seeds)))
    if not all(any(plan.trains_as(wanted) for wanted in found.plans()) for plan in plans):
        raise SweepFailed(f"The runs in {folder} differ in more than lambda_IG and seed: they are no sweep.")
    return found


def sweep(
    plan: SweepPlan,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
    *,
    train: bool = True,
    data: Path | None = None,
    library: CorpusCache | None = None,
) -> Iterator[Event]:
    """Train and judge every run that a folder does not hold already; ends with :class:`SweepEnded`.

    Runs are known by their plans, not by their folders' names. A complete one is not trained again, one that
    was stopped or has failed goes on from its last checkpoint, and what was judged before is not judged again. A
    run that fails is told and left behind.

    Parameters
    ----------
    plan
        What to train.
    folder
        Holds a folder for every run.
    stop
        Asked before every step. When it is true the sweep ends; the next one goes on there.
    train
        Otherwise only complete runs are judged, and the folder is only read.
    data
        Where the corpora lie; by default the user's place for them.
    library
        Has loaded some of them from there already.

    Raises
    ------
    SweepFailed
        If no run came to something.
    MissingData
        If the pictures are gone by the end.
    """
    from model.evaluation.checkpoints import evaluate_checkpoint  # late: all of these import torch
    from model.runs.corpus_cache import CorpusCache
    from model.sweeps.maps import gather
    from model.training.loop import TrainingFailed

    there = RunStore(folder).readable()
    plans = plan.plans()
    library, listener, clock = (
        library or CorpusCache(data),
        _EvaluationContext(stop),
        _Clock(len(plans), plan.plan.recipe.steps),
    )
    rows: list[SweepRow] = []
    evaluations: dict[float, Evaluation] = {}
    failures: dict[str, str] = {}
    for place, one in enumerate(plans, 1):
        name, lambda_ig = run_name(one), one.recipe.lambda_ig
        known = next((run for run, info in there if info.plan.trains_as(one)), None)
        record = known or RunRecord(folder / name)
        try:
            if known is None or known.info().state != "complete":
                if not train:
                    continue
                for step in _train(record, one, library, stop):
                    text = f"step {step:,} of {one.recipe.steps:,}"
                    left = clock.after_step(place, step)
                    yield Working(name, place, len(plans), _TRAINED * step / one.recipe.steps, text, left)
            yield Working(name, place, len(plans), _TRAINED, "judging", clock.begin_evaluation(place))
            evaluation = None if stop() else evaluate_checkpoint(record.model_file, protocol_of(one), listener, data)
        except Exception as error:
            # Whatever it was, hours of other runs are not to be lost to it.
            if not isinstance(error, OSError | ValueError | TrainingFailed):
                log.exception("%s failed as nobody expected", name)
            failures[name] = describe_failure(error)
            yield RunFailed(name, failures[name])
            continue
        if evaluation is None:
            yield SweepEnded(None)
            return
        clock.end_evaluation()
        evaluations.setdefault(lambda_ig, evaluation)
        rows.append(SweepRow(lambda_ig, one.seed, evaluation.report))
        yield Judged(name, rows[-1])
    if not rows:
        raise SweepFailed(f"No run in {folder} came to anything. {next(iter(failures.values()), '')}".rstrip())
    setting = _setting(plan.plan, evaluations[rows[0].lambda_ig])
    yield SweepEnded(gather(rows, evaluations, setting, failures, data, stop))


def run_sweep(request: Mapping[str, Any], context: JobContext, library: CorpusCache | None = None) -> None:
    """Sweep for the window: ``{"plan": {...}, "folder": path}``, a :class:`SweepPlan` and where it is kept.

    Says ``progress`` (share, text and seconds left of all, as far as they are known; run: its name, share and text),
    ``judged`` (name, lambda_ig, seed, purity, modality_svm) and ``run_failed`` (name, message) on its way, and at the
    end ``swept`` (file: what :meth:`SweepResults.load` takes) or ``stopped``.
    """
    folder = Path(request["folder"])
    for event in sweep(SweepPlan.from_dict(request["plan"]), folder, context.cancelled, library=library):
        match event:
            case Working():
                run = {"name": event.name, "share": event.share, "text": event.text}
                text = f"{event.name}, {event.text}"
                left = event.seconds_left
                context.send({"say": "progress", "share": event.share_of_all, "text": text, "left": left, "run": run})
            case Judged(name, SweepRow(lambda_ig, seed, report)):
                figures = {"purity": report.purity.mean, "modality_svm": report.modality_svm.mean}
                context.send({"say": "judged", "name": name, "lambda_ig": lambda_ig, "seed": seed, **figures})
            case RunFailed():
                context.send({"say": "run_failed", "name": event.name, "message": event.message})
            case SweepEnded(None):
                context.send({"say": "stopped"})
            case SweepEnded(SweepResults() as results):
                context.send({"say": "swept", "file": str(write(results, folder))})


def write(results: SweepResults, folder: Path) -> Path:
    """Write what a sweep found: ``sweep.safetensors``, which it returns, and for people ``table.*`` and ``figure3.*``.

    Raises ``OSError`` where the folder can't be written.
    """
    from model.export import drawing, figures, tables  # late: it imports matplotlib

    file = folder / "sweep.safetensors"
    results.save(file)
    for suffix in tables.FORMATS:
        tables.save(tables.sweep(results.rows), folder / f"table.{suffix}")
    for suffix in ("png", "svg"):
        drawing.save(figures.figure3(results.rows), folder / f"figure3.{suffix}")
    return file


def _train(record: RunRecord, plan: TrainingConfig, library: CorpusCache, stop: Callable[[], bool]) -> Iterator[int]:
    """Train a run to its end or until it is stopped; the steps done."""
    from model.runs.session import TrainingSession  # late: both import torch
    from model.training.loop import Stepped

    with TrainingSession(record.folder, plan) as book:
        for event in book.train(library, stop):
            if isinstance(event, Stepped):
                yield event.step


def _setting(plan: TrainingConfig, evaluation: Evaluation) -> dict[str, Any]:
    """What all models have in common."""
    recipe = {name: value for name, value in plan.recipe.to_dict().items() if name != "lambda_ig"}
    return {
        "recipe": recipe,
        "trained_on": plan.data(),
        "steps": plan.recipe.steps,
        "protocol": evaluation.protocol.to_dict(),
        "versions": evaluation.report.setting["versions"],
    }


class _Clock:
    """How long a sweep will still take: what steps and evaluations took so far, times how many are left.

    Parameters
    ----------
    runs, steps
        How many runs there are, and the steps of each; complete ones that come later count, too.
    """

    def __init__(self, runs: int, steps: int) -> None:
        self._runs, self._steps = runs, steps
        self._run = 0
        self._pace = Pace()
        self._begun = 0.0
        self._evaluation_seconds = _EVALUATION_SECONDS

    def after_step(self, run: int, step: int) -> float | None:
        """Seconds left after a step of a run, both counted from 1; ``None`` while too little is known."""
        if run != self._run:  # what lies between two runs is no part of a step
            self._run, self._pace = run, Pace()
        self._pace.see(time.monotonic(), step)
        return self._left(run, self._steps - step)

    def begin_evaluation(self, run: int) -> float | None:
        """Seconds left once a run is trained."""
        self._begun = time.monotonic()
        return self._left(run, 0)

    def end_evaluation(self) -> None:
        """Remember what the evaluation took that has just ended."""
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
    """Cancels an evaluation together with its sweep; its own progress takes seconds and is not passed on."""

    stop: Callable[[], bool]

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the sweep should end."""
        return self.stop()
