"""The pages of the window: turned by key, each with its own keys; a run that trains is seen and asked about."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import small_worker
from desk import SEVEN, Desk, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox
from tiny import write_corpora

from model import locations
from model.recipes.recipe import PAPER_LAMBDAS, named
from model.retrieval.projection import NeighbourMap
from model.runs.store import RunRecord
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app import app as application
from modinv_app.jobs.client import JobClient
from modinv_app.shell.training_strip import TrainingStrip

pytestmark = pytest.mark.timeout(180)
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small corpora, and runs and caches of their own, for this process and those that it starts."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODINV_DATA", str(write_corpora(folder / "data")))
        patch.setenv("MODINV_RUNS", str(folder / "runs"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield folder


@pytest.fixture
def _small_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains is small, for a test that uses no model of it."""
    monkeypatch.setattr(application, "JobClient", partial(JobClient, command=small_worker.COMMAND))


@pytest.fixture
def own_desk(qapp, folders: Path, tmp_path: Path) -> Iterator[Desk]:  # noqa: ARG001 (Qt first)
    desk = Desk(tmp_path / "settings.ini").open().ready()
    yield desk
    if (train := desk.window.pages.built.get("train")) is not None and train.busy:
        train.trainer.stop()
        until(lambda: not train.busy, "the end of the training", 60)
    desk.close()


def train(desk: Desk, steps: int) -> RunRecord:
    """Turn to the page, and train something small there until it has begun."""
    desk.key(Qt.Key.Key_4, CONTROL)
    recipe = named("fast", steps=steps, batch_size=4, samples_per_input=1)
    service = desk.window.pages.built["train"].service
    service.start(TrainingConfig(recipe, ("mnist", "fsdd"), device="cpu"))
    until(lambda: service.record is not None and service.record.points(), "the first point", 90)
    return service.record


def question(desk: Desk) -> QMessageBox:
    """The question that stands before the window closes."""
    until(lambda: desk.window.findChild(QMessageBox) is not None, "a question")
    return desk.window.findChild(QMessageBox)


def answer(desk: Desk, words: str) -> None:
    """Give one of the answers that are offered."""
    box = question(desk)
    QTest.mouseClick(next(b for b in box.buttons() if b.text() == words), Qt.MouseButton.LeftButton)


def test_keys_turn_the_pages_and_single_keys_belong_to_the_first(own_desk: Desk) -> None:
    desk, pages = own_desk, own_desk.window.pages
    desk.draw()
    desk.await_found(Modality.SPEECH)
    keys = Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_6
    for key, name in zip(keys, ("takes", "dial", "train", "evaluate", "data"), strict=True):
        desk.key(key, CONTROL)
        assert pages.current == name
        desk.key(Qt.Key.Key_Delete)  # which clears the drawing, where there is one
        assert desk.state.reply is not None
    desk.key(Qt.Key.Key_1, CONTROL)
    assert pages.current == "explore"
    assert desk.found, "what was found is still there"
    desk.key(Qt.Key.Key_Delete)
    until(lambda: desk.state.reply is None, "a clear desk")


def test_a_space_in_a_search_is_a_space_and_not_a_microphone(own_desk: Desk) -> None:
    own_desk.key(Qt.Key.Key_4, CONTROL)
    page = own_desk.window.pages.built["train"]
    page.tabs.setCurrentWidget(page.runs)
    search = page.runs.findChild(QLineEdit)
    search.setFocus()
    QTest.keyClicks(search, "my run")
    assert search.text() == "my run"
    page.runs.setFocus()
    QTest.keyPress(own_desk.window, Qt.Key.Key_Space)
    QTest.keyRelease(own_desk.window, Qt.Key.Key_Space)
    assert not own_desk.spoken_message.startswith("That was too short")


def test_the_dial_shows_what_ships(own_desk: Desk) -> None:
    own_desk.key(Qt.Key.Key_3, CONTROL)
    dial = own_desk.window.pages.built["dial"]
    until(lambda: dial.map.isVisible() and dial.dial.isEnabled(), "the sweep", 30)
    assert locations.shipped_sweep().is_file()
    dial.dial.set_value(PAPER_LAMBDAS[5])
    until(lambda: dial.position == pytest.approx(5), "that the map arrives")


def closed(desk: Desk) -> None:
    until(lambda: not desk.window.isVisible(), "that the window closes", 60)


@pytest.mark.usefixtures("_small_worker")
def test_closing_asks_while_a_run_trains_going_on_changes_nothing_and_stopping_keeps_it(own_desk: Desk) -> None:
    record = train(own_desk, 100_000)
    own_desk.window.close()
    answer(own_desk, "Go on training")
    step = record.info().step
    until(lambda: record.info().step > step, "further steps", 60)
    assert own_desk.window.isVisible()
    own_desk.window.close()
    answer(own_desk, "Stop and keep")
    closed(own_desk)
    assert (record.info().state, record.info().resumable) == ("stopped", True)


@pytest.mark.usefixtures("_small_worker")
def test_closing_discards_the_run(own_desk: Desk) -> None:
    record = train(own_desk, 100_000)
    own_desk.window.close()
    answer(own_desk, "Discard the run")
    closed(own_desk)
    assert not record.folder.exists()


@pytest.mark.usefixtures("_small_worker")
def test_a_system_that_shuts_down_is_not_asked_and_keeps_the_run(own_desk: Desk) -> None:
    record = train(own_desk, 100_000)
    own_desk.window.keep_and_close()
    closed(own_desk)
    assert (record.info().state, record.info().resumable) == ("stopped", True)


def test_a_run_is_seen_from_every_page_and_its_model_answers_when_it_is_used(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fitting t-SNE of the gallery takes ten seconds and more; where it comes from is tested with the projections.
    monkeypatch.setattr(NeighbourMap, "fit", lambda means, **_options: NeighbourMap(means, means[:, :2].copy()))
    desk, strip = own_desk, own_desk.window.findChild(TrainingStrip)
    before = desk.state.gallery.means
    record = train(desk, 4)
    desk.key(Qt.Key.Key_1, CONTROL)
    until(lambda: strip.isVisible() and strip.text().startswith("Training, λ 2.15e-2"), "how the run stands")
    desk.draw()  # the loaded model answers meanwhile
    desk.await_found(Modality.SPEECH)
    assert desk.guess(desk.window.explore.draw) == "7"
    until(lambda: record.info().state == "complete", "the end of the run", 90)
    until(lambda: not strip.isVisible(), "that nothing trains any more")

    desk.window.pages.built["train"].model_chosen.emit(str(record.model_file))
    until(lambda: desk.state.model.recipe["steps"] == 4, "the new model", 60)
    assert not np.allclose(desk.state.gallery.means, before)
    desk.window.explore.draw.replay(SEVEN)
    until(lambda: desk.state.reply is not None, "an answer of the new model")


def test_processes_start_when_a_page_needs_one_stay_one_and_end_with_the_window(own_desk: Desk) -> None:
    pages, window = own_desk.window.pages, psutil.Process()
    assert window.children(recursive=True) == []
    own_desk.draw()
    own_desk.await_found(Modality.SPEECH)
    for name in pages.names[:3]:
        pages.turn_to(name)
    assert window.children(recursive=True) == [], "nothing that needs a process was done"

    for name in pages.names:
        pages.turn_to(name)
    until(lambda: own_desk.root.client.devices, "a process that is ready", 60)
    assert len(window.children(recursive=True)) == 1

    own_desk.window.close()
    assert window.children(recursive=True) == []
