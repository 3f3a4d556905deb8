"""The worker's exports: from evaluations and sweeps on disk to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exhibits import evaluation, features, sweep

from model.checkpoints import UnusableCheckpoint
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults
from model.jobs.export import export
from model.progress import JobContext


class Listener(JobContext):
    """Hears what a job says, and may stop it after some messages."""

    def __init__(self, patience: int = 1000) -> None:
        self.said: list[dict[str, Any]] = []
        self._patience = patience

    def send(self, message: dict[str, Any]) -> None:
        self.said.append(message)

    def cancelled(self) -> bool:
        return len(self.said) >= self._patience


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    folder = tmp_path / "judged"
    folder.mkdir()
    evaluation().save(folder)
    return folder


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    nothing = (), np.zeros((0, 28, 28), np.uint8), ()
    maps = np.zeros((3, 0, 128), np.float16), np.zeros((3, 0, 2), np.float32)
    SweepResults(*nothing, *maps, {}, {}, (0.0, 2.15e-2, 0.5), tuple(sweep())).save(tmp_path / "sweep.safetensors")
    return tmp_path / "sweep.safetensors"


def request(what: str, to: Path, judged: Path | None = None, swept: Path | None = None) -> dict[str, Any]:
    models = [["my model", str(judged)]] if judged else []
    return {"do": "export", "what": what, "to": str(to), "models": models, "sweep": str(swept or "")}


def test_a_table_of_a_judged_model(judged: Path, tmp_path: Path) -> None:
    listener = Listener()
    export(request("numbers", tmp_path / "numbers.md", judged), listener)
    assert "my model" in (tmp_path / "numbers.md").read_text("utf-8")
    assert listener.said[-1] == {"say": "exported", "path": str(tmp_path / "numbers.md")}


def test_a_table_of_a_sweep_needs_no_model(swept: Path, tmp_path: Path) -> None:
    export(request("sweep", tmp_path / "sweep.csv", swept=swept), Listener())
    assert len((tmp_path / "sweep.csv").read_text("utf-8").splitlines()) >= 3


def test_everything_can_be_stopped_between_two_files(
    judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluation, "features", features)
    listener = Listener(patience=2)
    export(request("everything", tmp_path / "all", judged), listener)
    assert listener.said[-1] == {"say": "stopped"}
    assert len(list((tmp_path / "all").rglob("*.*"))) == 2


def test_what_is_not_there_is_said(judged: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a sweep"):
        export(request("figure3", tmp_path / "figure3.png", judged), Listener())
    (judged / "report.json").unlink()
    with pytest.raises(UnusableCheckpoint):
        export(request("numbers", tmp_path / "numbers.md", judged), Listener())
