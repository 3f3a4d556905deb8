"""What all tests share; this runs before torch is imported."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from model.runs.store import RunStore

_IN_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if _IN_WORKER:
    # Each worker of pytest-xdist has its share of the cores: threads that wait for each other only hold all up.
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with the files that may take longest, so that none of them is left for a single worker."""
    if not _IN_WORKER:
        return
    patience: defaultdict[str, float] = defaultdict(float)
    for item in items:
        marker = item.get_closest_marker("timeout")
        patience[item.location[0]] = max(patience[item.location[0]], marker.args[0] if marker else 0)
    items.sort(key=lambda item: -patience[item.location[0]])


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """No runs yet."""
    from model.runs.store import RunStore  # late: NumPy reads OMP_NUM_THREADS when it is imported

    return RunStore(tmp_path / "runs")
