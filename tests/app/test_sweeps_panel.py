"""Sweeps from the window: plan, train, stop, resume, read, and see the dial turn over what was found.

The process that trains is a stand-in (`sweeping`) but for one sweep at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_worker
import sweeping
from desk import pause, until
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QFileDialog, QLabel, QLineEdit, QWidget
from sweeps import make_results
from test_screenshots import look
from tiny import write_corpora
from workbench import Workbench

from model import cores, locations
from model.data.corpora.fsdd import Fsdd
from model.data.corpora.voices import Voices
from model.sweeps.records import SweepStore
from modinv_app.common.data_service import AvailableCorpus
from modinv_app.common.theme import apply_scheme
from modinv_app.sweep.sweep_table import SweepTable

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.qt_log_ignore("This plugin does not support"),  # popups, on the offscreen platform
]

CORPORA = (
    AvailableCorpus(Fsdd.info, True),
    AvailableCorpus(Voices.info, True),
)


class Sweeper:
    """Somebody at the dial's page."""

    def __init__(self, folder: Path, command: tuple[str, ...] = sweeping.COMMAND) -> None:
        self.store = SweepStore(folder / "sweeps")
        self.bench = Workbench(folder / "runs", command)
        self.client = self.bench.client
        self.page = self.bench.dial_page(self.store.folder)
        self.panel = self.page.sweeps
        self.informed: list[str] = []
        self.failures: list[str] = []
        self.busy: list[bool] = []
        self.page.informed.connect(self.informed.append)
        self.page.failed.connect(lambda text, _details: self.failures.append(text))
        self.client.training_changed.connect(lambda: self.busy.append(self.page.busy))
        self.page.resize(1280, 734)
        self.page.show()

    def close(self) -> None:
        self.page.release()
        self.bench.close()
        self.page.close()

    def offers(self, text: str) -> bool:
        """Whether there is such a button, to click."""
        found = (each for each in self.page.findChildren(QAbstractButton) if each.text() == text)
        return any(each.isVisible() and each.isEnabled() for each in found)

    def click(self, text: str) -> None:
        """Click a button as soon as it can be."""
        until(lambda: self.offers(text), f"a button {text!r}")
        button = next(b for b in self.page.findChildren(QAbstractButton) if b.text() == text and b.isVisible())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def field(self, name: str, kind: type[QWidget] = QLineEdit) -> QWidget:
        return next(each for each in self.panel.findChildren(kind) if each.accessibleName() == name)

    def type_into(self, name: str, text: str) -> None:
        field = self.field(name)
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text) if text else QTest.keyClick(field, Qt.Key.Key_Delete)

    def plan(self, lambdas: str, seeds: str = "0", corpora: tuple[AvailableCorpus, ...] = CORPORA) -> None:
        """Open the form and fill it in."""
        self.click("Train a sweep…")
        for box in self.panel.form.findChildren(QCheckBox):
            if box.accessibleName().startswith("λ_IG") and box.isChecked() != (box.text() in lambdas.split()):
                box.click()
        ticked = [box.text() for box in self.panel.form.findChildren(QCheckBox)]
        self.type_into("Other values of lambda IG", ", ".join(v for v in lambdas.split() if v not in ticked))
        self.type_into("Seeds", seeds)
        if corpora:
            self.panel.form.corpora.show_corpora(corpora)

    def train(self, lambdas: str, seeds: str = "0") -> None:
        self.plan(lambdas, seeds)
        self.click("Start")

    def says(self) -> str:
        """Every word that can be read beside the map."""
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible()).replace(
            "<sub>IG</sub>", "_IG"
        )

    def rows(self) -> list[list[str]]:
        table = self.panel.findChild(SweepTable)
        assert table.isVisible()
        columns = range(table.columnCount())
        rows = (table.topLevelItem(row) for row in range(table.topLevelItemCount()))
        return [[row.text(column) for column in columns] for row in rows if row is not None]

    def until_over(self) -> None:
        until(lambda: self.busy and not self.page.busy, "the end of the sweep", 60)
        pause(0.1)  # its folder is read once more


