"""The paper's numbers, schedules, and what a recipe refuses."""

import dataclasses
import itertools
import json
import math
import runpy
from pathlib import Path

import pytest

from model.recipes.fields import fields_of
from model.recipes.recipe import FAST, MNIST_BATCHES, PAPER, PAPER_LAMBDAS, RECIPES, Recipe, lambda_text, named


def test_the_paper_recipe_is_the_papers_as_far_as_it_says():
    assert PAPER.to_dict() == {
        "name": "paper",
        "lambda_ig": 2.15e-2,
        "system": "variational",
        "speech_encoder": "hsu",
        "lambda_wd": 1e-6,
        "steps": 46_900,  # 100 epochs of 469 batches
        "batch_size": 128,
        "samples_per_input": 16,
        "impostors": "pair",  # "selecting one of the other 2,047 sample pairs in the batch"
        "learning_rate": 1e-5,
        "schedule": "staircase",
        "lr_warmup": 0.25,  # of one cycle only
        "initialisation": "pytorch",
        "betas": [0.95, 0.999],
        "epsilon": 1e-8,
        "kl_warmup": 0.0,
        "initial_log_variance": None,
        "batch_norm": True,  # as in Hsu's released configuration
        "time_shift": 0,
        "time_stretch": 0.0,
        "frequency_warp": 0.0,
        "channel": 0.0,
        "noise": 0.0,
        "frequency_mask": 0,
        "distorted": 0.0,
        "distorted_at_end": 0.0,
        "augmented_share": 1.0,  # of nothing
        "bfloat16": False,
    }


def test_an_epoch_is_one_pass_over_mnist():
    assert PAPER.steps_per_epoch == MNIST_BATCHES
    assert named("paper", batch_size=64).steps_per_epoch == 938


def test_the_lambdas_are_the_rows_of_table_1():
    assert PAPER_LAMBDAS == (0, 1e-5, 6.81e-5, 4.64e-4, 3.16e-3, 2.15e-2, 1.47e-1, 1)


def test_the_staircase_falls_by_a_tenth_every_ten_epochs():
    assert PAPER.learning_rate_at(0) == 1e-5
    assert PAPER.learning_rate_at(4_689) == 1e-5
    assert PAPER.learning_rate_at(4_690) == pytest.approx(0.9e-5)
    assert PAPER.learning_rate_at(46_899) == pytest.approx(1e-5 * 0.9**9)


def test_the_staircase_counts_passes_whatever_the_batch_size():
    small = named("paper", batch_size=64)
    assert small.learning_rate_at(9_379) == 1e-5
    assert small.learning_rate_at(9_380) == pytest.approx(0.9e-5)


def test_one_cycle_rises_over_a_quarter_and_falls_to_zero():
    recipe = named("fast", steps=400, learning_rate=1.0)
    rates = [recipe.learning_rate_at(step) for step in range(400)]
    assert max(rates) == rates[99] == rates[100] == pytest.approx(1.0)
    assert all(a < b for a, b in itertools.pairwise(rates[:100]))
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))
    assert rates[0] == pytest.approx(0.04 + 0.96 / 100)
    assert rates[250] == pytest.approx(0.5)  # half way down the cosine
    assert 0 < rates[-1] < 1e-4


def test_one_cycle_rises_as_long_as_its_warm_up():
    recipe = named("fast", steps=400, learning_rate=1.0, lr_warmup=0.1)
    rates = [recipe.learning_rate_at(step) for step in range(400)]
    assert max(rates) == rates[39] == rates[40] == pytest.approx(1.0)
    assert rates[220] == pytest.approx(0.5)
    assert named("fast", steps=400, learning_rate=1.0, lr_warmup=0.0).learning_rate_at(0) == pytest.approx(1.0)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_schedules_of_very_short_runs_stay_positive_and_finite(steps):
    recipe = named("fast", steps=steps)
    for step in range(steps):
        assert 0 < recipe.learning_rate_at(step) <= recipe.learning_rate
        assert 0 <= recipe.lambda_ig_at(step) <= recipe.lambda_ig


def test_sound_is_distorted_less_after_the_augmentation():
    recipe = named("robust", steps=10, augmented_share=0.6, distorted_at_end=0.1)
    shares = [recipe.distorted_at(step) for step in range(10)]
    assert shares == [recipe.distorted] * 6 + [0.1] * 4


def test_lambda_warms_up_quadratically():
    recipe = Recipe("warm", lambda_ig=8.0, steps=100, kl_warmup=0.4)
    assert recipe.lambda_ig_at(0) == 0
    assert recipe.lambda_ig_at(10) == pytest.approx(8 / 16)
    assert recipe.lambda_ig_at(20) == pytest.approx(8 / 4)
    assert recipe.lambda_ig_at(40) == recipe.lambda_ig_at(99) == 8


