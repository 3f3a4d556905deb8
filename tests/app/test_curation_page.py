"""The page Data changes what training and evaluation see: items left out, relabelled, and ranked by surprise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from desk import pause, until
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from showing import shown
from test_data_page import choose, many, opened
from test_screenshots import hidden_parts
from tiny import write_corpora

from model.data import curation
from model.data.corpora import find
from model.data.curation import Decision
from model.retrieval.confidence import Margins
from model.similarity import Gaussians
from model.types import Modality
from modinv_app.common.data_service import DataService
from modinv_app.common.item_grid import ItemGrid
from modinv_app.common.model_catalogue import Model
from modinv_app.common.page import Services
from modinv_app.common.settings import Settings
from modinv_app.data.curation_bar import CurationBar
from modinv_app.data.filters import Order
from modinv_app.data.page import DataPage
from modinv_app.data.service import CorpusService

pytestmark = pytest.mark.timeout(180)

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


class Seer:
    """A model that sees which digit the bar of an image is at; ``delay`` seconds pass for each encoding."""

    def __init__(self) -> None:
        self.encoded = 0
        self.delay: Callable[[], object] = lambda: None
        axes = np.eye(10, dtype=np.float32)
        sides = dict.fromkeys(Modality, Gaussians(axes, axes))
        self.margins = Margins("dot", sides, dict.fromkeys(Modality, np.arange(10)))
        self.loaded = True

    def encode(self, _modality, features):
        self.delay()
        self.encoded += len(features)
        columns = features.sum(1).argmax(1)
        means = np.eye(10, dtype=np.float32)[(columns - 3) // 2]
        return Gaussians(means, np.zeros_like(means))

    def consult(self, work, done, _refused) -> None:
        if self.loaded:
            done(work(SimpleNamespace(encoder=self, margins=self.margins)))


@pytest.fixture
def seer() -> Seer:
    return Seer()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODINV_DATA", str(write_corpora(tmp_path / "data")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "data"


@pytest.fixture
def page(qtbot: QtBot, data: Path, tmp_path: Path, seer: Seer) -> Iterator[DataPage]:  # noqa: ARG001
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    unused: list = [None] * 8
    service = DataService()
    page = DataPage(Services(settings, *unused[:3], service, *unused[:4], seer.consult))
    shown(qtbot, page, 1200, 700)
    opened(page, "mnist")
    page.grid.setFocus()
    yield page
    page.release()
    service.close()


def click(grid: ItemGrid, number: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
    cell = grid.visualRect(grid.table.cell(number))
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, modifiers, cell.center())


def order(page: DataPage, wanted: Order) -> None:
    page.filters.orders.setCurrentIndex(page.filters.orders.findData(wanted))
    page.filters.changed.emit()


def decided(page: DataPage) -> dict[str, Decision]:
    assert page._items is not None
    return curation.decisions(page._items.corpus)


# Choosing several items


def test_items_are_selected_in_the_order_in_which_they_are_shown(page: DataPage) -> None:
    grid, columns = page.grid, page.grid.table.columns
    played: list[int] = []
    grid.activated_at.connect(played.append)
    click(grid, 2)
    assert grid.selected.tolist() == [2]
    click(grid, columns + 1, SHIFT)
    assert grid.selected.tolist() == list(range(2, columns + 2)), "not a rectangle"
    click(grid, columns + 3, CTRL)
    click(grid, 4, CTRL)
    assert grid.selected.tolist() == [*range(2, 4), *range(5, columns + 2), columns + 3]
    assert played == [2], "to select is not to play"
    assert f"{columns} items" in page.curation._words.text()
    click(grid, 2 * columns + 1)
    click(grid, 1, SHIFT)
    assert grid.selected.tolist() == list(range(1, 2 * columns + 2)), "backwards, too"


def test_keys_select_several(page: DataPage) -> None:
    grid, columns = page.grid, page.grid.table.columns
    grid.setCurrentIndex(grid.table.cell(0))
    for key, modifiers in ((Qt.Key.Key_Right, NONE), (Qt.Key.Key_Right, SHIFT), (Qt.Key.Key_Down, SHIFT)):
        QTest.keyClick(grid, key, modifiers)
    assert grid.selected.tolist() == list(range(1, columns + 3))
    QTest.keyClick(grid, Qt.Key.Key_Left)
    assert grid.selected.tolist() == [columns + 1]
    QTest.keyClick(grid, Qt.Key.Key_A, CTRL)
    assert grid.selected.tolist() == list(range(40))


def test_all_of_many_items_are_selected_at_once(qtbot: QtBot) -> None:
    grid = shown(qtbot, ItemGrid(), 600, 400)
    items = many(50_000)
    grid.show_items(items, np.arange(50_000)[::-1])
    grid.selectAll()
    assert len(grid.selected) == 50_000
    assert grid.selected[0] == 49_999
    grid.resize(300, 400)
    until(lambda: grid.table.columns < 8, "fewer columns")
    assert len(grid.selected) == 50_000, "another width selects nothing else"


# Decisions


def test_what_is_left_out_stays_in_view_and_does_not_count(page: DataPage) -> None:
    assert page.curation.take_back.isHidden()
    click(page.grid, 3)
    click(page.grid, 5, CTRL)
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(lambda: len(decided(page)) == 2, "decisions")
    until(page.curation.undo.isVisible, "an offer to undo")
    items = page._items
    assert items is not None
    assert np.flatnonzero(items.excluded).tolist() == [3, 5]
    assert len(page.grid.table.places) == 40
    assert page._card.aside.text() == "40 of 40 · 2 left out"
    assert "3: 3, 4: 4, 5: 3" in page.bars.accessibleDescription()
    assert "Changed by you: 2 left out" in page.facts.text.text()
    assert "left out" in page.grid.table.data(page.grid.table.cell(3), Qt.ItemDataRole.ToolTipRole)
    assert page.curation.labels.exclude_button.text() == "Take in again"
    assert len(find("mnist")().load("train")) == 38

    QTest.keyClick(page.grid, Qt.Key.Key_Z, CTRL)
    until(lambda: not decided(page), "nothing")
    until(lambda: page._card.aside.text() == "40 of 40", "all")
    assert not page.curation.undo.isVisible()
    assert len(find("mnist")().load("train")) == 40


def test_x_takes_in_again_what_is_left_out(page: DataPage) -> None:
    click(page.grid, 3)
    page.curation.labels.exclude_button.click()
    until(lambda: page._items is not None and page._items.excluded[3], "one left out")
    click(page.grid, 4, CTRL)
    assert page.curation.labels.exclude_button.text() == "Leave out", "not all of them are"
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(lambda: page._items is not None and page._items.excluded.sum() == 2, "both")
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(lambda: not decided(page), "neither")


def test_a_relabelled_item_shows_both_labels_and_counts_as_the_new_digit(page: DataPage) -> None:
    click(page.grid, 4)
    QTest.keyClick(page.grid, Qt.Key.Key_8)
    until(lambda: page._items is not None and page._items.digits[4] == 8, "an eight")
    items = page._items
    assert items is not None
    assert items.caption(4) == "4 → 8"
    assert items.described(4).startswith("eight (published as four)")
    assert "eight (published as four)" in page.preview.accessibleName()
    assert "4: 3, 5: 4, 6: 4, 7: 4, 8: 5" in page.bars.accessibleDescription()
    page.filters.toggle_digit(8)
    assert 4 in page.grid.table.places
    page.filters.toggle_digit(8)
    click(page.grid, 4)
    QTest.keyClick(page.grid, Qt.Key.Key_4)
    until(lambda: not decided(page), "its own label, which is no decision")


def test_what_is_changed_can_be_seen_alone_and_taken_back_with_undo(page: DataPage) -> None:
    order(page, "changed")
    assert "Nothing is left out or relabelled" in page.notice.text.text()
    page.notice.button.click()
    assert len(page.grid.table.places) == 40
    curation.decide("mnist", {"MNIST train 99": Decision(3, "0" * 16, excluded=True)})  # of another split, or of none
    for number, key in ((1, Qt.Key.Key_X), (2, Qt.Key.Key_7)):
        click(page.grid, number)
        QTest.keyClick(page.grid, key)
        until(lambda number=number: page._items is not None and page._items.changed[number], "a change")
    order(page, "changed")
    assert page.grid.table.places.tolist() == [1, 2]
    before = decided(page)
    assert len(before) == 3
    page.curation.take_back.click()
    until(lambda: not decided(page), "nothing")
    until(page.curation.take_back.isHidden, "nothing to take back")
    assert page.grid.table.places.tolist() == [1, 2], "they stay in view"
    page.curation.undo.undo()
    until(lambda: decided(page) == before, "all again")


def test_a_picture_that_has_changed_is_not_taken_for_the_former_one(page: DataPage) -> None:
    curation.decide("mnist", {"MNIST train 7": Decision(7, "0" * 16, excluded=True)})
    page.hide()
    page.show()
    until(lambda: "Ignored: 1" in page.facts.text.text(), "what is ignored")
    assert page._items is not None
    assert not page._items.changed.any()


def test_what_is_decided_elsewhere_is_shown_with_the_page(page: DataPage) -> None:
    picture = find("mnist")().published("train").features[6]
    page.hide()
    curation.decide("mnist", {"MNIST train 6": Decision.about(6, picture).with_excluded(True)})
    page.show()
    until(lambda: page._items is not None and page._items.excluded[6], "it is left out")
    assert not page.curation.undo.isVisible(), "nothing was done here"


def test_decisions_that_cannot_be_kept_are_told(page: DataPage, data: Path) -> None:
    warned: list[str] = []
    page.warned.connect(warned.append)
    (data / "curation").write_text("in the way")
    click(page.grid, 1)
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(lambda: warned, "why")
    assert "can't be" in warned[0]
    assert page._items is not None
    assert not page._items.excluded.any()


def test_utterances_are_left_out_by_their_keys(page: DataPage) -> None:
    choose(page, "fsdd")
    items = opened(page, "fsdd")
    click(page.grid, 2)
    page.grid.setFocus()
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(lambda: len(decided(page)) == 1, "a decision")
    assert list(decided(page)) == [items.keys[2]]
    assert items.keys[2] not in find("fsdd")().load("train").keys
    assert items.caption(2).endswith("theo")


def test_takes_are_not_changed_here(qtbot: QtBot) -> None:
    grid, service = shown(qtbot, ItemGrid(), 600, 400), CorpusService()
    bar = CurationBar(grid, service)
    qtbot.addWidget(bar)
    items = replace(many(20), corpus="my-drawings")
    grid.show_items(items, np.arange(20))
    bar.show_items(items)
    grid.selectAll()
    assert not bar.labels.exclude_button.isEnabled()
    done: list[object] = []
    service.decided.connect(done.append)
    service.warned.connect(done.append)
    QTest.keyClick(grid, Qt.Key.Key_X)
    pause(0.2)
    assert done == []
    assert "My digits" in bar._words.text()
    service.close()


def test_what_is_left_out_looks_so(qtbot: QtBot) -> None:
    grid = shown(qtbot, ItemGrid(), 600, 400)
    items = many(4)
    grid.show_items(items, np.arange(4))

    def darkest(number: int) -> int:
        cell = grid.visualRect(grid.table.cell(number)).adjusted(4, 4, -4, -4)
        picture = grid.viewport().grab(cell).toImage()
        row = [QColor(picture.pixel(x, picture.height() - 3)) for x in range(picture.width())]
        return max(colour.saturation() for colour in row)

    until(lambda: 1 in grid._delegate._cells, "pictures")
    before = darkest(1)
    name = items.names[1]
    out = items.with_decisions({name: items.decision(1).with_excluded(True)})
    grid.update_items(out, np.array([1]))
    until(lambda: 1 in grid._delegate._cells, "its new picture")
    assert darkest(1) < before, "its colour is faint"


# The most surprising ones


def mislabel(items, *places: int) -> None:
    changes = {items.names[at]: items.decision(at).with_label((int(items.labels[at]) + 1) % 10) for at in places}
    curation.decide(items.corpus, changes)


def test_items_whose_label_the_model_contradicts_come_first(page: DataPage, seer: Seer) -> None:
    assert page._items is not None
    mislabel(page._items, 12, 33)
    page.hide()
    page.show()
    until(lambda: page._items is not None and page._items.changed.sum() == 2, "two mistakes")
    order(page, "surprising")
    until(lambda: page.grid.table.places[:2].tolist() == [12, 33], "them first")
    assert len(page.grid.table.places) == 40
    assert seer.encoded == 40
    items = page._items
    assert items is not None
    assert items.caption(12) == "2 → 3 (2?)"
    assert "which the model takes for two" in page.grid.table.data(page.grid.table.cell(0), Qt.ItemDataRole.ToolTipRole)
    assert items.caption(5) == "5"
    page.filters.toggle_digit(3)
    assert page.grid.table.places[0] == 12
    assert set(items.digits[page.grid.table.places]) == {3}
    page.filters.toggle_digit(3)

    click(page.grid, 0)
    QTest.keyClick(page.grid, Qt.Key.Key_2)
    until(lambda: page._items is not None and page._items.digits[12] == 2, "the mistake is corrected")
    assert page.grid.table.places[0] == 12, "nothing moves under the mouse"
    order(page, "surprising")
    until(lambda: page.grid.table.places[0] == 33, "the next one first")
    assert seer.encoded == 40, "the split is not encoded again"
    order(page, "in order")
    assert page.grid.table.places.tolist() == list(range(40))


def test_ranking_is_broken_off_by_another_choice(page: DataPage, seer: Seer) -> None:
    held, reached = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        held.wait(20)

    seer.delay = wait
    order(page, "surprising")
    until(reached.is_set, "the first encoding")
    assert page.grid.table.places.tolist() == list(range(40)), "meanwhile all is shown"
    order(page, "in order")
    held.set()
    pause(0.3)
    assert page._surprise is None
    assert page._card.aside.text() == "40 of 40"


def test_without_a_model_ranking_waits_for_it_and_another_model_ranks_anew(page: DataPage, seer: Seer) -> None:
    seer.loaded = False
    order(page, "surprising")
    assert page._card.aside.text() == "waiting for the model"
    seer.loaded = True
    page.show_loaded(Model("a", Path("a.safetensors")))
    until(lambda: seer.encoded == 40, "it is encoded")
    until(lambda: page._surprise is not None, "an order")
    page.show_loaded(Model("renamed", Path("a.safetensors")))
    pause(0.1)
    assert seer.encoded == 40
    other = Seer()
    seer.margins = other.margins
    page.show_loaded(Model("b", Path("b.safetensors")))
    until(lambda: seer.encoded == 80, "it is encoded by the other one")


@pytest.mark.parametrize("size", [(1280, 860), (1000, 640)])
def test_no_text_is_cut_off(page: DataPage, size: tuple[int, int]) -> None:
    page.resize(*size)
    click(page.grid, 3)
    click(page.grid, 5, CTRL)
    QTest.keyClick(page.grid, Qt.Key.Key_X)
    until(page.curation.undo.isVisible, "an offer to undo")
    order(page, "surprising")
    pause(0.1)
    assert hidden_parts(page) == []