@pytest.fixture
def person(qapp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweeper]:  # noqa: ARG001 (Qt first)
    monkeypatch.setattr(locations, "shipped_sweep", lambda: tmp_path / "shipped.safetensors")
    found = Sweeper(tmp_path)
    yield found
    found.close()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A sweep that ships."""
    make_results(seeds=(0, 1)).save(tmp_path / "shipped.safetensors")
    return tmp_path / "shipped.safetensors"


def test_without_any_sweep_the_way_to_one_is_open(person: Sweeper) -> None:
    assert "There is no sweep yet" in person.says()
    assert person.offers("Train a sweep…")
    assert not person.offers("Numbers"), "there are none"


def test_train_watch_and_turn_the_dial(person: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    person.train("0 2.15e-2")
    until(lambda: person.informed, "the end", 60)
    assert "trained and evaluated" in person.informed[0]
    assert person.busy == [True, False]
    (record,) = person.store.list()
    assert record.plan().lambdas == (0.0, 0.0215)
    assert record.plan().plan.corpora == ("mnist", "fsdd", "voices")
    assert person.page.dial.isEnabled()
    assert "λ_IG = 0, trained and measured" in person.says(), "the first sweep there is shows at once"
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    actions = {action.text(): action for action in person.panel._open.menu().actions()}
    actions["Show this sweep's folder"].trigger()
    assert shown == [str(record.folder)]
    person.page.dial.step(1)
    assert person.page.dial.value == 0.0215, "the dial has the marks of this sweep"
    person.click("Sweeps…")
    until(lambda: person.field("Sweep", QComboBox).currentData() == str(record.folder), "its name in the list")
    assert person.rows() == [["λ 0", "0", "0.525", "1.000", ""], ["λ 2.15e-2", "0", "0.984", "0.554", ""]]
    assert "2 runs, all evaluated" in person.says()
    assert not person.offers("Resume")


def test_stop_keeps_and_resume_goes_on(person: Sweeper) -> None:
    person.train("0 2.15e-2", "7")
    until(lambda: person.rows()[0][4] == "40%", "steps of the first run")
    assert "λ 0, seed 7: step 640 of 1,600" in person.says()
    assert not person.offers("Train a sweep…")
    person.click("Stop")
    person.until_over()
    assert [row[4] for row in person.rows()] == ["Stopped 40%", "Waiting"]
    assert "0 of 2 runs evaluated" in person.says()
    person.click("Resume")
    until(lambda: person.informed, "the end", 60)
    (record,) = person.store.list()
    assert record.results_file.is_file()


def test_all_runs_in_progress_are_shown(person: Sweeper) -> None:
    person.train("0 1e-5 2.15e-2", "5")
    until(lambda: [row[4] for row in person.rows()] == ["40%", "40%", "Waiting"], "steps of two runs")
    assert "2 runs at the same time · about 1 min left" in person.says()
    assert "Training: 0 of 3 runs evaluated" in person.says()
    look(person.page, "sweeps-two-at-a-time")
    person.click("Stop")
    person.until_over()
    assert [row[4] for row in person.rows()] == ["Stopped 40%", "Stopped 40%", "Waiting"]
    assert person.offers("Resume")


def test_a_sweep_is_found_again_in_the_next_session(person: Sweeper, tmp_path: Path) -> None:
    person.train("0 2.15e-2", "7")
    until(lambda: person.rows()[0][4] == "40%", "steps of the first run")
    person.click("Stop")
    person.until_over()
    later = Sweeper(tmp_path)
    choice = later.field("Sweep", QComboBox)
    until(lambda: choice.count() == 1, "the sweep in the list")
    assert "2 values, seed 7" in choice.itemText(0)
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    until(lambda: later.offers("Resume"), "that it can go on")
    assert [row[4] for row in later.rows()] == ["Stopped 40%", "Waiting"]
    later.click("Resume")
    until(lambda: later.informed, "the end", 60)
    assert not later.failures
    later.close()


def test_one_failure_does_not_stop_the_rest_and_is_told(person: Sweeper) -> None:
    person.train("0 0.5 2.15e-2")
    until(lambda: person.informed, "the end", 60)
    person.click("Sweeps…")
    until(lambda: "failed" in person.says(), "a word of the failure")
    assert "One run of 3 failed. λ 5e-1, seed 0: The loss is not finite. Resume tries again." in person.says()
    assert [row[4] for row in person.rows()] == ["", "", "Failed"]
    assert person.offers("Resume")


def test_a_process_that_dies_is_told_and_the_sweep_goes_on(person: Sweeper) -> None:
    person.train("0 2.15e-2", "9")
    person.until_over()
    assert "Resume continues from there" in person.failures[0]
    assert "Resume continues from there" in person.says()
    assert person.offers("Resume")


def test_the_estimate_counts_the_runs(person: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 1)
    person.plan("0 1e-5 2.15e-2", "0, 1")
    until(lambda: "About 1.5 h: 6 runs of 15 min each" in person.says(), "an estimate")
    assert "1.2 GB of memory on A processor" in person.says()
    person.type_into("Seeds", "0")
    until(lambda: "About 45 min: 3 runs" in person.says(), "another")
    person.click("Cancel")
    assert person.store.list() == []


def test_the_estimate_counts_on_several_runs_at_the_same_time(person: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    person.plan("0 1e-5 2.15e-2", "0, 1")
    until(lambda: "About 30 min: 6 runs of 15 min each, 4 at a time" in person.says(), "an estimate")
    assert "4.8 GB of memory on A processor" in person.says()
    assert person.panel.form.config().threads == 1
    monkeypatch.setattr(cores, "available_cores", lambda: 64)
    assert person.panel.form.config().threads == 10
    person.type_into("Seeds", "0, 1, 2, 3")
    until(lambda: "12 runs of 15 min each, 5 at a time" in person.says(), "as many as 8 GB have room for")


@pytest.mark.parametrize(
    ("field", "text", "word"),
    [
        ("Other values of lambda IG", "much", "“much” is not a value of λ_IG"),
        ("Other values of lambda IG", "-1", "“-1” is not a value of λ_IG"),
        ("Seeds", "0.5", "“0.5” is not a seed"),
        ("Seeds", "", "at least one seed"),
    ],
)
def test_what_can_t_be_trained_says_why(person: Sweeper, field: str, text: str, word: str) -> None:
    person.plan("0 1e-5")
    assert person.offers("Start")
    person.type_into(field, text)
    assert word in person.says()
    assert not person.offers("Start")


def test_nothing_to_learn_from_or_to_train_says_so(person: Sweeper) -> None:
    person.plan("")
    assert "at least one value of λ_IG" in person.says()
    person.type_into("Other values of lambda IG", "0.3 2e-1")
    assert person.offers("Start")
    for box in person.panel.form.corpora.findChildren(QCheckBox):
        box.click()
    assert "at least one corpus of speech" in person.says()
    assert not person.offers("Start")


def test_while_a_run_trains_elsewhere_nothing_can_begin(person: Sweeper) -> None:
    person.plan("0 1e-5")
    person.client.begin_training("train")
    assert not person.offers("Start")
    assert "A run is training on the page “Train”" in person.says()
    person.client.end_training()
    assert person.offers("Start")
    assert "on the page “Train”" not in person.says()


def test_while_it_trains_the_numbers_can_be_read_and_say_how_far_it_is(person: Sweeper, shipped: Path) -> None:
    person.page.service.open(shipped)
    person.click("Sweeps…")
    person.train("0 2.15e-2", "7")
    person.click("Numbers")
    until(lambda: person.offers("Sweep: 20%"), "how far it is")
    assert "λ_IG = 0, trained and measured" in person.says()
    person.page.trainer.stop()
    until(lambda: person.offers("Sweeps…"), "that it is over")


def test_the_shipped_sweep_and_own_ones_are_chosen_from_one_list(person: Sweeper, shipped: Path) -> None:
    person.train("0 2.15e-2")
    until(lambda: person.informed, "the end", 60)
    person.click("Sweeps…")
    choice = person.field("Sweep", QComboBox)
    until(lambda: choice.count() == 2, "both sweeps")
    assert choice.itemText(0) == "Shipped with modinv"
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    until(lambda: len(person.rows()) == 16, "its rows")
    assert not person.offers("Resume"), "it has no folder"
    assert choice.currentData() == str(shipped)


def test_a_sweep_from_another_place_and_what_is_none(
    person: Sweeper, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = person.store.folder.parent / "from the command line"
    elsewhere.mkdir()
    shutil.copy(shipped, elsewhere / "sweep.safetensors")

    def choose(dialog: QFileDialog) -> None:
        dialog.fileSelected.emit(str(elsewhere))

    monkeypatch.setattr(QFileDialog, "open", choose)
    actions = {action.text(): action for action in person.panel._open.menu().actions()}
    actions["A sweep's folder…"].trigger()
    until(lambda: person.page.dial.isEnabled(), "its map")
    assert "2 seeds" in person.says()
    (elsewhere / "sweep.safetensors").unlink()
    actions["A sweep's folder…"].trigger()
    until(lambda: person.failures, "a word")
    assert "Open a folder in which a sweep was trained" in person.failures[0]
    (elsewhere / "sweep.safetensors").write_bytes(b"torn")
    elsewhere = elsewhere / "sweep.safetensors"
    actions["A file of results…"].trigger()
    until(lambda: len(person.failures) == 2, "another")


def test_a_sweep_whose_folder_is_gone_can_t_go_on_and_says_so(person: Sweeper) -> None:
    person.train("0 2.15e-2", "7")
    until(lambda: person.rows()[0][4] == "40%", "steps of the first run")
    person.click("Stop")
    person.until_over()
    shutil.rmtree(person.store.list()[0].folder)
    person.busy.clear()
    person.click("Resume")
    person.until_over()
    assert len(person.failures) == 1
    assert "holds no complete run" in person.failures[0]
    assert not person.page.busy


def test_stopping_before_it_has_begun(person: Sweeper) -> None:
    person.plan("0 2.15e-2")
    person.page.service.start(person.panel.form.config())
    person.page.trainer.stop()
    person.until_over()
    assert person.busy == [True, False]
    assert not person.informed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_how_it_looks(person: Sweeper, shipped: Path, scheme: str) -> None:
    def at_both_sizes(name: str) -> None:
        for size_name, size in {"large": QSize(1280, 734), "small": QSize(1000, 634)}.items():
            person.page.resize(size)
            pause(0.2)
            assert person.page.size() == size
            look(person.page, f"{name}-{scheme}-{size_name}")

    try:
        apply_scheme(scheme)
        at_both_sizes("sweeps-none")
        person.page.service.open(shipped)
        until(lambda: person.page.dial.isEnabled(), "a sweep")
        at_both_sizes("sweeps-numbers")
        person.click("Sweeps…")
        until(lambda: len(person.rows()) == 16, "its runs")
        at_both_sizes("sweeps-shipped")
        person.plan("0 1e-5 6.81e-5 4.64e-4 3.16e-3 2.15e-2 1.47e-1 1 0.5", "0, 1, 7")
        until(lambda: "About" in person.says(), "an estimate")
        at_both_sizes("sweeps-form")
        person.panel.form.advanced.open = True
        at_both_sizes("sweeps-form-open")
        person.type_into("Seeds", "0, 7")
        person.click("Start")
        until(lambda: any(row[4] == "40%" and row[1] == "7" for row in person.rows()), "the second seed", 60)
        at_both_sizes("sweeps-training")
        person.click("Stop")
        person.until_over()
        at_both_sizes("sweeps-stopped")
    finally:
        apply_scheme("system")


@pytest.mark.timeout(400)
def test_a_real_sweep_of_two_values(
    qapp,  # noqa: ARG001 (Qt first)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODINV_DATA", str(write_corpora(tmp_path / "data")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(locations, "shipped_sweep", lambda: tmp_path / "none")
    monkeypatch.setattr(cores, "available_cores", lambda: 2)  # as in the process
    person = Sweeper(tmp_path, small_worker.COMMAND)
    try:
        person.plan("1e-5 2.15e-2", corpora=())
        until(lambda: person.panel.form.corpora.chosen(), "the corpora", 60)
        boxes = {box.text(): box for box in person.panel.form.corpora.findChildren(QCheckBox)}
        boxes["Synthetic voices"].click()  # listening to all of them takes a minute the first time
        person.panel.form.advanced.open = True
        for name, value in (("Steps", "12"), ("Pairs per batch", "4"), ("Samples per input", "1")):
            person.type_into(name, value)
        person.click("Start")
        until(lambda: "step" in person.says(), "a step", 150)
        person.click("Stop")
        person.until_over()
        person.click("Resume")
        until(lambda: person.informed or person.failures, "the end", 200)
        assert not person.failures
        assert "trained and measured" in person.says()
        person.click("Sweeps…")
        assert [row[0] for row in person.rows()] == ["λ 1e-5", "λ 2.15e-2"]
        for _, _, purity, svm, _ in person.rows():
            assert 0.1 <= float(purity) <= 1
            assert 0.3 <= float(svm) <= 1
        assert person.store.list()[0].plan().threads == 1
    finally:
        person.close()
