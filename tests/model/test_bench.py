"""``modinv bench`` measures everything, with and without PyTorch; no test depends on how long anything takes."""

import json
import math
import subprocess
import sys

import pytest
from fresh_python import WITHOUT_TORCH
from typer.testing import CliRunner

from model.bench import queries, starts, steps
from model.bench.measuring import Row, in_turn, percentiles
from model.cli.main import app
from model.processes import python

pytestmark = pytest.mark.timeout(300)  # moments on an idle machine
TOO_MANY = 10**12
ALWAYS = [
    "Start to model loaded",
    "Start to first picture answered",
    "Start to first recording answered, too",
    "Memory after both answers",
    "Picture to matches, p50",
    "Picture to matches, p95",
    "Recording to matches, p50",
    "Recording to matches, p95",
    "Nearest 10 of 2,000 items",
]


def test_without_torch_all_but_training_is_measured():
    code = f"""{WITHOUT_TORCH}
from model.bench import queries
from model.cli.main import main
queries.SIZES = (2_000,)
main()
"""
    command = [sys.executable, "-P", "-c", code, "bench", "--most", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert [row["what"] for row in found["rows"]] == ALWAYS
    for row in found["rows"]:
        assert all(math.isfinite(row[name]) and row[name] > 0 for name in ("value", "base", "ratio")), row
        assert row["ratio"] == pytest.approx(row["value"] / row["base"])
    loaded, picture, recording, memory = (row["value"] for row in found["rows"][:4])
    assert loaded < picture < recording
    assert memory > found["rows"][3]["base"]
    (why,) = found["not_measured"]
    assert "pip install 'modinv[train]'" in why
    assert {"processor", "cores", "memory_gib", "system", "load"} == found["machine"].keys()
    assert {"python", "numpy", "onnxruntime"} <= found["versions"].keys()
    assert found["date"].endswith("+00:00")


def test_the_table_has_everything_that_could_be_measured(monkeypatch):
    monkeypatch.setattr(queries, "SIZES", (2_000, TOO_MANY))
    monkeypatch.setattr(steps, "PAIRS", 4)
    monkeypatch.setattr(steps, "_SIDE", 64)
    monkeypatch.setattr(steps, "device_names", lambda: [("cpu", "any processor")])
    monkeypatch.setenv("COLUMNS", "250")
    done = CliRunner().invoke(app, ["bench", "--most", "1"])
    assert done.exit_code == 0, done.output
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert [line[0] for line in lines[: len(ALWAYS)]] == ALWAYS
    trained = [line[0].split(",")[0] for line in lines[len(ALWAYS) :]]
    speed = "Speed of its arithmetic"
    assert trained == [f"Training step of {name} on cpu" if name else speed for name in _with_gaps(steps.RECIPES)]
    for _, value, unit, ratio, base in lines:
        assert float(value.replace(",", "")) > 0
        assert float(ratio.replace(",", "")) > 0
        assert base.endswith(f"{unit})")
    assert f"The nearest of {TOO_MANY:,} items were not looked for" in " ".join(done.stderr.split())


def _with_gaps(names):
    return [one for name in names for one in (name, None)]


def test_a_process_that_fails_is_told(monkeypatch, capfd):
    monkeypatch.setattr(starts, "_WAYS", (python("-c", "raise SystemExit('no library')"),) * 2)
    done = CliRunner().invoke(app, ["bench", "--most", "1"])
    assert done.exit_code == 1
    assert "modinv doctor" in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
    assert "no library" in capfd.readouterr().err


def test_memory_of_a_device_that_runs_out_is_told(monkeypatch):
    def full(*_arguments):
        raise RuntimeError("MPS backend out of memory")

    monkeypatch.setattr(steps, "PAIRS", 4)
    monkeypatch.setattr(steps, "take_step", full)
    whys = [one.why for one in steps.measure_steps(1)]
    assert len(whys) >= len(steps.RECIPES)
    assert all("ran out" in why for why in whys)


def test_functions_are_called_in_turn_and_the_first_calls_do_not_count():
    calls = []
    taken = in_turn(2, lambda number: calls.append(("a", number)), lambda number: calls.append(("b", number)))
    assert calls == [("a", 0), ("b", 0), ("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert [len(seconds) for seconds in taken] == [2, 2]


def test_percentiles_and_ratios():
    assert percentiles([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": pytest.approx(2.9)}
    assert percentiles([4.0]) == {"p50": 4.0, "p95": 4.0}
    assert Row("a step", 6.0, "ms", "a product", 4.0).to_dict() == {
        "what": "a step", "value": 6.0, "unit": "ms", "ratio": 1.5, "multiple_of": "a product", "base": 4.0,
    }  # fmt: skip
