"""Training by clicking: a real page, a real process, small data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import small_corpora
import small_worker
from desk import until
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QProgressBar, QPushButton
from tiny import write_corpora
from workbench import Workbench

from model import locations
from model.checkpoints import read, read_header
from model.data.corpora.voices import Voices
from model.recipes.recipe import FAST
from model.runs.store import RunRecord
from model.training.config import TrainingConfig
from modinv_app.common.data_service import AvailableCorpus
from modinv_app.common.model_catalogue import Model
from modinv_app.common.settings import Settings
from modinv_app.jobs.worker_process import COMMAND
from modinv_app.train.curves import Curves
from modinv_app.train.page import TrainPage
from modinv_app.train.snapshot_map import SnapshotMap

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Small corpora, and caches of their own, for this process and those that it starts."""
    folder = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODINV_DATA", str(write_corpora(folder / "data")))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield folder


class Trainer:
    """Somebody at the page."""

    def __init__(self, runs: Path, command: Sequence[str] = small_worker.COMMAND) -> None:
        self.bench = Workbench(runs, command)
        self.client, self.store = self.bench.client, self.bench.store
        self.settings = Settings(QSettings(str(runs.parent / "settings.ini"), QSettings.Format.IniFormat))
        self.page = self.bench.train_page(self.settings)
        self.panel, self.service = self.page.panel, self.page.service
        self.closed = False
        self.failures: list[str] = []
        self.used: list[str] = []
        self.page.failed.connect(lambda text, _details: self.failures.append(text))
        self.page.model_chosen.connect(self.used.append)
        self.page.show_loaded(Model("Shipped model", locations.shipped_model()))
        self.page.resize(1280, 740)
        self.page.show()
        self.page.activateWindow()
        until(lambda: self.panel.form.corpora.chosen(), "the corpora", 60)
        self.leave_out_voices()

    @property
    def voices(self) -> QCheckBox:
        """Whether to learn from synthetic voices."""
        return next(box for box in self.panel.findChildren(QCheckBox) if box.text() == "Synthetic voices")

    def leave_out_voices(self) -> None:
        """Before anything listens to all of them, which takes a minute the first time."""
        if self.voices.isChecked():
            self.voices.click()

    def tidy(self) -> None:
        """Leave the page as it was found."""
        if self.page.busy:
            self.page.trainer.stop()
            until(lambda: not self.page.busy, "the end of the training", 60)
        if self.offers("New training…"):
            self.click("New training…")
        self.leave_out_voices()  # the form may be that of the last run
        for record in self.store.list():
            self.store.delete(record)
        self.failures.clear()
        self.used.clear()

    def close(self) -> None:
        """Close the page."""
        self.closed = True
        self.page.release()
        self.bench.close()
        self.page.close()

    def button(self, text: str) -> QPushButton:
        """The button of the panel that says this, if it can be seen."""
        return next(b for b in self.panel.findChildren(QPushButton) if b.text() == text and b.isVisible())

    def offers(self, text: str) -> bool:
        """Whether there is such a button, to click."""
        found = (b for b in self.panel.findChildren(QPushButton) if b.text() == text)
        return any(b.isVisible() and b.isEnabled() for b in found)

    def click(self, text: str) -> None:
        """Click a button as soon as it can be."""
        until(lambda: self.offers(text), f"a button {text!r}")
        QTest.mouseClick(self.button(text), Qt.MouseButton.LeftButton)

    def type_into(self, name: str, text: str) -> None:
        """Type a value into a field of the fold."""
        field = next(edit for edit in self.panel.findChildren(QLineEdit) if edit.accessibleName() == name)
        field.setFocus()
        field.selectAll()
        QTest.keyClick(field, Qt.Key.Key_Backspace)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def choose_small(self, steps: int) -> None:
        """A recipe that takes a moment."""
        form = self.panel.form
        form.advanced.open = True
        for name, text in (("Steps", str(steps)), ("Pairs per batch", "4"), ("Samples per input", "1")):
            self.type_into(name, text)

    def train(self, steps: int) -> RunRecord:
        """Click Train, and wait for the first step."""
        self.choose_small(steps)
        self.click("Train")
        until(lambda: self.service.record is not None, "a run")
        record = self.service.record
        until(lambda: record.points() and self.says("Training"), "the first point", 150)
        return record

    def says(self, text: str) -> bool:
        """Whether the panel shows these words somewhere."""
        return any(text in label.text() for label in self.panel.findChildren(QLabel) if label.isVisible())

    @property
    def pid(self) -> int:
        """Of the process that trains."""
        (pid,) = self.client.pids
        return pid


