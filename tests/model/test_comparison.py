"""Comparisons of systems on tiny corpora: planned, trained and judged once, and put in one table."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import write_corpora
from typer.testing import CliRunner

from model import locations
from model.checkpoints import UnusableCheckpoint, write_atomically
from model.cli.main import app
from model.evaluation.comparison_results import ComparisonResults
from model.export import tables
from model.recipes.recipe import named
from model.runs.store import RunRecord
from model.sweeps.plans import SYSTEMS, ComparisonPlan, SweepPlan, chosen_systems, plan_from
from model.sweeps.records import SweepRecord, runs_behind
from model.sweeps.results import load_results
from model.sweeps.runner import Evaluated, sweep, write
from model.systems.model_io import parameter_count
from model.training import loop as training
from model.training.config import TrainingConfig

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging", "judged_once")

RECIPE = named("fast", steps=2, batch_size=4, samples_per_input=2)
CONFIG = TrainingConfig(RECIPE, ("mnist", "fsdd"), device="cpu")
SMALL = ComparisonPlan(CONFIG, {name: SYSTEMS[name] for name in ("variational", "deterministic")}, (0, 1))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder of a finished comparison, and its results."""
    folder = tmp_path_factory.mktemp("comparison")
    SweepRecord(folder).keep_plan(SMALL)
    events = list(sweep(SMALL, folder, data=data))
    assert [event.name for event in events if isinstance(event, Evaluated)] == [
        "variational-seed-0", "deterministic-seed-0", "variational-seed-1", "deterministic-seed-1",
    ]  # fmt: skip
    write(events[-1].results, folder)
    return folder, events[-1].results


def test_every_system_that_can_be_compared_can_be_trained():
    runs = ComparisonPlan(CONFIG).runs()
    assert [run.label for run in runs] == list(SYSTEMS)
    assert len({run.config.recipe for run in runs}) == len({run.name for run in runs}) == len(SYSTEMS)
    assert {run.config.recipe.system for run in runs} == {
        "variational", "deterministic", "adversarial", "divergence", "contrastive", "distilled", "generative",
    }  # fmt: skip


def test_the_common_recipe_holds_but_for_what_a_system_changes():
    plan = ComparisonPlan(replace(CONFIG, recipe=RECIPE.changed(noise=0.25)))
    assert {run.config.recipe.noise for run in plan.runs()} == {0.25}
    zero, whole = (
        next(run.config.recipe for run in plan.runs() if run.label == name)
        for name in ("variational, λ 0", "variational")
    )
    assert (zero.lambda_ig, whole.lambda_ig) == (0.0, RECIPE.lambda_ig)


def test_either_plan_survives_json():
    for plan in (SMALL, SweepPlan(CONFIG, (0.0,))):
        assert plan_from(json.loads(json.dumps(plan.to_dict()))) == plan


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"systems": {}}, "at least one system"),
        ({"seeds": ()}, "at least one system and one seed"),
        ({"systems": {"one": ("system=nothing",)}}, "No system is called"),
        ({"systems": {"A b": (), "a-b": ()}}, "must differ"),
    ],
)
def test_what_cannot_be_trained_is_told_before_anything_is(values, words):
    with pytest.raises(ValueError, match=words):
        ComparisonPlan(CONFIG, **values)


def test_systems_are_chosen_by_their_names():
    assert chosen_systems(()) == SYSTEMS
    assert chosen_systems(("adversarial + KL",)) == {"adversarial + KL": ("system=adversarial",)}
    with pytest.raises(ValueError, match="There are: variational; "):
        chosen_systems(("telepathic",))


def test_each_system_gets_a_map_and_each_run_a_row(finished):
    folder, results = finished
    assert results.systems == ("variational", "deterministic")
    assert results.coordinates.shape == (2, 50, 2)
    assert [(row.system, row.seed) for row in results.rows] == [
        ("variational", 0), ("variational", 1), ("deterministic", 0), ("deterministic", 1),
    ]  # fmt: skip
    for row in results.rows:
        seconds = RunRecord(folder / f"{row.system}-seed-{row.seed}").info().seconds
        assert row.seconds == seconds > 0
        assert row.report.setting["recipe_values"]["system"] == row.system
    assert results.rows[0].parameters == parameter_count(RECIPE) > results.rows[2].parameters, "points need no variance"


