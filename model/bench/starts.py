"""What a start costs: processes that load the model and answer a picture and a recording, and are then measured."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence

import numpy as np

from model.bench.measuring import Row
from model.errors import ModinvError
from model.processes import environment, python

_BASE = "a process that imports NumPy"
_IMPORT_NUMPY = """
import numpy
print(flush=True)
from model.bench.measuring import memory
print(memory())
"""
_WAYS = (python("-c", _IMPORT_NUMPY), python("-m", "model.bench.first_answers"))
_REACHED = (
    "Start to model loaded",
    "Start to first picture answered",
    "Start to first recording answered, too",
)
"""What the lines of :mod:`model.bench.first_answers` mean, but for the last one, its memory."""


def measure_starts(repeats: int) -> Iterator[Row]:
    """Medians of fresh processes, over those of processes that import NumPy.

    Raises
    ------
    ModinvError
        If a process fails; it has said why on standard error.
    """
    base, own = (np.median(each, axis=0).tolist() for each in zip(*(_both() for _ in range(repeats)), strict=True))
    *base_seconds, base_memory = base
    *seconds, memory = own
    for what, value in zip(_REACHED, seconds, strict=True):
        yield Row(what, value, "s", _BASE, base_seconds[0])
    yield Row("Memory after both answers", memory / 2**20, "MiB", _BASE, base_memory / 2**20)


def _both() -> list[list[float]]:
    """One process of each kind."""
    return [_lines(command) for command in _WAYS]


def _lines(command: Sequence[str]) -> list[float]:
    """Seconds from the start of a process to each line that it prints, and the number in the last one instead."""
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [(line, time.perf_counter() - started) for line in process.stdout]
    if process.returncode:
        raise ModinvError(
            "A process that was to be measured failed; why is written above. Check the installation: modinv doctor"
        )
    return [*(seconds for _, seconds in lines[:-1]), float(lines[-1][0])]
