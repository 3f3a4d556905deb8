"""What a run will cost, found out by some steps of it."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import torch

from model.data.pairs import PairSampler
from model.retrieval.gallery import Gallery
from model.runs.snapshots import snapshot_steps, take
from model.systems import build
from model.training.config import Estimate, TrainingConfig
from model.training.loop import optimiser_of, take_step

_WARM_UP = 2  # steps in which libraries choose their algorithms and memory is taken
_STEPS = 5
_ENOUGH_SECONDS = 3.0  # of measured steps, where each takes long


def estimate(
    plan: TrainingConfig,
    sampler: PairSampler,
    probe: Gallery,
    device: torch.device,
    stop: Callable[[], bool] = lambda: False,
) -> Estimate | None:
    """Try some steps and a snapshot, on this machine as busy as it is; nothing of it is kept.

    Parameters
    ----------
    plan
        What would be trained.
    sampler, probe
        Its data, loaded.
    device
        Where it would be trained.
    stop
        Asked before every step; once true, there is no estimate.

    Returns
    -------
    Estimate or None
        None if it was stopped.

    Raises
    ------
    RuntimeError
        If the device's memory does not suffice (:func:`model.errors.out_of_memory` tells).
    """
    recipe = plan.recipe
    with torch.random.fork_rng(devices=[]), _peak_memory(device) as peak:
        torch.manual_seed(plan.seed)
        system = build(recipe)
        system.modules.to(device).train()
        optimiser = optimiser_of(system)
        took: list[float] = []
        for step in range(_WARM_UP + _STEPS):
            if stop():
                return None
            started = time.perf_counter()
            take_step(step, system, optimiser, sampler).total.item()  # waits for the device
            if step >= _WARM_UP:
                took.append(time.perf_counter() - started)
            if sum(took) > _ENOUGH_SECONDS:
                break
        before = take(system, probe, 1, None)
        if stop():
            return None
        started = time.perf_counter()
        take(system, probe, 2, before)
        look = time.perf_counter() - started
    step_seconds = median(took)
    seconds = recipe.steps * step_seconds + len(snapshot_steps(recipe.steps)) * look
    return Estimate(step_seconds, seconds, peak(), _free_memory(device), device_name(device))


def device_name(device: torch.device) -> str:
    """What people call a device."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return "Apple GPU" if device.type == "mps" else processor_name()


def processor_name() -> str:
    """What people call this machine's processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine() or "CPU"


def device_names() -> list[tuple[str, str]]:
    """All devices to train on, for torch and for people, the one that ``"auto"`` takes first."""
    names = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [(name, device_name(torch.device(name))) for name in (*names, "cpu")]


@contextmanager
def _peak_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """A function that tells, afterwards, the most memory that was in use meanwhile, in bytes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: int(torch.cuda.max_memory_reserved(device))
        return
    process, done, highest = psutil.Process(), threading.Event(), [0]

    def look() -> None:
        while not done.wait(0.01):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=look, name="memory", daemon=True)
    watcher.start()
    try:
        yield lambda: highest[0]
    finally:
        done.set()
        watcher.join()


def _free_memory(device: torch.device) -> int:
    """What a run on the device could take, in bytes: what is free, and what this process has taken already."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device))
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)
