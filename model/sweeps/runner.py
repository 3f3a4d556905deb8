"""Sweeps: train and evaluate models that differ in lambda_IG and seed, and align their maps.

Imports torch late, so that the window can plan sweeps early.
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

_EVALUATION_SECONDS = 30.0  # assumed until the first one was measured
_TRAINING_SHARE = 0.95  # of a run's work: FAST trains for minutes and is evaluated in half of one


class SweepFailed(ModinvError, RuntimeError):
    """No run of a sweep succeeded; the message says why the first one failed."""


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """The runs of a sweep: the configuration ``plan`` with every combination of some lambda_IG and seeds."""

    plan: TrainingConfig
    lambdas: tuple[float, ...] = PAPER_LAMBDAS
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not self.lambdas or not self.seeds:
            raise ValueError("A sweep needs at least one lambda_IG and one seed.")
        if not self.plan.recipe.has("lambda_ig"):
            raise ValueError(f"The system {self.plan.recipe.system} has no λ_IG, so there is nothing to sweep over.")
        self.configs()  # raises early if a value is invalid

    def configs(self) -> list[TrainingConfig]:
        """The configurations of all runs, ordered by seed so that a first table is complete early."""
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
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the sweep")


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
    row: SweepRow


@dataclass(frozen=True, slots=True)
class RunFailed:
    """A run failed; the others continue."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class SweepEnded:
    """The sweep has ended: with results, or without if it was stopped and can be resumed."""

    results: SweepResults | None


Event = Working | Evaluated | RunFailed | SweepEnded


def run_name(config: TrainingConfig) -> str:
    """The name of a run's folder: ``"lambda-2.15e-2-seed-0"``."""
    return f"lambda-{lambda_text(config.recipe.lambda_ig)}-seed-{config.seed}"


def protocol_of(config: TrainingConfig) -> EvaluationProtocol:
    """The evaluation protocol of a sweep's runs: on human speech if the models train on it."""
    return EvaluationProtocol(images=config.images[0], speech=preferred(Modality.SPEECH, config.speech))


def found_in(folder: Path) -> SweepPlan:
    """The plan that the complete runs in a folder belong to; the folder is only read.

    Raises
    ------
    SweepFailed
        If there is no complete run, or if they differ in more than lambda_IG and seed.
    """
    configs = [info.plan for _, info in RunStore(folder).readable() if info.state == "complete"]
    if not configs:
        raise SweepFailed(f"{folder} holds no complete run.")
    lambdas, seeds = {config.recipe.lambda_ig for config in configs}, {config.seed for config in configs}
    found = SweepPlan(configs[0], tuple(sorted(lambdas)), tuple(sorted(seeds)))
    if not all(any(config.trains_as(planned) for planned in found.configs()) for config in configs):
        raise SweepFailed(f"The runs in {folder} differ in more than lambda_IG and seed: they are not a sweep.")
    return found


