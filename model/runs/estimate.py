"""Estimates of the cost of a run, measured by some of its steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import psutil
import torch

from model.cores import processor_name
from model.data.pairs import PairSampler
from model.retrieval.gallery import Gallery
from model.runs.snapshots import snapshot_steps, take
from model.systems import build
from model.training.config import Estimate, TrainingConfig
from model.training.loop import optimiser_of, take_step

_WARM_UP = 2  # steps in which libraries choose algorithms and allocate memory
_STEPS = 5
_MAX_SECONDS = 3.0  # of measured steps


def estimate(
    config: TrainingConfig,
    sampler: PairSampler,
    probe: Gallery,
    device: torch.device,
    stop: Callable[[], bool] = lambda: False,
) -> Estimate | None:
    """Measure some steps and a snapshot under the present load of the machine; nothing is kept.

    Parameters
    ----------
    config
        Configuration of the run.
    sampler, probe
        Its data.
    device
        Device to train on.
    stop
        Called before each step; true cancels the estimate.

    Returns
    -------
    Estimate or None
        None if it was cancelled.

    Raises
    ------
    RuntimeError
        If the memory of the device is exhausted (see :func:`model.errors.out_of_memory`).
    """
    recipe = config.recipe
    with torch.random.fork_rng(devices=[]), _peak_memory(device) as peak:
        torch.manual_seed(config.seed)
        system = build(recipe)
        system.modules.to(device).train()
        optimiser = optimiser_of(system)
        step_times: list[float] = []
        for step in range(_WARM_UP + _STEPS):
            if stop():
                return None
            started = time.perf_counter()
            take_step(step, system, optimiser, sampler).total.item()  # synchronises with the device
            if step >= _WARM_UP:
                step_times.append(time.perf_counter() - started)
            if sum(step_times) > _MAX_SECONDS:
                break
        before = take(system, probe, 1, None)
        if stop():
            return None
        started = time.perf_counter()
        take(system, probe, 2, before)
        snapshot_seconds = time.perf_counter() - started
    step_seconds = median(step_times)
    seconds = recipe.steps * step_seconds + len(snapshot_steps(recipe.steps)) * snapshot_seconds
    return Estimate(step_seconds, seconds, peak(), _free_memory(device), device_name(device))


def device_name(device: torch.device) -> str:
    """Name of a device for people."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return "Apple GPU" if device.type == "mps" else processor_name()


def device_names() -> list[tuple[str, str]]:
    """Names of all devices, for torch and for people; the first is the one that ``"auto"`` takes."""
    names = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [(name, device_name(torch.device(name))) for name in (*names, "cpu")]


@contextmanager
def _peak_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """Yield a function that returns the peak memory use within the context, in bytes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: int(torch.cuda.max_memory_reserved(device))
        return
    process, done, highest = psutil.Process(), threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.01):
            highest[0] = max(highest[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    watcher.start()
    try:
        yield lambda: highest[0]
    finally:
        done.set()
        watcher.join()


def _free_memory(device: torch.device) -> int:
    """Memory available to a run on the device, in bytes: free memory, and what this process uses already."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device))
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)
