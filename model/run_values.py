"""What runs are made of, as plain values: points, snapshots, how a run stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from model.checkpoint import FORMAT, UnusableCheckpoint, read, write_atomically
from model.plans import Plan
from model.results import FloatArray

State = Literal["waiting", "running", "paused", "stopped", "complete", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a run's metrics.

    Attributes
    ----------
    step, epoch, seconds
        How far the run was: batches, passes over the images, seconds of training without pauses.
    values
        By name. A step that was logged has ``total``, ``similarity``, ``information_gain``, ``weight_norms``,
        ``lambda_ig`` and ``learning_rate``; a snapshot has a line of its own with ``quick_purity``, ``quick_svm`` and
        ``quick_p_at_1``, estimates on the 400 items of the probe.
    """

    step: int
    epoch: float
    seconds: float
    values: Mapping[str, float]

    def to_line(self) -> str:
        """One line of JSON, without its end."""
        return json.dumps({"step": self.step, "epoch": self.epoch, "seconds": self.seconds, **self.values})

    @classmethod
    def from_line(cls, line: bytes) -> Point | None:
        """The inverse of :meth:`to_line`; ``None`` for a line that isn't whole."""
        try:
            values = json.loads(line)
            return cls(values.pop("step"), values.pop("epoch"), values.pop("seconds"), values)
        except (ValueError, KeyError, AttributeError):
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What the model made of the probe at a step.

    Attributes
    ----------
    step
        Batches trained before it was taken.
    means, log_variances
        Posteriors of the probe's items, ``(n, 128)`` float32; rounded to 16 bits once they were on disk.
    coordinates
        Where the items lie in a map that does not jump from one snapshot to the next, ``(n, 2)`` float32.
    values
        The quick estimates, as in :class:`Point`.
    """

    step: int
    means: FloatArray
    log_variances: FloatArray
    coordinates: FloatArray
    values: Mapping[str, float]

    def save(self, path: Path) -> None:
        """Write it, all or nothing; raises ``OSError``."""
        header = {"format": FORMAT, "kind": "snapshot", "step": self.step, "values": dict(self.values)}
        arrays: dict[str, npt.NDArray[Any]] = {
            "means": self.means.astype(np.float16),
            "log_variances": self.log_variances.astype(np.float16),
            "coordinates": self.coordinates,
        }
        write_atomically(path, arrays, header)

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """The inverse of :meth:`save`; raises :class:`~model.checkpoint.UnusableCheckpoint`."""
        arrays, header = read(path)
        if header.get("kind") != "snapshot":
            raise UnusableCheckpoint(f"{path.name} is no snapshot.")
        means, log_variances = (arrays[name].astype(np.float32) for name in ("means", "log_variances"))
        return cls(header["step"], means, log_variances, arrays["coordinates"], header["values"])


@dataclass(frozen=True, slots=True)
class RunInfo:
    """How a run stands.

    Attributes
    ----------
    name, note
        What people call it and wrote of it.
    plan
        What was chosen before.
    state
        ``"interrupted"``: it was killed, it crashed, or the power went.
    step, steps, seconds
        How far it is, how far it goes, and the seconds of training so far.
    message
        Why it failed and what to do; empty where nothing is to be said.
    created
        When, in ISO 8601.
    device, versions
        What it trains on and with.
    resumable
        Whether it can go on, at the latest from its last checkpoint.
    """

    name: str
    note: str
    plan: Plan
    state: State
    step: int
    steps: int
    seconds: float
    message: str
    created: str
    device: str
    versions: Mapping[str, str]
    resumable: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What ``run.json`` holds of a run's course: written by the process that trains, at every change.

    Attributes as of :class:`RunInfo`; ``data`` is what the checkpoint's header says of it.
    """

    plan: Plan
    state: State
    created: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    step: int = 0
    message: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    resumable: bool = True

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"format": FORMAT, **asdict(self), "plan": self.plan.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Progress:
        """The inverse of :meth:`to_dict`; a ``ValueError`` says what is wrong."""
        if values.get("format") != FORMAT or values.get("state") not in get_args(State):
            raise ValueError("It was written by another version of modinv.")
        known = {name: value for name, value in values.items() if name in cls.__slots__}
        try:
            return cls(**{**known, "plan": Plan.from_dict(known["plan"])})
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error


def points_in(content: bytes) -> list[Point]:
    """The points in some lines of metrics; what isn't whole is left out."""
    return [point for line in content.splitlines() if (point := Point.from_line(line)) is not None]