def sweep(
    plan: SweepPlan,
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
    fails does not end the sweep.

    Parameters
    ----------
    plan
        The runs.
    folder
        Folder of the sweep, with a sub-folder for each run.
    stop
        Called before each step; true ends the sweep, which can be resumed.
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
    from model.sweeps.maps import gather
    from model.training.loop import TrainingFailed

    existing = RunStore(folder).readable()
    configs = plan.configs()
    corpora = corpora or CorpusCache(data)
    context = _EvaluationContext(stop)
    clock = _Clock(len(configs), plan.plan.recipe.steps)
    rows: list[SweepRow] = []
    evaluations: dict[float, Evaluation] = {}
    failures: dict[str, str] = {}
    for number, config in enumerate(configs, 1):
        name, lambda_ig = run_name(config), config.recipe.lambda_ig
        known = next((run for run, info in existing if info.plan.trains_as(config)), None)
        record = known or RunRecord(folder / name)
        try:
            if known is None or known.info().state != "complete":
                if not train:
                    continue
                for step in _train(record, config, corpora, stop):
                    share, text = step / config.recipe.steps, f"step {step:,} of {config.recipe.steps:,}"
                    left = clock.after_step(number, step)
                    yield Working(name, number, len(configs), _TRAINING_SHARE * share, text, left)
            yield Working(name, number, len(configs), _TRAINING_SHARE, "evaluating", clock.begin_evaluation(number))
            evaluation = None if stop() else evaluate_checkpoint(record.model_file, protocol_of(config), context, data)
        except Exception as error:  # any error: the other runs take hours and shall not be lost
            if not isinstance(error, OSError | ValueError | TrainingFailed):
                log.exception("%s failed unexpectedly", name)
            failures[name] = describe_failure(error)
            yield RunFailed(name, failures[name])
            continue
        if evaluation is None:
            yield SweepEnded(None)
            return
        clock.end_evaluation()
        evaluations.setdefault(lambda_ig, evaluation)
        rows.append(SweepRow(lambda_ig, config.seed, evaluation.report))
        yield Evaluated(name, rows[-1])
    if not rows:
        raise SweepFailed(f"No run in {folder} succeeded. {next(iter(failures.values()), '')}".rstrip())
    setting = _setting(plan.plan, evaluations[rows[0].lambda_ig])
    yield SweepEnded(gather(rows, evaluations, setting, failures, data, stop))


def run_sweep(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache | None = None) -> None:
    """The worker's job that runs a sweep: ``{"plan": {...}, "folder": path}``, a :class:`SweepPlan` and its folder.

    Sends ``progress`` (share, text and seconds left of the sweep; run: its name, share and text), ``judged`` (name,
    lambda_ig, seed, purity, modality_svm) and ``run_failed`` (name, message), and at the end ``swept`` (file, for
    :meth:`SweepResults.load`) or ``stopped``.
    """
    folder = Path(request["folder"])
    for event in sweep(SweepPlan.from_dict(request["plan"]), folder, context.cancelled, corpora=corpora):
        match event:
            case Working():
                run = {"name": event.name, "share": event.share, "text": event.text}
                text = f"{event.name}, {event.text}"
                left = event.seconds_left
                context.send({"say": "progress", "share": event.share_of_all, "text": text, "left": left, "run": run})
            case Evaluated(name, SweepRow(lambda_ig, seed, report)):
                figures = {"purity": report.purity.mean, "modality_svm": report.modality_svm.mean}
                context.send({"say": "judged", "name": name, "lambda_ig": lambda_ig, "seed": seed, **figures})
            case RunFailed():
                context.send({"say": "run_failed", "name": event.name, "message": event.message})
            case SweepEnded(None):
                context.send({"say": "stopped"})
            case SweepEnded(SweepResults() as results):
                context.send({"say": "swept", "file": str(write(results, folder))})


def write(results: SweepResults, folder: Path) -> Path:
    """Write the results of a sweep: ``sweep.safetensors``, whose path it returns, ``table.*`` and ``figure3.*``.

    Raises ``OSError``.
    """
    from model.export import drawing, figures, tables  # late: it imports matplotlib

    file = folder / "sweep.safetensors"
    results.save(file)
    for suffix in tables.FORMATS:
        tables.save(tables.sweep(results.rows), folder / f"table.{suffix}")
    for suffix in ("png", "svg"):
        drawing.save(figures.figure3(results.rows), folder / f"figure3.{suffix}")
    return file


def _train(record: RunRecord, config: TrainingConfig, corpora: CorpusCache, stop: Callable[[], bool]) -> Iterator[int]:
    """Train a run to its end or until it is stopped; yields the number of steps done."""
    from model.runs.session import TrainingSession  # late: both import torch
    from model.training.loop import Stepped

    with TrainingSession(record.folder, config) as session:
        for event in session.train(corpora, stop):
            if isinstance(event, Stepped):
                yield event.step


def _setting(config: TrainingConfig, evaluation: Evaluation) -> dict[str, Any]:
    """The settings that all models have in common."""
    recipe = {name: value for name, value in config.recipe.to_dict().items() if name != "lambda_ig"}
    return {
        "recipe": recipe,
        "trained_on": config.data(),
        "steps": config.recipe.steps,
        "protocol": evaluation.protocol.to_dict(),
        "versions": evaluation.report.setting["versions"],
    }


class _Clock:
    """Estimates the remaining time of a sweep from the durations of its steps and evaluations so far.

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
    """Cancels an evaluation together with its sweep, and ignores its progress, as it takes only seconds."""

    stop: Callable[[], bool]

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the sweep should end."""
        return self.stop()
