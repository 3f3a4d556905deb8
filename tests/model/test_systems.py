"""Every system of this package: its objective on a batch, and its way through all that handles its posteriors."""

import json

import numpy as np
import pytest
import torch
from tiny import IMAGES, SMALL, SPEECH

from model import systems
from model.checkpoints import Header
from model.data.speech import FilterbankSettings
from model.evaluation import Posteriors, evaluate
from model.objectives.gradient_reversal import reversal_schedule
from model.objectives.margin import margin_ranking, margin_similarity
from model.objectives.weight_norms import weight_norms
from model.recipes.fields import fields_of
from model.recipes.recipe import FAST, Recipe, named, objective_text
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever, build_gallery
from model.runs.snapshots import draw_probe, take
from model.runs.values import Snapshot
from model.similarity import DIVERGENCES, similarity_matrix
from model.systems.base import Batch
from model.systems.model_io import load_model, save_model
from model.types import Modality

pytestmark = pytest.mark.usefixtures("small_encoders", "brief_judging")

BATCH = Batch(
    *(torch.from_numpy(side.features[:6, None]) for side in (IMAGES, SPEECH)), torch.from_numpy(IMAGES.labels[:6])
)


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


def test_it_is_judged(system):
    sides = []
    for samples in (IMAGES, SPEECH):
        found = system.encode(samples.modality, samples.features)
        sides.append(Posteriors(*found, samples.labels))
    report = evaluate(*sides, 0, {"lambda_ig": system.recipe.lambda_ig}, resamplings=1)
    json.dumps(report.to_json_dict(), allow_nan=False)


# Deterministic


@pytest.mark.parametrize("impostors", ["pair", "one", "all"])
def test_the_deterministic_loss_is_the_margin_loss_on_the_embeddings(impostors):
    system = build("deterministic", impostors=impostors, lambda_wd=0.5)
    loss = system.loss(BATCH, 0, torch.Generator().manual_seed(1))
    images = torch.from_numpy(system.encode(Modality.IMAGE, IMAGES.features[:6]).means)
    speech = torch.from_numpy(system.encode(Modality.SPEECH, SPEECH.features[:6]).means)
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


# Adversarial


def adversarial(**changes):
    return build("adversarial", lambda_wd=0.0, lambda_ig=0.0, **changes)


def gradients(system, step):
    loss = system.loss(BATCH, step, torch.Generator().manual_seed(0))
    loss.total.backward()
    return loss, {name: weight.grad.clone() for name, weight in system.modules.named_parameters()}


def test_encoders_ascend_where_the_discriminator_descends():
    _, plain = gradients(adversarial(lambda_similarity=0.0, lambda_adversarial=1.0), 2)
    _, stronger = gradients(adversarial(lambda_similarity=0.0, lambda_adversarial=3.0), 2)
    for name, gradient in plain.items():
        times = 1 if name.startswith("discriminator") else 3
        torch.testing.assert_close(stronger[name], times * gradient, rtol=1e-4, atol=1e-8)
    system = adversarial(lambda_similarity=0.0, lambda_adversarial=1.0)
    before, gradient = gradients(system, 2)
    with torch.no_grad():
        for name, weight in system.modules.named_parameters():
            if not name.startswith("discriminator"):
                weight.sub_(0.01 * gradient[name] / gradient[name].norm())
    after = system.loss(BATCH, 2, torch.Generator().manual_seed(0))
    assert after.terms["discriminator"] > before.terms["discriminator"], "the encoders have made it harder"


def test_the_reversal_begins_at_nothing_and_rises():
    loss, gradient = gradients(adversarial(lambda_similarity=0.0), 0)
    assert loss.weights["lambda_adversarial"] == 0
    assert not any(grad.any() for name, grad in gradient.items() if not name.startswith("discriminator"))
    weights = [reversal_schedule(share) for share in (0, 0.1, 0.5, 1)]
    assert weights == pytest.approx([0, 0.462117, 0.986614, 0.999909], abs=1e-6)


def test_a_discriminator_that_guesses_has_the_loss_of_guessing():
    system = adversarial()
    with torch.no_grad():
        system.modules.discriminator.layers[-1].weight.zero_()
        system.modules.discriminator.layers[-1].bias.zero_()
    terms = {term.name: term for term in system.terms}
    loss = system.loss(BATCH, 1, torch.Generator().manual_seed(0))
    assert loss.terms["discriminator"].item() == pytest.approx(terms["discriminator"].level) == np.log(3)
    assert loss.terms["discriminator_accuracy"].item() == pytest.approx(1 / 3)


# Divergence


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_the_loss_on_divergences_is_the_margin_loss_on_their_negatives(divergence):
    system = build("divergence", divergence=divergence, impostors="all", lambda_ig=0.0, lambda_wd=0.0)
    assert system.similarity == divergence
    found = system.loss(BATCH, 1, torch.Generator().manual_seed(0)).total.item()
    sides = (
        system.encode(modality, inputs[:, 0].numpy()) for modality, inputs in zip(Modality, BATCH[:2], strict=True)
    )
    similarity = torch.from_numpy(similarity_matrix(divergence, *sides))
    assert found == pytest.approx(margin_ranking(similarity, "all").item(), rel=1e-4)


