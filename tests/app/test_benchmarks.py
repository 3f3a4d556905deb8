"""Benchmarks and scripts start: what they import is there. The quickest measure something, too."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = [
    path
    for folder in ("tests/benchmarks", "scripts")
    for path in sorted((ROOT / folder).glob("*.py"))
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_starts(path, monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", os.environ.copy())  # some choose another platform for Qt
    monkeypatch.setattr(sys, "path", [str(path.parent), str(ROOT), *sys.path])
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    assert "usage" in capsys.readouterr().out.lower()


@pytest.mark.timeout(300)  # moments on an idle machine
@pytest.mark.parametrize(
    ("name", "smallest", "measured"),
    [
        ("dial_frames", ["--seconds=0.5"], lambda found: found["frames_per_second"]),
        ("grid_frames", ["--seconds=0.5", "--count=2000"], lambda found: found["frames_per_second"]),
    ],
)
def test_it_measures(name, smallest, measured):
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *smallest]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert measured(json.loads(done.stdout)) > 0
