"""Sweeps as the window lists and shows them, and texts about sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from model import locations
from model.sweeps.plans import Plan, SweepFailed, SweepPlan
from model.sweeps.records import SweepRecord, SweepStore, SweptRun, runs_behind
from model.sweeps.results import Results, load_results
from modinv_app.common.run_entry import date

SHIPPED = "Shipped with modinv"

_NO_SWEEP = "Open a folder in which a sweep was trained, or the file sweep.safetensors of one."


@dataclass(frozen=True, slots=True)
class Listing:
    """A sweep to choose: its title, and its folder or file."""

    title: str
    path: Path


@dataclass(frozen=True, slots=True)
class SweepState:
    """The state of the current sweep.

    Attributes
    ----------
    title
        Its title.
    runs
        All runs, in the order of training.
    record
        Its folder; None if there is only a file of results, or before it is created.
    file
        The file of results if there is no folder.
    finished
        Whether there are results.
    active, ending
        Whether it is being trained, and whether it was asked to stop.
    share, text
        Progress in [0, 1], and what is being done.
    ends_at
        Estimated end on the clock of ``time.monotonic``; None if unknown.
    message
        What went wrong, and what to do.
    """

    title: str
    runs: tuple[SweptRun, ...]
    record: SweepRecord | None = None
    file: Path | None = None
    finished: bool = False
    active: bool = False
    ending: bool = False
    share: float = 0.0
    text: str = ""
    ends_at: float | None = None
    message: str = ""

    @property
    def path(self) -> Path | None:
        """Its folder or file, by which it is identified."""
        return self.record.folder if self.record else self.file

    @property
    def evaluated(self) -> int:
        """Number of runs that are evaluated."""
        return sum(run.purity is not None for run in self.runs)

    @property
    def resumable(self) -> bool:
        """Whether it can be continued."""
        whole = self.finished and self.evaluated == len(self.runs)
        return self.record is not None and not self.active and not whole


def open_sweep(path: Path) -> tuple[SweepState, Results | None]:
    """Open a folder or a file; the results are None if a sweep has none yet.

    Raises
    ------
    SweepFailed
        If there is no sweep.
    UnusableCheckpoint
        If its results can't be read.
    """
    record = SweepRecord(path if path.is_dir() else path.parent)
    file = record.results_file if path.is_dir() else path
    results = load_results(file) if file.is_file() or not path.is_dir() else None
    if path.is_dir() or record.plan_file.is_file():
        try:
            failed = results.failures if results else {}
            runs = tuple(_failed(_measured(run, results), failed.get(run.name, "")) for run in record.runs())
            title = title_of(record.plan(), record.created())
            return SweepState(title, runs, record, finished=results is not None, message=failures(runs)), results
        except SweepFailed as error:
            if results is None:
                raise SweepFailed(f"{error} {_NO_SWEEP}") from error
    assert results is not None
    title = SHIPPED if path == locations.shipped_sweep() else path.stem
    return SweepState(title, runs_behind(results), file=path, finished=True), results


def listings(store: SweepStore) -> list[Listing]:
    """The sweeps to choose from, first the shipped one."""
    shipped = locations.shipped_sweep()
    found = [Listing(SHIPPED, shipped)] if shipped.is_file() else []
    for record in store.list():
        try:
            title = title_of(record.plan(), record.created())
        except SweepFailed:  # there are only results
            title = record.folder.name
        found.append(Listing(title, record.folder))
    return found


def title_of(plan: Plan, created: datetime) -> str:
    """``"fast, 8 values, seed 0, 24 Nov"``, ``"fast, 13 systems, 3 seeds, 24 Nov"``."""
    seeds = dict.fromkeys(plan.seeds)
    what, count = ("value", len(set(plan.lambdas))) if isinstance(plan, SweepPlan) else ("system", len(plan.systems))
    seed = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {plan.seeds[0]}"
    return f"{plan.plan.recipe.name}, {count} {what}{'s' if count > 1 else ''}, {seed}, {date(created.isoformat())}"


def title_of_run(run: SweptRun) -> str:
    """``"λ 2.15e-2, seed 0"``."""
    return f"{run.label}, seed {run.seed}"


def with_reported(runs: Sequence[SweptRun], before: Sequence[SweptRun]) -> tuple[SweptRun, ...]:
    """Runs as they are on disk, with what only the process has reported: numbers, and failures to start."""
    return tuple(
        known if known.purity is not None else _failed(run, known.message)
        for run, known in zip(runs, before, strict=True)
    )


def _measured(run: SweptRun, results: Results | None) -> SweptRun:
    """A complete run with its numbers from the results, if the cached evaluation is of another version's code."""
    if results is None or run.state != "complete" or run.purity is not None:
        return run
    measured = (one for one in runs_behind(results) if (one.label, one.seed) == (run.label, run.seed))
    return next((replace(one, name=run.name) for one in measured), run)


def _failed(run: SweptRun, message: str) -> SweptRun:
    """The run marked as failed with this message, unless its own files say otherwise."""
    if not message or run.purity is not None or run.message:
        return run
    return replace(run, state="failed", message=message)


def failures(runs: Sequence[SweptRun]) -> str:
    """A message about failed runs; empty if there are none."""
    failed = [run for run in runs if run.state == "failed"]
    if not failed:
        return ""
    first = f"{title_of_run(failed[0])}: {failed[0].message}"
    which = "One run" if len(failed) == 1 else f"{len(failed)} runs"
    return f"{which} of {len(runs)} failed. {first} Resume tries again."
