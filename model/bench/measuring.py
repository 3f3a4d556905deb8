"""Timing, and what belongs to a measurement: rows of a table, and a description of the machine."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psutil

from model.cores import available_cores, processor_name

_PACKAGES = ("modinv", "numpy", "onnxruntime", "torch")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, and what it is a multiple of.

    Attributes
    ----------
    what
        What was measured.
    value, unit
        Its value.
    multiple_of, base
        What it is compared with, and the value of that in the same unit.
    """

    what: str
    value: float
    unit: str
    multiple_of: str
    base: float

    @property
    def ratio(self) -> float:
        """The value as a multiple of the base."""
        return self.value / self.base

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "ratio": self.ratio,
            "multiple_of": self.multiple_of,
            "base": self.base,
        }


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Why something was not measured, in a sentence."""

    why: str


def in_turn(repeats: int, *works: Callable[[int], object], warm_up: int = 1) -> list[list[float]]:
    """Wall-clock seconds of some functions, which are called in turn, so that all meet the same load of the machine.

    Parameters
    ----------
    repeats
        Calls of each.
    works
        Functions of the number of the call, from 0.
    warm_up
        Calls of each before those, which don't count.

    Returns
    -------
    list
        For each function the seconds of its calls.
    """
    taken: list[list[float]] = [[] for _ in works]
    for number in (*range(warm_up), *range(repeats)):
        for work, seconds in zip(works, taken, strict=True):
            started = time.perf_counter()
            work(number)
            seconds.append(time.perf_counter() - started)
    return [seconds[warm_up:] for seconds in taken]


def percentiles(taken: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {f"p{percent}": float(np.percentile(taken, percent)) for percent in (50, 95)}


def memory() -> int:
    """Memory of this process in bytes: proportional set size (PSS), or, not on Linux, unique set size."""
    found = psutil.Process().memory_full_info()
    return int(getattr(found, "pss", found.uss))


def about() -> dict[str, Any]:
    """Machine, versions and date of a measurement, JSON-ready."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    machine: dict[str, object] = {
        "processor": processor_name(),
        "cores": available_cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(psutil.getloadavg()[0], 2),
    }
    return {"machine": machine, "versions": versions, "date": datetime.now(UTC).isoformat(timespec="seconds")}
