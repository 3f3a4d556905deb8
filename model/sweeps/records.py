"""Sweeps on disk: one folder each, with the plan, a folder for every run, and in the end what was found.

Without torch, as :mod:`model.runs.store`, so that a window lists sweeps and says how they stand.
"""

from __future__ import annotations

import itertools
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
from model.runs.store import RunInfo, RunRecord, RunStore, State
from model.sweeps.runner import SweepFailed, SweepPlan, found_in, protocol_of, run_name


@dataclass(frozen=True, slots=True)
class SweptRun:
    """How one run of a sweep stands.

    Attributes
    ----------
    name
        As :func:`model.sweeps.runner.run_name` calls it; empty where nothing but its row in the table is known.
    lambda_ig, seed
        What tells it from the others.
    state
        Of its training.
    share
        Of its training that is done, in [0, 1].
    purity, modality_svm
        Their means over resamplings once it has been judged.
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
    """The runs of a sweep before any is begun."""
    return tuple(SweptRun(run_name(one), one.recipe.lambda_ig, one.seed) for one in plan.plans())


def runs_behind(rows: Iterable[SweepRow]) -> tuple[SweptRun, ...]:
    """The runs behind a table, where nothing else is left of them."""
    return tuple(
        SweptRun(
            "",
            row.lambda_ig,
            row.seed,
            "complete",
            1.0,
            row.report.purity.mean,
            row.report.modality_svm.mean,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """One sweep's folder as it is on disk. Reading it never disturbs whoever trains in it."""

    folder: Path

    @property
    def results_file(self) -> Path:
        """What the sweep found, as :meth:`model.evaluation.sweep_results.SweepResults.load` takes it."""
        return self.folder / "sweep.safetensors"

    @property
    def plan_file(self) -> Path:
        """What was chosen before it."""
        return self.folder / "plan.json"

    def keep_plan(self, plan: SweepPlan) -> None:
        """Write down what is to be trained here, so that it can be resumed; raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(self.plan_file, json.dumps(plan.to_dict(), indent=1).encode())

    def plan(self) -> SweepPlan:
        """What was chosen, or what its complete runs say where that was not kept.

        Raises :class:`~model.sweeps.runner.SweepFailed` if the folder holds no sweep.
        """
        try:
            return SweepPlan.from_dict(read_json(self.plan_file))
        except FileNotFoundError:
            return found_in(self.folder)
        except (OSError, ValueError) as error:
            raise SweepFailed(f"{self.plan_file} can't be read: {error}") from error

    def created(self) -> datetime:
        """When it was begun, in this machine's time zone; raises ``OSError``."""
        file = self.plan_file if self.plan_file.is_file() else self.folder
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone()

    def runs(self) -> tuple[SweptRun, ...]:
        """Every run that is planned; raises :class:`~model.sweeps.runner.SweepFailed` if the folder holds no sweep."""
        plan = self.plan()
        there = RunStore(self.folder).readable()
        return tuple(
            next((_stands(run, record, info) for record, info in there if info.plan.trains_as(one)), run)
            for run, one in zip(runs_of(plan), plan.plans(), strict=True)
        )


def _stands(run: SweptRun, record: RunRecord, info: RunInfo) -> SweptRun:
    """How a run stands by what is on disk."""
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
    """The sweeps in one folder.

    Parameters
    ----------
    folder
        Where they lie; the user's own place for sweeps by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or locations.sweeps()

    def list(self) -> list[SweepRecord]:
        """All sweeps, the newest first."""
        found = []
        for record in self._records():
            with suppress(OSError):  # just deleted
                found.append((record.created(), record))
        return [record for _, record in sorted(found, key=lambda pair: (pair[0], pair[1].folder.name), reverse=True)]

    def new(self, plan: SweepPlan) -> SweepRecord:
        """A folder for a sweep; raises ``OSError``."""
        stem = f"{datetime.now(UTC).astimezone():%Y-%m-%d-%H%M%S}-{plan.plan.recipe.name}"
        for number in itertools.count(1):
            record = SweepRecord(self.folder / (stem if number == 1 else f"{stem}-{number}"))
            with suppress(FileExistsError):
                record.folder.mkdir(parents=True)
                break
        record.keep_plan(plan)
        return record

    def _records(self) -> Iterator[SweepRecord]:
        with suppress(FileNotFoundError, NotADirectoryError):
            for folder in self.folder.iterdir():
                record = SweepRecord(folder)
                if record.plan_file.is_file() or record.results_file.is_file():
                    yield record
