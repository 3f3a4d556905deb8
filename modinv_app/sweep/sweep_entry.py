"""Sweeps as the window lists and shows them, and the words that describe them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from model import locations
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import lambda_text
from model.sweeps.records import SweepRecord, SweepStore, SweptRun, runs_behind
from model.sweeps.runner import SweepFailed, SweepPlan
from modinv_app.common.run_entry import date

SHIPPED = "Shipped with modinv"

_NO_SWEEP = "Open a folder in which a sweep was trained, or the file sweep.safetensors of one."


@dataclass(frozen=True, slots=True)
class Listing:
    """A sweep to choose: what it is called, and its folder or file."""

    title: str
    path: Path


@dataclass(frozen=True, slots=True)
class SweepState:
    """How the sweep at hand stands.

    Attributes
    ----------
    title
        What it is called.
    runs
        All of them, in the order in which they are trained.
    record
        Its folder; None where only its results are known, or before there is one.
    file
        Of results that are all that is known.
    finished
        Whether its results are there.
    active, ending
        Whether the process works at it, and whether it was told to stop.
    share, text
        Of all its work, in [0, 1], and what is being done.
    ends_at
        When it will be done by the latest estimate, as of ``time.monotonic``; None while too little is known.
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
        """By which it is told from others."""
        return self.record.folder if self.record else self.file

    @property
    def judged(self) -> int:
        """How many runs have their row in the table."""
        return sum(run.purity is not None for run in self.runs)

    @property
    def resumable(self) -> bool:
        """Whether something is left to be done."""
        whole = self.finished and self.judged == len(self.runs)
        return self.record is not None and not self.active and not whole


def open_sweep(path: Path) -> tuple[SweepState, SweepResults | None]:
    """What a folder or a file holds; the results are None where a sweep has none yet.

    Raises
    ------
    SweepFailed
        If there is no sweep.
    UnusableCheckpoint
        If its results can't be read.
    """
    record = SweepRecord(path if path.is_dir() else path.parent)
    file = record.results_file if path.is_dir() else path
    results = SweepResults.load(file) if file.is_file() or not path.is_dir() else None
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
    return SweepState(title, runs_behind(results.rows), file=path, finished=True), results


def listings(store: SweepStore) -> list[Listing]:
    shipped = locations.shipped_sweep()
    found = [Listing(SHIPPED, shipped)] if shipped.is_file() else []
    for record in store.list():
        try:
            title = title_of(record.plan(), record.created())
        except SweepFailed:  # only its results are left
            title = record.folder.name
        found.append(Listing(title, record.folder))
    return found


def title_of(plan: SweepPlan, created: datetime) -> str:
    """``"fast, 8 values, seed 0, 24 Nov"``."""
    seeds = dict.fromkeys(plan.seeds)
    values = len(set(plan.lambdas))
    seed = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {plan.seeds[0]}"
    return f"{plan.plan.recipe.name}, {values} value{'s' if values > 1 else ''}, {seed}, {date(created.isoformat())}"


def title_of_run(run: SweptRun) -> str:
    """``"λ 2.15e-2, seed 0"``."""
    return f"λ {lambda_text(run.lambda_ig)}, seed {run.seed}"


def with_heard(runs: Sequence[SweptRun], before: Sequence[SweptRun]) -> tuple[SweptRun, ...]:
    """Runs as they are on disk, with what only the process has told: numbers, and that one could not even begin."""
    return tuple(
        known if known.purity is not None else _failed(run, known.message)
        for run, known in zip(runs, before, strict=True)
    )


def _measured(run: SweptRun, results: SweepResults | None) -> SweptRun:
    """A complete run with its figures from the results; evaluations in the cache are of this version's code alone."""
    if results is None or run.state != "complete" or run.purity is not None:
        return run
    measured = (one for one in runs_behind(results.rows) if (one.lambda_ig, one.seed) == (run.lambda_ig, run.seed))
    return next((replace(one, name=run.name) for one in measured), run)


def _failed(run: SweptRun, message: str) -> SweptRun:
    """The run with what was heard of its failure, unless the disk knows better."""
    if not message or run.purity is not None or run.message:
        return run
    return replace(run, state="failed", message=message)


def failures(runs: Sequence[SweptRun]) -> str:
    """What is to be said of runs that came to nothing while the rest went on."""
    failed = [run for run in runs if run.state == "failed"]
    if not failed:
        return ""
    first = f"{title_of_run(failed[0])}: {failed[0].message}"
    which = "One run" if len(failed) == 1 else f"{len(failed)} runs"
    return f"{which} of {len(runs)} failed. {first} Resume tries again."
