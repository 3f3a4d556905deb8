"""Figures 2 and 3 on the screen, and the bars by digit and speaker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evaluated import IMAGES, a_report, a_sweep, an_evaluation, features
from fresh_python import imported_by
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QScrollArea, QTabBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from showing import shown

from model.evaluation.sweep_results import Sampled
from modinv_app.common.chip import Chip
from modinv_app.common.lambda_dial import place_of
from modinv_app.common.sweep_charts import GAP, INFORMATION, INVARIANCE
from modinv_app.common.sweep_curve import SweepCurve
from modinv_app.common.theme import apply_scheme
from modinv_app.evaluate.figure2 import Figure2Panel
from modinv_app.evaluate.figure2_row import Figure2Row
from modinv_app.evaluate.figure3 import Figure3Panel
from modinv_app.evaluate.score_bars import ScoreBars
from modinv_app.evaluate.shares import SharesPanel
from modinv_app.map.hover_card import HoverCard
from modinv_app.map.map_plot import MapPlot

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def figure2(qtbot: QtBot) -> Figure2Panel:
    panel = Figure2Panel(lambda _evaluation, index: features(index))
    shown(qtbot, panel)
    panel.show_model("the loaded model", an_evaluation())
    qtbot.waitUntil(lambda: len(panel.findChildren(MapPlot)) == 3)
    return panel


def rows(panel: QWidget) -> list[Figure2Row]:
    return [row for row in panel.findChildren(Figure2Row) if row.isVisible()]


def button(widget: QWidget, name: str) -> QToolButton:
    (found,) = (each for each in widget.findChildren(QToolButton) if each.accessibleName() == name)
    return found


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def point(row: Figure2Row, column: int, place: int) -> tuple[QWidget, QPoint]:
    plot = row.plots[column]
    return plot.viewport(), plot.position_of(place).toPoint()


def test_a_row_has_images_speech_and_both(figure2: Figure2Panel) -> None:
    (row,) = rows(figure2)
    assert all(title in words(row) for title in ("Images", "Speech", "Both", "the loaded model", "purity 0.987"))
    assert [plot.accessibleName() for plot in row.plots] == [
        "the loaded model: images",
        "the loaded model: speech",
        "the loaded model: both",
    ]


def test_models_are_added_and_taken_out_again(qtbot: QtBot, figure2: Figure2Panel) -> None:
    assert not button(figure2, "Take the loaded model out of the figure").isVisible(), "the page is about it"
    figure2.add_row("another", an_evaluation(purity=0.5))
    qtbot.waitUntil(lambda: len(rows(figure2)) == 2 and rows(figure2)[1].height() > 100)
    assert [title for title, _ in figure2.rows] == ["the loaded model", "another"]
    button(figure2, "Take another out of the figure").click()
    assert [title for title, _ in figure2.rows] == ["the loaded model"]
    figure2.show_model("a third", an_evaluation())
    assert [title for title, _ in figure2.rows] == ["a third"]


def test_pointing_shows_an_item_and_a_click_plays_an_utterance(qtbot: QtBot, figure2: Figure2Panel) -> None:
    (row,) = rows(figure2)
    utterance = IMAGES // 2 + 6  # a three: its place among the forty items of the figure
    played: list[int] = []
    figure2.play_wanted.connect(lambda _evaluation, index: played.append(index))
    viewport, at = point(row, 1, utterance)
    QTest.mouseMove(viewport, at - QPoint(3, 0))
    QTest.mouseMove(viewport, at)
    card = row.plots[1].findChild(HoverCard)
    qtbot.waitUntil(card.isVisible)
    assert card.text.startswith("3 · speech\nKokoro")
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: bool(played))
    assert played[0] // 2 == (IMAGES + 6) // 2
    played.clear()
    viewport, at = point(row, 0, 6)
    QTest.mouseMove(viewport, at)
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.wait(20)
    assert not played, "an image makes no sound"


def test_the_legend_hides_a_digit_in_every_map(figure2: Figure2Panel) -> None:
    (row,) = rows(figure2)
    before = [plot.grab().toImage() for plot in row.plots]
    (chip,) = (chip for chip in figure2.findChildren(Chip) if chip.accessibleName() == "Show digit 3")
    chip.click()
    assert all(plot.grab().toImage() != picture for plot, picture in zip(row.plots, before, strict=True))


def test_the_wheel_scrolls_through_many_rows(qtbot: QtBot, figure2: Figure2Panel) -> None:
    for number in range(3):
        figure2.add_row(f"model {number}", an_evaluation())
    scroll = figure2.findChild(QScrollArea)
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().maximum() > 0)
    plot = rows(figure2)[0].plots[0]
    at = plot.mapTo(figure2, plot.rect().center())
    QTest.wheelEvent(figure2.windowHandle(), QPointF(at), QPoint(0, -240))
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().value() > 0)


@pytest.fixture
def figure3(qtbot: QtBot) -> Figure3Panel:
    panel = Figure3Panel()
    shown(qtbot, panel)
    return panel


def table_cell(panel: Figure3Panel, name: str) -> str:
    labels = [label for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]
    (cell,) = (label for label in labels if label.accessibleName() == name)
    return cell.text()


def test_without_a_sweep_the_papers_curves_stand_alone(figure3: Figure3Panel) -> None:
    assert "There is no sweep yet" in words(figure3)
    assert "0.554" in words(figure3), "the paper's table"
    assert table_cell(figure3, "Cluster purity, λ_IG 2.15e-2") == "–"


def test_a_sweep_shows_as_curves_and_as_means_over_seeds(qtbot: QtBot, figure3: Figure3Panel) -> None:
    plot = figure3.findChild(SweepCurve)
    before = plot.grab().toImage()
    figure3.show_sweep(a_sweep(), "mine")
    assert plot.grab().toImage() != before
    qtbot.wait(20)  # the new table shows with the next look at the layout
    assert table_cell(figure3, "Cluster purity, λ_IG 0") == "0.515"
    assert table_cell(figure3, "Modality SVM, λ_IG 3e-2") == "0.560", "between the paper's values"
    assert "mine · seeds 0, 1 · 1 failed" in words(figure3)


def test_the_chosen_model_is_marked(figure3: Figure3Panel) -> None:
    plot = figure3.findChild(SweepCurve)
    before = plot.grab().toImage()
    figure3.show_model(2.15e-2, a_report())
    assert plot.grab().toImage() != before
    figure3.show_model(0.0, None)
    assert plot.grab().toImage() == before


def test_zero_has_a_place_on_the_logarithmic_axis() -> None:
    places = [place_of(value) for value in (0.0, 1e-9, 1e-5, 2.15e-2, 1.0)]
    assert places == sorted(set(places))


def test_figure_3_follows_the_theme(qtbot: QtBot, figure3: Figure3Panel) -> None:
    def ground() -> int:
        picture = figure3.findChild(SweepCurve).grab().toImage()
        return picture.pixelColor(picture.width() - 3, picture.height() // 3).lightness()

    try:
        apply_scheme("light")
        qtbot.waitUntil(lambda: ground() > 200)
        apply_scheme("dark")
        qtbot.waitUntil(lambda: ground() < 60)
    finally:
        apply_scheme("system")


def test_bars_stand_for_digits_and_speakers(qtbot: QtBot) -> None:
    panel = SharesPanel()
    shown(qtbot, panel)
    panel.show_report(a_report())
    told = {bars.accessibleName(): bars.accessibleDescription() for bars in panel.findChildren(ScoreBars)}
    assert told["P@1 By digit, image → speech"].startswith("0: 1.000, 1: 1.000, 2: 0.750")
    assert told["P@1 By speaker, speech → image"] == "jackson: 0.875, theo: 0.990", "whom it serves worst comes first"
    panel.show_report(None)
    assert not any(bars.accessibleDescription() for bars in panel.findChildren(ScoreBars))


def test_nothing_of_the_page_imports_what_takes_long() -> None:
    found = imported_by("import modinv_app.evaluate.page")
    assert not found & {"torch", "sklearn", "openTSNE", "pyqtgraph", "matplotlib", "scipy"}


def test_charts_are_chosen_by_tabs_and_show_what_was_measured(qtbot: QtBot, figure3: Figure3Panel) -> None:
    results = a_sweep()
    figure3.show_sweep(results, "mine")
    tabs, plot = figure3.findChild(QTabBar), figure3.findChild(SweepCurve)
    assert [tabs.tabText(place) for place in range(tabs.count())] == ["Purity, SVM", "Gap and P@1", "Information"]
    pictures = []
    for place in range(tabs.count()):
        tabs.setCurrentIndex(place)
        pictures.append(plot.grab().toImage())
    assert pictures[0] != pictures[1] != pictures[2]
    assert plot.accessibleName() == "measured, nats against lambda IG"
    qtbot.waitUntil(lambda: plot.grab().toImage() != pictures[2], timeout=60_000)  # the optimum, from a thread
    tabs.setCurrentIndex(0)
    assert plot.grab().toImage() == pictures[0]


def test_series_read_what_their_names_say() -> None:
    row = a_sweep().rows[0]
    purity, svm = (series.of(row) for series in INVARIANCE.series)
    assert (purity, svm) == (row.report.purity.mean, row.report.modality_svm.mean)
    nats = (row.report.image.mean_kl + row.report.speech.mean_kl) / 2
    assert INFORMATION.series[0].of(row) == pytest.approx(nats)
    bare = replace(row, report=replace(row.report, modality_gap=None), sampled=Sampled(0.25, 0.9))
    assert GAP.series[0].of(bare) == 0.25
    assert [round(INFORMATION.height_of(value), 3) for value in (0.01, 0.1, 500, 1000)] == [0, 0, 1, 1]
