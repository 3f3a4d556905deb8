"""The engine that carries out trials in several processes of this machine, and the choice of an engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import psutil

from model.cores import MEMORY_MARGIN, jobs_that_pay
from model.jobs import worker_processes
from model.jobs.worker_processes import Connection, LocalConnection, WorkerProcesses
from model.sweeps.plans import Plan
from model.sweeps.trials import Engine, Serial, Trial

if TYPE_CHECKING:
    from model.runs.corpus_cache import CorpusCache


class LocalProcesses(WorkerProcesses):
    """Carries out trials in worker processes of this machine.

    Parameters
    ----------
    jobs
        How many trials at the same time, at least 1.
    sparing
        Start a further process only if memory has room for one as large as the largest so far; the first one makes a
        step before there is a second.
    gpus
        Names for ``CUDA_VISIBLE_DEVICES``, dealt out to the processes in turn; empty if all may use all devices.
    """

    def __init__(self, jobs: int, *, sparing: bool = False, gpus: Sequence[str] = ()) -> None:
        super().__init__()
        self._jobs = jobs
        self._sparing = sparing
        self._gpus = gpus
        self._largest = 0  # bytes of memory

    def _connect(self, slot: int, trial: Trial) -> Connection:
        more = {"OMP_NUM_THREADS": str(trial.threads)}  # else libraries start a thread for each core
        if self._gpus:
            more["CUDA_VISIBLE_DEVICES"] = self._gpus[slot % len(self._gpus)]
        return LocalConnection(worker_processes.COMMAND, more)

    def _has_room(self, trial: Trial) -> bool:  # noqa: ARG002 (all need the same)
        if len(self._processes) >= self._jobs:
            return False
        if not self._sparing or not self._processes:
            return True
        settled = [process for process in self._processes if process.settled]
        memory = (each.connection.memory() for each in settled if isinstance(each.connection, LocalConnection))
        self._largest = max([self._largest, *memory])
        starting = len(self._processes) - len(settled)
        needed = (starting + 1) * self._largest * MEMORY_MARGIN
        return self._largest > 0 and psutil.virtual_memory().available > needed


def engine_for(plan: Plan, jobs: int | None, corpora: CorpusCache) -> Engine:
    """The engine for a plan.

    Parameters
    ----------
    plan
        The runs.
    jobs
        How many runs at the same time; by default as many as cores, GPUs and memory permit.
    corpora
        Loads the corpora if runs are trained in this process, one after another.

    Raises
    ------
    ValueError
        If the device of the plan is not available.
    """
    from model.systems.model_io import best_device  # late: it imports torch

    wanted = plan.plan.device
    device = best_device(wanted)
    gpus = _visible_gpus() if device.type == "cuda" and wanted in ("auto", "cuda") else ()
    accelerators = 0 if device.type == "cpu" else max(1, len(gpus))
    most = jobs or jobs_that_pay(len(plan.runs()), plan.threads, accelerators)
    return Serial(corpora) if most == 1 else LocalProcesses(most, sparing=jobs is None, gpus=gpus)


def _visible_gpus() -> tuple[str, ...]:
    """What to set CUDA_VISIBLE_DEVICES to for each of the GPUs that this process sees."""
    import torch

    count = torch.cuda.device_count()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return tuple(chosen.split(",") if chosen else map(str, range(count)))[:count]
