"""What the evaluation page shows of a judged model, and what a person does with it: look, listen, compare, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import pause, until
from evaluated import IMAGES, MISTAKES, a_sweep, an_evaluation, kept
from judging import Visitor, visiting
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton
from pytestqt.qtbot import QtBot
from run_folders import make_run
from test_screenshots import hidden_parts

from model import locations
from model.checkpoints import read_header
from model.data.corpora import recording
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.store import folder_of
from model.runs.store import RunStore
from modinv_app.evaluate.pair_view import PairView

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # popups, on the offscreen platform


@pytest.fixture
def visitor(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(qtbot, tmp_path, monkeypatch) as visitor:
        yield visitor


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
