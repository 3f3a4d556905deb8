"""Folders that the user adds and removes, in the forms; what is not installed is not in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QMenu

from model.data.corpora import add_folder, remove
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.data_service import DataService
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
