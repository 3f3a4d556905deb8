"""The dial's page: what shows at each lambda_IG, how it moves there, and that it says nothing but what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QLabel, QWidget
from pytestqt.qtbot import QtBot
from showing import shown
from sweeps import clouds, make_report, make_results
from test_screenshots import hidden_parts
from workbench import Workbench

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.recipes.recipe import PAPER_LAMBDAS
from model.types import Modality
from modinv_app.common.theme import apply_scheme
from modinv_app.sweep import page as dial_module
from modinv_app.sweep.description import describe, origin_of
from modinv_app.sweep.gauge import Gauge
from modinv_app.sweep.page import DialPage

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

RESULTS = make_results(seeds=(0, 1, 2))
HALF = len(RESULTS.items) // 2


PACE = dial_module._FASTEST


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Workbench]:  # noqa: ARG001 (Qt first)
    bench = Workbench(tmp_path)
    yield bench
    bench.close()


def showing(qtbot: QtBot, bench: Workbench, results: SweepResults) -> DialPage:
    """A page with a sweep."""
    page = bench.dial_page(bench.store.folder)
    page.show_results(results)
    return shown(qtbot, page, 1280, 734)


@pytest.fixture
def page(qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> DialPage:
    """A page in a hurry."""
    monkeypatch.setattr(dial_module, "_EASE", 0.02)
    monkeypatch.setattr(dial_module, "_FASTEST", 100)
    return showing(qtbot, bench, RESULTS)


def turn(qtbot: QtBot, page: DialPage, value: float) -> None:
    """Turn the dial, and wait for the map."""
    page.dial.set_value(value)
    place = np.interp(value, RESULTS.lambdas, range(8)) if value in RESULTS.lambdas else None
    qtbot.waitUntil(lambda: place is None or page.position == place, timeout=4000)


def gap(page: DialPage, digit: int) -> float:
    """Pixels between the first image and the first utterance of a digit."""
    one, other = page.map.position_of(20 * digit), page.map.position_of(HALF + 20 * digit)
    assert one is not None
    assert other is not None
    return float(np.hypot(one.x() - other.x(), one.y() - other.y()))


def said(page: DialPage) -> str:
    """Every word that can be read beside the map."""
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible()).replace(
        "<sub>IG</sub>", "_IG"
    )


def gauges(page: DialPage) -> list[str]:
    return [gauge.text for gauge in page.findChildren(Gauge)]


def play_button(page: DialPage) -> QAbstractButton:
    return next(
        each for each in page.findChildren(QAbstractButton) if each.accessibleName().startswith(("Play", "Pau"))
    )


def test_without_a_sweep_it_says_how_to_get_one(qtbot: QtBot, bench: Workbench) -> None:
    page = bench.dial_page(bench.store.folder)
    qtbot.addWidget(page)
    page.show()
    assert "modinv sweep" in said(page)
    assert not page.dial.isEnabled()
    assert not play_button(page).isEnabled()


def test_the_two_clouds_of_a_digit_merge_as_lambda_grows(qtbot: QtBot, page: DialPage) -> None:
    assert page.position == 0
    apart = [gap(page, digit) for digit in range(10)]
    turn(qtbot, page, 2.15e-2)
    merged = [gap(page, digit) for digit in range(10)]
    assert min(apart) > 2 * max(merged)


def test_the_map_glides_and_ends_where_the_dial_stands(
    qtbot: QtBot, page: DialPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial_module, "_FASTEST", PACE)
    before = page.map.position_of(0)
    seen: list[float] = []
    page.dial.set_value(1.0)
    assert page.map.position_of(0) == before, "nothing jumps"
    while page.position < 7:
        seen.append(page.position)
        qtbot.wait(10)
    assert seen == sorted(seen)
    assert max(np.diff(seen)) < 1.5, "no map is left out"


def test_numbers_are_the_means_over_seeds_of_the_nearest_trained_value(qtbot: QtBot, page: DialPage) -> None:
    turn(qtbot, page, 3.16e-3)
    purity, svm = PAPER_TABLE[3.16e-3]
    assert gauges(page) == [f"{purity + 0.001:.3f}", f"{svm:.3f}"]
    assert "λ_IG = 3.16e-3, trained and measured" in said(page)
    assert "3 seeds" in page.findChildren(Gauge)[0].toolTip()
    assert "3 seeds" in said(page)

    page.dial.set_value(5e-3)
    qtbot.waitUntil(lambda: "interpolated" in said(page), timeout=2000)
    assert "λ_IG = 3.16e-3 is nearest" in said(page)
    assert gauges(page)[1] == f"{svm:.3f}"

    page.dial.set_value(1.2e-2)
    qtbot.waitUntil(lambda: "λ_IG = 2.15e-2 is nearest" in said(page), timeout=2000)
    assert gauges(page)[1] == f"{PAPER_TABLE[2.15e-2][1]:.3f}"


def test_every_value_has_its_words_and_nothing_is_cut_off_or_moves(qtbot: QtBot, page: DialPage) -> None:
    for size in (QSize(1280, 734), QSize(1000, 634)):
        page.resize(size)
        qtbot.wait(60)
        assert page.size() == size
        places = set()
        for index, value in enumerate(PAPER_LAMBDAS):
            turn(qtbot, page, value)
            words = describe(RESULTS, index)
            assert words.title in said(page)
            assert words.sees in said(page)
            assert words.why in said(page)
            assert not hidden_parts(page)
            places.add(page.findChildren(Gauge)[0].mapTo(page, QPoint()).y())
        assert len(places) == 1


def test_playing_turns_the_dial_from_end_to_end(qtbot: QtBot, page: DialPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_module, "_STAY", 0.02)
    monkeypatch.setattr(dial_module, "_GO", 0.1)
    play_button(page).click()
    assert play_button(page).accessibleName() == "Pause"
    qtbot.waitUntil(lambda: page.dial.value == 1 and page.position == 7, timeout=5000)
    assert play_button(page).accessibleName() != "Pause"

    play_button(page).click()
    qtbot.waitUntil(lambda: page.dial.value < 1e-2, timeout=2000)
    play_button(page).click()
    stopped = page.dial.value
    qtbot.wait(100)
    assert page.dial.value == stopped


def test_a_hand_on_the_dial_ends_the_play(qtbot: QtBot, page: DialPage) -> None:
    play_button(page).click()
    qtbot.wait(50)
    QTest.keyClick(page.dial.findChild(QAbstractSlider), Qt.Key.Key_End)
    assert page.dial.value == 1
    assert play_button(page).accessibleName() != "Pause"


def test_nobody_plays_to_a_page_that_is_not_seen(page: DialPage) -> None:
    play_button(page).click()
    page.hide()
    assert play_button(page).accessibleName() != "Pause"


def click(page: DialPage, index: int) -> None:
    position = page.map.mapTo(page, page.map.position_of(index))
    widget: QWidget = page.childAt(position)
    QTest.mouseMove(widget, widget.mapFrom(page, position))
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.mapFrom(page, position))


def test_a_click_on_an_utterance_asks_for_its_sound(qtbot: QtBot, bench: Workbench) -> None:
    lonely = replace(RESULTS, coordinates=np.stack([clouds(RESULTS.items, 6, 4, seed) for seed in range(8)]))
    page = showing(qtbot, bench, lonely)
    points = np.array([page.map.position_of(index).toTuple() for index in range(2 * HALF)])
    distances = np.linalg.norm(points[:, None] - points, axis=2) + 99 * np.eye(len(points))
    free = distances.min(axis=1) > 14
    utterance = int(np.flatnonzero(free[HALF:])[0])
    with qtbot.waitSignal(page.play_wanted) as heard:
        click(page, HALF + utterance)
    assert heard.args == [f"fsdd:{utterance}"]
    with qtbot.assertNotEmitted(page.play_wanted, wait=30):
        click(page, int(np.flatnonzero(free[:HALF])[0]))


def test_it_follows_the_theme(qtbot: QtBot, page: DialPage) -> None:
    def grounds() -> list[int]:
        qtbot.wait(50)
        picture = page.grab().toImage()
        return [picture.pixelColor(at).lightness() for at in (QPoint(20, 20), QPoint(page.width() - 3, 3))]

    try:
        apply_scheme("light")
        light = grounds()
        apply_scheme("dark")
        assert all(night < day - 100 for night, day in zip(grounds(), light, strict=True))
    finally:
        apply_scheme("system")


# Description say what was measured, and nothing that it contradicts


def sweep_of(index: int, purity: float, svm: float, *, apart: float = 0.0, nats: float = 20.0) -> SweepResults:
    """A sweep in which one value of lambda_IG has other figures."""
    value = PAPER_LAMBDAS[index]
    rows = [row for row in RESULTS.rows if row.lambda_ig != value]
    maps = RESULTS.coordinates.copy()
    maps[index] = clouds(RESULTS.items, apart, 0.4)
    new = SweepRow(value, 0, make_report(purity, svm, nats=nats, lambda_ig=value))
    return replace(RESULTS, rows=(*rows, new), coordinates=maps)


def test_the_words_tell_the_papers_story_where_the_numbers_do() -> None:
    titles = [describe(RESULTS, index).title for index in range(8)]
    assert titles[:4] == ["Two clouds per digit"] * 4
    assert titles[4] == "Modalities begin to mix"
    assert titles[5:7] == ["One cloud per digit"] * 2
    assert titles[7] == "Digits overlap"
    assert not any(describe(RESULTS, index).paper for index in range(8))


def test_a_collapse_is_called_one_and_its_cost_explained() -> None:
    words = describe(sweep_of(7, 0.12, 0.5, nats=0.2), 7)
    assert words.title == "Everything collapses"
    assert "22 nats, would cost 22 here" in words.why
    assert "0.4 nats are left" in words.why
    assert "purity 0.68" in words.paper
    assert "SVM" not in words.paper


def test_a_lambda_of_1_that_did_not_collapse_is_not_said_to() -> None:
    words = describe(sweep_of(7, 0.97, 0.51), 7)
    assert words.title == "One cloud per digit"
    assert "51%" in words.sees


def test_clouds_that_merged_without_a_lambda_are_not_said_to_be_two() -> None:
    words = describe(sweep_of(0, 0.98, 0.97), 0)
    assert words.title == "One cloud per digit, in two halves"
    assert "97%" in words.sees


def test_some_digits_apart_are_counted() -> None:
    results = sweep_of(3, 0.9, 0.98)
    maps = results.coordinates.copy()
    two = np.array([item.label < 2 for item in results.items])
    maps[3] = np.where(two[:, None], clouds(results.items, 8, 0.4), maps[3])
    assert "2 of 10 digits" in describe(replace(results, coordinates=maps), 3).sees


def test_retrieval_is_praised_only_where_it_works() -> None:
    assert "99% of images" in describe(RESULTS, 0).why
    rows = tuple(
        replace(row, report=replace(row.report, image_to_speech=_worse(row))) if row.lambda_ig == 0 else row
        for row in RESULTS.rows
    )
    assert "of images" not in describe(replace(RESULTS, rows=rows), 0).why


def _worse(row: SweepRow):
    direction = row.report.direction(Modality.IMAGE)
    return replace(direction, retrieval=replace(direction.retrieval, p_at_1=0.4))


def test_what_no_rule_was_made_for_is_told_in_figures() -> None:
    words = describe(sweep_of(2, 0.4, 0.75), 2)
    assert words.title == "In between"
    assert "75%" in words.sees
    assert "0.40" in words.sees


def test_where_the_numbers_come_from_is_said_as_it_is() -> None:
    assert "MNIST + FSDD test, recipe fast, 1,600 steps, means of 3 seeds." in origin_of(RESULTS)
    assert "one seed" in origin_of(make_results())
    more_of_one = [row for row in RESULTS.rows if row.seed == 0 or row.lambda_ig == 0]
    assert "means of 1 to 3 seeds" in origin_of(replace(RESULTS, rows=tuple(more_of_one)))
