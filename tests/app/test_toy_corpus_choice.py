"""A corpus of another package in the choice of the form, though nothing here names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import toy_corpus
from PySide6.QtWidgets import QCheckBox

from model.data import corpora
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.data_service import DataService


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    toy_corpus.install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    corpora._found.cache_clear()
    yield
    corpora._found.cache_clear()


@pytest.mark.usefixtures("toys")
def test_it_can_be_chosen_in_the_form_but_is_not_by_default(qtbot) -> None:
    choice, service = CorpusChoice(), DataService()
    qtbot.addWidget(choice)
    service.found.connect(choice.show_corpora)
    with qtbot.waitSignal(service.found):
        service.refresh()
    service.close()
    box = next(box for box in choice.findChildren(QCheckBox) if box.text() == "Beeps")
    assert box.isEnabled()
    assert not box.isChecked()
    box.click()
    assert "beeps" in choice.chosen()
