"""Time and memory that the configuration in a form will take, measured by trial steps once the form is unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from model.recipes.recipe import FAST
from model.training.config import Estimate, TrainingConfig
from modinv_app.common.run_entry import memory_shortage
from modinv_app.jobs.client import Job, JobClient, Training

C = TypeVar("C")

_DELAY_MS = 800  # after the last change: trial steps take seconds


class _Cost(NamedTuple):
    """What determines the cost of a run."""

    config: TrainingConfig
    threads: int | None


class EstimateController(QObject, Generic[C]):
    """Estimates the cost of a form's configuration, and says whether it can be trained.

    Parameters
    ----------
    form
        Nothing is measured while it is hidden.
    kind
        What the form starts; impossible while anything else trains.
    choice
        Reads the form; raises ``ValueError`` with the reason where it can't be trained.
    run_of
        One run of a choice.
    describe
        The cost of a choice in words, given the seconds of one run and its estimate.
    warn
        A warning about a choice, or an empty text.
    threads_of
        With how many threads a run computes; ``None`` for as many as there are cores.

    Signals
    -------
    cost_changed(str), trouble_changed(str)
        The cost, or the progress of measuring it; what is wrong. Empty if there is nothing to say.
    possible_changed(bool)
        Whether training can start.
    """

    cost_changed = Signal(str)
    trouble_changed = Signal(str)
    possible_changed = Signal(bool)

    def __init__(
        self,
        client: JobClient,
        kind: Training,
        form: QWidget,
        choice: Callable[[], C],
        run_of: Callable[[C], TrainingConfig],
        describe: Callable[[C, float, Estimate], str],
        warn: Callable[[C], str] = lambda _choice: "",
        threads_of: Callable[[C], int | None] = lambda _choice: None,
    ) -> None:
        super().__init__(form)
        self._client, self._kind, self._form = client, kind, form
        self._choice, self._run_of, self._describe, self._warn = choice, run_of, describe, warn
        self._threads_of = threads_of
        self._known: dict[_Cost, Estimate] = {}
        self._job: Job | None = None
        self._measured: _Cost | None = None  # by the job
        self._delay = QTimer(self, interval=_DELAY_MS, singleShot=True)
        self._delay.timeout.connect(self._measure)
        client.training_changed.connect(self.refresh)
        form.installEventFilter(self)

    def refresh(self) -> None:
        """Update all texts, and measure what isn't known yet."""
        self._delay.stop()
        if not self._form.isVisible():
            self.stop()
        try:
            choice = self._choice()
        except ValueError as error:
            self._say("", str(error), possible=False)
            return
        free, obstacle, warning = self._client.training is None, self._client.obstacle(self._kind), self._warn(choice)
        run = self._run_of(choice)
        estimate = self._known.get(self._cost(choice))
        if estimate is not None:
            seconds = estimate.seconds + (run.recipe.steps - FAST.steps) * estimate.step_seconds
            trouble = obstacle or "\n".join(filter(None, (memory_shortage(estimate), warning)))
            self._say(self._describe(choice, seconds, estimate), trouble, possible=free)
        elif free and self._form.isVisible():
            self._say("Measuring how long it will take…", warning, possible=True)
            self._delay.start()
        else:  # trial steps beside a training would measure both
            self._say("", obstacle or warning, possible=free)

    def stop(self) -> None:
        """Stop measuring."""
        self._delay.stop()
        if self._job is not None:
            self._job.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Measure only while the form is visible."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self.refresh()
        return super().eventFilter(watched, event)

    def _say(self, cost: str, trouble: str, *, possible: bool) -> None:
        self.cost_changed.emit(cost)
        self.trouble_changed.emit(trouble)
        self.possible_changed.emit(possible)

    def _measure(self) -> None:
        cost = self._current()
        if cost is None or self._client.training is not None or (self._job is not None and cost == self._measured):
            return
        self.stop()
        details = {} if cost.threads is None else {"threads": cost.threads}
        self._measured, self._job = cost, self._client.submit("estimate", plan=cost.config.to_dict(), **details)
        self._job.received.connect(partial(self._on_message, cost))
        self._job.finished.connect(partial(self._forget, self._job.id))
        self._job.failed.connect(partial(self._show_failure, self._job.id, cost))

    def _cost(self, choice: C) -> _Cost:
        """The key of an estimate: the configuration without what changes neither time nor memory of a step."""
        run = self._run_of(choice)
        recipe = replace(run.recipe, name="", lambda_ig=FAST.lambda_ig, lambda_wd=FAST.lambda_wd, steps=FAST.steps)
        return _Cost(replace(run, recipe=recipe, seed=0, start=None), self._threads_of(choice))

    def _current(self) -> _Cost | None:
        """What has to be measured for the current choice; None if it can't be trained."""
        try:
            return self._cost(self._choice())
        except ValueError:
            return None

    def _on_message(self, cost: _Cost, message: Mapping[str, Any]) -> None:
        if message["say"] == "estimate":
            self._known[cost] = Estimate.from_dict(message)
            self.refresh()
        elif message["say"] == "progress" and cost == self._current() and cost not in self._known:
            share, text = message["share"], message["text"]
            self.cost_changed.emit(text if share is None else f"{text}: {share:.0%}")

    def _show_failure(self, job: int, cost: _Cost, why: str, _details: str) -> None:
        self._forget(job)
        if cost == self._current():
            self.cost_changed.emit("")
            self.trouble_changed.emit(why)

    def _forget(self, job: int) -> None:
        if self._job is not None and self._job.id == job:
            self._job = self._measured = None
