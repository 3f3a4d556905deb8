"""Folders of runs as training would leave them, without training."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from model.recipes.recipe import named
from model.runs.store import MetricPoint, RunRecord, RunStore, State
from model.runs.values import RunStatus
from model.training.config import TrainingConfig

_ages = itertools.count()
_NEWEST = datetime.now(UTC) - timedelta(days=2)


def points(first: int, last: int, purity: float = 0.9) -> list[MetricPoint]:
    """A loss every ten steps, and estimates every twenty."""
    found = []
    for step in range(first, last + 1, 10):
        losses = {"total": 100 / (step + 1), "similarity": 50 / (step + 1), "information_gain": 300 / (step + 1)}
        found.append(MetricPoint(step, step / 469, step / 2, losses))
        if step % 20 == 0:
            estimates = {"quick_purity": purity, "quick_svm": 0.6, "quick_p_at_1": 0.95}
            found.append(MetricPoint(step, step / 469, step / 2, estimates))
    return found


def append(record: RunRecord, more: list[MetricPoint]) -> None:
    """Grow a run by some points."""
    with record.metrics_file.open("a") as file:
        file.writelines(point.to_line() + "\n" for point in more)


def make_run(
    store: RunStore,
    name: str,
    state: State = "complete",
    step: int = 100,
    *,
    purity: float = 0.9,
    message: str = "",
    seed: int = 0,
    **recipe: object,
) -> RunRecord:
    """A run of a hundred steps; each is older than the one made before."""
    plan = TrainingConfig(named("fast", **{"steps": 100, **recipe}), ("mnist", "voices"), seed)
    record = RunRecord(store.new_folder(plan))
    created = (_NEWEST - timedelta(hours=next(_ages))).isoformat(timespec="seconds")
    progress = RunStatus(plan, state, created, name, plan.data(), step, device="cpu", versions={"torch": "2.9.1"})
    record.write_progress(replace(progress, resumable=0 < step < 100, message=message))
    if step:
        append(record, points(0, step, purity))
        record.model_file.write_bytes(b"weights")
    return record
