"""Sweeps on tiny corpora: all is trained and judged once, failures are left behind, and the maps lie together."""

import json
import runpy
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresh_python import imported_by
from tiny import write_corpora
from typer.testing import CliRunner

from model import cores, locations
from model.cli.main import app
from model.cli.sweep import _in_words
from model.evaluation.sweep_results import SweepResults
from model.progress import JobContext
from model.recipes.recipe import PAPER_LAMBDAS, named
from model.runs.corpus_cache import CorpusCache
from model.runs.store import RunRecord
from model.sweeps.plans import SweepFailed, SweepPlan, found_in
from model.sweeps.records import SweepRecord
from model.sweeps.runner import Evaluated, RunFailed, SweepEnded, Working, run_sweep, sweep, write
from model.sweeps.trials import Serial
from model.training import loop as training
from model.training.config import TrainingConfig
from model.types import Modality

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging", "judged_once")

RECIPE = named("fast", steps=3, batch_size=4, samples_per_input=2)
PLAN = TrainingConfig(RECIPE, ("mnist", "fsdd"), device="cpu")
SMALL = SweepPlan(PLAN, (0.1, 0.0))
HOPELESS = 1e39  # beyond float32: the loss is infinite


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder of a finished sweep of two values, and its events."""
    folder = tmp_path_factory.mktemp("sweep")
    events = list(sweep(SMALL, folder, data=data))
    write(events[-1].results, folder)
    return folder, events


@pytest.fixture
def copied(finished, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(finished[0], tmp_path / "sweep")


@pytest.fixture
def untrained(monkeypatch):
    """Whoever trains in spite of it fails."""

    def train(*_):
        raise AssertionError("This was trained already.")

    monkeypatch.setattr(training, "take_step", train)


def results_of(events):
    (ended,) = (event for event in events if isinstance(event, SweepEnded))
    assert ended.results is not None
    return ended.results


def names(events, kind):
    return [event.name for event in events if isinstance(event, kind)]


# The plan


def test_the_default_is_the_papers_table():
    assert [run.config.recipe.lambda_ig for run in SweepPlan(PLAN).runs()] == list(PAPER_LAMBDAS)


def test_one_seed_comes_after_the_other_and_nothing_twice():
    runs = SweepPlan(PLAN, (0.1, 0.0, 0.1), (1, 0)).runs()
    configs = [run.config for run in runs]
    assert [(one.seed, one.recipe.lambda_ig) for one in configs] == [(1, 0.0), (1, 0.1), (0, 0.0), (0, 0.1)]
    assert [run.name for run in runs[:2]] == ["lambda-0-seed-1", "lambda-1e-1-seed-1"]
    assert [run.label for run in runs[:2]] == ["λ 0", "λ 1e-1"]
    assert all(one.corpora == PLAN.corpora and one.recipe.steps == 3 for one in configs)


def test_a_plan_survives_json():
    plan = SweepPlan(PLAN, (0.0, 6.81e-5), (0, 2))
    assert SweepPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@pytest.mark.parametrize("values", [{"lambdas": ()}, {"seeds": ()}, {"lambdas": (0.1, -1.0)}, {"seeds": (-1,)}])
def test_what_cannot_be_trained_is_told_before_anything_is(values):
    with pytest.raises(ValueError, match=r"at least|whole number from 0"):
        SweepPlan(PLAN, **values)


def test_planning_needs_no_torch():
    assert not imported_by("import model.sweeps.runner, model.sweeps.records") & {"torch", "sklearn", "matplotlib"}


# The course


def test_every_value_is_trained_judged_and_mapped(finished):
    folder, events = finished
    assert names(events, Evaluated) == ["lambda-0-seed-0", "lambda-1e-1-seed-0"]
    for name in names(events, Evaluated):
        assert RunRecord(folder / name).info().state == "complete"
        assert RunRecord(folder / name).points()
    shares = [event.share_of_all for event in events if isinstance(event, Working)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    left = [event.seconds_left for event in events if isinstance(event, Working)]
    assert 0 < left[-1] < 60, "in the end one evaluation is left, which takes as long as the first"
    results = results_of(events)
    assert [(row.lambda_ig, row.seed) for row in results.rows] == [(0.0, 0), (0.1, 0)]
    assert results.lambdas == (0.0, 0.1)
    assert results.embeddings.shape == (2, 50, 128)
    assert results.coordinates.shape == (2, 50, 2)
    assert np.isfinite(results.coordinates).all()
    assert results.failures == {}
    assert results.setting["trained_on"] == {"images": ["mnist"], "speech": ["fsdd"], "split": "train"}
    assert results.setting["protocol"]["speech"] == "fsdd"
    assert "lambda_ig" not in results.setting["recipe"]


def test_items_are_test_inputs_with_their_pictures_and_keys(finished, data):
    results = results_of(finished[1])
    assert [item.index for item in results.items] == list(range(50))
    assert [item.modality for item in results.items] == [Modality.IMAGE] * 30 + [Modality.SPEECH] * 20
    for item, picture in zip(results.items, results.image_features, strict=False):
        assert item.source.startswith("MNIST test")
        assert picture[10, 4 + 2 * item.label] == 255
    for item, key in zip(results.items[30:], results.keys, strict=True):
        assert key.startswith(f"fsdd:{item.label}_theo_")
        assert (data / "fsdd" / key.removeprefix("fsdd:")).is_file()


def test_what_was_found_is_written_for_programs_and_for_people(finished):
    folder, events = finished
    assert SweepResults.load(folder / "sweep.safetensors").rows == results_of(events).rows
    table = (folder / "table.md").read_text("utf-8")
    assert f"{results_of(events).purity(0.1).mean:.3f}" in table
    for name in ("table.csv", "table.tex", "figure3.png", "figure3.svg"):
        assert (folder / name).stat().st_size > 100


@pytest.mark.usefixtures("untrained")
def test_what_is_there_is_not_trained_again_whatever_its_folder_is_called(copied, data, finished):
    (copied / "lambda-0-seed-0").rename(copied / "lambda-0.0 of Tuesday")
    events = list(sweep(SMALL, copied, data=data))
    assert names(events, Evaluated) == ["lambda-0-seed-0", "lambda-1e-1-seed-0"]
    again, first = results_of(events), results_of(finished[1])
    assert again.rows == first.rows
    np.testing.assert_array_equal(again.embeddings, first.embeddings)


@pytest.mark.usefixtures("untrained")
def test_runs_of_an_older_version_count_too(copied, data):
    for name in ("lambda-0-seed-0", "lambda-1e-1-seed-0"):
        for file in list((copied / name).iterdir()):
            if file.name not in ("model.safetensors", "resume.safetensors"):
                shutil.rmtree(file) if file.is_dir() else file.unlink()
    assert len(results_of(list(sweep(SMALL, copied, data=data))).rows) == 2


def test_a_second_seed_is_trained_beside_the_first(copied, data, finished):
    results = results_of(sweep(SweepPlan(PLAN, (0.1,), (0, 1)), copied, data=data))
    assert [(row.lambda_ig, row.seed) for row in results.rows] == [(0.1, 0), (0.1, 1)]
    assert len(results.purity(0.1).values) == 2
    # The map is that of the first seed.
    np.testing.assert_array_equal(results.embeddings[0], results_of(finished[1]).embeddings[1])


def test_a_sweep_that_was_stopped_goes_on_where_it_was(data, tmp_path):
    seen = []
    for event in sweep(SMALL, tmp_path, lambda: len(seen) >= 2, data=data):
        seen.append(event)  # noqa: PERF402 (the stop predicate looks at what came so far)
    assert isinstance(seen[-1], SweepEnded)
    assert seen[-1].results is None
    assert RunRecord(tmp_path / "lambda-0-seed-0").info().step == 2
    texts = [event.text for event in sweep(SMALL, tmp_path, data=data) if isinstance(event, Working)]
    assert texts[0] == "step 3 of 3"


def test_a_run_that_fails_does_not_stop_the_others(copied, data):
    events = list(sweep(SweepPlan(PLAN, (0.0, 0.1, HOPELESS)), copied, data=data))
    assert names(events, RunFailed) == ["lambda-1e39-seed-0"]
    results = results_of(events)
    assert results.lambdas == (0.0, 0.1)
    assert "The loss is not finite" in results.failures["lambda-1e39-seed-0"]
    assert RunRecord(copied / "lambda-1e39-seed-0").info().state == "failed"


def test_a_folder_that_holds_another_run_is_a_failure_too(copied, data):
    other = SweepPlan(TrainingConfig(named("fast", steps=2), ("mnist", "fsdd"), device="cpu"), (0.1,))
    with pytest.raises(SweepFailed, match=r"No run in .* succeeded.*another recipe"):
        list(sweep(other, copied, data=data))


def test_without_data_it_says_what_is_missing(tmp_path):
    with pytest.raises(SweepFailed, match="modinv data get fsdd"):
        list(sweep(SMALL, tmp_path / "sweep", data=tmp_path))


@pytest.mark.usefixtures("untrained")
def test_without_training_complete_runs_are_judged_and_nothing_is_written(copied, data):
    run = copied / "lambda-1e-1-seed-0"
    for name in ("run.json", "resume.safetensors", "model.safetensors"):
        (run / name).unlink()
    before = {file: file.stat().st_mtime_ns for file in copied.rglob("*")}
    results = results_of(sweep(SMALL, copied, train=False, data=data))
    assert results.lambdas == (0.0,)
    assert results.failures == {}
    assert {file: file.stat().st_mtime_ns for file in copied.rglob("*")} == before


def test_the_plan_of_a_folder_is_found_in_its_runs(finished, copied, tmp_path):
    assert found_in(finished[0]).runs() == SMALL.runs()
    with pytest.raises(SweepFailed, match="no complete run"):
        found_in(tmp_path / "nowhere")
    progress = RunRecord(copied / "lambda-0-seed-0").progress()
    other = replace(PLAN, recipe=named("fast", steps=3, lambda_ig=0.0))
    RunRecord(copied / "lambda-0-seed-0").write_progress(replace(progress, plan=other))
    with pytest.raises(SweepFailed, match="differ in more than lambda_IG and seed"):
        found_in(copied)


# The worker's job


class Listener(JobContext):
    def __init__(self, stop_after=None):
        self.heard, self.stop_after = [], stop_after

    def send(self, message):
        json.dumps(message)
        self.heard.append(message)

    def cancelled(self, _pausing=None):
        return self.stop_after is not None and len(self.heard) >= self.stop_after


def test_the_job_tells_its_way_and_where_the_results_lie(copied, data, monkeypatch):
    monkeypatch.setenv("MODINV_DATA", str(data))
    (copied / "sweep.safetensors").unlink()
    listener = Listener()
    run_sweep({"plan": SMALL.to_dict(), "folder": str(copied)}, listener, Serial(CorpusCache()))
    assert [message["say"] for message in listener.heard] == ["progress", "judged", "progress", "judged", "swept"]
    assert listener.heard[0]["text"] == "lambda-0-seed-0, evaluating"
    assert listener.heard[1]["name"] == "lambda-0-seed-0"
    assert len(SweepResults.load(Path(listener.heard[-1]["file"])).rows) == 2


def test_the_job_can_be_stopped(copied, data, monkeypatch):
    monkeypatch.setenv("MODINV_DATA", str(data))
    listener = Listener(stop_after=1)
    run_sweep({"plan": SMALL.to_dict(), "folder": str(copied)}, listener, Serial(CorpusCache()))
    assert listener.heard[-1] == {"say": "stopped"}


# The command


def run(*arguments):
    return CliRunner().invoke(app, ["sweep", *map(str, arguments)])


def test_the_command_prints_the_papers_table_and_writes_it(tmp_path, data):
    options = ["--out", tmp_path, "--data-dir", data, "--steps", 1, "--lambdas", "0,2.15e-2", "--jobs", 1]
    result = run(*options)
    assert result.exit_code == 0, result.output
    for words in ("2.15e-2", "0.984", "Purity", "mnist and fsdd"):
        assert words in result.stdout
    assert "lambda-2.15e-2-seed-0: purity" in result.stderr
    assert (tmp_path / "figure3.svg").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "ray"], "pip install 'modinv[cluster]'"),
        (["--engine", "ray", "--address", "ray://host:10001"], "Run the command on a machine of the cluster"),
        (["--address", "host:6379"], "Only --engine ray has an address"),
    ],
)
def test_what_is_needed_for_a_cluster_is_said(tmp_path, monkeypatch, options, said):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "model.jobs.ray_cluster", raising=False)
    result = run("--out", tmp_path / "sweep", *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "sweep").exists()


def test_ctrl_c_keeps_the_work(tmp_path, data, monkeypatch):
    step = training.take_step

    def press_ctrl_c(*arguments):
        signal.raise_signal(signal.SIGINT)
        return step(*arguments)

    monkeypatch.setattr(training, "take_step", press_ctrl_c)
    monkeypatch.setattr(cores, "available_cores", lambda: 3)
    command = ("--out", tmp_path, "--data-dir", data, "--steps", 2, "--lambdas", "0")
    result = run(*command)
    assert result.exit_code == 130
    assert "the same command resumes the work" in result.stderr
    assert RunRecord(tmp_path / "lambda-0-seed-0").info().step == 1
    assert SweepRecord(tmp_path).plan().lambdas == (0.0,), "the window can resume it, too"

    monkeypatch.setattr(training, "take_step", step)
    monkeypatch.setattr(cores, "available_cores", lambda: 1)
    assert run(*command).exit_code == 0
    assert SweepRecord(tmp_path).plan().threads == 3, "it computes as it began"


def test_the_command_tells_how_far_the_runs_are():
    one, other = (Working(f"lambda-{name}", 0.4, "step 640 of 1,600", 0, 2, 0.4) for name in "01")
    assert _in_words([one]) == "lambda-0, step 640 of 1,600"
    assert _in_words([one, other]) == "lambda-0 40%, lambda-1 40%"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--lambdas", "much"),
        ("--lambdas", "-1"),
        ("--seeds", "0.5"),
        ("--data", "fsdd"),
        ("--set", "noise=loud"),
        ("--set", "lambda_ig=1"),  # that is --lambdas
    ],
)
def test_wrong_values_are_told_as_such(tmp_path, option, value):
    result = run("--out", tmp_path, option, value)
    assert result.exit_code == 2
    assert option in result.stderr


def test_an_empty_folder_has_nothing_to_judge(tmp_path):
    result = run("--out", tmp_path, "--no-train")
    assert result.exit_code == 1
    assert "Error: No run in" in result.stderr


# What ships


def test_a_folder_becomes_what_ships(finished, data, tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "shipped_sweep", lambda: tmp_path / "sweep.safetensors")
    before = {file: file.stat().st_mtime_ns for file in finished[0].rglob("*")}
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "ship_sweep.py"))
    script["main"](finished[0], data)
    assert {file: file.stat().st_mtime_ns for file in finished[0].rglob("*")} == before
    assert SweepResults.load(tmp_path / "sweep.safetensors").rows == results_of(finished[1]).rows
    told = (tmp_path / "sweep.md").read_text("utf-8")
    for words in (
        "2 models",
        "30 test images",
        "CC BY-SA 3.0",
        "Zohar Jackson",
        f"{results_of(finished[1]).purity(0.1).mean:.3f}",
    ):
        assert words in told