@pytest.fixture(scope="module")
def shared_trainer(qapp, folders: Path) -> Iterator[Trainer]:  # noqa: ARG001 (Qt first)
    person = Trainer(folders / "runs")
    yield person
    if not person.closed:
        person.close()


@pytest.fixture
def trainer(shared_trainer: Trainer) -> Trainer:
    """The same page and process for most tests, tidied up before each."""
    shared_trainer.tidy()
    return shared_trainer


def test_train_watch_and_use(
    qapp,  # noqa: ARG001 (Qt first)
    folders: Path,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With real digits and networks of full size, for the model that ships is looked at, too."""
    monkeypatch.setenv("MODINV_DATA", str(small_corpora.make(tmp_path / "data")))
    trainer = Trainer(tmp_path / "runs", COMMAND)
    trainer.choose_small(2)
    until(lambda: trainer.says("About"), "an estimate", 60)
    record = trainer.train(2)
    until(lambda: trainer.says("Done"), "the end", 60)
    assert record.info().state == "complete"
    bar = next(bar for bar in trainer.panel.findChildren(QProgressBar) if bar.accessibleName().startswith("Progress"))
    assert bar.value() == bar.maximum() == 2
    until(lambda: trainer.page.findChild(Curves).shown == (str(record.folder),), "its curves")
    until(lambda: trainer.page.findChild(SnapshotMap).step == record.snapshots()[-1], "its map")
    until(lambda: trainer.says("Purity"), "before and after")
    before = next(label for label in trainer.panel.findChildren(QLabel) if label.accessibleName() == "Purity, before")
    until(lambda: before.text() != "–", "the estimate of the loaded model", 30)
    assert float(before.text()) > 0.8, "the model that ships knows digits"
    trainer.click("Use this model")
    assert trainer.used == [str(record.model_file)]
    trainer.close()


def test_stop_keeps_and_resume_goes_on(trainer: Trainer) -> None:
    record = trainer.train(400)
    trainer.click("Stop")
    until(lambda: trainer.says("Stopped"), "the stop")
    step = read_header(record.resume_file)["step"]
    assert 0 < step < 400
    assert not trainer.page.busy
    trainer.click("Resume")
    until(lambda: record.info().step > step, "steps after the stop", 60)
    assert trainer.says("Training")
    trainer.click("Stop")
    until(lambda: trainer.says("Stopped"), "the stop")
    assert read_header(record.resume_file)["step"] > step


def test_what_is_heard_for_the_first_time_says_how_far_it_is_and_can_be_stopped(trainer: Trainer) -> None:
    listening = "Computing filterbanks of Synthetic voices (only once): "
    trainer.voices.click()
    until(lambda: trainer.says(listening), "how far the trial is", 60)
    trainer.click("Train")
    bar = next(bar for bar in trainer.panel.findChildren(QProgressBar) if bar.accessibleName().startswith("Progr"))
    until(lambda: bar.isVisible() and trainer.says(listening) and 0 < bar.value() < bar.maximum(), "the bar", 60)
    assert trainer.says("Starting…")
    trainer.click("Stop")
    until(lambda: not trainer.page.busy, "the end", 5)  # it takes much longer to listen to all
    assert trainer.says("Stopped, and kept")
    assert trainer.offers("Resume")
    assert not trainer.offers("Use this model")
    assert trainer.failures == []


def test_the_form_comes_back_in_the_next_session(qapp, tmp_path: Path) -> None:  # noqa: ARG001 (Qt first)
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))

    bench = Workbench(tmp_path / "runs")

    def session() -> TrainPage:
        page = bench.train_page(settings)
        page.panel.form.corpora.show_corpora([AvailableCorpus(Voices.info, True)])
        page.panel.form.show_devices([("auto", "Automatic"), ("cpu", "Slow 7")])
        return page

    first = session()
    first.panel.form.set_config(TrainingConfig(replace(FAST, lambda_ig=0.5), ("mnist", "voices"), seed=7, device="cpu"))
    wanted = first.panel.form.config()
    first.remember()
    first.release()
    second = session()
    assert second.panel.form.config() == wanted
    assert (wanted.recipe.lambda_ig, wanted.seed, wanted.device) == (0.5, 7, "cpu")
    second.release()
    bench.close()


def test_pause_and_go_on(trainer: Trainer) -> None:
    record = trainer.train(400)
    trainer.click("Pause")
    until(lambda: trainer.says("Paused"), "the pause")
    step = record.info().step
    QTest.qWait(600)
    assert record.info().step == step
    trainer.click("Continue")
    until(lambda: record.info().step > step, "another step")


def test_cancel_discards_and_undo_brings_it_back(trainer: Trainer) -> None:
    record = trainer.train(400)
    trainer.click("Cancel")
    until(lambda: not record.folder.exists(), "that it is gone")
    until(lambda: trainer.offers("Train"), "the form")
    assert trainer.store.list() == []
    trainer.click("Undo")
    until(lambda: record.exists, "that it is back")
    until(lambda: trainer.offers("Resume"), "that it can go on")
    assert trainer.says("Stopped")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_process_is_told_and_the_run_goes_on(trainer: Trainer) -> None:
    record = trainer.train(400)
    os.kill(trainer.pid, signal.SIGKILL)
    until(lambda: trainer.failures, "a word")
    assert "Resume" in trainer.failures[0]
    until(lambda: trainer.says("Interrupted"), "the state")
    trainer.click("Resume")
    until(lambda: trainer.says("Training"), "that it goes on", 60)
    until(lambda: record.info().step >= 10, "steps", 60)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which metrics and snapshots have room, and checkpoints have not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("Mounting a small disk takes rights that are not there.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_the_run_can_go_on_once_there_is_room(
    qapp,  # noqa: ARG001 (Qt first)
    folders: Path,  # noqa: ARG001
    small_disk: Path,
) -> None:
    trainer = Trainer(small_disk / "runs")
    record = trainer.train(400)
    trainer.click("Stop")
    until(lambda: trainer.failures, "a word", 60)
    assert "No space left on the disk. Free some space" in trainer.failures[0]
    assert trainer.says("Failed")
    subprocess.run(["mount", "-o", "remount,size=400m", str(small_disk)], check=True)
    trainer.click("Resume")
    until(lambda: trainer.says("Training") and record.info().step >= 1, "that it goes on", 60)
    trainer.click("Stop")
    until(lambda: trainer.says("Stopped"), "the stop")
    read(record.resume_file)
    trainer.close()


def test_a_run_that_was_deleted_elsewhere_is_no_longer_at_hand(trainer: Trainer) -> None:
    record = trainer.train(400)
    trainer.click("Stop")
    until(lambda: trainer.says("Stopped"), "the stop")
    trainer.page.tabs.setCurrentWidget(trainer.page.runs)
    trainer.store.delete(record)
    trainer.page.tabs.setCurrentWidget(trainer.panel)
    until(lambda: trainer.offers("Train"), "the form")
    assert not trainer.failures


def test_while_a_sweep_trains_nothing_begins_here(trainer: Trainer) -> None:
    record = trainer.train(400)
    trainer.click("Stop")
    until(lambda: trainer.says("Stopped"), "the stop")
    trainer.client.begin_training("sweep")
    trainer.click("Resume")
    assert "A sweep is training" in trainer.failures[0]
    assert not trainer.page.busy
    trainer.click("New training…")
    assert trainer.says("A sweep is training on the page “λ dial”")
    assert not trainer.offers("Train")
    trainer.client.end_training()
    assert trainer.offers("Train")
    assert record.info().state == "stopped"


def test_a_run_that_started_from_the_loaded_model_is_chosen_again_as_such(trainer: Trainer) -> None:
    form = trainer.panel.form
    start = next(box for box in form.findChildren(QComboBox) if box.accessibleName() == "Start")
    start.setCurrentIndex(1)
    plan = form.config()
    assert plan.start == locations.shipped_model()
    start.setCurrentIndex(0)
    form.set_config(plan)
    assert form.config().start == plan.start
    start.setCurrentIndex(0)


def test_a_plan_that_can_t_be_trained_says_why(trainer: Trainer) -> None:
    trainer.panel.form.advanced.open = True
    trainer.type_into("Learning rate", "fast")
    assert trainer.says("Learning rate must be a number")
    assert not trainer.offers("Train")
    trainer.type_into("Learning rate", "1e-3")
    until(lambda: trainer.offers("Train"), "a plan that can be trained")
    trainer.type_into("Leave out a speaker", "nobodyelse")
    until(lambda: trainer.says("No speaker is called 'nobodyelse'"), "what is wrong", 60)
    trainer.type_into("Leave out a speaker", "")
    until(lambda: not trainer.says("No speaker is called"), "a plan that can be trained", 60)


def test_the_process_goes_with_the_page_and_keeps_the_run(trainer: Trainer) -> None:
    """The last test here: it closes the page that the others share."""
    record = trainer.train(400)
    process = psutil.Process(trainer.pid)
    trainer.close()
    assert not process.is_running()
    assert record.info().state == "stopped"
    read(record.resume_file)
