"""Curves: what is drawn where, what the pointer and the keys read off, and that nobody draws too often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from showing import shown

from model.runs.store import MetricPoint
from modinv_app.common.theme import apply_scheme, run_colour
from modinv_app.train.curve_chart import Chart, number
from modinv_app.train.curves import Curves
from modinv_app.train.run_legend import RunLegend

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def losses(step: int, total: float) -> MetricPoint:
    values = {"total": total, "similarity": total / 2, "information_gain": 10 * total, "weight_norms": 100.0}
    return MetricPoint(step, step / 469, step / 3, values)


def estimates(step: int, purity: float) -> MetricPoint:
    return MetricPoint(
        step, step / 469, step / 3, {"quick_purity": purity, "quick_svm": 1 - purity / 2, "quick_p_at_1": 0.9}
    )


FALLING = [losses(step, 100 / step) for step in (1, 10, 20, 30, 40)]
FLAT = [losses(step, 50.0) for step in (1, 10, 20, 30, 40)]


@pytest.fixture
def curves(qtbot: QtBot) -> Iterator[Curves]:
    yield shown(qtbot, Curves(), 300, 560)
    apply_scheme("system")


def chart(curves: Curves, title: str) -> Chart:
    return next(chart for chart in curves.findChildren(Chart) if chart.term.title.startswith(title))


def readings(curves: Curves) -> dict[str, str]:
    return {chart.term.name: chart.reading for chart in curves.findChildren(Chart)}


def word(curves: Curves) -> str:
    return curves.findChild(RunLegend).word


def point_at(curves: Curves, title: str, step: float, value: float) -> None:
    QTest.qWait(20)  # charts that have just been built are laid out in the next turn
    place = chart(curves, title).place_of(step, value).toPoint() + chart(curves, title).mapTo(curves, QPoint())
    under = curves.childAt(place)
    at = under.mapFrom(curves, place)
    QTest.mouseMove(under, at - QPoint(3, 3))
    QTest.mouseMove(under, at)
    QTest.qWait(20)


def drawn_at(curves: Curves, title: str, step: float, value: float) -> list[QColor]:
    """The colours around the place of a value."""
    image = curves.grab().toImage()
    ratio = image.devicePixelRatio()
    place = chart(curves, title).place_of(step, value).toPoint() + chart(curves, title).mapTo(curves, QPoint())
    around = [place + QPoint(x, y) for x in (-1, 0, 1) for y in (-2, -1, 0, 1, 2)]
    return [image.pixelColor(at * ratio) for at in around]


def has(colours: list[QColor], colour: QColor) -> bool:
    wanted = np.array(colour.getRgb()[:3])
    return any(np.abs(np.array(each.getRgb()[:3]) - wanted).max() < 40 for each in colours)


def test_before_there_is_a_run_it_says_what_will_be_here(curves: Curves) -> None:
    assert any("train a model" in label.text() for label in curves.findChildren(QLabel) if label.isVisible())
    curves.add_run("a", "First", 40)
    assert not any("train a model" in label.text() for label in curves.findChildren(QLabel) if label.isVisible())
    curves.keep([])
    assert any("train a model" in label.text() for label in curves.findChildren(QLabel) if label.isVisible())


def test_one_run_shows_its_latest_values_and_marks_quick_estimates_as_such(curves: Curves) -> None:
    curves.add_run("a", "First", 40, [*FALLING, estimates(40, 0.75)])
    assert readings(curves) == {
        "total": "2.500",
        "similarity": "1.250",
        "information_gain": "25.0",
        "quick_purity": "0.750",
        "quick_svm": "0.625",
    }
    assert word(curves) == "step 40"
    titles = [chart.term.title for chart in curves.findChildren(Chart)]
    assert sum("quick estimate" in title for title in titles) == 2


def test_a_curve_goes_through_its_values_in_its_colour(curves: Curves) -> None:
    curves.add_run("a", "First", 40, FALLING)
    curves.add_run("b", "Second", 40, FLAT)
    assert has(drawn_at(curves, "Total", 20, 5.0), run_colour(0, dark=False))
    assert has(drawn_at(curves, "Total", 20, 50.0), run_colour(1, dark=False))
    assert not has(drawn_at(curves, "Total", 20, 16.0), run_colour(0, dark=False))
    apply_scheme("dark")
    QTest.qWait(20)
    assert has(drawn_at(curves, "Total", 20, 5.0), run_colour(0, dark=True))
    curves.keep(["a"])
    assert not has(drawn_at(curves, "Total", 20, 50.0), run_colour(1, dark=True))


def test_the_axis_spans_the_whole_run_from_the_start(curves: Curves) -> None:
    curves.add_run("a", "First", 1000, FALLING)
    before = chart(curves, "Total").place_of(1000, 1.0).x()
    curves.append("a", [losses(50, 2.0)])
    QTest.qWait(300)
    assert chart(curves, "Total").place_of(1000, 1.0).x() == pytest.approx(before)
    assert before <= chart(curves, "Total").width()


def test_a_long_run_does_not_crowd_its_beginning_at_the_edge(curves: Curves) -> None:
    curves.add_run("a", "Long", 46_900, [losses(100, 2.0)])
    assert chart(curves, "Total").place_of(2000, 1.0).x() > 200  # of 300 pixels
    curves.append("a", [losses(40_000, 1.0)])
    QTest.qWait(300)
    assert chart(curves, "Total").place_of(46_900, 1.0).x() <= chart(curves, "Total").width()


def test_new_points_show_at_most_four_times_a_second(
    curves: Curves, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = 0
    draw = Chart.draw

    def count(chart: Chart, *arguments) -> None:
        nonlocal drawn
        drawn += chart.term.name == "total"
        draw(chart, *arguments)

    curves.add_run("a", "First", 1000)
    monkeypatch.setattr(Chart, "draw", count)
    for step in range(1, 101):
        curves.append("a", [losses(step, 100 / step)])
        QTest.qWait(5)
    assert 1 <= drawn <= 4
    qtbot.waitUntil(lambda: readings(curves)["total"] == "1.000")  # the last one is not lost
    curves.hide()
    drawn = 0
    curves.append("a", [losses(101, 0.5)])
    QTest.qWait(300)
    assert drawn == 0
    curves.show()
    assert readings(curves)["total"] == "0.500"


def test_a_resumed_run_takes_back_what_came_after_its_checkpoint(curves: Curves) -> None:
    curves.add_run("a", "First", 60, [*FALLING, estimates(40, 0.75)])
    curves.append("a", [losses(20, 7.0)])
    QTest.qWait(300)
    assert readings(curves)["total"] == "7.000"
    assert readings(curves)["quick_purity"] == ""
    assert word(curves) == "step 20"
    with pytest.raises(KeyError):
        curves.append("b", [losses(20, 7.0)])


def test_pointing_at_a_curve_reads_all_values_of_its_run_there(curves: Curves) -> None:
    curves.add_run("a", "First", 40, FALLING)
    curves.add_run("b", "Second", 40, FLAT)
    assert set(readings(curves).values()) == {""}
    point_at(curves, "Similarity", 21, 24.0)
    assert readings(curves)["total"] == "50.0"
    assert word(curves) == "step 20"
    point_at(curves, "Total", 19, 6.0)
    assert readings(curves)["total"] == "5.000"
    assert readings(curves)["information_gain"] == "50.0"
    curves.append("a", [losses(50, 2.0)])
    QTest.qWait(300)
    assert word(curves) == "step 20"  # new points don't push the pointer away


def test_the_arrow_keys_read_values(curves: Curves) -> None:
    curves.add_run("a", "First", 40, FALLING)
    curves.add_run("b", "Second", 40, FLAT)
    curves.setFocus()
    for key, reading in (
        (Qt.Key.Key_Left, "2.500"),
        (Qt.Key.Key_Left, "3.333"),
        (Qt.Key.Key_Down, "50.0"),
        (Qt.Key.Key_Up, "3.333"),
        (Qt.Key.Key_PageUp, "100.0"),
        (Qt.Key.Key_Right, "10.0"),
    ):
        QTest.keyClick(curves, key)
        assert readings(curves)["total"] == reading
    QTest.keyClick(curves, Qt.Key.Key_Escape)
    assert readings(curves)["total"] == ""


def test_zero_and_long_names_and_many_runs_are_no_trouble(curves: Curves) -> None:
    for place in range(12):
        curves.add_run(str(place), "A rather long name of a run " * 3, 40, [losses(1, 0.0), losses(10, 0.0)])
    curves.resize(700, 500)
    assert curves.shown == tuple(map(str, range(12)))
    assert not curves.grab().isNull()


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.000"), (0.5, "0.500"), (45.92, "45.9"), (4592.0, "4,592"), (2e-5, "2.00e-05")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text
