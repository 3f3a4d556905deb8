"""A sample of the damaged inputs of ``python -m tests.fuzz``; and that the harness sees what it is there to see."""

import copy

import numpy as np
import pytest
from fuzz import harness
from fuzz._json import STRANGE, damaged_json

pytestmark = pytest.mark.processes
SAMPLE = 150


@pytest.mark.timeout(600)  # to make the killers takes its time, too
@pytest.mark.parametrize("kind", harness.kinds())
def test_damaged_inputs_are_answered_or_refused(kind):
    count = getattr(harness.module_of(kind), "SAMPLE", SAMPLE)
    report = harness.run(kind, count)
    assert report.used == count
    assert not report.findings, "\n".join(f"{found.name}: {found.what}\n{found.details}" for found in report.findings)


@pytest.mark.parametrize("trouble", ["traceback", "hang", "loop", "memory", "crash", "spike"])
def test_the_harness_finds_trouble_and_goes_on(trouble, monkeypatch):
    if trouble == "hang":
        monkeypatch.setattr(harness, "PATIENCE_SECONDS", 1.0)
    elif trouble == "loop":
        monkeypatch.setattr(harness, "LONGEST_SECONDS", 0.5)
    elif trouble == "memory":
        monkeypatch.setattr(harness, "LARGEST_BYTES", harness.LARGEST_BYTES // 4)
    monkeypatch.setenv("MODINV_TROUBLE", trouble)
    monkeypatch.setenv("MODINV_TROUBLE_SECONDS", "1")
    report = harness.run("_trouble", 3)
    assert report.used == 3
    what = {"loop": "hang", "spike": "memory"}.get(trouble, trouble)
    assert [(found.number, found.what) for found in report.findings] == [(1, what)]


def test_a_case_that_cannot_be_made_ends_the_run(monkeypatch):
    monkeypatch.setenv("MODINV_TROUBLE", "unmade")
    with pytest.raises(RuntimeError, match="no such case"):
        harness.run("_trouble", 3)


def test_damage_to_json_leaves_the_next_case_alone():
    rng = np.random.default_rng(0)
    before = copy.deepcopy(STRANGE)
    for _ in range(500):
        damaged_json({"a": [{"b": []}], "c": {}}, rng)
    np.testing.assert_equal(STRANGE, before)
