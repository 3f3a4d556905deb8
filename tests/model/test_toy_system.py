"""A system of another package is trained, resumed, measured and described without a line of ours that knows it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import SMALL, Bars
from toy_system import SIZE, ToyRecipe, ToySystem, distance, installed

from model import systems
from model.checkpoints import UnusableCheckpoint, read
from model.export import figures
from model.recipes.recipe import FAST, Recipe, named
from model.runs.session import TrainingSession
from model.runs.snapshots import quick_estimates
from model.runs.store import RunRecord
from model.systems.model_io import load_model
from model.training.config import TrainingConfig
from model.training.loop import Stepped

pytestmark = pytest.mark.usefixtures("brief_judging")
RECIPE = {**SMALL, "steps": 20, "learning_rate": 3e-4, "system": "toy", "temperature": 2.0}


@pytest.fixture(scope="module", autouse=True)
def _toy():
    with installed():
        yield


def go(folder, stop_after=None):
    """Train in a folder, stopped after a step; the losses."""
    losses = []
    plan = TrainingConfig(named("paper", **RECIPE), ("mnist", "fsdd"), device="cpu")
    with TrainingSession(folder, plan) as session:
        for event in session.train(Bars(), lambda: len(losses) == stop_after):
            if isinstance(event, Stepped):
                losses.append(event.loss.values())  # noqa: PERF401 (the stop predicate looks at what came so far)
    return losses


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder and the losses of a whole run."""
    folder = tmp_path_factory.mktemp("toy") / "run"
    return folder, go(folder)


def test_the_objective_by_hand():
    pairs = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    # Each is 0 away from its own and 1 from the other: -log(1 / (1 + exp(-1 / 2))).
    assert distance(pairs, pairs, 2.0).item() == pytest.approx(np.log1p(np.exp(-0.5)))


def test_it_learns(trained):
    _, losses = trained
    assert set(losses[0]) == {"total", "distance", "width"}
    early, late = (sum(loss["distance"] for loss in part) for part in (losses[:5], losses[-5:]))
    assert late < 0.8 * early


def test_its_terms_and_weights_are_logged(trained):
    record = RunRecord(trained[0])
    logged = next(point for point in record.points() if point.step == 10 and "total" in point.values)
    assert set(logged.values) == {"total", "distance", "width", "share", "learning_rate"}
    assert logged.values["share"] == 9 / 20


def test_it_resumes_bit_by_bit(trained, tmp_path):
    assert len(go(tmp_path, stop_after=7)) == 7
    assert len(go(tmp_path)) == 13
    ours, theirs = read(tmp_path / "resume.safetensors")[0], read(trained[0] / "resume.safetensors")[0]
    assert {name for name in ours if name.startswith("weights/")} == {
        "weights/image.weight", "weights/image.bias", "weights/speech.weight", "weights/speech.bias",
        "weights/log_variance",
    }  # fmt: skip
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name


def test_its_model_comes_back_and_is_measured_as_any_other(trained):
    system, header = load_model(trained[0] / "model.safetensors")
    assert isinstance(system, ToySystem)
    assert system.recipe == named("paper", **RECIPE)
    assert header.recipe["temperature"] == 2.0
    record = RunRecord(trained[0])
    snapshot = record.snapshot(20)
    assert snapshot.means.shape == (40, SIZE)
    assert quick_estimates(system, record.probe()) == pytest.approx(dict(snapshot.values), abs=0.1)


def test_its_recipe_has_its_fields(trained):
    recipe = RunRecord(trained[0]).info().plan.recipe
    assert isinstance(recipe, ToyRecipe)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    with pytest.raises(ValueError, match=r"Temperature must be a number from 0\.01 to 10"):
        replace(recipe, temperature=0.0)
    assert FAST.with_settings(["temperature=2", "system=toy"]) == named("fast", system="toy", temperature=2.0)
    with pytest.raises(ValueError, match="No field of a recipe is called 'temperature'"):
        FAST.with_settings(["temperature=2"])
    assert named("fast", system="toy").changed(system="variational") == FAST


def test_figures_are_titled_as_it_says(trained):
    titles = [axes.get_title(loc="left") for axes in figures.curves([RunRecord(trained[0])]).axes if axes.get_visible()]
    assert titles[:2] == ["Total loss", "Distance of pairs, nats"]
    assert "Width of posteriors" not in titles
    assert not any("Similarity" in title for title in titles)


def test_without_its_package_its_runs_and_models_say_what_is_missing(trained):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systems, "entry_points", dict)
        names = ", ".join(systems.names())
        words = f"No system is called 'toy' here. There are: {names}. Install the package that adds it."
        with pytest.raises(UnusableCheckpoint, match=words):
            RunRecord(trained[0]).info()
        with pytest.raises(UnusableCheckpoint, match=words):
            load_model(trained[0] / "model.safetensors")


def test_a_system_that_can_t_be_imported_says_why(monkeypatch):
    broken = {"broken": systems.metadata.EntryPoint("broken", "no_such_module:System", "modinv.systems")}
    monkeypatch.setattr(systems, "entry_points", lambda: broken)
    with pytest.raises(ValueError, match=r"'broken' .*can't be imported: No module named 'no_such_module'"):
        named("fast", system="broken")
    assert (systems.names()[0], systems.names()[-1]) == ("variational", "broken")
