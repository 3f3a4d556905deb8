"""Runs on disk: how they stand, how they grow, and that nothing is lost by mistake."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import IMAGES, PLAN, SPEECH, small

from model import locations
from model.checkpoints import UnusableCheckpoint
from model.data.pairs import PairSampler
from model.runs.store import MetricPoint, RunRecord, RunStore, RunTail, Snapshot
from model.training.config import TrainingConfig
from model.training.loop import Run, train


def say(record, **changes):
    record.write_progress(replace(record.progress(), **changes))


def point(step, **values):
    return MetricPoint(step, step / 10, step / 2, values or {"total": 1 / step})


def append(record, *points, end="\n"):
    with record.metrics_file.open("a") as file:
        file.write("".join(f"{one.to_line()}{end}" for one in points))


def snapshot(step, coordinates=0.0):
    means = np.arange(256, dtype=np.float32).reshape(2, 128) / 256
    return Snapshot(step, means, -means, np.full((2, 2), coordinates, np.float32), {"quick_svm": 0.5})


# One run


def test_a_new_run_waits(record):
    info = record.info()
    assert (info.state, info.step, info.steps, info.seconds, info.message) == ("waiting", 0, 4, 0.0, "")
    assert info.plan == PLAN
    assert info.name == "fast, λ 2.15e-2"
    assert info.resumable
    assert not record.held
    assert record.points() == record.snapshots() == []


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_run_that_nobody_trains_was_interrupted(record, state):
    say(record, state=state, step=2)
    append(record, point(3))
    with record.lock():
        info = record.info()
        assert (info.state, info.resumable) == (state, False)
    info = record.info()
    assert (info.state, info.step, info.resumable) == ("interrupted", 3, True)
    assert "It can be resumed from the last checkpoint" in info.message


@pytest.mark.parametrize(
    ("state", "resumable"), [("stopped", True), ("failed", True), ("complete", False), ("waiting", True)]
)
def test_a_run_that_ended_stays_as_it_ended(record, state, resumable):
    say(record, state=state, message="why")
    info = record.info()
    assert (info.state, info.message, info.resumable) == (state, "why", resumable)


def test_the_lock_of_another_process_is_seen(record):
    program = (
        "import sys; from pathlib import Path; from model.runs.store import RunRecord\n"
        "with RunRecord(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(record.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline().strip() == b"held"
        assert record.held
        holder.kill()
    assert not record.held


def test_looking_leaves_no_trace_in_the_folder(record):
    before = sorted(record.folder.rglob("*"))
    record.info(), record.points(), record.snapshots(), RunTail(record).poll()
    assert sorted(record.folder.rglob("*")) == before


def test_names_and_notes_outlive_the_training_process(record):
    record.rename("  The best  ")
    record.set_note("λ as in the paper")
    say(record, state="running")
    info = record.info()
    assert (info.name, info.note) == ("The best", "λ as in the paper")
    record.rename("")
    assert record.info().name == "fast, λ 2.15e-2"
    assert record.info().note == "λ as in the paper"


def test_points_and_snapshots_survive_the_disk(record):
    points = [point(1, total=3.5, similarity=3.25), point(1, quick_svm=1.0)]
    append(record, *points)
    append(record, point(2), end="")
    assert record.points()[:2] == points
    record.metrics_file.write_bytes(record.metrics_file.read_bytes()[:-5])  # half a line
    assert record.points() == points
    snapshot(40).save(record.snapshot_file(40))
    assert record.snapshots() == [40]
    kept = record.snapshot(40)
    assert (kept.step, kept.values) == (40, {"quick_svm": 0.5})
    np.testing.assert_allclose(kept.means, snapshot(40).means, atol=1e-3)
    assert kept.means.dtype == np.float32


def test_a_full_disk_still_says_how_a_run_ended(record, monkeypatch):
    say(record, message="x" * 500)

    def full(*_arguments, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        say(record, state="failed", message="No space left")
    assert (record.info().state, record.info().message) == ("failed", "No space left")


def test_a_damaged_run_says_so(record):
    (record.folder / "run.json").write_text("{")
    with pytest.raises(UnusableCheckpoint, match=r"run\.json"):
        record.info()


# Runs from before


@pytest.fixture
def old(tmp_path):
    """What ``modinv train`` left before there were runs."""
    folder = tmp_path / "old"
    data = {"images": ["mnist"], "speech": ["fsdd"], "left_out": "theo"}
    run = Run(folder, small(), 7, data, torch.device("cpu"))
    steps = iter([False, False, True])
    list(train(run, PairSampler(IMAGES, [SPEECH], 4, 7, torch.device("cpu")), lambda: next(steps)))
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "resume.safetensors"]
    return RunRecord(folder)


def test_a_folder_of_an_older_version_counts_as_a_run(old):
    info = old.info()
    assert (info.name, info.state, info.step, info.steps, info.resumable) == ("old", "stopped", 2, 4, True)
    assert info.plan == TrainingConfig(small(), ("mnist", "fsdd"), 7, "cpu", "theo", split="train+validation")
    assert info.device == "cpu"
    assert set(info.versions) == {"torch", "torchaudio", "numpy"}
    old.rename("older")
    assert old.info().name == "older"
    assert [record.folder for record in RunStore(old.folder.parent).list()] == [old.folder]


def test_a_model_alone_can_be_used_but_not_resumed(old):
    old.resume_file.unlink()
    assert old.info().state == "stopped"
    assert not old.info().resumable


# Following


def test_a_tail_tells_each_thing_once(record):
    tail = RunTail(record)
    growth = tail.poll()
    assert (growth.info.state, growth.points, growth.snapshots, growth.restarted) == ("waiting", [], [], False)
    append(record, point(1), point(2))
    snapshot(1).save(record.snapshot_file(1))
    growth = tail.poll()
    assert [one.step for one in growth.points] == [1, 2]
    assert [one.step for one in growth.snapshots] == [1]
    assert tail.poll().points == []
    assert tail.poll().snapshots == []


def test_half_a_line_is_told_when_it_is_whole(record):
    tail = RunTail(record)
    line = point(1).to_line()
    with record.metrics_file.open("a") as file:
        file.write(line[:20])
        file.flush()
        assert tail.poll().points == []
        file.write(f"{line[20:]}\n")
    assert tail.poll().points == [point(1)]


def test_a_tail_sees_the_growth_of_another_process(record):
    tail = RunTail(record)
    tail.poll()
    program = f"import sys; open(sys.argv[1], 'a').write({point(1).to_line()!r} + chr(10))"
    subprocess.run([sys.executable, "-c", program, str(record.metrics_file)], check=True, timeout=60)
    assert tail.poll().points == [point(1)]


def test_a_run_that_went_back_is_told_from_its_beginning(record):
    tail = RunTail(record)
    append(record, point(1), point(2))
    snapshot(1).save(record.snapshot_file(1))
    snapshot(2).save(record.snapshot_file(2))
    tail.poll()
    record.snapshot_file(2).unlink()
    draft = record.folder / "draft"
    draft.write_text(f"{point(1).to_line()}\n")
    draft.replace(record.metrics_file)
    append(record, point(2, total=9.0), point(3))  # grown beyond its former length before anybody looked
    snapshot(2, 5.0).save(record.snapshot_file(2))
    growth = tail.poll()
    assert growth.restarted
    assert growth.points == [point(1), point(2, total=9.0), point(3)]
    assert [(one.step, one.coordinates[0, 0]) for one in growth.snapshots] == [(1, 0.0), (2, 5.0)]
    assert not tail.poll().restarted


# The store


def test_runs_lie_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("MODINV_RUNS", str(tmp_path / "elsewhere"))
    assert locations.runs() == tmp_path / "elsewhere"
    assert RunStore().list() == []
    monkeypatch.delenv("MODINV_RUNS")
    assert locations.runs().name == "runs"


def test_runs_are_listed_the_newest_first(store, caplog):
    folders = [store.new_folder(PLAN) for _ in range(3)]
    assert len(set(folders)) == 3
    for number, folder in enumerate(folders):
        say(RunRecord(folder), created=f"2026-01-0{number + 1}T00:00:00+00:00")
    (store.folder / "holiday pictures").mkdir()
    (store.folder / "broken").mkdir()
    (store.folder / "broken" / "run.json").write_text("{")
    assert [record.folder for record in store.list()] == [store.folder / "broken", *folders[::-1]]
    assert [record.folder for record, _ in store.readable()] == folders[::-1]
    assert "broken" in caplog.text


def test_a_deleted_run_comes_back_as_it_was(store, record):
    append(record, point(1))
    other = RunRecord(store.new_folder(PLAN))
    store.delete(record)
    store.delete(other)
    assert store.list() == []
    assert not record.folder.exists()
    assert store.undo_delete() == other
    assert store.undo_delete() == record
    assert store.undo_delete() is None
    assert record.points() == [point(1)]
    assert set(store.list()) == {record, other}


def test_runs_of_one_name_are_both_kept_when_deleted(store, record, tmp_path):
    elsewhere = RunRecord(tmp_path / "elsewhere" / record.folder.name)
    elsewhere.folder.mkdir(parents=True)
    elsewhere.write_progress(record.progress())
    store.delete(record)
    store.delete(elsewhere)
    assert store.undo_delete() == elsewhere
    assert store.undo_delete() == record


def test_a_run_that_trains_is_not_deleted(store, record):
    with record.lock(), pytest.raises(ValueError, match="Stop it first"):
        store.delete(record)
    assert store.list() == [record]
    assert store.undo_delete() is None


def test_purging_frees_the_room(store, record):
    store.delete(record)
    store.purge()
    store.purge()
    assert store.undo_delete() is None
    assert list(store.folder.iterdir()) == []
