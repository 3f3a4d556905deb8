"""All that is measured, in its order."""

from __future__ import annotations

from collections.abc import Iterator

from model.bench.measuring import Row, Unmeasured
from model.bench.queries import measure_queries, measure_searches
from model.bench.starts import measure_starts
from model.errors import for_training

_STARTS, _QUERIES, _SEARCHES, _STEPS = 5, 100, 10, 5  # how often each is repeated


def measure(most: int | None = None) -> Iterator[tuple[str, Iterator[Row | Unmeasured]]]:
    """What is measured next, in words, with its rows, which are measured as they are asked for.

    Parameters
    ----------
    most
        Repeat nothing more often than so many times.
    """

    def repeats(usual: int) -> int:
        return usual if most is None else min(usual, most)

    yield "Starting processes", measure_starts(repeats(_STARTS))
    yield "Answering queries", measure_queries(repeats(_QUERIES))
    yield "Searching large galleries", measure_searches(repeats(_SEARCHES))
    yield "Training", _steps(repeats(_STEPS))


def _steps(repeats: int) -> Iterator[Row | Unmeasured]:
    """Training steps, if there is PyTorch."""
    try:
        from model.bench.steps import measure_steps  # late: it imports torch
    except ModuleNotFoundError as error:
        if not for_training(error):
            raise
        yield Unmeasured(
            "Training was not measured: it needs PyTorch, which is not installed (pip install 'modinv[train]')."
        )
    else:
        yield from measure_steps(repeats)
