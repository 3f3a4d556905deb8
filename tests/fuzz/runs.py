"""Damaged folders of runs and sweeps, read as the list of runs, the command and the dial read them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from model.checkpoints import Header, UnusableCheckpoint, write_atomically
from model.data.speech import FilterbankSettings
from model.recipes.recipe import FAST
from model.retrieval.gallery import Gallery
from model.runs.store import MetricPoint, RunRecord, RunStore, RunTail
from model.runs.values import RunStatus, Snapshot
from model.sweeps.plans import SweepFailed, SweepPlan
from model.sweeps.records import SweepRecord, SweepStore
from model.training.config import TrainingConfig
from model.types import Item, Modality

from ._damage import damaged
from ._json import damaged_json

SAMPLE = 60

_PLAN = TrainingConfig(FAST, ("mnist", "fsdd"), device="cpu")
_JSON = ("run.json", "label.json", "plan.json")
Files = dict[str, bytes | None]


def valid() -> dict[str, bytes]:
    """The files of a run that was stopped, in a folder that holds the plan of a sweep, too."""
    with tempfile.TemporaryDirectory() as folder:
        record = RunRecord(Path(folder))
        data = _PLAN.data()
        record.write_progress(RunStatus(_PLAN, "stopped", "2026-11-01T12:00:00+00:00", "Mine", data, 20))
        record.rename("My run")
        record.set_note("for the paper")
        points = [MetricPoint(step, step / 469, step / 2, {"total": 1.5, "quick_svm": 0.5}) for step in (1, 10, 20)]
        record.metrics_file.write_text("".join(f"{point.to_line()}\n" for point in points))
        means = np.zeros((4, 128), np.float32)
        for step in (1, 20):
            Snapshot(step, means, means, np.ones((4, 2), np.float32), {"quick_svm": 0.5}).save(
                record.snapshot_file(step)
            )
        sides = [Modality.IMAGE, Modality.IMAGE, Modality.SPEECH, Modality.SPEECH]
        items = tuple(Item(place, side, place, "", "theo") for place, side in enumerate(sides))
        images, speech = np.zeros((2, 28, 28), np.uint8), np.zeros((2, 100, 80), np.float16)
        Gallery(items, images, speech, means, means, ("a", "b"), {}, {}).save(record.probe_file)
        header = Header(FAST.to_dict(), FilterbankSettings().to_dict(), data, 0, 20, "cpu", {"torch": "2"})
        for file in (record.resume_file, record.model_file):
            write_atomically(file, {"weights/x": np.ones(3, np.float32)}, header.to_dict())
        SweepRecord(record.folder).keep_plan(SweepPlan(_PLAN))
        return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def cases(count: int, seed: int) -> Iterator[tuple[str, Files]]:
    """Each file in turn, damaged; some gone as well, or folders in their place (None)."""
    rng = np.random.default_rng(seed)
    files = valid()
    names = sorted(files)
    for number in range(count):
        name, changed = names[number % len(names)], dict[str, Any](files)
        words, changed[name] = _injure(name, files, rng)
        if name != "resume.safetensors" and rng.random() < 0.6:  # else what it resumes from tells the rest
            del changed["resume.safetensors"]
        for other in names:
            if rng.random() < 0.05:
                if rng.random() < 0.3:
                    changed[other] = None
                    words += f", a folder for {other}"
                else:
                    changed.pop(other, None)
                    words += f", no {other}"
        yield f"{name}: {words}", changed


def _injure(name: str, files: dict[str, bytes], rng: np.random.Generator) -> tuple[str, bytes]:
    if name in _JSON and rng.random() < 0.7:
        return damaged_json(json.loads(files[name]), rng)
    if name == "metrics.jsonl" and rng.random() < 0.7:
        lines = files[name].splitlines()
        place = int(rng.integers(len(lines)))
        words, lines[place] = damaged_json(json.loads(lines[place]), rng)
        return words, b"\n".join(lines) + b"\n"
    return damaged(files[name], files, rng)


def use(files: Files) -> str:
    """Look at the run in every way, then delete it and bring it back."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        record = RunRecord(store.folder / "run")
        good = RunRecord(store.folder / "good")
        good.folder.mkdir(parents=True)
        good.write_progress(RunStatus(_PLAN, "stopped", "2026-11-01T12:00:00+00:00", "Good", _PLAN.data(), 20))
        for name, content in files.items():
            path = record.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir()
            else:
                path.write_bytes(content)
        listed = store.list()
        assert good in listed
        assert good in [found for found, _ in store.readable()]
        outcome = _look(record) if record in listed else "no run"
        _look_at_the_sweep(record.folder)
        if record in listed:
            store.delete(record)
            assert store.undo_delete() == record
        shutil.rmtree(record.folder)
        return outcome


def _look(record: RunRecord) -> str:
    record.points()
    for step in record.snapshots():
        try:
            snapshot = record.snapshot(step)
        except UnusableCheckpoint:
            continue
        assert snapshot.coordinates.shape == (len(snapshot.means), 2)
    with suppress(UnusableCheckpoint):
        assert all(0 <= item.label <= 9 for item in record.probe().items)
    try:
        info = record.info()
        update = RunTail(record).poll()
    except UnusableCheckpoint:
        return "damaged"
    assert 0 <= info.step <= info.steps
    datetime.fromisoformat(info.created).astimezone()
    json.dumps([info.name, info.note, info.message, info.device, dict(info.versions)]).encode()
    assert all(isinstance(value, float) for point in update.points for value in point.values.values())
    if not (record.folder / "label.json").is_dir():
        record.rename("Another")
        assert record.info().name == "Another"
    return "listed"


def _look_at_the_sweep(folder: Path) -> None:
    SweepStore(folder.parent).list()
    with suppress(SweepFailed):
        assert SweepRecord(folder).plan().runs()
        SweepRecord(folder).runs()