# Contrastive


def test_the_contrastive_system_has_variance_only_where_it_has_a_price():
    points, gaussians = build("contrastive", lambda_ig=0.0), build("contrastive", lambda_ig=0.5, kl_warmup=0.0)
    assert points.encode(Modality.IMAGE, IMAGES.features[:2]).log_variances.max() == -np.inf
    assert np.isfinite(gaussians.encode(Modality.IMAGE, IMAGES.features[:2]).log_variances).all()
    for system in (points, gaussians):
        loss = system.loss(BATCH, 1, torch.Generator().manual_seed(0))
        values = loss.values()
        parts = values["info_nce"] + system.recipe.lambda_ig * values["information_gain"]
        assert values["total"] == pytest.approx(parts + system.recipe.lambda_wd * values["weight_norms"], rel=1e-5)
        assert values["temperature"] == pytest.approx(0.07)


# Distilled


@pytest.mark.parametrize("teacher", ["image", "speech"])
def test_only_the_teacher_is_told_digits(teacher):
    """Other digits change what the teacher learns, and not what the student learns."""
    first, second = (build("distilled", teacher=teacher, lambda_wd=0.0) for _ in range(2))
    first.loss(BATCH, 1, torch.Generator()).total.backward()
    second.loss(BATCH._replace(digits=(BATCH.digits + 1) % 4), 1, torch.Generator()).total.backward()
    student = "speech" if teacher == "image" else "image"
    found = {name: weight.grad for name, weight in second.modules.named_parameters()}
    for name, weight in first.modules.named_parameters():
        assert torch.equal(weight.grad, found[name]) == name.startswith(student), name


def test_a_student_that_agrees_with_its_teacher_has_nothing_to_learn():
    system = build("distilled")
    for encoder in (system.modules.image, system.modules.speech):
        torch.nn.init.zeros_(encoder.head.weight)
        torch.nn.init.ones_(encoder.head.bias)
    loss = system.loss(BATCH, 1, torch.Generator())
    assert loss.terms["student"].item() == pytest.approx(0, abs=1e-6)
    assert loss.terms["teacher"].item() > 0


def test_a_teacher_and_its_student_name_digits():
    system = build("distilled")
    for modality, samples in ((Modality.IMAGE, IMAGES), (Modality.SPEECH, SPEECH)):
        probabilities = system.classify(modality, samples.features)
        assert probabilities.shape == (len(samples), 10)
        np.testing.assert_allclose(probabilities.sum(1), np.ones(len(samples)), rtol=1e-5)


# Generative


def test_decoders_return_images_and_filterbanks():
    system = build("generative")
    embeddings = np.random.default_rng(0).standard_normal((3, 128), np.float32)
    images, speech = (system.decode(modality, embeddings) for modality in Modality)
    assert images.shape == (3, 28, 28)
    assert images.min() >= 0
    assert images.max() <= 1
    assert speech.shape == (3, 100, 80)
    np.testing.assert_allclose(system.decode(Modality.SPEECH, embeddings[1:2])[0], speech[1], atol=1e-5)


def test_each_path_is_scored_by_its_decoder():
    system = build("generative", lambda_reconstruction=0.5, lambda_ig=0.0, lambda_wd=0.0, samples_per_input=1)
    with torch.no_grad():
        for encoder in (system.modules.image, system.modules.speech):
            encoder.head.bias[128:] = -60.0  # hardly any variance: samples are the means
            encoder.head.weight[128:] = 0.0
    values = system.loss(BATCH, 1, torch.Generator().manual_seed(0)).values()
    sides = (system.encode(modality, side[:, 0].numpy()) for modality, side in zip(Modality, BATCH[:2], strict=True))
    means = [side.means for side in sides]
    for path, mean in (("own", means[0]), ("crossed", means[1])):
        decoded = torch.from_numpy(system.decode(Modality.IMAGE, mean)).unsqueeze(1)
        expected = torch.nn.functional.binary_cross_entropy(decoded, BATCH.images, reduction="sum") / len(mean)
        assert values[f"image_{path}"] == pytest.approx(expected.item(), rel=1e-3)
    paths = sum(values[f"{side}_{path}"] for side in ("image", "speech") for path in ("own", "crossed"))
    assert values["total"] == pytest.approx(values["similarity"] + 0.5 * paths, rel=1e-4)


def test_frozen_encoders_are_left_as_they_are():
    system = build("generative", frozen_encoders=True)
    loss = system.loss(BATCH, 1, torch.Generator().manual_seed(0))
    loss.total.backward()
    for name, weight in system.modules.named_parameters():
        assert (weight.grad is not None) == name.startswith(("image_decoder", "speech_decoder")), name
