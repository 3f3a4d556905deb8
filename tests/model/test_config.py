"""Plans: they say what a run learns from, and survive JSON."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from fresh_python import imported_by

from model.checkpoints import Header, UnusableCheckpoint, write_atomically
from model.recipes.recipe import FAST, PAPER
from model.training.config import Estimate, TrainingConfig


def test_plans_and_runs_are_there_without_torch():
    found = imported_by("import model.training.config, model.runs.store")
    assert not found & {"torch", "sklearn", "PySide6"}


def test_a_plan_survives_json(tmp_path):
    plan = TrainingConfig(PAPER, ("mnist", "voices"), 3, "cuda:0", "theo", tmp_path / "model.safetensors")
    assert TrainingConfig.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert TrainingConfig.from_dict(json.loads(json.dumps(TrainingConfig(FAST).to_dict()))) == TrainingConfig(FAST)


def test_a_relative_start_is_found_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert (
        TrainingConfig.from_dict(TrainingConfig(FAST, start=Path("model.safetensors")).to_dict()).start
        == tmp_path / "model.safetensors"
    )


@pytest.mark.parametrize(
    "values", [{}, {"recipe": FAST.to_dict(), "colour": 1}, {"recipe": {"name": "x", "dropout": 1}}]
)
def test_what_is_no_plan_is_refused(values):
    with pytest.raises(ValueError, match=r"plan|recipe"):
        TrainingConfig.from_dict(values)


@pytest.mark.parametrize("corpora", [("fsdd",), ("mnist",), ()])
def test_a_plan_needs_both_modalities(corpora):
    with pytest.raises(ValueError, match="at least one of speech"):
        TrainingConfig(FAST, corpora)


def test_data_say_what_is_learnt_from():
    whole = TrainingConfig(FAST, ("mnist", "fsdd"), split="train+validation")
    assert whole.data() == {"images": ["mnist"], "speech": ["fsdd"]}, "as before there were validation splits"
    assert TrainingConfig(FAST, ("mnist", "fsdd")).data() == {**whole.data(), "split": "train"}
    assert TrainingConfig(FAST, ("fsdd", "voices", "mnist"), held_out_speaker="theo").data() == {
        "images": ["mnist"],
        "speech": ["fsdd", "voices"],
        "split": "train",
        "left_out": "theo",
    }


def test_a_plan_of_an_earlier_version_trains_on_all_that_is_published_for_training():
    values = TrainingConfig(FAST).to_dict()
    del values["split"]
    former = TrainingConfig.from_dict(values)
    assert former.split == "train+validation"
    assert former.trains_as(TrainingConfig(FAST)), "the same command resumes it"
    assert not TrainingConfig(FAST).trains_as(former)


def test_nothing_trains_on_a_test_split():
    with pytest.raises(ValueError, match="not test"):
        TrainingConfig(FAST, split="test")


def model(path, data):
    """A file that says what it learnt from, and no more."""
    write_atomically(path, {}, Header(FAST.to_dict(), {}, data, 0, 0, "cpu", {}).to_dict())
    return path


def test_data_name_the_model_started_from_by_its_content_and_what_it_learnt_from(tmp_path):
    first = model(tmp_path / "first.safetensors", TrainingConfig(FAST, ("mnist", "fsdd")).data())
    second = model(tmp_path / "second.safetensors", TrainingConfig(FAST, held_out_speaker="theo", start=first).data())
    digest, its_digest = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second))
    learnt = {"images": ["mnist"], "speech": ["fsdd"], "split": "train"}
    before = {"name": "first.safetensors", "sha256": digest, "data": learnt}
    assert TrainingConfig(FAST, start=second).data()["started_from"] == {
        "name": "second.safetensors",
        "sha256": its_digest,
        "data": {
            "images": ["mnist"],
            "speech": ["fsdd", "voices"],
            "split": "train",
            "left_out": "theo",
            "started_from": before,
        },
    }


def test_what_is_no_model_can_t_be_started_from(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"weights")
    with pytest.raises(UnusableCheckpoint, match="not a checkpoint"):
        TrainingConfig(FAST, start=tmp_path / "m.safetensors").data()


FSDD = {"images": ["mnist"], "speech": ["fsdd"]}


@pytest.mark.parametrize(
    ("learnt", "said"),
    [
        ({"images": ["mnist"], "speech": ["fsdd", "voices"]}, "trained on fsdd and voices without holding out theo"),
        ({**FSDD, "left_out": "jackson"}, "trained on fsdd without holding out theo"),
        ({**FSDD, "left_out": "theo", "started_from": {"name": "m", "sha256": "", "data": FSDD}}, "trained on fsdd"),
        ({**FSDD, "left_out": "theo", "started_from": {"name": "m", "sha256": ""}}, "not recorded"),
        ({**FSDD, "left_out": "theo"}, ""),
    ],
)
def test_a_start_from_a_model_that_heard_who_is_left_out_is_a_leak(tmp_path, learnt, said):
    plan = TrainingConfig(FAST, held_out_speaker="theo", start=model(tmp_path / "m.safetensors", learnt))
    leak = plan.leak()
    assert said in leak
    assert bool(leak) == bool(said)
    assert replace(plan, held_out_speaker="").leak() == ""
    assert replace(plan, start=None).leak() == ""


def test_a_run_may_change_its_device_alone():
    plan = TrainingConfig(FAST)
    assert plan.trains_as(replace(plan, device="cpu"))
    for other in (replace(plan, seed=1), replace(plan, recipe=PAPER), replace(plan, corpora=("mnist", "fsdd"))):
        assert not plan.trains_as(other)


def test_an_estimate_survives_json_among_other_words():
    estimate = Estimate(0.5, 800.0, 2 << 30, 8 << 30, "A processor")
    assert Estimate.from_dict({"say": "estimate", **json.loads(json.dumps(estimate.to_dict()))}) == estimate
