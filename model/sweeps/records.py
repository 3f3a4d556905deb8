"""Folders of sweeps and comparisons: each contains the plan, a folder for each run, and in the end the results.

Without torch, as :mod:`model.runs.store`, so that the window lists sweeps early.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from model import locations
from model.checkpoints import write_bytes_atomically
from model.evaluation.store import find
from model.evaluation.sweep_results import SweepResults
from model.parsing import read_json
from model.recipes.recipe import lambda_text
from model.runs.store import RunInfo, RunRecord, RunStore, State, make_dated_folder
from model.sweeps.plans import Plan, SweepFailed, found_in, plan_from, protocol_of
from model.sweeps.results import COMPARISON_FILE, SWEEP_FILE, Results


@dataclass(frozen=True, slots=True)
class SweptRun:
    """The state of one run of a sweep.

    Attributes
    ----------
    name
        Of its folder; empty if only its row in the table is known.
    label, seed
        Identify the run: see :class:`~model.sweeps.plans.PlannedRun`.
    state
        State of its training.
    share
        Share of its training that is done, in [0, 1].
    purity, modality_svm
        Means over resamplings; ``None`` before the evaluation.
    message
        Why it failed, and what to do.
    """

    name: str
    label: str
    seed: int
    state: State = "waiting"
    share: float = 0.0
    purity: float | None = None
    modality_svm: float | None = None
    message: str = ""


def runs_of(plan: Plan) -> tuple[SweptRun, ...]:
    """The runs of a plan before any has started."""
    return tuple(SweptRun(one.name, one.label, one.config.seed) for one in plan.runs())


def runs_behind(results: Results) -> tuple[SweptRun, ...]:
    """The runs behind the rows of results, if their folders are not available."""
    if isinstance(results, SweepResults):
        rows = [(f"λ {lambda_text(row.lambda_ig)}", row.seed, row.report) for row in results.rows]
    else:
        rows = [(row.system, row.seed, row.report) for row in results.rows]
    return tuple(
        SweptRun("", label, seed, "complete", 1.0, report.purity.mean, report.modality_svm.mean)
        for label, seed, report in rows
    )


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """The folder of one sweep. Reading it never disturbs a training process."""

    folder: Path

    @property
    def results_file(self) -> Path:
        """The results, see :mod:`model.sweeps.results`."""
        comparison = self.folder / COMPARISON_FILE
        return comparison if comparison.is_file() else self.folder / SWEEP_FILE

    @property
    def plan_file(self) -> Path:
        """The plan."""
        return self.folder / "plan.json"

    def keep_plan(self, plan: Plan) -> None:
        """Write the plan, so that it can be resumed; raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(self.plan_file, json.dumps(plan.to_dict(), indent=1).encode())

    def plan(self) -> Plan:
        """The plan, derived from the complete runs if there is no ``plan.json``.

        Raises :class:`~model.sweeps.plans.SweepFailed` if the folder holds no sweep.
        """
        try:
            return plan_from(read_json(self.plan_file))
        except FileNotFoundError:
            return found_in(self.folder)
        except (OSError, ValueError) as error:
            raise SweepFailed(f"{self.plan_file} can't be read: {error}") from error

    def created(self) -> datetime:
        """Date and time of its creation, in the local time zone; raises ``OSError``."""
        file = self.plan_file if self.plan_file.is_file() else self.folder
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone()

    def runs(self) -> tuple[SweptRun, ...]:
        """All planned runs; raises :class:`~model.sweeps.plans.SweepFailed` if the folder holds no sweep."""
        plan = self.plan()
        existing = RunStore(self.folder).readable()
        return tuple(
            next((_updated(run, record, info) for record, info in existing if info.plan.trains_as(one.config)), run)
            for run, one in zip(runs_of(plan), plan.runs(), strict=True)
        )


def _updated(run: SweptRun, record: RunRecord, info: RunInfo) -> SweptRun:
    """The state of a run by its folder."""
    share = info.step / max(1, info.steps)
    found = replace(run, state=info.state, share=share, message="" if info.state == "complete" else info.message)
    if info.state == "complete":
        with suppress(OSError):
            evaluation = find(record.model_file, protocol_of(info.plan))
            if evaluation is not None:
                report = evaluation.report
                return replace(found, purity=report.purity.mean, modality_svm=report.modality_svm.mean)
    return found


class SweepStore:
    """The sweeps in a folder, by default the user's."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or locations.sweeps()

    def list(self) -> list[SweepRecord]:
        """All sweeps, newest first."""
        found = []
        for record in self._records():
            with suppress(OSError):  # just deleted
                found.append((record.created(), record))
        return [record for _, record in sorted(found, key=lambda pair: (pair[0], pair[1].folder.name), reverse=True)]

    def new(self, plan: Plan) -> SweepRecord:
        """Create a folder for a sweep; raises ``OSError``."""
        record = SweepRecord(make_dated_folder(self.folder, plan.plan.recipe.name))
        record.keep_plan(plan)
        return record

    def _records(self) -> Iterator[SweepRecord]:
        with suppress(FileNotFoundError, NotADirectoryError):
            for folder in self.folder.iterdir():
                record = SweepRecord(folder)
                if record.plan_file.is_file() or record.results_file.is_file():
                    yield record
