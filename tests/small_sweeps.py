"""A sweep of two small runs, and what has to be the same however it was carried out."""

from dataclasses import replace

import numpy as np
from tiny import small

from model import locations
from model.sweeps.plans import SweepPlan
from model.training.config import TrainingConfig

STEPS = 24
CONFIG = TrainingConfig(small(steps=STEPS), ("mnist", "fsdd"), device="cpu")
PLAN = SweepPlan(CONFIG, (0.0, 0.1))


def use_cache(patch, folder):
    """Let this process and those that it starts keep evaluations in the same place (on Linux)."""
    patch.setenv("XDG_CACHE_HOME", str(folder))
    patch.setattr(locations, "cache", lambda: folder / "modinv")


def assert_same(folder, results, expected, wanted):
    """Models, figures and maps of a sweep are those of another, bit for bit."""
    for run in PLAN.runs():
        for name in ("model.safetensors", "resume.safetensors"):
            assert (folder / run.name / name).read_bytes() == (expected / run.name / name).read_bytes()
    assert [_timeless(row) for row in results.rows] == [_timeless(row) for row in wanted.rows]
    for name in ("embeddings", "coordinates", "image_features"):
        np.testing.assert_array_equal(getattr(results, name), getattr(wanted, name))
    assert (results.setting, results.failures) == (wanted.setting, {})


def _timeless(row):
    return replace(row, report=replace(row.report, seconds=0.0))
