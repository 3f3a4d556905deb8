"""A run whose folder goes while it trains: a sentence, and no folder made anew."""

import shutil
import sys

import pytest
from tiny import Bars, small

from model.runs.session import TrainingSession
from model.runs.store import RunRecord
from model.training import loop as training
from model.training.config import TrainingConfig
from model.training.loop import Stepped, TrainingFailed

PLAN = TrainingConfig(small(steps=12), ("mnist", "fsdd"), device="cpu")

pytestmark = [
    pytest.mark.usefixtures("small_encoders"),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move a folder with open files"),
]


def train_until_gone(folder, go_away, step):
    with TrainingSession(folder, PLAN) as book:
        for event in book.train(Bars()):
            if isinstance(event, Stepped) and event.step == step:
                go_away()


@pytest.mark.parametrize("step", [1, 5])
@pytest.mark.parametrize("save_seconds", [0.0, 60.0])
def test_a_removed_folder_is_told_and_not_made_anew(tmp_path, monkeypatch, step, save_seconds):
    monkeypatch.setattr(training, "SAVE_SECONDS", save_seconds)
    folder = tmp_path / "runs" / "run"
    with pytest.raises(TrainingFailed, match="removed or renamed while it trained") as told:
        train_until_gone(folder, lambda: shutil.rmtree(folder.parent), step)
    assert not told.value.resumable
    assert list(tmp_path.iterdir()) == []


def test_a_renamed_folder_is_told_and_resumes_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    folder, there = tmp_path / "run", tmp_path / "renamed"
    with pytest.raises(TrainingFailed, match="resume it there"):
        train_until_gone(folder, lambda: folder.rename(there), 5)
    assert list(tmp_path.iterdir()) == [there]
    assert (RunRecord(there).info().state, RunRecord(there).progress().step) == ("interrupted", 4)
    with TrainingSession(there, PLAN) as book:
        assert next(event.step for event in book.train(Bars()) if isinstance(event, Stepped)) == 5


def test_a_folder_that_another_took_the_place_of_is_told(tmp_path):
    folder = tmp_path / "run"

    def replace():
        folder.rename(tmp_path / "renamed")
        folder.mkdir()
        (folder / "mine").write_text("kept")

    with pytest.raises(TrainingFailed, match="removed or renamed"):
        train_until_gone(folder, replace, 5)
    assert [path.name for path in folder.iterdir()] == ["mine"]
