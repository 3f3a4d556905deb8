"""What the choice in a form will cost, measured by some trial steps once the form has come to rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from model.recipes.recipe import FAST
from model.training.config import Estimate, TrainingConfig
from modinv_app.common.run_entry import memory_shortage
from modinv_app.jobs.client import Job, JobClient, Training

C = TypeVar("C")

_AFTER_MS = 800  # without another change: trial steps take seconds


class EstimateController(QObject, Generic[C]):
    """Says of a form's choice what it costs, what is wrong with it, and whether it can begin.

    Parameters
    ----------
    form
        While it is hidden nothing is measured.
    kind
        What the form begins; it can't while a training is on its way.
    choice
        What the form says; a ``ValueError`` of it says why that can't be trained.
    run_of
        A run of a choice.
    describe
        The cost of a choice in words, by the seconds that a run takes and its estimate.
    warn
        What else is to be said of a choice; empty if nothing is.

    Signals
    -------
    cost_changed(str), trouble_changed(str)
        What it costs, or what is done to find out; what is wrong. Empty if there is nothing to say.
    possible_changed(bool)
        Whether it can begin.
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
    ) -> None:
        super().__init__(form)
        self._client, self._kind, self._form = client, kind, form
        self._choice, self._run_of, self._describe, self._warn = choice, run_of, describe, warn
        self._known: dict[TrainingConfig, Estimate] = {}
        self._job: Job | None = None
        self._measured: TrainingConfig | None = None  # by the job
        self._rest = QTimer(self, interval=_AFTER_MS, singleShot=True)
        self._rest.timeout.connect(self._ask)
        client.training_changed.connect(self.refresh)

    def refresh(self) -> None:
        """Say it anew, and ask for what isn't known yet."""
        self._rest.stop()
        if not self._form.isVisible():
            self.stop()
        try:
            choice = self._choice()
        except ValueError as error:
            self._say("", str(error), possible=False)
            return
        free, obstacle, warning = self._client.training is None, self._client.obstacle(self._kind), self._warn(choice)
        run = self._run_of(choice)
        estimate = self._known.get(_what_costs(run))
        if estimate is not None:
            seconds = estimate.seconds + (run.recipe.steps - FAST.steps) * estimate.step_seconds
            trouble = obstacle or "\n".join(filter(None, (memory_shortage(estimate), warning)))
            self._say(self._describe(choice, seconds, estimate), trouble, possible=free)
        elif free and self._form.isVisible():
            self._say("Measuring how long it will take…", warning, possible=True)
            self._rest.start()
        else:  # trial steps beside a training would measure both
            self._say("", obstacle or warning, possible=free)

    def stop(self) -> None:
        """Measure nothing any more: nobody looks, or a training begins."""
        self._rest.stop()
        if self._job is not None:
            self._job.stop()

    def _say(self, cost: str, trouble: str, *, possible: bool) -> None:
        self.cost_changed.emit(cost)
        self.trouble_changed.emit(trouble)
        self.possible_changed.emit(possible)

    def _ask(self) -> None:
        plan = self._current()
        if plan is None or self._client.training is not None or (self._job is not None and plan == self._measured):
            return
        self.stop()
        self._measured, self._job = plan, self._client.submit("estimate", plan=plan.to_dict())
        self._job.said.connect(partial(self._hear, plan))
        self._job.finished.connect(partial(self._forget, self._job.id))
        self._job.failed.connect(partial(self._show_failure, self._job.id, plan))

    def _current(self) -> TrainingConfig | None:
        """What is to be measured for the present choice; None if it can't be trained, and that has been said."""
        try:
            return _what_costs(self._run_of(self._choice()))
        except ValueError:
            return None

    def _hear(self, plan: TrainingConfig, message: Mapping[str, Any]) -> None:
        if message["say"] == "estimate":
            self._known[plan] = Estimate.from_dict(message)
            self.refresh()
        elif message["say"] == "progress" and plan == self._current() and plan not in self._known:
            share, text = message["share"], message["text"]
            self.cost_changed.emit(text if share is None else f"{text}: {share:.0%}")

    def _show_failure(self, job: int, plan: TrainingConfig, why: str, _details: str) -> None:
        self._forget(job)
        if plan == self._current():
            self.cost_changed.emit("")
            self.trouble_changed.emit(why)

    def _forget(self, job: int) -> None:
        if self._job is not None and self._job.id == job:
            self._job = self._measured = None


def _what_costs(plan: TrainingConfig) -> TrainingConfig:
    """The plan without what changes neither time nor memory of a step: plans that cost the same are one."""
    recipe = replace(plan.recipe, name="", lambda_ig=FAST.lambda_ig, lambda_wd=FAST.lambda_wd, steps=FAST.steps)
    return replace(plan, recipe=recipe, seed=0, start=None)
