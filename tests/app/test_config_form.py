"""What is chosen before a training, and what it takes to get a corpus that is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest
from desk import until
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from model.data import download
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.voices import Voices
from model.recipes.fields import RecipeField, fields_of
from model.recipes.recipe import FAST, PAPER, Impostors, Recipe, Schedule, named
from model.training.config import TrainingConfig
from modinv_app.common.data_service import AvailableCorpus, DataService
from modinv_app.common.recipe_fields import RecipeFields
from modinv_app.train.config_form import TrainingConfigForm

HUMAN = AvailableCorpus(Fsdd.info, True)
MISSING = AvailableCorpus(Fsdd.info, False)
SYNTHETIC = AvailableCorpus(Voices.info, True)


@pytest.fixture
def form(qtbot) -> TrainingConfigForm:
    form = TrainingConfigForm()
    qtbot.addWidget(form)
    form.corpora.show_corpora((HUMAN, SYNTHETIC))
    form.show()
    return form


def choose(form: TrainingConfigForm, name: str, text: str) -> None:
    """Choose an entry of a list by its text."""
    box = next(box for box in form.findChildren(QComboBox) if box.accessibleName() == name)
    at = next(place for place in range(box.count()) if text in box.itemText(place))
    box.setCurrentIndex(at)
    box.activated.emit(at)


def shown(form: TrainingConfigForm, name: str) -> str:
    """What a list shows."""
    return next(box for box in form.findChildren(QComboBox) if box.accessibleName() == name).currentText()


def type_into(form: TrainingConfigForm, name: str, text: str) -> None:
    field = next(edit for edit in form.findChildren(QLineEdit) if edit.accessibleName() == name)
    field.selectAll()
    QTest.keyClicks(field, text)


def box(form: TrainingConfigForm, title: str) -> QCheckBox:
    return next(box for box in form.findChildren(QCheckBox) if title in box.text())


def said(form: TrainingConfigForm) -> str:
    """All that can be read."""
    return " ".join(label.text() for label in form.findChildren(QLabel) if label.isVisible())


def urges_humans(form: TrainingConfigForm) -> bool:
    """Whether the word about human voices stands out."""
    advice = next(label for label in form.findChildren(QLabel) if "recognises people badly" in label.text())
    return advice.foregroundRole() is QPalette.ColorRole.WindowText


def button(form: TrainingConfigForm, text: str) -> QPushButton | None:
    return next((b for b in form.findChildren(QPushButton) if text in b.text() and b.isVisible()), None)


def test_the_first_choice_is_the_fast_recipe_at_the_papers_best_lambda_on_all_there_is(
    form: TrainingConfigForm,
) -> None:
    assert form.config() == TrainingConfig(FAST)


def test_recipes_keep_the_lambda_that_was_chosen(form: TrainingConfigForm) -> None:
    form.dial.set_value(1e-5)
    choose(form, "Recipe", "Paper")
    assert form.config().recipe == named("paper", lambda_ig=1e-5)
    choose(form, "Recipe", "Fast")
    assert form.config().recipe == named("fast", lambda_ig=1e-5)


def test_own_values_are_called_so_and_the_recipe_gets_its_name_back(form: TrainingConfigForm) -> None:
    form.advanced.open = True
    type_into(form, "Steps", "100")
    assert form.config().recipe == replace(FAST, name="own", steps=100)
    assert shown(form, "Recipe") == "Own values"
    type_into(form, "Steps", str(FAST.steps))
    assert form.config().recipe == FAST
    assert shown(form, "Recipe") == "Fast"


def test_what_a_system_does_not_have_is_not_asked_for_and_comes_back_with_the_next(form: TrainingConfigForm) -> None:
    form.advanced.open = True
    type_into(form, "Warm-up of λ_IG", "0.25")
    choose(form, "System", "deterministic")
    assert form.config().recipe == replace(named("fast", system="deterministic"), name="fast")
    assert form.config().recipe.lambda_ig == 0
    assert not form.dial.isVisible()
    assert not [edit for edit in form.findChildren(QLineEdit) if edit.accessibleName() == "Warm-up of λ_IG"]
    choose(form, "System", "variational")
    assert form.config().recipe == replace(FAST, name="own", kl_warmup=0.25)
    assert form.dial.isVisible()


@pytest.mark.parametrize(
    "recipe",
    [
        FAST,
        PAPER,
        Recipe("own", 0.5, betas=(0.5, 0.25), initial_log_variance=-1.25),
        named("paper", system="deterministic"),
    ],
)
def test_the_fold_shows_every_value_of_a_recipe_and_gives_it_back(form: TrainingConfigForm, recipe: Recipe) -> None:
    form.set_config(TrainingConfig(recipe, ("mnist", "voices"), seed=7, held_out_speaker="jackson"))
    assert form.config() == TrainingConfig(recipe, ("mnist", "voices"), seed=7, held_out_speaker="jackson")


def takes_wheel(box: QWidget) -> bool:
    """Whether a box takes a step of the wheel up, instead of leaving it to what it lies in."""
    at = box.rect().center()
    event = QWheelEvent(
        QPointF(at), QPointF(box.mapToGlobal(at)), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, event)
    return event.isAccepted()


def test_the_wheel_changes_only_a_box_that_has_the_focus(form: TrainingConfigForm) -> None:
    form.advanced.open = True
    choose(form, "Recipe", "Paper")
    before = form.config()
    boxes = [*form.findChildren(QComboBox), *form.findChildren(QAbstractSpinBox)]
    assert len(boxes) > 6
    assert not any(map(takes_wheel, boxes))
    assert form.config() == before
    boxes[-1].setFocus()
    assert takes_wheel(boxes[-1])
    assert form.config() == replace(before, seed=before.seed + 1)


def test_no_value_of_a_recipe_is_left_out(form: TrainingConfigForm) -> None:
    other = Recipe("own", **{field.name: _another(field) for field in fields_of(Recipe) if field.name != "system"})
    assert {field.name for field in fields(Recipe)} - {field.name for field in fields_of(Recipe)} == {"name"}
    choice = form.findChild(RecipeFields)
    choice.set_recipe(other)
    assert choice.recipe("own", other.lambda_ig) == other


def _another(field: RecipeField) -> object:
    """A value that is not the default, where there is one."""
    if field.is_switch:
        return not field.default
    if field.is_choice:
        return next((word for word in field.words if word != field.default), field.default)
    another = tuple(1 if isinstance(part.default, int) and not part.default else part.low for part in field.numbers)
    return another if field.parts else another[0]


def test_choices_are_those_of_recipes(form: TrainingConfigForm) -> None:
    for name, words in (("Impostors", get_args(Impostors)), ("Schedule", get_args(Schedule))):
        box = next(box for box in form.findChildren(QComboBox) if box.accessibleName() == name)
        assert tuple(box.itemData(place) for place in range(box.count())) == words


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("Steps", "0", "Steps must be a whole number from 1"),
        ("Pairs per batch", "2.5", "Pairs per batch must be a whole number"),
        ("Learning rate", "nan", "Learning rate must be a number"),
        ("Adam's β₂", "1", "Adam's β₂ must be a number from 0 to 0.999999"),
    ],
)
def test_a_value_that_can_t_be_used_is_named(form: TrainingConfigForm, name: str, text: str, why: str) -> None:
    form.advanced.open = True
    type_into(form, name, text)
    with pytest.raises(ValueError, match=why):
        form.config()


def test_starting_from_the_loaded_model(form: TrainingConfigForm) -> None:
    form.show_loaded(Path("/models/model.safetensors"), "second try")
    assert form.config().start is None
    choose(form, "Start", "loaded model: second try")
    assert form.config().start == Path("/models/model.safetensors")
    form.show_loaded(Path("/models/other.safetensors"), "λ 0")
    assert form.config().start == Path("/models/other.safetensors")


def test_devices_go_by_their_names_for_people(form: TrainingConfigForm) -> None:
    form.show_devices([("auto", "Automatic: Swift 3000"), ("cuda:0", "Swift 3000"), ("cpu", "Slow 7")])
    assert shown(form, "Device") == "Automatic: Swift 3000"
    choose(form, "Device", "Slow 7")
    assert form.config().device == "cpu"


def test_without_human_voices_it_says_so_and_offers_them(form: TrainingConfigForm, qtbot) -> None:
    assert not urges_humans(form)
    places = {widget: widget.mapTo(form, widget.rect().topLeft()) for widget in form.findChildren(QComboBox)}
    QTest.mouseClick(box(form, "Human voices"), Qt.MouseButton.LeftButton, pos=box(form, "Human").rect().center() / 8)
    assert urges_humans(form)
    qtbot.wait(20)
    for widget, place in places.items():
        assert widget.mapTo(form, widget.rect().topLeft()) == place, "nothing moves under the mouse"
    assert form.config().corpora == ("mnist", "voices")
    form.corpora.show_corpora((MISSING, SYNTHETIC))
    assert not box(form, "Human voices").isEnabled()
    get = button(form, "Get human voices (16 MB, CC BY-SA 4.0)")
    with qtbot.waitSignal(form.corpora.download_wanted) as wanted:
        QTest.mouseClick(get, Qt.MouseButton.LeftButton)
    assert wanted.args == ["fsdd"]


def test_no_speech_at_all_is_no_plan(form: TrainingConfigForm) -> None:
    for title in ("Human", "Synthetic"):
        box(form, title).click()
    with pytest.raises(ValueError, match="at least one corpus of speech"):
        form.config()


@pytest.fixture
def _offer(form: TrainingConfigForm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The form offers to download human voices, which are not there."""
    monkeypatch.setenv("MODINV_DATA", str(tmp_path))
    data = DataService()
    form.corpora.download_wanted.connect(data.download)
    form.corpora.download_unwanted.connect(data.stop)
    data.found.connect(form.corpora.show_corpora)
    data.progressed.connect(form.corpora.show_progress)
    data.ended.connect(form.corpora.show_problem)
    data.refresh()
    until(lambda: button(form, "Get human voices"), "the offer")
    yield
    data.close()


