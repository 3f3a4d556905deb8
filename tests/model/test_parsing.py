"""JSON that anything may have written: a typed value, or a sentence."""

import json
import os

import pytest

from model.parsing import loads, parse, read_json
from model.recipes.recipe import FAST
from model.runs.values import MetricPoint
from model.training.config import TrainingConfig

PLAN = TrainingConfig(FAST)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b"-Infinity", "not a number"),
        (b"1e999", "not finite"),
        (b"12345678901234567", "too large"),
        (b"9" * 5000, "too large"),
        (b'"\\ud800"', "a lone surrogate"),
        (b'{"\\udfff": 1}', "a lone surrogate"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 100 + b"]" * 100, "nested too deeply"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b'"\xe4"', "UTF-8"),
    ],
)
def test_what_no_reader_of_json_need_understand_is_refused(content, words):
    with pytest.raises(ValueError, match=words):
        loads(content)


def test_json_is_read_with_and_without_a_byte_order_mark():
    assert loads(b'\xef\xbb\xbf{"a": [1, 2.5, null]}') == loads(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


def test_a_plan_comes_back_typed():
    found = parse(TrainingConfig, loads(json.dumps(PLAN.to_dict()).encode()))
    assert found == PLAN
    assert isinstance(found.recipe.betas, tuple)
    assert isinstance(parse(float, 1), float)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("recipe", None, "recipe is not an object"),
        ("recipe", {**FAST.to_dict(), "steps": "x"}, "steps is not a whole number: 'x'"),
        ("recipe", {**FAST.to_dict(), "steps": 2**31}, "from 1 to"),
        ("recipe", {**FAST.to_dict(), "impostors": "some"}, "impostors is not one of 'pair', 'one', 'all'"),
        ("recipe", {**FAST.to_dict(), "betas": [0.9]}, "betas is not a list of 2"),
        ("recipe", {**FAST.to_dict(), "noise": float("inf")}, "noise is not a number"),
        ("corpora", "mnist", "corpora is not a list"),
        ("corpora", ["mnist", 5], r"corpora\[1\] is not text"),
        ("seed", True, "seed is not a whole number"),
        ("seed", 2**31, "from 0 to"),
        ("start", 5, "start is not text"),
        ("colour", "red", "unknown fields: colour"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(field, value, words):
    with pytest.raises(ValueError, match=words):
        parse(TrainingConfig, {**PLAN.to_dict(), field: value})


@pytest.mark.parametrize(
    "line",
    [b"[1]", b"5", b'{"step": 1}', b'{"step": "x", "epoch": 0, "seconds": 0}', b"[" * 100_000]
    + [
        f'{{"step": {step}, "epoch": {epoch}, "seconds": {seconds}, "total": {total}}}'.encode()
        for step, epoch, seconds, total in [
            (1.5, 0, 0, 0),
            (-1, 0, 0, 0),
            (1, "null", 0, 0),
            (1, 0, -1, 0),
            (1, 0, 0, "1e300"),
            (1, 0, 0, "NaN"),
            (1, 0, 0, "[]"),
        ]
    ],
)
def test_a_line_of_metrics_that_is_none_is_left_out(line):
    assert MetricPoint.from_line(line) is None


def test_what_is_no_plain_file_or_too_large_is_not_read(tmp_path):
    with pytest.raises(ValueError, match="no plain file"):
        read_json(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="no plain file"):
            read_json(tmp_path / "pipe")
    (tmp_path / "large").write_text(f'"{"x" * 200}"')
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        read_json(tmp_path / "large", most=100)
