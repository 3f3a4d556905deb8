"""The evaluation page, as a person uses it: judge, watch, cancel, look, listen, compare, export.

The process that judges is a stand-in that says what the real one would; it exports with the real code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import pause, until
from evaluated import IMAGES, MISTAKES, a_sweep, an_evaluation, features, kept
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton
from pytestqt.qtbot import QtBot
from run_folders import make_run
from test_screenshots import hidden_parts
from workbench import Workbench

from model import locations
from model.checkpoints import read_header
from model.data import curation
from model.data.corpora import recording
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.store import Evaluation, folder_of
from model.runs.store import RunStore
from modinv_app.common.model_catalogue import ModelCatalogue
from modinv_app.common.settings import Settings
from modinv_app.evaluate.page import EvaluatePage
from modinv_app.evaluate.pair_view import PairView

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # popups, on the offscreen platform

# Judges by the name of the file: one that is slow, one that fails, one that kills the process, and any other.
_JUDGE = """
import json, sys
folder, known = sys.argv[1:]
report = json.load(open(known + "/report.json"))
job = None
def say(**message):
    print(json.dumps({"id": job, **message}), flush=True)
class Context:
    def send(self, message):
        say(**message)
say(say="ready", devices=[["cpu", "A processor"]])
for line in sys.stdin:
    message = json.loads(line)
    job = message["id"]
    if message["do"] == "export":
        from model.jobs.export import export
        export(message, Context())
        say(say="done")
        continue
    name = message["checkpoint"]
    if message["do"] == "robustness":
        from model import locations
        from model.evaluation.robustness import made_with
        found = made_with(locations.shipped_model()).to_dict()
        found["corpus"], found["split"], found["inputs"] = "voices", "test", "of the stand-in"
        say(say="robustness", found={**found, "results": found["results"][:3]})
        if "slow" in name:
            assert json.loads(next(sys.stdin))["do"] == "stop"
            say(say="stopped")
        else:
            say(say="robustness", found=found)
        say(say="done")
        continue
    say(say="progress", share=0.25, text="Encoded 1 of 4 images")
    ways = ("image_to_speech", "speech_to_image")
    first = {way: {"retrieval": report[way]["retrieval"]} for way in ways}
    say(say="partial", report={"preliminary_images": 10, **first})
    if "slow" in name:
        assert json.loads(next(sys.stdin))["do"] == "stop"
        say(say="stopped")
    elif "wrong" in name:
        say(say="failed", message="The model is damaged. Choose another.", details="Traceback")
        continue
    elif "deadly" in name:
        print("Killed", file=sys.stderr)
        sys.exit(9)
    else:
        say(say="evaluated", folder=known)
    say(say="done")