def test_a_file_keeps_everything(finished):
    folder, results = finished
    loaded = load_results(folder / "comparison.safetensors")
    assert isinstance(loaded, ComparisonResults)
    for name in ("items", "keys", "systems", "settings", "rows", "setting", "failures"):
        assert getattr(loaded, name) == getattr(results, name)
    for name in ("image_features", "embeddings", "coordinates"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(results, name))


def test_a_damaged_file_is_told(finished, tmp_path):
    arrays, header = finished[1].on_disk("comparison")
    write_atomically(tmp_path / "x.safetensors", arrays, header | {"systems": {"other": []}, "rows": []})
    with pytest.raises(UnusableCheckpoint, match="different systems"):
        load_results(tmp_path / "x.safetensors")


def test_the_table_has_a_line_for_each_system_with_its_cost(finished):
    table = tables.systems(finished[1].rows)
    assert [line[:2] for line in table.rows] == [("variational", "2"), ("deterministic", "2")]
    purity = [row.report.purity.mean for row in finished[1].rows if row.system == "variational"]
    assert table.rows[0][2].startswith(f"{sum(purity) / 2:.3f} ({min(purity):.3f}")
    assert [record["seconds"] for record in table.records] == [row.seconds for row in finished[1].rows]
    assert "seeds 0 and 1" in table.caption
    assert (finished[0] / "table.md").read_text("utf-8") == table.markdown()


def test_its_folder_says_how_the_runs_stand(finished):
    folder, results = finished
    record = SweepRecord(folder)
    assert record.plan() == SMALL
    assert record.results_file.name == "comparison.safetensors"
    assert [(run.label, run.seed, run.state) for run in record.runs()] == [
        ("variational", 0, "complete"), ("deterministic", 0, "complete"),
        ("variational", 1, "complete"), ("deterministic", 1, "complete"),
    ]  # fmt: skip
    assert {run.label for run in runs_behind(results)} == {"variational", "deterministic"}


def test_more_systems_join_what_is_trained(finished, data, monkeypatch):
    folder, results = finished
    trained = []
    step = training.take_step

    def train(number, system, *rest):
        trained.append(system.recipe.system)
        return step(number, system, *rest)

    monkeypatch.setattr(training, "take_step", train)
    plan = ComparisonPlan(CONFIG, {**SMALL.systems, "contrastive": SYSTEMS["contrastive"]})
    more = list(sweep(plan, folder, data=data))[-1].results
    assert set(trained) == {"contrastive"}
    assert more.systems == ("variational", "deterministic", "contrastive")
    assert [row.report.purity for row in more.rows[:2]] == [
        results.rows[0].report.purity,
        results.rows[2].report.purity,
    ]


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def test_the_command_prints_the_table_and_writes_it(tmp_path, data):
    options = ["--out", tmp_path, "--data-dir", data, "--steps", 1, "--set", "batch_size=4"]
    result = run(*options, "--systems", "deterministic, 1 impostor; contrastive + KL")
    assert result.exit_code == 0, result.output
    assert "contrastive + KL" in result.stdout
    assert "deterministic-1-impostor-seed-0: purity" in result.stderr
    assert load_results(tmp_path / "comparison.safetensors").systems == (
        "deterministic, 1 impostor",
        "contrastive + KL",
    )


@pytest.mark.parametrize(
    ("option", "value"), [("--systems", "telepathic"), ("--seeds", "x"), ("--set", "system=adversarial")]
)
def test_wrong_values_are_told_as_such(tmp_path, option, value):
    result = run("--out", tmp_path, option, value)
    assert result.exit_code == 2
    assert option in result.stderr


def test_a_folder_becomes_what_ships(finished, data, tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "shipped_comparison", lambda: tmp_path / "comparison.safetensors")
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "ship_sweep.py"))
    script["main"](finished[0], data)
    assert load_results(tmp_path / "comparison.safetensors").rows == finished[1].rows
    told = (tmp_path / "comparison.md").read_text("utf-8")
    for words in ("The comparison that ships", "4 models", "*variational* and *deterministic*", "2 steps of 4 pairs"):
        assert words in told


def test_what_ships_can_be_shown():
    results = load_results(locations.shipped_comparison())
    assert set(results.systems) <= set(SYSTEMS)
    assert "variational" in results.systems
    assert locations.shipped_comparison().stat().st_size + locations.shipped_sweep().stat().st_size < 5_000_000
    assert all(row.seconds > 0 for row in results.rows)
