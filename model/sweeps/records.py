"""Folders of sweeps: each contains the plan, a folder for each run, and in the end the results.

Without torch, as :mod:`model.runs.store`, so that the window lists sweeps early.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from model import locations
from model.checkpoints import write_bytes_atomically
from model.evaluation.store import find
from model.evaluation.sweep_results import SweepRow
from model.parsing import read_json
from model.runs.store import RunInfo, RunRecord, RunStore, State, make_dated_folder
from model.sweeps.runner import SweepFailed, SweepPlan, found_in, protocol_of, run_name


@dataclass(frozen=True, slots=True)
class SweptRun:
    """The state of one run of a sweep.

    Attributes
    ----------
    name
        See :func:`model.sweeps.runner.run_name`; empty if only its row in the table is known.
    lambda_ig, seed
        Identify the run.
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
    lambda_ig: float
    seed: int
    state: State = "waiting"
    share: float = 0.0
    purity: float | None = None
    modality_svm: float | None = None
    message: str = ""


def runs_of(plan: SweepPlan) -> tuple[SweptRun, ...]:
    """The runs of a sweep before any has started."""
    return tuple(SweptRun(run_name(one), one.recipe.lambda_ig, one.seed) for one in plan.configs())


def runs_behind(rows: Iterable[SweepRow]) -> tuple[SweptRun, ...]:
    """The runs behind the rows of a table, if their folders are not available."""
    return tuple(
        SweptRun("", row.lambda_ig, row.seed, "complete", 1.0, row.report.purity.mean, row.report.modality_svm.mean)
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """The folder of one sweep. Reading it never disturbs a training process."""

    folder: Path

    @property
    def results_file(self) -> Path:
        """The results, see :class:`model.evaluation.sweep_results.SweepResults`."""
        return self.folder / "sweep.safetensors"

    @property
    def plan_file(self) -> Path:
        """The plan."""
        return self.folder / "plan.json"

    def keep_plan(self, plan: SweepPlan) -> None:
        """Write the plan, so that the sweep can be resumed; raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(self.plan_file, json.dumps(plan.to_dict(), indent=1).encode())

    def plan(self) -> SweepPlan:
        """The plan, derived from the complete runs if there is no ``plan.json``.

        Raises :class:`~model.sweeps.runner.SweepFailed` if the folder holds no sweep.
        """
        try:
            return SweepPlan.from_dict(read_json(self.plan_file))
        except FileNotFoundError:
            return found_in(self.folder)
        except (OSError, ValueError) as error:
            raise SweepFailed(f"{self.plan_file} can't be read: {error}") from error

    def created(self) -> datetime:
        """Date and time of its creation, in the local time zone; raises ``OSError``."""
        file = self.plan_file if self.plan_file.is_file() else self.folder
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone()

    def runs(self) -> tuple[SweptRun, ...]:
        """All planned runs; raises :class:`~model.sweeps.runner.SweepFailed` if the folder holds no sweep."""
        plan = self.plan()
        existing = RunStore(self.folder).readable()
        return tuple(
            next((_updated(run, record, info) for record, info in existing if info.plan.trains_as(config)), run)
            for run, config in zip(runs_of(plan), plan.configs(), strict=True)
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

    def new(self, plan: SweepPlan) -> SweepRecord:
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
