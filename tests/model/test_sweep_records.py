"""Sweeps on disk: planned, listed, and how their runs stand."""

import os
from pathlib import Path

import pytest

from model import locations
from model.recipes.recipe import named
from model.runs.store import RunRecord
from model.runs.values import RunStatus
from model.sweeps.plans import SweepFailed, SweepPlan
from model.sweeps.records import SweepRecord, SweepStore, runs_of
from model.training.config import TrainingConfig

PLAN = SweepPlan(TrainingConfig(named("fast", steps=10), ("mnist", "fsdd")), (0.0, 2.15e-2), (0, 1))


@pytest.fixture
def store(tmp_path):
    return SweepStore(tmp_path / "sweeps")


def write(record, place, state, **values):
    run = PLAN.runs()[place]
    plan = run.config
    progress = RunStatus(plan, state, "2026-11-01T12:00:00+00:00", plan.title, **values)
    folder = record.folder / run.name
    folder.mkdir()
    RunRecord(folder).write_progress(progress)


def test_a_new_sweep_keeps_its_plan_and_waits(store):
    record = store.new(PLAN)
    assert record.plan() == PLAN
    assert [(run.name, run.state) for run in record.runs()] == [
        ("lambda-0-seed-0", "waiting"),
        ("lambda-2.15e-2-seed-0", "waiting"),
        ("lambda-0-seed-1", "waiting"),
        ("lambda-2.15e-2-seed-1", "waiting"),
    ]
    assert record.runs() == runs_of(PLAN)


def test_two_sweeps_of_one_second_have_folders_of_their_own_and_the_newest_comes_first(store):
    first, second = store.new(PLAN), store.new(PLAN)
    assert first.folder != second.folder
    os.utime(first.plan_file, (1_800_000_000, 1_800_000_000))
    os.utime(second.plan_file, (1_700_000_000, 1_700_000_000))
    assert store.list() == [first, second]


def test_what_is_no_sweep_is_not_listed(store):
    assert store.list() == []
    record = store.new(PLAN)
    (store.folder / "something else").mkdir()
    (store.folder / "notes.txt").write_text("hello")
    assert store.list() == [record]


def test_runs_stand_as_they_are_on_disk_whatever_their_folders_are_called(store):
    record = store.new(PLAN)
    write(record, 0, "stopped", step=4)
    write(record, 1, "failed", step=2, message="The loss is not finite.")
    write(record, 2, "running", step=5)  # but nobody holds its lock
    (record.folder / "lambda-0-seed-0").rename(record.folder / "some run")
    stopped, failed, killed, waiting = record.runs()
    assert (stopped.state, stopped.share, stopped.message) == ("stopped", 0.4, "")
    assert (failed.state, failed.message) == ("failed", "The loss is not finite.")
    assert killed.state == "interrupted"
    assert waiting.state == "waiting"
    assert all(run.purity is None for run in record.runs())


def test_a_complete_run_that_was_not_judged_has_no_numbers(store):
    record = store.new(PLAN)
    write(record, 0, "complete", step=10)
    (record.folder / "lambda-0-seed-0" / "model.safetensors").write_bytes(b"weights")
    assert (record.runs()[0].state, record.runs()[0].purity) == ("complete", None)


def test_a_folder_without_a_plan_is_known_by_its_complete_runs(tmp_path):
    record = SweepRecord(tmp_path)
    with pytest.raises(SweepFailed, match="no complete run"):
        record.plan()
    for place in range(4):
        write(record, place, "complete", step=10)
    assert {run.config for run in record.plan().runs()} == {run.config for run in PLAN.runs()}


def test_a_torn_plan_is_told(store):
    record = store.new(PLAN)
    record.plan_file.write_text('{"lambdas": [0')
    with pytest.raises(SweepFailed, match=r"plan\.json can't be read"):
        record.runs()


def test_sweeps_have_a_place_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MODINV_SWEEPS", str(tmp_path))
    assert locations.sweeps() == SweepStore().folder == tmp_path
    monkeypatch.delenv("MODINV_SWEEPS")
    assert locations.sweeps().name == "sweeps"
    assert Path.home() in locations.sweeps().parents
