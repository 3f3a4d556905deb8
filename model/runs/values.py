"""Plain values of runs: metrics, snapshots and states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from model.checkpoints import FORMAT, Arrays, checked, read_as, write_atomically
from model.parsing import loads, parse
from model.systems.base import Term
from model.training.config import TrainingConfig
from model.types import FloatArray

State = Literal["waiting", "running", "paused", "stopped", "complete", "failed", "interrupted"]

ESTIMATES = (
    Term("quick_purity", "Purity", "Does a cluster of embeddings hold one digit? 1 is best", span=(0.0, 1.0)),
    Term(
        "quick_svm",
        "Modality SVM",
        "Can images and speech be told apart? 0.5 is best: they can't",
        span=(0.4, 1.0),
        level=0.5,
    ),
    Term(
        "quick_p_at_1", "P@1", "Share of items whose nearest of the other modality is the same digit", span=(0.0, 1.0)
    ),
)
"""Quick estimates, which each snapshot measures on the few hundred items of the probe, for any system."""

_LARGEST = float(np.finfo(np.float32).max)  # of measured values


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One line of a run's metrics.

    Attributes
    ----------
    step, epoch, seconds
        Progress of the run: batches, passes over the images, seconds of training without pauses.
    values
        Values by name. A logged step has ``learning_rate`` and the terms and weights of its system's loss, such as
        ``total``, ``similarity`` and ``lambda_ig``; a snapshot has a separate line with the :data:`ESTIMATES`.
    """

    step: int
    epoch: float
    seconds: float
    values: Mapping[str, float]

    def to_line(self) -> str:
        """One line of JSON, without the newline."""
        return json.dumps({"step": self.step, "epoch": self.epoch, "seconds": self.seconds, **self.values})

    @classmethod
    def from_line(cls, line: bytes) -> MetricPoint | None:
        """The inverse of :meth:`to_line`; ``None`` for an incomplete or invalid line."""
        try:
            values = parse(dict[str, float], loads(line))
            step, epoch, seconds = (values.pop(name) for name in ("step", "epoch", "seconds"))
        except (ValueError, KeyError):
            return None
        usable = step.is_integer() and all(abs(one) <= _LARGEST for one in (step, epoch, seconds, *values.values()))
        return cls(int(step), epoch, seconds, values) if usable and min(step, epoch, seconds) >= 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Posteriors and map of the probe at a step of a training.

    Attributes
    ----------
    step
        Number of batches trained before.
    means, log_variances
        Posteriors of the probe's items, ``(n, 128)`` float32; on disk in 16 bits.
    coordinates
        Coordinates of the items in a map that continues that of the previous snapshot, ``(n, 2)`` float32.
    values
        The quick estimates, as in :class:`MetricPoint`.
    """

    step: int
    means: FloatArray
    log_variances: FloatArray
    coordinates: FloatArray
    values: Mapping[str, float]

    def save(self, path: Path) -> None:
        """Write it to a file, atomically; raises ``OSError``, also if the run's folder is gone."""
        path.parent.mkdir(exist_ok=True)
        header = {"format": FORMAT, "kind": "snapshot", "step": self.step, "values": dict(self.values)}
        arrays: dict[str, npt.NDArray[Any]] = {
            "means": self.means.astype(np.float16),
            "log_variances": self.log_variances.astype(np.float16),
            "coordinates": self.coordinates,
        }
        write_atomically(path, arrays, header, make_folder=False)

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
        return read_as("snapshot", path, cls._from)

    @classmethod
    def _from(cls, arrays: Arrays, header: Mapping[str, Any]) -> Snapshot:
        means = checked(arrays, "means", np.float16, (None, None))
        return cls(
            parse(int, header.get("step"), "step"),
            means.astype(np.float32),
            checked(arrays, "log_variances", np.float16, means.shape, logarithms=True).astype(np.float32),
            checked(arrays, "coordinates", np.float32, (len(means), 2)),
            parse(dict[str, float], header.get("values"), "values"),
        )


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The state of a run.

    Attributes
    ----------
    name, note
        Name and note that the user can change.
    plan
        The training configuration.
    state
        ``"interrupted"`` after a crash, a kill or a loss of power.
    step, steps, seconds
        Steps done and in all, and seconds of training so far.
    message
        Why it failed and what to do; may be empty.
    created
        Date and time in ISO 8601.
    device, versions
        Device of the training, and versions of the libraries.
    resumable
        Whether it can be resumed from its last checkpoint.
    data
        What it trains on, as in the checkpoint's header.
    """

    name: str
    note: str
    plan: TrainingConfig
    state: State
    step: int
    steps: int
    seconds: float
    message: str
    created: str
    device: str
    versions: Mapping[str, str]
    resumable: bool
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The content of ``run.json``, which the training process writes at each change.

    Attributes as of :class:`RunInfo`.
    """

    plan: TrainingConfig
    state: State
    created: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    step: int = 0
    message: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    resumable: bool = True

    def __post_init__(self) -> None:
        try:
            year = datetime.fromisoformat(self.created).year
        except ValueError as error:
            raise ValueError(f"created is not a date: {self.created[:40]!r}") from error
        if not 1970 <= year < 9999:  # other years can't be converted to every time zone
            raise ValueError(f"created is in the year {year}")
        if not 0 <= self.step <= self.plan.recipe.steps:
            raise ValueError(f"step is {self.step}, of {self.plan.recipe.steps}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"format": FORMAT, **asdict(self), "plan": self.plan.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunStatus:
        """The inverse of :meth:`to_dict`; a ``ValueError`` says what is wrong."""
        found = parse(dict[str, Any], values)
        if found.get("format") != FORMAT:
            raise ValueError("it was written by another version of modinv")
        return parse(cls, {name: value for name, value in found.items() if name in cls.__slots__})


def points_in(content: bytes) -> list[MetricPoint]:
    """The points in lines of metrics, without incomplete lines."""
    return [point for line in content.splitlines() if (point := MetricPoint.from_line(line)) is not None]
