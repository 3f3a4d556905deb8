"""Sharing the cores of this machine among computations. Without torch, so that the window can plan early."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

MEMORY_MARGIN = 1.3
"""Room to keep for a run, as a multiple of the memory at its first step: its evaluation takes more."""


def available_cores() -> int:
    """Number of physical cores that this process may use: a second thread of a core gains next to nothing here."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(logical, _physical_cores() or logical)


@functools.cache
def _physical_cores() -> int | None:
    return psutil.cpu_count(logical=False)  # type: ignore[no-any-return]


def processor_name() -> str:
    """Name of this machine's processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine() or "CPU"


def threads_for(runs: int, hosts: Sequence[int] = ()) -> int:
    """Threads of each run if all of so many runs are to occupy all cores: 1, unless there are more cores than runs.

    Parameters
    ----------
    runs
        Number of runs, at least 1.
    hosts
        Cores of each machine, of which a run takes one; by default those of this machine.
    """
    hosts = hosts or (available_cores(),)
    most = range(max(hosts), 1, -1)
    return next((threads for threads in most if sum(cores // threads for cores in hosts) >= runs), 1)


def jobs_that_pay(runs: int, threads: int, accelerators: int) -> int:
    """How many runs to train at the same time, as far as memory permits.

    Parameters
    ----------
    runs
        Number of runs, at least 1.
    threads
        Threads of each.
    accelerators
        Number of GPUs to train on: one run each. 0 if the runs train on the CPU: as many as there are cores for.
    """
    return max(1, min(runs, accelerators or available_cores() // threads))


def jobs_that_fit(jobs: int, free_bytes: int, bytes_each: int) -> int:
    """How many of so many runs memory has room for at the same time, at least 1."""
    return max(1, min(jobs, int(free_bytes / (MEMORY_MARGIN * bytes_each))))


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Within it, this thread computes with so many threads.

    The number determines how sums of floats are split, so that the last digits of results depend on it.
    """
    import torch  # late: this module does without
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(limits=count):  # the libraries of NumPy and scikit-learn
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)
