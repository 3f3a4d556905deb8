"""Files of before the great renaming open as they are: runs, sweeps, evaluations, headers with fields' former names."""

import json
import lzma
from dataclasses import replace

import numpy as np
import old_files
import pytest
import tiny

from model import locations
from model.checkpoints import Header, read
from model.evaluation.report import Report
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import FAST, Recipe, named
from model.runs.corpus_cache import CorpusCache
from model.runs.session import TrainingSession
from model.runs.store import RunRecord, RunStore, RunTail
from model.sweeps.records import SweepStore
from model.systems.model_io import load_model
from model.training.config import TrainingConfig
from model.types import Modality

RECIPE = named("fast", steps=6, batch_size=4, samples_per_input=2)
CONFIG = TrainingConfig(RECIPE, ("mnist", "fsdd"), device="cpu", split="train+validation")


@pytest.fixture
def runs(tmp_path):
    return RunStore(old_files.copy("runs", tmp_path / "runs"))


def test_runs_are_listed_with_what_was_chosen_for_them(runs):
    (first, complete), (second, stopped) = sorted(runs.readable(), key=lambda pair: pair[1].state)
    assert (first.folder.name, second.folder.name) == ("complete", "stopped")
    assert complete.plan == replace(CONFIG, seed=1, held_out_speaker="nicolas")
    assert (complete.name, complete.note) == ("Without nicolas", "The first one.")
    assert (complete.state, complete.step, complete.steps, complete.resumable) == ("complete", 6, 6, False)
    assert stopped.plan == replace(CONFIG, seed=2)
    assert (stopped.state, stopped.step, stopped.resumable) == ("stopped", 3, True)


def test_curves_snapshots_and_probe_of_a_run_are_read(runs):
    record = RunRecord(runs.folder / "complete")
    update = RunTail(record).poll()
    assert [point.step for point in update.points] == [1, 1, 2, 3, 4, 5, 6, 6]
    assert update.points[0].values["similarity"] == 1.844924807548523
    assert update.points[-1].values["quick_purity"] == 0.32857142857142857
    assert [snapshot.step for snapshot in update.snapshots] == [1, 2, 3, 4, 5, 6]
    probe = record.probe()
    assert {len(snapshot.means) for snapshot in update.snapshots} == {len(probe.items)}
    assert {item.modality for item in probe.items} == set(Modality)


def test_a_model_is_loaded_and_understands_what_it_understood(runs):
    record = RunRecord(runs.folder / "complete")
    encoders, header = load_model(record.model_file)
    assert header.data["left_out"] == "nicolas"
    assert Recipe.from_dict(header.recipe) == RECIPE
    probe, last = record.probe(), record.snapshot(6)
    posterior = encoders.encode(Modality.IMAGE, probe.image_features.astype(np.float32) / 255)
    images = [item.index for item in probe.items if item.modality is Modality.IMAGE]
    np.testing.assert_allclose(posterior.means, last.means[images], atol=0.01)


def test_a_run_from_before_there_was_a_run_json_is_read_from_its_checkpoint(runs):
    folder = runs.folder / "stopped"
    (folder / "run.json").unlink()
    info = RunRecord(folder).info()
    assert info.plan == replace(CONFIG, seed=2)
    assert (info.state, info.step, info.resumable) == ("stopped", 3, True)


def test_a_deleted_run_comes_back(runs):
    (grave,) = (runs.folder / ".deleted").iterdir()
    (grave / "from").write_text(str(runs.folder / "deleted"), "utf-8")  # it held the place where it was made
    record = runs.undo_delete()
    assert record is not None
    assert record.info().state == "waiting"
    assert record.info().plan == replace(CONFIG, seed=3)


def test_a_stopped_run_goes_on_to_its_end(runs, tmp_path):
    corpora = CorpusCache(tiny.write_corpora(tmp_path / "data"))
    record = RunRecord(runs.folder / "stopped")
    before, _ = read(record.resume_file)
    with TrainingSession(record.folder, record.info().plan) as session:
        list(session.train(corpora, stop=lambda: True))
    after, _ = read(record.resume_file)
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    with TrainingSession(record.folder, record.info().plan) as session:
        list(session.train(corpora))
    assert record.info().state == "complete"
    assert record.snapshots() == [1, 2, 3, 4, 5, 6]
    assert {point.step for point in record.points()} == {1, 2, 3, 4, 5, 6}
    assert sum(point.values.get("total", 0) > 0 for point in record.points()) == 2


def test_a_sweep_is_listed_and_its_results_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    (record,) = SweepStore(old_files.copy("sweeps", tmp_path / "sweeps")).list()
    plan = record.plan()
    assert (plan.plan, plan.lambdas, plan.seeds) == (CONFIG, (0.0, 2.15e-2), (0,))
    assert [(run.name, run.state, run.share) for run in record.runs()] == [
        ("lambda-0-seed-0", "complete", 1.0),
        ("lambda-2.15e-2-seed-0", "complete", 1.0),
    ]
    results = SweepResults.load(record.results_file)
    assert results.lambdas == (0.0, 2.15e-2)
    assert results.setting["recipe"]["steps"] == 6
    assert all(0 < row.report.purity.mean <= 1 for row in results.rows)
    assert all(row.report.modality_gap is row.report.v_measure is None for row in results.rows)
    assert all(0 <= row.sampled.gap <= 1 for row in results.rows)
    record.plan_file.unlink()  # as in sweeps from before it was kept: found in the runs
    assert record.plan() == plan


def test_an_evaluation_is_read(tmp_path):
    evaluation = Evaluation.load(old_files.copy("evaluation", tmp_path / "evaluation"))
    assert evaluation.protocol.speech == "fsdd"
    assert evaluation.report.setting["recipe_values"]["batch_pairs"] == 4
    images, speech = evaluation.posteriors()
    assert (len(images.labels), len(speech.labels)) == (30, len(evaluation.items()) - 30)
    assert {mistake.query for mistake in evaluation.mistakes()} <= set(range(len(evaluation.items())))
    assert evaluation.key(30).startswith("fsdd:")


def test_the_header_of_the_model_that_shipped_then_is_read():
    header = Header.from_dict(json.loads(lzma.decompress((old_files.FOLDER / "shipped_model.json.xz").read_bytes())))
    assert Recipe.from_dict(header.recipe) == FAST
    purity = {name: round(Report.from_json_dict(values).purity.mean, 3) for name, values in header.metrics.items()}
    assert purity == {"mnist+fsdd": 0.992, "mnist+voices": 0.972, "mnist+voices, unheard engine": 0.967}


def test_the_files_were_made_with_the_former_names():
    names = json.loads((old_files.FOLDER / "runs" / "complete" / "run.json").read_text("utf-8"))["plan"]
    assert {"batch_pairs", "ig_warm_up"} <= set(names["recipe"])
    assert "left_out" in names
