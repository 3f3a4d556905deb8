"""Results of plans as files: found by the kind in their headers. Without torch, as :mod:`model.sweeps.plans`."""

from __future__ import annotations

from pathlib import Path

from model.checkpoints import read_header
from model.evaluation.comparison_results import ComparisonResults
from model.evaluation.sweep_results import SweepResults

Results = SweepResults | ComparisonResults

SWEEP_FILE, COMPARISON_FILE = "sweep.safetensors", "comparison.safetensors"
"""Names of the files in the folder of a plan."""


def load_results(path: Path) -> Results:
    """Read the results of a sweep or of a comparison; raises :class:`~model.checkpoints.UnusableCheckpoint`."""
    kind = read_header(path).get("kind")
    return ComparisonResults.load(path) if kind == "comparison" else SweepResults.load(path)
