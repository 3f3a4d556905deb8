"""A run's folder while it trains: complete, resumable bit by bit, and honest about every end."""

import errno
import json
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import SMALL, SPEECH, Bars, small, spoilt

from model.checkpoints import UnusableCheckpoint, read
from model.data.corpora import MissingData
from model.data.pairs import PairSampler
from model.runs.session import Snapshotted, TrainingSession
from model.runs.store import RunRecord, RunTail
from model.systems.model_io import load_model
from model.training import loop as training
from model.training.config import TrainingConfig
from model.training.loop import Ended, Run, Saved, Stepped, TrainingFailed, train

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")

CPU = torch.device("cpu")
PLAN = TrainingConfig(small(steps=12, batch_norm=True), ("mnist", "fsdd"), device="cpu", split="train+validation")
SHOWN = [1, 2, 5, 7, 10, 12]  # the steps after which there are snapshots
QUICK = {"quick_purity", "quick_svm", "quick_p_at_1"}


def go(folder, plan=PLAN, stop_after=None, lessons=None):
    """Train in a folder, stopped after a step; the events."""
    events = []
    with TrainingSession(folder, plan) as book:
        for event in book.train(
            lessons or Bars(), lambda: len([e for e in events if type(e) is Stepped]) == stop_after
        ):
            events.append(event)  # noqa: PERF402 (the stop predicate looks at what came so far)
    return events


def state_of(folder):
    return read(folder / "resume.safetensors")[0], (folder / "model.safetensors").read_bytes()


def assert_same_state(one, other):
    (ours, our_model), (theirs, their_model) = state_of(one), state_of(other)
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name
    assert our_model == their_model


def assert_same_log(one, other):
    """Points and snapshots, but for the seconds."""

    def untimed(folder):
        return [(point.step, point.epoch, dict(point.values)) for point in RunRecord(folder).points()]

    assert untimed(one) == untimed(other)
    ours, theirs = RunRecord(one), RunRecord(other)
    assert ours.snapshots() == theirs.snapshots()
    for step in ours.snapshots():
        np.testing.assert_array_equal(ours.snapshot(step).coordinates, theirs.snapshot(step).coordinates)
        np.testing.assert_array_equal(ours.snapshot(step).means, theirs.snapshot(step).means)
        assert ours.snapshot(step).values == theirs.snapshot(step).values


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The folder of a run that was never interrupted."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    go(folder)
    return folder


# What a run leaves


def test_a_run_leaves_everything_that_describes_it(straight):
    record = RunRecord(straight)
    info = record.info()
    assert (info.state, info.step, info.steps, info.resumable, info.message) == ("complete", 12, 12, False, "")
    assert (info.name, info.device, info.plan) == ("run", "cpu", PLAN)
    assert {"torch", "torchaudio", "numpy", "modinv", "python"} == set(info.versions)
    assert info.seconds > 0
    assert json.loads((straight / "run.json").read_text())["data"] == {"images": ["mnist"], "speech": ["fsdd"]}
    assert not record.held


def test_points_come_at_the_first_every_tenth_and_the_last_step(straight):
    points = RunRecord(straight).points()
    losses = [point for point in points if "total" in point.values]
    assert [point.step for point in losses] == [1, 10, 12]
    assert losses[0].epoch == pytest.approx(1 / 5)  # 20 images, 4 a batch
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)
    names = {"total", "similarity", "information_gain", "weight_norms", "lambda_ig", "learning_rate"}
    assert set(losses[1].values) == names
    assert losses[1].values["lambda_ig"] == PLAN.recipe.lambda_ig_at(9)
    assert losses[1].values["learning_rate"] == PLAN.recipe.learning_rate_at(9)


def test_snapshots_come_with_their_quick_figures(straight):
    record = RunRecord(straight)
    assert record.snapshots() == SHOWN
    assert len(record.probe().items) == 40
    quick = {point.step: dict(point.values) for point in record.points() if "total" not in point.values}
    assert quick == {step: dict(record.snapshot(step).values) for step in record.snapshots()}
    assert set(quick[1]) == QUICK


def test_the_first_point_is_there_before_the_first_snapshot_is_taken(tmp_path):
    with TrainingSession(tmp_path, PLAN) as book:
        events = book.train(Bars())
        assert isinstance(next(events), Stepped)
        assert [point.step for point in book.record.points()] == [1]
        assert book.record.snapshots() == []
        snapshot = next(events)
        assert isinstance(snapshot, Snapshotted)
        assert book.record.snapshots() == [1]
        events.close()


def test_tensorboard_reads_the_curves(straight):
    events = EventAccumulator(str(straight / "tensorboard")).Reload()
    assert set(events.Tags()["scalars"]) == {
        *(f"loss/{name}" for name in ("total", "similarity", "information_gain", "weight_norms")),
        *(f"schedule/{name}" for name in ("lambda_ig", "learning_rate")),
        *(f"quick/{name}" for name in ("purity", "svm", "p_at_1")),
    }
    totals = [(event.step, event.value) for event in events.Scalars("loss/total")]
    points = [point for point in RunRecord(straight).points() if "total" in point.values]
    assert totals == [(point.step, pytest.approx(point.values["total"])) for point in points]
    assert [event.step for event in events.Scalars("quick/svm")] == SHOWN


