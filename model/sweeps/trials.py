"""Trials: the runs of a plan, each trained and evaluated on its own, and engines that carry them out.

An engine decides where trials are computed, not what: every trial has its number of threads, so that its result is the
same with every engine, on the CPU bit for bit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from model.cores import limited_threads
from model.errors import describe_failure
from model.evaluation.protocol import EvaluationProtocol
from model.parsing import parse
from model.progress import JobContext
from model.runs.store import RunRecord
from model.training.config import TrainingConfig

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation
    from model.runs.corpus_cache import CorpusCache

log = logging.getLogger(__name__)

_SAVING_SECONDS = 60.0  # a worker process whose input has ended exits after this time at the latest
_SAVING_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """A run to train, unless it is complete, and to evaluate.

    Attributes
    ----------
    name
        Identifies it in the plan.
    folder
        Folder of the run; it resumes from the checkpoint there.
    config
        Its training.
    protocol
        Its evaluation.
    threads
        Number of threads that it computes with.
    complete
        Whether it is trained already; then its folder is only read.
    data
        Folder of the corpora; by default the user's.
    """

    name: str
    folder: Path
    config: TrainingConfig
    protocol: EvaluationProtocol
    threads: int = 1
    complete: bool = False
    data: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "folder": str(self.folder.absolute()),
            "config": self.config.to_dict(),
            "protocol": self.protocol.to_dict(),
            "threads": self.threads,
            "complete": self.complete,
            "data": str(self.data.absolute()) if self.data else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Trial:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the trial")


@dataclass(frozen=True, slots=True)
class Started:
    """A trial has begun, for the first time or again."""

    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """So many steps of a trial's training are done."""

    name: str
    step: int


@dataclass(frozen=True, slots=True)
class Evaluating:
    """A trial is trained, and its evaluation has begun."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A trial has ended with an evaluation."""

    name: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial has failed: why, and what to do."""

    name: str
    message: str


TrialEvent = Started | Step | Evaluating | Done | Failed


class Engine(Protocol):
    """Carries out trials."""

    def run(self, trials: Sequence[Trial], stop: Callable[[], bool]) -> Iterator[TrialEvent]:
        """Carry out trials, each from its :class:`Started` to its :class:`Done` or :class:`Failed`.

        Parameters
        ----------
        trials
            The trials, in the order in which they begin.
        stop
            Called often; true ends the work, which is saved. Trials that have not ended by then have no last event.
        """

    def paused(self) -> AbstractContextManager[None]:
        """Within it, all trials wait. For use by ``stop``, which may take its time while the work is paused."""


class Serial:
    """Carries out one trial after another in this process.

    Parameters
    ----------
    corpora
        Loads the corpora.
    """

    def __init__(self, corpora: CorpusCache) -> None:
        self._corpora = corpora

    def run(self, trials: Sequence[Trial], stop: Callable[[], bool]) -> Iterator[TrialEvent]:
        """See :meth:`Engine.run`."""
        for trial in trials:
            if stop():
                return
            yield Started(trial.name)
            try:
                yield from run_trial(trial, self._corpora, _QuietContext(stop))
            except Exception as error:  # any error: the other trials take hours and shall not be lost
                yield Failed(trial.name, failure(trial.name, error))

    def paused(self) -> AbstractContextManager[None]:
        """See :meth:`Engine.paused`: trials wait for ``stop``."""
        return nullcontext()


def run_trial(trial: Trial, corpora: CorpusCache, context: JobContext) -> Iterator[Step | Evaluating | Done]:
    """Train and evaluate a run; the last event is :class:`Done`, unless it was cancelled.

    Parameters
    ----------
    trial
        The run.
    corpora
        Loads the corpora.
    context
        Can cancel it before each step, and pause it. It is sent nothing.

    Raises
    ------
    Exception
        Whatever training and evaluation raise; see :func:`failure`.
    """
    from model.evaluation.checkpoints import evaluate_checkpoint  # late: all of these import torch
    from model.runs.session import TrainingSession
    from model.training.loop import Stepped

    with limited_threads(trial.threads):
        if not trial.complete:
            _await_release(trial, context)
            with TrainingSession(trial.folder, trial.config) as session:
                for event in session.train(corpora, lambda: context.cancelled(session.pause)):
                    if isinstance(event, Stepped):
                        yield Step(trial.name, event.step)
        yield Evaluating(trial.name)
        if context.cancelled():
            return
        file = RunRecord(trial.folder).model_file
        evaluation = evaluate_checkpoint(file, trial.protocol, _QuietContext(context.cancelled), trial.data)
        if evaluation is not None:
            yield Done(trial.name, evaluation)


def _await_release(trial: Trial, context: JobContext) -> None:
    """Wait while another process trains there, for a while: one whose engine is gone is still saving its run."""
    until = time.monotonic() + _SAVING_SECONDS
    while RunRecord(trial.folder).held and time.monotonic() < until and not context.cancelled():
        time.sleep(_SAVING_POLL_SECONDS)


def failure(name: str, error: Exception) -> str:
    """Why a trial has failed, and what to do; errors that nobody expects are logged."""
    from model.training.loop import TrainingFailed  # late: it imports torch

    if not isinstance(error, OSError | ValueError | TrainingFailed):
        log.error("%s failed unexpectedly", name, exc_info=error)
    return describe_failure(error)


@dataclass(frozen=True, slots=True)
class _QuietContext(JobContext):
    """Cancels work when ``stop`` says so, and ignores its messages."""

    stop: Callable[[], bool]

    def cancelled(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:  # noqa: ARG002
        """Whether the work should end."""
        return self.stop()
