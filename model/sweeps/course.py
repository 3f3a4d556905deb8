"""How far the trials of a plan are, and the time that is left."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from model.sweeps.trials import Done, Evaluating, Failed, Started, Step, Trial, TrialEvent
from model.training.time_left import Pace

_EVALUATION_SECONDS = 30.0  # assumed until the first one was measured
_TRAINING_SHARE = 0.95  # of a run's work: FAST trains for minutes and is evaluated in half of one


@dataclass
class _State:
    trial: Trial
    stage: Literal["waiting", "started", "evaluating", "ended"] = "waiting"
    step: int = 0
    pace: Pace = field(default_factory=Pace)
    evaluating_since: float = 0.0

    @property
    def steps_left(self) -> int:
        trained = self.trial.complete or self.stage in ("evaluating", "ended")
        return 0 if trained else self.trial.config.recipe.steps - self.step

    @property
    def share(self) -> float:
        if self.stage == "ended":
            return 1.0
        return _TRAINING_SHARE * (1 - self.steps_left / self.trial.config.recipe.steps)


class Course:
    """Follows the events of an engine.

    Parameters
    ----------
    trials
        All trials of the engine.
    """

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._states = {trial.name: _State(trial) for trial in trials}
        self._step_seconds: float | None = None  # of the last step of any trial whose pace is known
        self._evaluation_seconds = _EVALUATION_SECONDS

    @property
    def runs(self) -> int:
        """Number of trials."""
        return len(self._states)

    @property
    def ended(self) -> int:
        """Number of trials that are done or have failed."""
        return sum(state.stage == "ended" for state in self._states.values())

    @property
    def share_of_all(self) -> float:
        """Share of all work that is done, in [0, 1]."""
        return sum(state.share for state in self._states.values()) / max(1, self.runs)

    def share(self, name: str) -> float:
        """Share of a trial's work that is done, in [0, 1]."""
        return self._states[name].share

    def follow(self, event: TrialEvent) -> None:
        """Note an event that has just come."""
        state = self._states[event.name]
        match event:
            case Started():
                state.stage, state.pace = "started", Pace()
            case Step():
                state.step = event.step
                state.pace.update(time.monotonic(), event.step)
                self._step_seconds = state.pace.unit_seconds or self._step_seconds
            case Evaluating():
                state.stage, state.evaluating_since = "evaluating", time.monotonic()
            case Done():
                self._evaluation_seconds = time.monotonic() - state.evaluating_since
                state.stage = "ended"
            case Failed():
                state.stage = "ended"

    def seconds_left(self) -> float | None:
        """Seconds until all trials have ended, at their present pace; ``None`` while too little is known.

        Trials in progress continue side by side, and each that waits begins when one of them ends.
        """
        working = [state for state in self._states.values() if state.stage in ("started", "evaluating")]
        waiting = [state for state in self._states.values() if state.stage == "waiting"]
        left = [self._left(state) for state in (*working, *waiting)]
        known = [seconds for seconds in left if seconds is not None]
        if len(known) < len(left):
            return None
        ends = known[: len(working)]
        heapq.heapify(ends)
        for seconds in known[len(working) :]:
            heapq.heapreplace(ends, ends[0] + seconds)
        return max(ends)

    def _left(self, state: _State) -> float | None:
        """Seconds that one trial will take from now."""
        each = state.pace.unit_seconds or self._step_seconds
        if state.steps_left and each is None:
            return None
        return state.steps_left * (each or 0.0) + self._evaluation_seconds
