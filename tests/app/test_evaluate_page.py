"""The evaluation page, as a person uses it: choose, judge, watch, cancel; what it shows is in test_evaluate_results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import until
from evaluated import kept
from judging import Visitor, visiting
from pytestqt.qtbot import QtBot
from run_folders import make_run

from model.data import curation
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.store import folder_of
from model.runs.store import RunStore


@pytest.fixture
def visitor(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(qtbot, tmp_path, monkeypatch) as visitor:
        yield visitor


def test_judging_the_loaded_model(visitor: Visitor) -> None:
    visitor.load("loaded")
    assert visitor.page.bar.models.currentText() == "loaded (loaded)"
    assert visitor.number("P@1, image → speech") == "–"
    visitor.turn_to("Confusions")
    assert "once the model has been evaluated" in visitor.says()
    visitor.judge()
    assert visitor.number("Cluster purity") == "0.987"
    assert "Image of two, wrongly matched with seven" in visitor.says()
    assert visitor.informed == ["“loaded” is evaluated."]
    assert not visitor.failures


def test_first_numbers_show_while_the_rest_is_worked_out(visitor: Visitor) -> None:
    visitor.load("slow")
    visitor.button.click()
    until(lambda: visitor.number("P@1, image → speech") == "0.950", "a first number")
    assert visitor.number("Modality SVM, by embedding") == "…"
    assert "10 images alone" in visitor.says()
    assert "Encoded 1 of 4 images" in visitor.says()
    assert visitor.button.text() == "Cancel"
    assert not visitor.page.bar.models.isEnabled(), "one model at a time"
    visitor.button.click()
    assert visitor.button.text() == "Stopping…"
    until(lambda: visitor.button.text() == "Evaluate", "the end")
    assert visitor.number("P@1, image → speech") == "–"
    assert not visitor.failures


def test_a_failure_says_why_and_leaves_the_page_usable(visitor: Visitor) -> None:
    visitor.load("wrong")
    visitor.judge()
    assert visitor.failures == [("The model is damaged. Choose another.", "Traceback")]
    assert visitor.button.text() == "Evaluate"
    assert visitor.number("P@1, image → speech") == "–"


def test_a_killed_process_is_told_and_replaced(visitor: Visitor) -> None:
    visitor.load("deadly")
    visitor.judge()
    ((text, details),) = visitor.failures
    assert "its process did" in text
    assert "Killed" in details
    visitor.load("loaded again")
    visitor.judge()
    assert visitor.number("Cluster purity") == "0.987"


def test_what_is_known_shows_at_once(visitor: Visitor) -> None:
    file = visitor.file("known before")
    kept(folder_of(file, EvaluationProtocol(speech="voices")), purity=0.875)
    visitor.page.show_loaded(visitor.catalogue.of(file))
    until(lambda: visitor.number("Cluster purity") == "0.875", "numbers from before")
    assert "Evaluated in 12 s" in visitor.says()
    visitor.page.bar.choose(visitor.catalogue.of(visitor.file("never judged")))
    assert visitor.number("Cluster purity") == "–", "what shows is always of the chosen model"
    until(lambda: "Not evaluated yet. Press “Evaluate”" in visitor.says(), "a word about that")


def test_what_is_known_of_other_items_is_not_shown_of_these(visitor: Visitor) -> None:
    file = visitor.file("known before")
    kept(folder_of(file, EvaluationProtocol(speech="voices")), purity=0.875)
    visitor.page.show_loaded(visitor.catalogue.of(file))
    until(lambda: visitor.number("Cluster purity") == "0.875", "numbers from before")
    visitor.page.hide()
    former = curation.decide("voices", {"a/plain/one.opus": curation.Decision(1, excluded=True)})
    visitor.page.show()
    until(lambda: "Not evaluated yet" in visitor.says(), "that these were not judged")
    assert visitor.number("Cluster purity") == "–"
    visitor.page.hide()
    curation.decide("voices", former)
    visitor.page.show()
    until(lambda: visitor.number("Cluster purity") == "0.875", "the former ones again")
    assert not visitor.failures


def test_another_model_is_loaded_meanwhile(visitor: Visitor) -> None:
    visitor.load("slow")
    visitor.button.click()
    until(lambda: visitor.number("P@1, image → speech") == "0.950", "a first number")
    visitor.page.show_loaded(visitor.catalogue.of(visitor.file("newly trained")))
    assert visitor.number("P@1, image → speech") == "–", "that was of the former"
    visitor.button.click()
    until(lambda: visitor.button.text() == "Evaluate", "the end")
    visitor.judge()
    assert visitor.number("P@1, image → speech") == "0.950"


def test_a_cancelled_repetition_leaves_what_was_known(visitor: Visitor) -> None:
    file = visitor.file("slow")
    kept(folder_of(file, EvaluationProtocol(speech="voices")), purity=0.875)
    visitor.load("slow")
    until(lambda: visitor.number("Cluster purity") == "0.875", "numbers from before")
    visitor.button.click()
    until(lambda: visitor.number("Cluster purity") == "…", "the repetition")
    visitor.button.click()
    until(lambda: visitor.number("Cluster purity") == "0.875", "the numbers again")


def test_another_page_asks_for_an_evaluation(visitor: Visitor) -> None:
    store = RunStore(visitor.folder / "runs")
    record = make_run(store, "my first run")
    visitor.load("loaded")
    visitor.page.open(str(record.model_file))
    until(lambda: bool(visitor.informed), "the result")
    assert visitor.number("Cluster purity") == "0.987"
    until(lambda: visitor.page.bar.models.currentText() == "my first run", "the run by its name")


def test_only_installed_speech_can_be_chosen(visitor: Visitor) -> None:
    visitor.load("loaded")
    speech = visitor.page.bar.speech
    assert speech.currentData() == "voices"
    fsdd = speech.model().item(speech.findData("fsdd"))
    assert not fsdd.isEnabled()
    assert "Train page" in fsdd.toolTip()


def choose_split(visitor: Visitor, split: str) -> None:
    chooser = visitor.page.bar.split
    chooser.setCurrentIndex(chooser.findData(split))
    chooser.activated.emit(chooser.currentIndex())


def test_a_model_is_evaluated_on_validation_data(visitor: Visitor) -> None:
    file = visitor.file("known before")
    kept(folder_of(file, EvaluationProtocol(speech="voices", split="validation")), purity=0.75)
    visitor.page.show_loaded(visitor.catalogue.of(file))
    until(lambda: visitor.button.isEnabled(), "a button to press")
    assert visitor.number("Cluster purity") == "–", "what is known is of other data"
    choose_split(visitor, "validation")
    until(lambda: visitor.number("Cluster purity") == "0.750", "numbers from before")


def test_only_speech_that_has_the_split_can_be_chosen(visitor: Visitor) -> None:
    visitor.load("loaded")
    bar = visitor.page.bar
    bar.show_corpora({"voices", "wild"})
    wild = bar.speech.model().item(bar.speech.findData("wild"))
    assert not wild.isEnabled()
    assert wild.toolTip() == "has no test data"
    choose_split(visitor, "validation")
    assert wild.isEnabled()
    bar.speech.setCurrentIndex(bar.speech.findData("wild"))
    bar.speech.activated.emit(bar.speech.currentIndex())
    assert bar.request.protocol == EvaluationProtocol(speech="wild", split="validation")
    choose_split(visitor, "test")
    assert bar.request.protocol == EvaluationProtocol(speech="voices"), "a corpus with test data took its place"


def test_an_evaluation_that_vanished_is_told(visitor: Visitor) -> None:
    visitor.load("loaded")
    (visitor.folder / "known" / "posteriors.safetensors").unlink()
    visitor.judge()
    assert visitor.failures
    assert visitor.button.text() == "Evaluate"