# Going on


def test_training_is_the_same_with_and_without_a_logbook(straight, tmp_path):
    run = Run(tmp_path, PLAN.recipe, 0, {"images": ["mnist"], "speech": ["fsdd"]}, CPU)
    list(train(run, Bars().sampler(PLAN, CPU, None)))
    assert_same_state(straight, tmp_path)


@pytest.mark.parametrize("stop_after", [1, 7, 10])
def test_a_resumed_run_ends_as_if_it_had_never_stopped(straight, tmp_path, stop_after):
    go(tmp_path, stop_after=stop_after)
    info = RunRecord(tmp_path).info()
    assert (info.state, info.step, info.resumable) == ("stopped", stop_after, True)
    go(tmp_path)
    assert_same_state(straight, tmp_path)
    assert_same_log(straight, tmp_path)
    totals = EventAccumulator(str(tmp_path / "tensorboard")).Reload().Scalars("loss/total")
    assert [event.step for event in totals] == [1, 10, 12]


def test_a_run_that_died_goes_back_to_its_last_checkpoint(straight, tmp_path):
    go(tmp_path, stop_after=5)
    record = RunRecord(tmp_path)
    tail = RunTail(record)
    with TrainingSession(tmp_path, PLAN) as book:
        events = book.train(Bars())
        while 10 not in record.snapshots():  # so far, and not yet saved again
            next(events)
        events.close()
        running = record.progress()
    record.write_progress(running)  # as the file stays when the process is killed
    with record.metrics_file.open("a") as file:
        file.write('{"step": 11, "epo')
    info = tail.poll().info
    assert (info.state, info.step, info.resumable) == ("interrupted", 10, True)
    go(tmp_path)
    assert_same_state(straight, tmp_path)
    assert_same_log(straight, tmp_path)
    growth = tail.poll()
    assert growth.restarted
    assert growth.points == record.points()
    assert [snapshot.step for snapshot in growth.snapshots] == SHOWN


def test_a_run_of_an_older_version_resumes(straight, tmp_path):
    run = Run(tmp_path, PLAN.recipe, 0, {"images": ["mnist"], "speech": ["fsdd"]}, CPU)
    steps = iter([False] * 4 + [True])
    list(train(run, Bars().sampler(PLAN, CPU, None), lambda: next(steps)))
    assert not (tmp_path / "run.json").exists()
    record = RunRecord(tmp_path)
    go(tmp_path, record.info().plan)
    assert record.info().state == "complete"
    assert_same_state(straight, tmp_path)
    assert record.snapshots() == SHOWN[2:]


def test_a_finished_run_stays_finished(straight):
    before = state_of(straight)
    created = RunRecord(straight).info().created
    assert [type(event) for event in go(straight)] == [Ended]
    assert RunRecord(straight).info().state == "complete"
    assert RunRecord(straight).info().created == created
    assert state_of(straight)[1] == before[1]


def test_a_run_from_a_model_resumes_though_the_model_changed(straight, tmp_path):
    start = tmp_path / "model.safetensors"
    start.write_bytes((straight / "model.safetensors").read_bytes())
    plan = replace(PLAN, start=start, recipe=replace(PLAN.recipe, lambda_ig=1.0))
    go(tmp_path / "once", plan)
    go(tmp_path / "twice", plan, stop_after=6)
    start.write_bytes(b"another model")
    go(tmp_path / "twice", plan)
    assert_same_state(tmp_path / "once", tmp_path / "twice")
    header = load_model(tmp_path / "twice" / "model.safetensors")[1]
    assert header.data["started_from"]["name"] == "model.safetensors"


def test_a_run_that_began_when_its_recipe_meant_something_else_goes_on_as_it_began(tmp_path):
    began = replace(PLAN, recipe=small("paper", steps=12, impostors="one", batch_norm=False))
    go(tmp_path / "once", began)
    go(tmp_path / "twice", began, stop_after=6)
    go(tmp_path / "twice", replace(began, recipe=small("paper", steps=12)))
    assert_same_state(tmp_path / "once", tmp_path / "twice")
    assert RunRecord(tmp_path / "twice").info().plan.recipe == began.recipe


