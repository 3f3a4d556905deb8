"""Every system of this package: its objective on a batch, and its way through all that handles its posteriors."""

import json

import numpy as np
import pytest
import torch
from tiny import IMAGES, SMALL, SPEECH

from model import systems
from model.checkpoints import Header
from model.data.speech import FilterbankSettings
from model.evaluation import Posteriors, evaluate, invariance
from model.objectives.margin import margin_similarity
from model.objectives.weight_norms import weight_norms
from model.recipes.fields import fields_of
from model.recipes.recipe import FAST, Recipe, named, objective_text
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever, build_gallery
from model.runs.snapshots import draw_probe, take
from model.runs.values import Snapshot
from model.systems.base import Batch
from model.systems.model_io import load_model, save_model
from model.types import Modality

pytestmark = pytest.mark.usefixtures("small_encoders")

BATCH = Batch(IMAGES.features[:6].unsqueeze(1), SPEECH.features[:6].unsqueeze(1))


def build(name, **changes):
    torch.manual_seed(0)
    return systems.build(named("fast", **{**SMALL, "bfloat16": False, "system": name, **changes}))


@pytest.fixture(params=systems.names())
def system(request):
    return build(request.param)


def header(system):
    return Header(
        system.recipe.to_dict(), FilterbankSettings().to_dict(), {"images": [], "speech": []}, 5, 6, "cpu", {}
    )


def test_the_loss_is_finite_named_and_moves_every_weight(system):
    loss = system.loss(BATCH, 1, torch.Generator().manual_seed(0))
    assert {"total", *loss.terms} == {term.name for term in system.terms}
    assert all(np.isfinite(value) for value in loss.values().values())
    loss.total.backward()
    for name, weight in system.modules.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name


def test_the_generator_decides_the_loss(system):
    one, same = (system.loss(BATCH, 1, torch.Generator().manual_seed(3)).total.item() for _ in range(2))
    assert one == same


def test_the_recipe_survives_json_and_offers_what_the_system_reads(system):
    recipe = system.recipe
    assert type(recipe) is system.recipe_type
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert {"steps", "system"} <= {field.name for field in fields_of(type(recipe))}


def test_its_model_comes_back_from_disk(system, tmp_path):
    save_model(tmp_path / "model.safetensors", system, header(system))
    again, _ = load_model(tmp_path / "model.safetensors")
    assert type(again) is type(system)
    for name, value in system.modules.state_dict().items():
        assert torch.equal(again.modules.state_dict()[name], value.half().float()), name


def test_its_posteriors_go_through_galleries_queries_and_snapshots(system, tmp_path):
    build_gallery(system, header(system), IMAGES, SPEECH).save(tmp_path / "gallery.safetensors")
    gallery = Gallery.load(tmp_path / "gallery.safetensors")
    answer = Retriever(system, header(system), gallery).ask_item(0, 5)
    assert np.isfinite(answer.samples).all()
    assert np.isfinite([answer.margin, *(match.score for match in answer.matches)]).all()
    taken = take(system, draw_probe(IMAGES, SPEECH), 1, None)
    taken.save(tmp_path / "snapshot")
    kept = Snapshot.load(tmp_path / "snapshot")
    assert np.isfinite(kept.coordinates).all()
    np.testing.assert_array_equal(kept.log_variances, taken.log_variances.astype(np.float16))


def test_it_is_judged(system, monkeypatch):
    monkeypatch.setattr(invariance, "SVM_PENALTIES", [1.0])
    sides = []
    for samples in (IMAGES, SPEECH):
        found = system.encode(samples.modality, samples.features)
        sides.append(Posteriors(found.mean.numpy(), found.log_variance.numpy(), samples.labels.numpy()))
    report = evaluate(*sides, 0, {"lambda_ig": system.recipe.lambda_ig}, resamplings=1)
    json.dumps(report.to_json_dict(), allow_nan=False)


# Deterministic


@pytest.mark.parametrize("impostors", ["pair", "one", "all"])
def test_the_deterministic_loss_is_the_margin_loss_on_the_embeddings(impostors):
    system = build("deterministic", impostors=impostors, lambda_wd=0.5)
    loss = system.loss(BATCH, 0, torch.Generator().manual_seed(1))
    images = system.encode(Modality.IMAGE, IMAGES.features[:6]).mean
    speech = system.encode(Modality.SPEECH, SPEECH.features[:6]).mean
    similarity = margin_similarity(images, speech, impostors, generator=torch.Generator().manual_seed(1)).item()
    norms = weight_norms(system.modules).item()
    expected = {"total": similarity + 0.5 * norms, "similarity": similarity, "weight_norms": norms}
    assert loss.values() == pytest.approx(expected, rel=1e-4)
    assert not loss.weights


def test_a_recipe_without_variance_has_nothing_that_is_about_it():
    recipe = named("fast", system="deterministic", lambda_ig=1.0, samples_per_input=8)
    assert (recipe.lambda_ig, recipe.samples_per_input, recipe.kl_warmup) == (0, 1, 0), "whatever it is given"
    assert {field.name for field in fields_of(Recipe)} - {field.name for field in fields_of(type(recipe))} == {
        "lambda_ig", "samples_per_input", "kl_warmup", "initial_log_variance",
    }  # fmt: skip
    assert not recipe.has("lambda_ig")
    assert recipe.changed(system="variational").lambda_ig == FAST.lambda_ig
    assert recipe.steps == FAST.steps


def test_recipes_are_titled_by_what_they_minimise():
    assert objective_text(FAST.to_dict()) == "λ 2.15e-2"
    assert objective_text({"lambda_ig": 0.0}, "λ_IG = ") == "λ_IG = 0", "a recipe of an earlier version"
    assert objective_text(named("fast", system="deterministic").to_dict()) == "deterministic"
    assert objective_text({"system": "other", "lambda_ig": 1.0}) == "other, λ 1"
