"""Damaged folders of runs: each says what is wrong with it, and none hides the others."""

import json

import numpy as np
import pytest
from tiny import PLAN

from model.checkpoints import FORMAT, UnusableCheckpoint, write_atomically
from model.retrieval.gallery import Gallery
from model.runs.store import RunRecord, RunTail, Snapshot
from model.sweeps.plans import SweepFailed, SweepPlan, found_in
from model.sweeps.records import SweepRecord

GOOD = '{"step": 1, "epoch": 0.1, "seconds": 0.5, "total": 2.0}\n'


def change(record, **values):
    file = record.folder / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


WRONG = [
    ("created", 5),
    ("created", "yesterday"),
    ("created", "0001-01-01T00:00:00+00:00"),
    ("created", "9999-12-31T23:59:59+00:00"),
    ("step", "x"),
    ("step", -1),
    ("step", 1e300),
    ("step", 5),  # of four
    ("state", "asleep"),
    ("state", ["running"]),
    ("plan", None),
    ("plan", {}),
    ("plan", {**PLAN.to_dict(), "recipe": {**PLAN.recipe.to_dict(), "steps": 10**12}}),
    ("name", 7),
    ("versions", ["torch"]),
    ("versions", {"torch": 2}),
    ("data", 5),
    ("format", None),
    ("resumable", "yes"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_told(store, record, name, value):
    other = RunRecord(store.new_folder(PLAN))
    change(record, **{name: value})
    assert set(store.list()) == {record, other}
    assert [found for found, _ in store.readable()] == [other]
    for look in (record.progress, record.info, RunTail(record).poll):
        with pytest.raises(UnusableCheckpoint, match=r"run\.json can't be read: .*\.$"):
            look()


@pytest.mark.parametrize(
    "content", [b"null", b"5", b"[]", b"", b"\xff\xfe{\x00", b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"', b"9" * 5000]
)
def test_content_that_is_no_run_is_told(store, record, content):
    (record.folder / "run.json").write_bytes(content)
    assert store.list() == [record]
    with pytest.raises(UnusableCheckpoint, match=r"run\.json can't be read"):
        record.info()


def test_a_folder_in_place_of_the_file_is_told(store, record):
    (record.folder / "run.json").unlink()
    (record.folder / "run.json").mkdir()
    assert store.list() == [record]
    with pytest.raises(UnusableCheckpoint, match="no plain file"):
        record.info()
    store.delete(record)
    assert store.list() == []


@pytest.mark.parametrize("content", [b"5", b"null", b'{"name": 5}', b'{"name": ["x"]}', b"[" * 100_000, b"\xff"])
def test_a_damaged_label_costs_the_label_alone(record, content):
    (record.folder / "label.json").write_bytes(content)
    assert record.info().name == "fast, λ 2.15e-2"
    record.rename("Found again")
    assert record.info().name == "Found again"


@pytest.mark.parametrize(
    "line", ["[1]", "null", '{"step": []}', "[" * 50_000, '{"step": 1, "epoch": 0, "seconds": NaN}']
)
def test_a_damaged_line_of_metrics_costs_that_line_alone(record, line):
    record.metrics_file.write_text(f"{GOOD}{line}\n{GOOD}")
    assert len(record.points()) == 2
    assert len(RunTail(record).poll().points) == 2
    assert record.info().step == 1


def test_folders_in_place_of_other_files_are_as_good_as_nothing(record):
    for name in ("metrics.jsonl", "label.json", ".lock"):
        (record.folder / name).unlink(missing_ok=True)
        (record.folder / name).mkdir()
    assert record.info().state == "waiting"
    assert record.points() == RunTail(record).poll().points == []


def test_only_names_of_snapshots_are_snapshots(record):
    folder = record.folder / "snapshots"
    folder.mkdir()
    for name in ("12", "0000004x", "²0000000", "copy of 00000004"):
        (folder / f"{name}.safetensors").write_bytes(b"")
    assert record.snapshots() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("means", np.zeros((3, 128), np.float32), "float32"),
        ("means", np.zeros(128, np.float16), "shape"),
        ("log_variances", np.zeros((2, 128), np.float16), "shape"),
        ("coordinates", np.zeros((2, 2), np.float32), "shape"),
        ("coordinates", np.full((3, 2), np.nan, np.float32), "finite"),
        ("means", None, "holds no means"),
        ("values", {"quick_svm": "x"}, "not a number"),
        ("step", None, "step"),
        ("step", 9, "of step 9"),
    ],
)
def test_a_damaged_snapshot_is_told_and_the_run_followed(record, name, value, words):
    half = np.zeros((3, 128), np.float16)
    parts = {"means": half, "log_variances": half, "coordinates": np.zeros((3, 2), np.float32), "step": 2, "values": {}}
    parts[name] = value
    header = {"format": FORMAT, "kind": "snapshot", **{key: parts.pop(key) for key in ("step", "values")}}
    arrays = {key: array for key, array in parts.items() if array is not None}
    write_atomically(record.snapshot_file(2), arrays, header)
    with pytest.raises(UnusableCheckpoint, match=words):
        record.snapshot(2)
    Snapshot(3, np.zeros((3, 9)), np.zeros((3, 9)), np.zeros((3, 2), np.float32), {}).save(record.snapshot_file(3))
    assert [snapshot.step for snapshot in RunTail(record).poll().snapshots] == [3]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", np.array([1, 200], np.uint8)),
        ("labels", np.array([1], np.uint8)),
        ("labels", np.array([1.0, 2.0])),
        ("image_features", np.zeros((1, 28, 27), np.uint8)),
        ("image_features", np.zeros((3, 28, 28), np.uint8)),
        ("speech_features", np.zeros((1, 100, 80), np.float32)),
        ("speech_features", np.full((1, 100, 80), np.nan, np.float16)),
        ("means", np.zeros((3, 4), np.float32)),
        ("log_variances", np.zeros((2, 5), np.float32)),
        ("means", np.full((2, 4), np.inf, np.float32)),
        ("keys", []),
        ("keys", [5]),
        ("sources", ["one"]),
        ("speakers", None),
        ("model", []),
    ],
)
def test_a_damaged_gallery_is_refused(tmp_path, name, value):
    arrays = {
        "labels": np.array([1, 2], np.uint8),
        "image_features": np.zeros((1, 28, 28), np.uint8),
        "speech_features": np.zeros((1, 100, 80), np.float16),
        "means": np.zeros((2, 4), np.float32),
        "log_variances": np.zeros((2, 4), np.float32),
    }
    header = {
        "format": FORMAT,
        "kind": "gallery",
        "model": {},
        "keys": ["a"],
        "sources": ["", ""],
        "speakers": ["", ""],
    }
    path = tmp_path / "gallery.safetensors"
    write_atomically(path, arrays, header)
    assert len(Gallery.load(path).items) == 2
    (arrays if name in arrays else header)[name] = value
    write_atomically(path, arrays, header)
    with pytest.raises(UnusableCheckpoint, match=r"gallery\.safetensors is damaged, or of another version of modinv: "):
        Gallery.load(path)


def test_a_damaged_run_does_not_hide_its_sweep(store, record):
    other = RunRecord(store.new_folder(PLAN))
    change(record, created=5)
    change(other, state="complete", step=4)
    assert [run.config for run in found_in(store.folder).runs()] == [PLAN]
    sweep = SweepRecord(store.folder)
    sweep.keep_plan(SweepPlan(PLAN, (2.15e-2, 1.0)))
    assert [run.state for run in sweep.runs()] == ["complete", "waiting"]


@pytest.mark.parametrize("content", ["null", '{"plan": 5}', "[" * 100_000, '{"plan": {}, "lambdas": 5, "seeds": []}'])
def test_a_damaged_plan_of_a_sweep_is_told(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(SweepFailed, match=r"plan\.json can't be read"):
        SweepRecord(tmp_path).plan()


def test_one_damaged_grave_does_not_keep_the_others_from_coming_back(store, record):
    store.delete(record)
    (store.folder / ".deleted" / "99999999999999999999").mkdir()
    assert store.undo_delete() == record