def test_without_warm_up_lambda_is_constant():
    assert {PAPER.lambda_ig_at(step) for step in (0, 1, 46_899)} == {2.15e-2}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_recipes_survive_json(recipe):
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert isinstance(again.betas, tuple)


def test_a_recipe_from_a_part_of_its_fields_takes_the_defaults():
    assert Recipe.from_dict({"name": "paper", "impostors": "pair", "batch_norm": True}) == PAPER


def test_a_run_goes_on_under_the_name_that_its_recipe_had():
    began = named("paper", impostors="one", batch_norm=False, lambda_ig=1.0)  # as that name meant at first
    assert named("paper", lambda_ig=1.0).continues(began)
    assert began.continues(began)
    assert not began.continues(named("paper", lambda_ig=1.0))
    assert not PAPER.continues(began), "another lambda"
    assert not named("fast").continues(dataclasses.replace(FAST, impostors="one", batch_norm=False))


def test_fields_that_do_not_belong_are_named():
    with pytest.raises(ValueError, match="dropout, momentum"):
        Recipe.from_dict({**PAPER.to_dict(), "momentum": 0.9, "dropout": 0.5})


def test_lambdas_are_written_as_in_the_paper():
    assert [lambda_text(value) for value in PAPER_LAMBDAS] == [
        "0", "1e-5", "6.81e-5", "4.64e-4", "3.16e-3", "2.15e-2", "1.47e-1", "1",
    ]  # fmt: skip
    assert [lambda_text(value) for value in (0.1, 12.5, 1e39)] == ["1e-1", "12.5", "1e39"]


def test_named_changes_a_copy():
    changed = named("fast", lambda_ig=0.5, steps=7)
    assert (changed.lambda_ig, changed.steps, changed.impostors) == (0.5, 7, "all")
    assert named("fast") == FAST != changed


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match=r"'slow'.*paper, fast"):
        named("slow")


@pytest.mark.parametrize("field", ["lambda_ig", "lambda_wd"])
@pytest.mark.parametrize("value", [-1e-9, math.nan, -math.inf])
def test_weights_below_zero_or_no_numbers_are_refused(field, value):
    with pytest.raises(ValueError, match="at least 0"):
        Recipe("bad", **{field: value})


@pytest.mark.parametrize(("field", "value"), [("steps", 0), ("samples_per_input", 0), ("batch_size", 1)])
def test_sizes_that_cannot_train_are_refused(field, value):
    with pytest.raises(ValueError, match="must be a whole number from"):
        named("paper", **{field: value})


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("steps=800", "steps", 800),
        ("learning_rate=1e-3", "learning_rate", 1e-3),
        ("betas=0.5, 0.25", "betas", (0.5, 0.25)),
        ("initial_log_variance=default", "initial_log_variance", None),
        ("batch_norm=yes", "batch_norm", True),
        ("impostors=pair", "impostors", "pair"),
    ],
)
def test_settings_are_read_as_people_type_them(setting, name, value):
    assert FAST.with_settings([setting]) == dataclasses.replace(FAST, **{name: value})


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("steps", "FIELD=VALUE"),
        ("stepz=5", "Did you mean steps"),
        ("colour=red", "There are: lambda_ig, system, steps"),
        ("steps=1.5", "Steps must be a whole number from 1 to 2,147,483,647"),
        ("noise=inf", "Noise must be a number from 0 to 5"),
        ("betas=0.5", "Adam's β₁, β₂ must be 2 numbers with a comma between"),
        ("betas=0.5,1", "Adam's β₂ must be a number from 0 to 0.999999"),
        ("schedule=flat", "Schedule must be one of staircase, one-cycle"),
        ("bfloat16=maybe", "bfloat16 must be yes or no"),
        ("name=mine", "No field"),
    ],
)
def test_settings_that_can_t_be_used_are_told(setting, words):
    with pytest.raises(ValueError, match=words):
        FAST.with_settings([setting])


def test_every_field_but_the_name_is_described():
    described = fields_of(Recipe)
    assert {field.name for field in dataclasses.fields(Recipe)} - {field.name for field in described} == {"name"}
    for field in described:
        assert field.title
        assert field.help
        assert field.group
        assert field.parse(field.text(field.default).replace(",", "", 0 if field.parts else -1)) == field.default


def test_the_documentation_of_the_fields_is_current():
    script = Path(__file__).resolve().parents[2] / "scripts" / "write_recipe_docs.py"
    written = runpy.run_path(str(script))
    assert written["FILE"].read_text("utf-8") == written["page"](), "run scripts/write_recipe_docs.py"


def test_a_recipe_cannot_change_under_a_run():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.steps = 3  # type: ignore[misc]