@pytest.mark.usefixtures("_offer")
def test_getting_a_corpus_shows_progress_and_chooses_it(
    form: TrainingConfigForm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = tmp_path / "go"

    def arrive(source, stop):
        yield download.Downloading(25, 100)
        while not (let_go.exists() or stop()):
            time.sleep(0.01)
        if stop():
            yield download.Interrupted(25)
            return
        target = tmp_path / source.name / "recordings.zip"
        target.parent.mkdir(parents=True)
        target.write_bytes(b"")
        yield download.Installed(target, fresh=True)

    monkeypatch.setattr(download, "download", arrive)
    QTest.mouseClick(button(form, "Get human voices"), Qt.MouseButton.LeftButton)
    bar = next(bar for bar in form.findChildren(QProgressBar))
    until(lambda: bar.isVisible() and bar.value() / max(1, bar.maximum()) == 0.25, "a quarter")
    QTest.mouseClick(button(form, "Cancel"), Qt.MouseButton.LeftButton)
    until(lambda: button(form, "Get human voices"), "the offer again")
    let_go.touch()
    QTest.mouseClick(button(form, "Get human voices"), Qt.MouseButton.LeftButton)
    until(lambda: "fsdd" in form.corpora.chosen(), "the corpus")
    assert not urges_humans(form)


@pytest.mark.usefixtures("_offer")
def test_a_download_that_fails_says_why_and_can_be_tried_again(
    form: TrainingConfigForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_source, stop):  # noqa: ARG001
        raise download.DownloadFailed("The connection failed. Check the network and try again.")

    monkeypatch.setattr(download, "download", fail)
    QTest.mouseClick(button(form, "Get human voices"), Qt.MouseButton.LeftButton)
    until(lambda: "Check the network" in said(form), "why")
    assert button(form, "Get human voices") is not None
