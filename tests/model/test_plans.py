"""Plans: they say what a run learns from, and survive JSON."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from model.datasets import CORPORA
from model.plans import IMAGE_CORPORA, Estimate, Plan
from model.recipes import FAST, PAPER
from model.results import Modality


def test_plans_and_runs_are_there_without_torch():
    program = (
        "import sys, model.plans, model.runs; print([m for m in ('torch', 'sklearn', 'PySide6') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


def test_the_corpora_of_images_are_known_by_name():
    assert {name for name, kind in CORPORA.items() if kind.modality is Modality.IMAGE} == set(IMAGE_CORPORA)


def test_a_plan_survives_json(tmp_path):
    plan = Plan(PAPER, ("mnist", "voices"), 3, "cuda:0", "theo", tmp_path / "model.safetensors")
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert Plan.from_dict(json.loads(json.dumps(Plan(FAST).to_dict()))) == Plan(FAST)


def test_a_relative_start_is_found_from_anywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Plan.from_dict(Plan(FAST, start=Path("model.safetensors")).to_dict()).start == tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    "values", [{}, {"recipe": FAST.to_dict(), "colour": 1}, {"recipe": {"name": "x", "dropout": 1}}]
)
def test_what_is_no_plan_is_refused(values):
    with pytest.raises(ValueError, match=r"plan|recipe"):
        Plan.from_dict(values)


@pytest.mark.parametrize("corpora", [("fsdd",), ("mnist",), ()])
def test_a_plan_needs_both_modalities(corpora):
    with pytest.raises(ValueError, match="at least one of speech"):
        Plan(FAST, corpora)


def test_data_say_what_the_header_said_before_there_were_plans():
    assert Plan(FAST, ("mnist", "fsdd")).data() == {"images": ["mnist"], "speech": ["fsdd"]}
    assert Plan(FAST, ("fsdd", "voices", "mnist"), left_out="theo").data() == {
        "images": ["mnist"],
        "speech": ["fsdd", "voices"],
        "left_out": "theo",
    }


def test_data_name_the_model_started_from_by_its_content(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    data = Plan(FAST, start=tmp_path / "m.safetensors").data()
    assert data["started_from"] == {"name": "m.safetensors", "sha256": digest}


def test_a_run_may_change_its_device_alone():
    plan = Plan(FAST)
    assert plan.trains_as(replace(plan, device="cpu"))
    for other in (replace(plan, seed=1), replace(plan, recipe=PAPER), replace(plan, corpora=("mnist", "fsdd"))):
        assert not plan.trains_as(other)


def test_an_estimate_survives_json_among_other_words():
    estimate = Estimate(0.5, 800.0, 2 << 30, 8 << 30, "A processor")
    assert Estimate.from_dict({"say": "estimate", **json.loads(json.dumps(estimate.to_dict()))}) == estimate
