"""Training with takes from the window: choose, train, stop, resume, and read what each person gains.

The process that trains is a stand-in (`personal_training`); the real one is tested with `model.jobs.takes`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import personal_training
import pytest
from desk import Desk, pause, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot
from showing import shown
from test_screenshots import look

from model import locations
from model.data.corpora.my_digits import is_for_test
from model.data.takes import TakeStore
from model.runs.personal_runs import latest_run
from model.runs.store import RunStore
from model.types import Modality
from modinv_app import app as application
from modinv_app.common.model_catalogue import Model
from modinv_app.common.take_library import TakeLibrary
from modinv_app.common.theme import Scheme, apply_scheme
from modinv_app.jobs.client import JobClient
from modinv_app.shell.training_strip import TrainingStrip
from modinv_app.takes.personal_panel import PersonalPanel
from modinv_app.takes.personal_service import PersonalService

pytestmark = pytest.mark.timeout(120)
NOISE = np.random.default_rng(0).normal(0, 0.1, 800).astype(np.float32)


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TakeStore:
    for name in ("takes", "runs", "data"):
        monkeypatch.setenv(f"MODINV_{name.upper()}", str(tmp_path / name))
    return TakeStore()


def record(takes: TakeStore, person: str, rounds: int = 4) -> None:
    """Takes of all digits, of which the first of each digit tests and the others train."""
    for digit in range(10):
        for number in range(rounds):
            while is_for_test(take := takes.add_speech(person, digit, NOISE, 8000)) != (number == 0):
                take.path.unlink()


class Panel:
    """Somebody at the panel."""

    def __init__(self, qtbot: QtBot) -> None:
        self.client = JobClient(command=personal_training.COMMAND)
        self.library = TakeLibrary()
        self.service = PersonalService(RunStore(), self.client)
        self.panel = PersonalPanel(self.service, self.client, self.library)
        self.used: list[str] = []
        self.failures: list[str] = []
        self.panel.model_chosen.connect(self.used.append)
        self.service.failed.connect(lambda text, _details: self.failures.append(text))
        self.panel.show_loaded(Model("Shipped model", locations.shipped_model(), "shipped"))
        shown(qtbot, self.panel, 620, 700)
        self.library.refresh()
        until(lambda: self.library.listing.people, "the people")

    def click(self, button: QPushButton) -> None:
        until(lambda: button.isVisible() and button.isEnabled(), f"a button {button.text()!r}")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def train(self) -> None:
        self.click(self.panel.train)

    def until_done(self) -> None:
        until(lambda: self.service.work is None, "the end")

    @property
    def rows(self) -> list[list[str]]:
        table = self.panel.table
        items = [table.topLevelItem(place) for place in range(table.topLevelItemCount())]
        return [[item.text(column) for column in range(table.columnCount())] for item in items]

    def close(self) -> None:
        self.service.close()
        self.client.close()
        self.library.close()


@pytest.fixture
def open_panel(takes: TakeStore, qtbot: QtBot) -> Iterator[Callable[..., Panel]]:
    """A function that shows a panel for takes of these people."""
    panels: list[Panel] = []

    def open_one(*people: str) -> Panel:
        for person in people:
            record(takes, person)
        panels.append(Panel(qtbot))
        return panels[-1]

    yield open_one
    for panel in panels:
        panel.close()


@pytest.fixture
def panel(open_panel: Callable[..., Panel]) -> Panel:
    return open_panel("Ann", "Bob")


def test_everybody_trains_and_each_person_has_a_row_also_the_next_time_the_window_opens(
    panel: Panel, open_panel: Callable[..., Panel]
) -> None:
    until(lambda: panel.panel.cost.text().startswith("About 2 min."), "what it costs")
    assert not panel.panel.trouble.text()
    panel.train()
    panel.until_done()
    assert panel.rows == [[f"{name}, said", "75", "20 of 25", "–", "24 of 25", "–"] for name in ("Ann", "Bob")]
    assert panel.client.training is None
    panel.click(panel.panel.use)
    run = latest_run(RunStore())
    assert panel.used == [str(run.record.model_file)]
    assert run.info.name.endswith("Ann and Bob"), "the pages Train and Evaluate list it by this name"

    again = open_panel()
    until(lambda: len(again.rows) == 2, "the results of the former session")
    assert again.rows == panel.rows


def test_one_person_alone_trains_and_leaving_out_needs_two_and_costs_as_much_again_for_each(panel: Panel) -> None:
    form = panel.panel.form
    form.show_person("Bob")
    form.leave_out.click()
    until(lambda: "6 min: 2 min with all" in panel.panel.cost.text(), "what it costs")
    panel.train()
    panel.until_done()
    assert [row[-1] for row in panel.rows] == ["21 of 25", "21 of 25"]
    form.whose.setCurrentIndex(1)
    form.whose.activated.emit(1)
    assert not form.leave_out.isEnabled()
    until(lambda: panel.panel.cost.text().startswith("About 2 min."), "what it costs")
    panel.train()
    panel.until_done()
    assert panel.rows == [["Bob, said", "75", "20 of 25", "–", "24 of 25", "–"]], "Ann did not train"


def test_the_former_model_comes_back(panel: Panel, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    shutil.copy(locations.shipped_model(), other)
    panel.panel.show_loaded(Model("Another one", other))
    panel.train()
    panel.until_done()
    plan = panel.service.run.info.plan
    assert plan.start == other, "the loaded model is what is trained further"
    assert not panel.panel.former.isVisible()
    model = panel.service.run.record.model_file
    panel.panel.show_loaded(Model("personal", model))
    assert not panel.panel.use.isVisible()
    panel.click(panel.panel.former)
    assert panel.used == [str(other)]


def test_a_training_is_paused_stopped_and_resumed(open_panel: Callable[..., Panel]) -> None:
    panel = open_panel("Wait")
    panel.train()
    until(lambda: panel.panel.doing.text() == "Training: step 100 of 200", "how far it is")
    assert panel.panel.bar.value() == panel.panel.bar.maximum() // 2
    assert panel.rows == [["Wait, said", "75", "20 of 25", "–", "–", "–"]]
    assert "My digits" in panel.client.obstacle("train")
    panel.click(panel.panel.pause)
    until(lambda: panel.panel.doing.text() == "Paused", "a pause")
    assert panel.panel.pause.text() == "Continue"
    panel.click(panel.panel.pause)
    until(lambda: panel.panel.pause.text() == "Pause", "that it goes on")
    panel.click(panel.panel.stop)
    panel.until_done()
    assert panel.client.training is None
    assert not panel.panel.use.isEnabled(), "there is no model yet"
    panel.click(panel.panel.resume)
    panel.until_done()
    assert panel.rows[0][4] == "24 of 25"
    assert not panel.panel.resume.isVisible()
    assert len(RunStore().list()) == 1, "it is the same run"


@pytest.mark.parametrize(
    ("person", "words", "resumable"),
    [
        ("Die", "ended because its process did. Everything that was saved is kept", True),
        ("Full", "No space left on the disk", True),
        ("Few", "3 spoken and 0 drawn", False),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_lost(
    open_panel: Callable[..., Panel], person: str, words: str, resumable: bool
) -> None:
    panel = open_panel(person)
    panel.train()
    panel.until_done()
    until(lambda: panel.failures, "what is wrong")
    assert words in panel.failures[0]
    assert words in panel.panel.problem.text()
    assert panel.panel.resume.isVisible() == resumable
    assert panel.panel.train.isVisible()
    if resumable:
        assert panel.rows == [[f"{person}, said", "75", "20 of 25", "–", "–", "–"]], "what was counted stays"
    assert panel.client.training is None


def test_too_few_takes_and_a_model_that_cannot_be_read_are_told_before(
    takes: TakeStore, open_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    takes.add_person("Ann")
    panel = open_panel()
    until(lambda: "0 spoken and 0 drawn takes" in panel.panel.trouble.text(), "that there is nothing")
    assert not panel.panel.train.isEnabled()
    record(takes, "Ann")
    panel.library.refresh()
    until(panel.panel.train.isEnabled, "that there is enough")
    takes.delete([take for take in takes.takes() if take.label == 4])
    panel.library.refresh()
    until(lambda: "Ann has said few takes of 4." in panel.panel.trouble.text(), "which digit lacks takes")
    assert panel.panel.train.isEnabled(), "it is a warning"
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no model")
    panel.panel.show_loaded(Model("Broken", broken))
    until(lambda: "broken.safetensors is not a checkpoint" in panel.panel.trouble.text(), "that it can't be read")
    assert not panel.panel.train.isEnabled()


def test_a_run_that_trains_elsewhere_keeps_this_one_waiting(panel: Panel) -> None:
    assert panel.client.begin_training("train")
    until(lambda: "page “Train”" in panel.panel.trouble.text(), "why it can't start")
    assert not panel.panel.train.isEnabled()
    panel.client.end_training()
    until(panel.panel.train.isEnabled, "that it can")


def test_results_of_a_run_that_was_deleted_on_another_page_go(panel: Panel) -> None:
    panel.train()
    panel.until_done()
    RunStore().delete(panel.service.run.record)
    panel.panel.hide()
    panel.panel.show()
    until(lambda: panel.service.run is None, "that there is none")
    assert panel.rows == []
    assert panel.panel.train.isVisible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_can_be_read_in_both_colours_and_sizes(open_panel: Callable[..., Panel], scheme: Scheme) -> None:
    apply_scheme(scheme)
    one = open_panel("Ann", "A name of forty characters, the longest", "Wait")

    def look_at(state: str) -> None:
        for name, size in (("large", (620, 700)), ("small", (450, 590))):
            one.panel.resize(*size)
            pause(0.1)
            look(one.panel, f"takes-train-{state}-{scheme}-{name}")

    until(one.panel.train.isEnabled, "that it can start")
    one.panel.form.leave_out.click()
    look_at("choices")
    one.train()
    until(lambda: one.panel.doing.text().startswith("Training"), "that it trains")
    look_at("progress")
    one.click(one.panel.stop)
    one.until_done()
    look_at("stopped")
    one.click(one.panel.resume)
    one.until_done()
    look_at("results")
    apply_scheme("system")


# In the whole window


@pytest.fixture
def own_desk(qapp, takes: TakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:  # noqa: ARG001
    monkeypatch.setattr(application, "JobClient", partial(JobClient, command=personal_training.COMMAND))
    record(takes, "Ann")
    record(takes, "Wait")
    desk = Desk(tmp_path / "settings.ini").open().ready()
    yield desk
    desk.window.keep_and_close()
    until(lambda: not desk.window.isVisible(), "that the window closes")


def test_the_window_stays_usable_and_the_trained_model_answers_and_closing_asks(own_desk: Desk) -> None:
    desk, strip = own_desk, own_desk.window.findChild(TrainingStrip)
    page = desk.window.pages.turn_to("takes")
    until(lambda: page.people.person == "Ann", "Ann")
    QTest.mouseClick(page.to_training, Qt.MouseButton.LeftButton)
    form, panel = page.personal.form, page.personal
    until(panel.train.isEnabled, "that it can start")
    QTest.mouseClick(panel.train, Qt.MouseButton.LeftButton)
    until(lambda: page.to_training.text() == "Training: 50%", "how far it is")
    desk.window.pages.turn_to("explore")
    assert strip.isVisible()
    assert strip.text() == "Training with takes: 50 %"
    desk.draw()
    desk.await_found(Modality.SPEECH)

    page = desk.window.pages.turn_to("takes")
    page.people.want("Wait")
    page.tabs.setCurrentIndex(1)
    assert panel.isVisible()
    assert panel.doing.text().startswith("Training: step 100")
    desk.window.close()
    until(lambda: desk.window.findChild(QMessageBox) is not None, "a question")
    box = desk.window.findChild(QMessageBox)
    assert "My digits" in box.informativeText()
    QTest.mouseClick(next(b for b in box.buttons() if b.text() == "Go on training"), Qt.MouseButton.LeftButton)
    panel.stop.click()
    until(lambda: not strip.isVisible() and page.to_training.text() == "Train with them…", "the end")

    page.people.want("Ann")
    until(lambda: form.whose.itemText(1) == "Ann only", "Ann")
    form.whose.setCurrentIndex(1)
    form.whose.activated.emit(1)
    until(panel.train.isEnabled, "that it can start")
    told: list[str] = []
    page.informed.connect(told.append)
    panel.train.click()
    until(lambda: told, "that it is done")
    assert told[0].startswith("“personal, λ 2.15e-2, Ann” is trained")
    panel.use.click()
    until(lambda: "Ann" in desk.window.windowTitle(), "the new model", 60)
    until(panel.former.isVisible, "the way back")
    panel.former.click()
    until(lambda: desk.window.windowTitle().startswith("Shipped model"), "the former model", 60)


def test_closing_the_window_keeps_what_there_is_and_the_next_session_resumes_it(own_desk: Desk, tmp_path: Path) -> None:
    desk = own_desk
    page = desk.window.pages.turn_to("takes")
    until(lambda: page.people.person == "Ann", "Ann")
    page.to_training.click()
    until(page.personal.train.isEnabled, "that it can start")
    page.personal.train.click()
    until(lambda: page.to_training.text() == "Training: 50%", "how far it is")
    desk.window.keep_and_close()
    until(lambda: not desk.window.isVisible(), "that the window closes")
    assert latest_run(RunStore()).info.state == "stopped"

    again = Desk(tmp_path / "settings.ini").open().ready()
    page = again.window.pages.turn_to("takes")
    page.to_training.click()
    until(page.personal.resume.isVisible, "that it can be resumed")
    page.personal.resume.click()
    until(lambda: page.training.run is not None and page.training.run.info.state == "complete", "the end")
    again.window.close()
