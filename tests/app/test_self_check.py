"""``modinv-app --self-check`` as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPREADS = {"stroke_to_matches": 20, "utterance_to_images": 8}
MOMENTS = ("window_visible", "model_ready", "first_answer")


def self_check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modinv_app", "--self-check", *arguments]
    whole = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment}
    return subprocess.run(
        command, cwd=environment.get("PYTHONPATH", ROOT), env=whole, capture_output=True, text=True, timeout=110
    )


def test_it_draws_and_speaks_and_tells_how_fast_the_answers_were() -> None:
    done = self_check("--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] is True
    assert report["drawn"] == report["heard"] == 7
    assert report["played"]
    assert not report["problem"]
    times = [report[name] for name in MOMENTS]
    assert times == sorted(times)
    assert times[0] > 0
    for name, count in SPREADS.items():
        assert len(report[name]) == count
        assert min(report[name]) > 0


@pytest.fixture
def broken_copy(tmp_path: Path) -> Path:
    """The application with a model that is damaged."""
    for package in ("model", "modinv_app"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assets = tmp_path / "assets"
    assets.mkdir()
    for path in (ROOT / "assets").iterdir():
        (assets / path.name).symlink_to(path)
    (assets / "model.safetensors").unlink()
    (assets / "model.safetensors").write_bytes((ROOT / "assets" / "model.safetensors").read_bytes()[:1000])
    return tmp_path


def test_a_broken_model_fails_in_words(broken_copy: Path) -> None:
    done = self_check(PYTHONPATH=str(broken_copy))
    assert done.returncode == 1
    assert "model.safetensors" in done.stdout
    nowhere = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null")
    done = self_check("--json", PYTHONPATH=str(broken_copy), **nowhere)  # nor can it write a log or settings
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["passed"] is False
    assert "model.safetensors" in report["problem"]
    assert "Errno" not in done.stderr
