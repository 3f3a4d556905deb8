"""What the machine can do at this moment, to measure everything else by."""

import platform
import statistics
import time
from collections.abc import Callable

import torch


def seconds(work: Callable[[], object], repeats: int, warm_up: int = 2) -> list[float]:
    """Wall-clock seconds of each of ``repeats`` calls, after some that do not count."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return taken


def percentiles(taken: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {"p50": statistics.median(taken), "p95": statistics.quantiles(taken, n=20)[-1]}


def product() -> Callable[[], object]:
    """A product of two 2048 x 2048 matrices in float32: 17.2 GFLOP."""
    left, right = torch.rand(2, 2048, 2048)
    return lambda: left @ right


def about() -> dict[str, object]:
    """Which machine this is."""
    return {"processor": platform.machine(), "threads": torch.get_num_threads(), "torch": torch.__version__}