"""


class Visitor:
    """Uses the page, and remembers what it says."""

    def __init__(self, page: EvaluatePage, catalogue: ModelCatalogue, folder: Path) -> None:
        self.page = page
        self.catalogue = catalogue
        self.folder = folder
        self.informed: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.heard: list[str] = []
        page.informed.connect(self.informed.append)
        page.failed.connect(lambda *failure: self.failures.append(failure))
        page.play_wanted.connect(self.heard.append)

    def file(self, name: str) -> Path:
        """A model's file, of which only the content's hash is ever read here."""
        path = self.folder / f"{name}.safetensors"
        path.write_bytes(name.encode())
        return path

    def load(self, name: str) -> None:
        """Let a model be the loaded one, and wait until it can be judged."""
        self.page.show_loaded(self.catalogue.of(self.file(name)))
        until(lambda: self.button.isEnabled(), "a button to press")

    @property
    def button(self) -> QPushButton:
        return self.page.bar.button

    def number(self, name: str) -> str:
        """What stands in a cell of the numbers."""
        labels = self.page.findChildren(QLabel)
        return next(label for label in labels if label.accessibleName() == name).text()

    def turn_to(self, title: str) -> None:
        tabs = self.page.tabs
        tabs.setCurrentIndex([tabs.tabText(place) for place in range(tabs.count())].index(title))

    def says(self) -> str:
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible())

    def judge(self) -> None:
        """Press Evaluate, and wait for the result."""
        self.button.click()
        until(lambda: not self.page.busy, "the end of the evaluation")


@pytest.fixture
def visitor(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setattr(locations, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(locations, "shipped_sweep", lambda: tmp_path / "assets" / "sweep.safetensors")
    monkeypatch.setattr(Evaluation, "features", lambda _self, index, _folder=None: features(index))
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "no data"))  # so that only the voices are there
    kept(tmp_path / "known")
    command = (sys.executable, "-c", _JUDGE, str(tmp_path), str(tmp_path / "known"))
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    catalogue = ModelCatalogue(RunStore(tmp_path / "runs"), settings)
    bench = Workbench(tmp_path / "runs", command)
    page = bench.evaluate_page(catalogue)
    qtbot.addWidget(page)
    page.resize(1000, 650)
    page.show()
    yield Visitor(page, catalogue, tmp_path)
    page.release()
    bench.close()
    catalogue.close()


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


def test_a_mistake_is_heard(visitor: Visitor) -> None:
    visitor.load("loaded")
    visitor.judge()
    visitor.turn_to("Mistakes")
    view = visitor.page.mistakes.pairs
    at = view.visualRect(view.model().index(0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    (key,) = visitor.heard
    samples, rate = recording(key)
    assert 0.1 < len(samples) / rate < 3
    visitor.page.show_playing(key)
    sounding = view.viewport().grab().toImage()
    visitor.page.show_playing(None)
    assert view.viewport().grab().toImage() != sounding, "the tile that sounded was marked"


def test_a_second_model_becomes_a_row_of_figure_2(visitor: Visitor) -> None:
    record = make_run(RunStore(visitor.folder / "runs"), "another run")
    kept(folder_of(record.model_file, EvaluationProtocol(speech="voices")), purity=0.5)
    visitor.load("loaded")
    visitor.catalogue.refresh()
    until(lambda: "another run" in [model.title for model in visitor.page.bar.all_models], "the run")
    visitor.judge()
    visitor.turn_to("Figure 2")
    button = next(b for b in visitor.page.figure2.findChildren(QPushButton) if b.text() == "Add a model…")
    button.click()
    menu = button.findChild(QMenu)
    assert [action.text() for action in menu.actions()] == ["Shipped model", "another run"]
    menu.actions()[1].trigger()
    until(lambda: len(visitor.page.figure2.rows) == 2, "a second row")
    assert visitor.number("Cluster purity") == "0.987", "the page is still about the first"
    menu.close()


def test_a_sweep_shows_in_figure_3(visitor: Visitor) -> None:
    file = visitor.folder / "mine.safetensors"
    a_sweep().save(file)
    visitor.turn_to("Figure 3")
    visitor.page.service.load_sweep(file)
    until(lambda: "seeds 0, 1" in visitor.says(), "the sweep")
    damaged = visitor.folder / "damaged.safetensors"
    damaged.write_bytes(b"nothing")
    visitor.page.service.load_sweep(damaged)
    until(lambda: bool(visitor.failures), "a word about a damaged file")
    assert "seeds 0, 1" in visitor.says(), "the former one stays"


def entry(visitor: Visitor, title: str):
    return next(action for action in visitor.page.exports.actions() if action.text() == title)


def test_there_is_nothing_to_export_before_anything_is_judged(visitor: Visitor) -> None:
    visitor.load("loaded")
    assert not entry(visitor, "Confusions…").isEnabled()
    assert not entry(visitor, "Figure 3…").isEnabled()
    visitor.judge()
    assert entry(visitor, "Confusions…").isEnabled()
    assert not entry(visitor, "Figure 3…").isEnabled(), "there is no sweep"


@pytest.mark.parametrize(
    ("title", "name", "holds"),
    [
        ("Numbers of all models in Figure 2…", "numbers.md", "| loaded |"),
        ("Figure 2, all rows…", "figure2.svg", "loaded"),
    ],
)
def test_exports_are_written_where_one_says(visitor: Visitor, title: str, name: str, holds: str) -> None:
    visitor.load("loaded")
    visitor.judge()
    visitor.informed.clear()
    entry(visitor, title).trigger()
    dialog = visitor.page.findChild(QFileDialog)
    assert dialog.selectedFiles()[0].endswith(name.split(".")[0] + "." + dialog.defaultSuffix())
    target = visitor.folder / name
    dialog.fileSelected.emit(str(target))
    dialog.close()
    until(lambda: not visitor.page.busy, "the file", 60)
    assert not visitor.failures
    assert visitor.informed == [f"Written: {target}"]
    assert holds in target.read_text("utf-8")


def test_everything_goes_into_a_folder_that_may_exist(visitor: Visitor) -> None:
    visitor.load("loaded")
    visitor.judge()
    there = visitor.folder / "there already"
    there.mkdir()
    (there / "mine.txt").write_text("keep me")
    entry(visitor, "TensorBoard projector, a folder…").trigger()
    dialog = visitor.page.findChild(QFileDialog)
    assert dialog.fileMode() is QFileDialog.FileMode.Directory, "a dialog that takes folders that exist"
    dialog.fileSelected.emit(str(there))
    dialog.close()
    until(lambda: not visitor.page.busy, "the folder", 60)
    assert not visitor.failures
    assert list((there / "projector").iterdir())
    assert (there / "mine.txt").read_text() == "keep me"


def test_the_kind_of_file_follows_the_filter(visitor: Visitor) -> None:
    visitor.load("loaded")
    visitor.judge()
    entry(visitor, "Confusions…").trigger()
    dialog = visitor.page.findChild(QFileDialog)
    assert dialog.defaultSuffix() == "png"
    dialog.filterSelected.emit("PDF (*.pdf)")
    assert dialog.defaultSuffix() == "pdf"
    dialog.close()


def test_an_evaluation_that_vanished_is_told(visitor: Visitor) -> None:
    visitor.load("loaded")
    (visitor.folder / "known" / "posteriors.safetensors").unlink()
    visitor.judge()
    assert visitor.failures
    assert visitor.button.text() == "Evaluate"


def test_pictures_come_from_the_corpus(visitor: Visitor) -> None:
    visitor.load("loaded")
    visitor.judge()
    visitor.turn_to("Mistakes")
    page = visitor.page
    until(lambda: page.service.features_of(an_evaluation(), 9) is not None, "pictures")
    view = page.mistakes.findChild(PairView)
    assert view.pair_at(0).query.index in MISTAKES
    assert page.service.features_of(an_evaluation(), IMAGES).shape == (100, 80)


@pytest.mark.parametrize(("width", "height"), [(1000, 628), (1280, 728)])
def test_every_word_fits_on_every_tab(visitor: Visitor, width: int, height: int) -> None:
    visitor.load("loaded")
    visitor.judge()
    visitor.page.figure3.show_sweep(a_sweep(), "a sweep that lies in some folder")
    visitor.page.resize(width, height)
    for title in ("Numbers", "Figure 2", "Figure 3", "Confusions", "Mistakes", "Speakers and digits"):
        visitor.turn_to(title)
        pause(0.1)
        assert hidden_parts(visitor.page) == [], title


def test_a_model_is_measured_in_noise_and_exported(visitor: Visitor):
    """The stand-in keeps nothing, as on a full disk: what was measured stays on the screen all the same."""
    visitor.load("good")
    visitor.turn_to("Noise")
    panel = visitor.page.noise
    assert "Not measured yet" in panel.about.text()
    panel.button.click()
    until(lambda: not visitor.page.busy, "the end of the measurement")
    assert "81 utterances by 41 strangers" in panel.about.text()
    assert "test data" in panel.about.text()
    # The stand-in sends what is known of the shipped model.
    shipped = read_header(locations.shipped_model())["metrics"]["conditions"]["recognition"]
    known = {one["name"]: one["right"] for one in shipped}
    assert f"Babble of five, 0 dB: {known['babble-0']} of 81 right" in panel.chart.toolTip()
    assert visitor.number("Recognised: Room of 0.3 s") == f"{known['room-0.3'] / 81:.1%}".replace("%", " %")
    assert not panel.button.isVisible()
    assert not visitor.failures
    visitor.page._export("noise", str(visitor.folder / "noise.svg"))
    until(lambda: not visitor.page.busy, "the end of the export")
    assert "Pink noise" in (visitor.folder / "noise.svg").read_text("utf-8")
    assert not hidden_parts(panel)


def test_a_measurement_in_noise_can_be_cancelled(visitor: Visitor):
    visitor.load("slow")
    visitor.turn_to("Noise")
    panel = visitor.page.noise
    panel.button.click()
    until(lambda: "As recorded" in panel.chart.toolTip(), "the first results")
    assert not panel.button.isEnabled()
    visitor.button.click()
    until(lambda: not visitor.page.busy, "the end of the measurement")
    until(lambda: "Not measured yet" in panel.about.text(), "no results")
    assert panel.chart.toolTip() == ""
    assert panel.button.isEnabled()
    assert not visitor.failures


def test_the_makers_results_are_shown_only_for_their_own_data(visitor: Visitor):
    """They are of a corpus that is not installed here: the page says how to get it."""
    visitor.page.show_loaded(visitor.catalogue.of(locations.shipped_model()))
    panel = visitor.page.noise
    until(lambda: "The model's file knows it" in panel.about.text(), "a hint")
    assert "get that corpus" in panel.about.text()
    assert panel.chart.toolTip() == ""
