"""Folders that the user adds and removes, in the forms; what is not installed is not in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QMenu

from model.data.corpora import add_folder, remove
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import Model
from modinv_app.evaluate.evaluation_bar import EvaluationBar


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    (tmp_path / "mine" / "7").mkdir(parents=True)
    (tmp_path / "mine" / "7" / "x.wav").write_bytes(b"")
    return tmp_path / "mine"


def test_an_added_folder_comes_and_goes_in_the_choice(qtbot, folder: Path) -> None:
    choice, service = CorpusChoice(), DataService()
    qtbot.addWidget(choice)
    service.found.connect(choice.show_corpora)

    def titles() -> set[str]:
        with qtbot.waitSignal(service.found):
            service.refresh()
        qtbot.wait(1)  # removed boxes are deleted
        return {box.text() for box in choice.findChildren(QCheckBox)}

    before = titles()
    assert before == {"Human voices: Free Spoken Digit Dataset", "Synthetic voices"}, "others are not installed"
    add_folder(folder)
    assert titles() - before == {"mine (added)"}
    choice.choose(["mine"])
    assert choice.chosen() == ("mine",)
    remove("mine")
    assert titles() == before
    assert choice.chosen() == ()
    service.close()


def test_an_added_folder_comes_and_goes_in_the_bar_of_evaluations(qtbot, folder: Path) -> None:
    bar = EvaluationBar(QMenu())
    qtbot.addWidget(bar)

    def names() -> list[str]:
        return [bar.speech.itemData(place) for place in range(bar.speech.count())]

    assert names() == ["fsdd", "voices"]
    add_folder(folder)
    bar.show_corpora({"voices", "mine"})
    assert names() == ["fsdd", "voices", "mine"]
    bar.speech.setCurrentIndex(2)
    bar.speech.activated.emit(2)
    bar.show_corpora({"voices", "mine"})
    assert bar.speech.currentData() == "mine", "the choice stays"
    remove("mine")
    bar.show_corpora({"voices"})
    assert names() == ["fsdd", "voices"]
    assert bar.speech.currentData() == "voices"


def test_a_folder_that_was_just_removed_is_told_where_it_is_still_listed(qtbot, folder: Path) -> None:
    bar, asked = EvaluationBar(QMenu()), []
    qtbot.addWidget(bar)
    bar.request_changed.connect(asked.append)
    add_folder(folder)
    bar.show_corpora({"voices", "mine"})
    bar.choose(Model("a model", Path("model.safetensors")))
    bar.speech.setCurrentIndex(bar.speech.findData("mine"))
    bar.speech.activated.emit(bar.speech.currentIndex())
    remove("mine")
    bar.choose(Model("another", Path("other.safetensors")))
    assert bar.request is None
    assert not bar.button.isEnabled()
    bar.split.setCurrentIndex(1)
    bar.split.activated.emit(1)
    assert bar.speech.currentData() == "voices", "what is left"
    assert bar.request is not None


def test_recordings_of_ones_own_are_not_called_human_voices(qtbot, folder: Path) -> None:
    add_folder(folder)
    bar = EvaluationBar(QMenu())
    qtbot.addWidget(bar)
    bar.show_corpora({"fsdd", "mine", "my-speech"})
    titles = {bar.speech.itemData(place): bar.speech.itemText(place) for place in range(bar.speech.count())}
    assert titles["fsdd"].startswith("Human voices (")
    assert titles["mine"] == "mine (added)"
    assert titles["my-speech"] == "My spoken digits"
