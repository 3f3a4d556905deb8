"""The dial's page turns through systems: what shows at each, how one gets there and back, and how they are trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from comparisons import make_comparison
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox
from pytestqt.qtbot import QtBot
from showing import shown
from sweeps import make_results
from test_dial_page import gap, gauges, said
from workbench import Workbench

from model import locations
from model.sweeps.plans import SYSTEMS, ComparisonPlan, SweepPlan
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.lambda_dial import LambdaDial
from modinv_app.sweep import page as dial_module
from modinv_app.sweep.page import DialPage
from modinv_app.sweep.sweep_form import SweepForm
from modinv_app.sweep.system_dial import SystemDial
from modinv_app.sweep.system_table import SystemTable

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Workbench]:  # noqa: ARG001 (Qt first)
    bench = Workbench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def page(qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> DialPage:
    """A page in a hurry, with a sweep and then a comparison."""
    monkeypatch.setattr(dial_module, "_EASE", 0.02)
    monkeypatch.setattr(dial_module, "_FASTEST", 100)
    page = bench.dial_page(bench.store.folder)
    page.show_results(make_results())
    page.show_results(make_comparison())
    return shown(qtbot, page, 1280, 734)


def axes(page: DialPage) -> QComboBox:
    return next(box for box in page.findChildren(QComboBox) if box.accessibleName() == "What the dial turns through")


def choose(page: DialPage, place: int) -> None:
    """Choose an axis, as its user would."""
    box = axes(page)
    box.setCurrentIndex(place)
    box.activated.emit(place)


def at(qtbot: QtBot, page: DialPage, place: int) -> None:
    qtbot.waitUntil(lambda: page.position == place, timeout=4000)


def test_the_clouds_merge_from_system_to_system(qtbot: QtBot, page: DialPage) -> None:
    assert isinstance(page.dial, SystemDial)
    assert gauges(page) == ["0.521", "1.000"], "means of two seeds"
    assert "deterministic, trained and measured" in said(page)
    assert "means of 2 seeds" in said(page)
    apart = [gap(page, digit) for digit in range(10)]
    page.dial.step(1)
    page.dial.step(1)
    at(qtbot, page, 2)
    assert min(apart) > 2 * max(gap(page, digit) for digit in range(10))
    assert gauges(page) == ["0.991", "0.520"]
    assert "Two encoders to diagonal Gaussians" in said(page)


def test_between_two_systems_the_map_is_interpolated_and_says_so(qtbot: QtBot, page: DialPage) -> None:
    page.dial.set_value(1.25)
    qtbot.waitUntil(lambda: page.position == 1.25, timeout=4000)
    assert "adversarial is nearest; map interpolated" in said(page)


def test_a_click_in_the_table_turns_the_dial_there(qtbot: QtBot, page: DialPage) -> None:
    table = page.findChild(SystemTable)
    assert table.isVisible()
    row = table.topLevelItem(2)
    assert row is not None
    assert [row.text(column) for column in range(3)] == ["variational", "0.99", "0.52"]
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(row).center())
    at(qtbot, page, 2)
    page.dial.set_value(0)
    at(qtbot, page, 0)
    assert table.currentItem() is table.topLevelItem(0), "and the table follows the dial"


def test_it_plays_from_system_to_system(qtbot: QtBot, page: DialPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_module, "_STAY", 0.01)
    monkeypatch.setattr(dial_module, "_GO", 0.05)
    page._play.click()
    at(qtbot, page, 2)
    assert page.dial.value == 2.0


def test_each_axis_keeps_its_results(qtbot: QtBot, page: DialPage) -> None:
    choose(page, 0)
    assert isinstance(page.dial, LambdaDial)
    assert page.dial.isVisible()
    assert "λ_IG = 0, trained and measured" in said(page)
    choose(page, 1)
    assert "deterministic, trained and measured" in said(page)
    at(qtbot, page, 0)


def test_without_a_comparison_one_can_train_one(
    qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(locations, "shipped_comparison", lambda: tmp_path / "none.safetensors")
    page = bench.dial_page(bench.store.folder)
    page.show_results(make_results())
    shown(qtbot, page, 1280, 734)
    choose(page, 1)
    assert axes(page).currentIndex() == 0
    assert page.sweeps.isVisible()


def test_what_is_shipped_or_opened_is_shown_on_its_own_axis(
    qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "comparison.safetensors"
    make_comparison().save(file)
    monkeypatch.setattr(locations, "shipped_comparison", lambda: file)
    page = bench.dial_page(bench.store.folder)
    page.show_results(make_results())
    shown(qtbot, page, 1280, 734)
    choose(page, 1)
    qtbot.waitUntil(lambda: isinstance(page.dial, SystemDial), timeout=4000)
    assert gauges(page) == ["0.521", "1.000"]
    page.release()


def test_the_form_plans_a_comparison(qtbot: QtBot) -> None:
    form = shown(qtbot, SweepForm(), 330, 900)
    form.findChild(CorpusChoice).chosen = lambda: ("fsdd",)  # type: ignore[method-assign]
    assert isinstance(form.config(), SweepPlan)
    box = next(one for one in form.findChildren(QComboBox) if one.accessibleName() == "What the runs differ in")
    box.setCurrentIndex(1)
    plan = form.config()
    assert isinstance(plan, ComparisonPlan)
    assert plan.systems == SYSTEMS
    for one in form.findChildren(QCheckBox):
        if one.text() in SYSTEMS and one.text() != "contrastive":
            assert one.isVisible()
            one.click()
    plan = form.config()
    assert isinstance(plan, ComparisonPlan)
    assert set(plan.systems) == {"contrastive"}
    next(one for one in form.findChildren(QCheckBox) if one.text() == "contrastive").click()
    with pytest.raises(ValueError, match="at least one system"):
        form.config()
