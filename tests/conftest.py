"""What all tests share; this runs before torch is imported."""

from __future__ import annotations

import os
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

# Only a machine that loses its power needs this, and each atomic write waits twice for a disk that may be busy.
os.fsync = lambda _handle: None

_LONGEST = (
    "test_train_page", "test_worker", "test_local_processes", "test_session", "test_pages", "test_fuzz",
    "test_window_start", "test_screenshots", "test_signals", "test_self_check", "test_window", "test_cli", "test_trust",
    "test_toy_corpus", "test_trust_window", "test_sweep", "test_process", "test_training", "test_sweeps_panel",
    "test_evaluation_store", "test_benchmarks", "test_speech", "test_evaluation_judge", "test_window_troubles",
    "test_export_figures", "test_space_bar", "test_datasets", "test_export_command", "test_piece_workers",
)  # fmt: skip
"""Files that take many seconds, as ``--durations=0`` tells, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with the files that take longest, so that none of them is left for a single worker."""
    if _IN_WORKER:
        rank = {name: place for place, name in enumerate(_LONGEST)}
        items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """No runs yet."""
    from model.runs.store import RunStore  # late: NumPy reads OMP_NUM_THREADS when it is imported

    return RunStore(tmp_path / "runs")