def test_pausing_stops_the_clock_and_is_told(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("model.runs.session.time.monotonic", lambda: now[0])
    with TrainingSession(tmp_path, PLAN) as book:
        events = book.train(Bars())
        next(events)
        now[0] += 5
        with book.pause():
            assert book.record.info().state == "paused"
            now[0] += 1000
        assert book.record.info().state == "running"
        now[0] += 2
        while len(book.record.points()) < 2:
            next(events)
        events.close()
    assert [point.seconds for point in book.record.points()[:2]] == [0.0, 7.0]


# What may not be


def test_two_processes_do_not_train_in_one_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("model.runs.session._LOCK_SECONDS", 0.1)
    with TrainingSession(tmp_path, PLAN), pytest.raises(TrainingFailed, match="Another process is training"):
        go(tmp_path)
    assert RunRecord(tmp_path).info().state == "stopped"


@pytest.mark.parametrize(
    "other",
    [replace(PLAN, seed=1), replace(PLAN, corpora=("mnist", "voices")), replace(PLAN, recipe=small(lambda_ig=1.0))],
)
def test_a_folder_with_another_run_is_refused_and_kept(straight, other):
    before = {path.name: path.read_bytes() for path in straight.iterdir() if path.is_file()}
    with pytest.raises(UnusableCheckpoint, match="Choose another folder"):
        go(straight, other)
    assert {path.name: path.read_bytes() for path in straight.iterdir() if path.is_file()} == before


# How runs fail


def assert_intact(folder, step):
    """The last checkpoint is whole and of this step."""
    arrays, header = read(folder / "resume.safetensors")
    assert header["step"] == step
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert load_model(folder / "model.safetensors")[1].step == step


def failed(folder):
    info = RunRecord(folder).info()
    assert info.state == "failed"
    assert not RunRecord(folder).held
    return info


@pytest.mark.parametrize("where", ["metrics", "snapshot", "checkpoint"])
def test_a_full_disk_ends_the_run_as_failed_and_it_resumes(straight, tmp_path, monkeypatch, where):
    go(tmp_path, stop_after=6)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(*_arguments, **_more):
        raise full

    with monkeypatch.context() as patch:
        if where == "metrics":
            patch.setattr(TrainingSession, "_record", refuse)
        elif where == "snapshot":
            patch.setattr("model.runs.values.write_atomically", refuse)
        else:
            patch.setattr(training, "save_model", refuse)
        with pytest.raises(OSError, match="space"):
            go(tmp_path)
    info = failed(tmp_path)
    assert "Free some space, then resume" in info.message
    assert info.resumable
    assert_intact(tmp_path, 6)
    go(tmp_path)
    assert_same_state(straight, tmp_path)
    assert_same_log(straight, tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A disk that holds one checkpoint, but not the next beside it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("Only the administrator can mount a small disk.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


def test_a_disk_that_is_really_full(small_disk):
    folder = small_disk / "run"
    go(folder, stop_after=6)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    with pytest.raises(OSError, match="space"):
        go(folder)
    info = failed(folder)
    assert "Free some space" in info.message
    assert info.resumable
    assert_intact(folder, 6)
    assert not list(folder.glob(".*safetensors*"))
    filler.unlink()
    go(folder, stop_after=0)
    assert RunRecord(folder).info().state == "stopped"


def test_a_loss_that_is_no_number_ends_the_run_as_failed(tmp_path):
    plan = replace(PLAN, recipe=small(steps=12))
    go(tmp_path, plan, stop_after=2)
    with pytest.raises(TrainingFailed):
        go(tmp_path, plan, lessons=Bars(spoilt(2)))
    info = failed(tmp_path)
    assert "Use a lower learning rate or another seed" in info.message
    assert not info.resumable
    assert_intact(tmp_path, 2)


def test_running_out_of_memory_ends_the_run_as_failed(tmp_path):
    class Greedy(Bars):
        def sampler(self, plan, device, tell):
            pairs = super().sampler(plan, device, tell)

            class Sampler(PairSampler):
                def batch(self, step, generator, distorted=0.0):
                    if step == 3:
                        torch.empty(1 << 55)
                    return pairs.batch(step, generator, distorted)

            return Sampler(self.images, [SPEECH], SMALL["batch_size"], 0, device)

    go(tmp_path, stop_after=2)
    with pytest.raises(TrainingFailed):
        go(tmp_path, lessons=Greedy())
    info = failed(tmp_path)
    assert "Use a smaller batch" in info.message
    assert info.resumable
    assert_intact(tmp_path, 2)


@pytest.mark.parametrize(
    ("part", "error", "told"),
    [
        ("sampler", MissingData("Get the corpus from somewhere."), "^Get the corpus from somewhere.$"),
        ("probe", KeyError("bars"), "KeyError"),
    ],
    ids=["missing data", "a bug"],
)
def test_what_keeps_a_run_from_beginning_ends_it_as_failed(tmp_path, monkeypatch, part, error, told):
    def refuse(*_):
        raise error

    monkeypatch.setattr(Bars, part, refuse)
    with pytest.raises(type(error)):
        go(tmp_path)
    assert re.search(told, failed(tmp_path).message)


def test_saving_in_between_is_written_down(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", -1.0)
    with TrainingSession(tmp_path, PLAN) as book:
        for event in book.train(Bars()):
            if isinstance(event, Saved):
                break
        assert book.record.progress().step == event.step == 1
