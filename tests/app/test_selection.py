"""Selected items in the whole window: listed, heard, asked, exported, left out and taken in again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import Desk, pause, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QPushButton

from model.data import curation
from model.data.corpora.labelled import labelling_of
from model.data.takes import TakeStore
from model.types import Item, Modality
from modinv_app.common.item_grid import ItemGrid
from modinv_app.explore.selection_panel import SelectionPanel

pytestmark = pytest.mark.timeout(180)
IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


@pytest.fixture(autouse=True)
def decisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where decisions are kept: in a folder of each test's own."""
    monkeypatch.setenv("MODINV_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def desk(desk: Desk) -> Iterator[Desk]:
    yield desk
    if desk.window.explore.undo.isVisible():
        press(desk.window.explore.undo, "Undo")
        until(lambda: desk.state.gallery and len(desk.state.gallery.items) == 1600, "all items again")


def panel_of(desk: Desk) -> SelectionPanel:
    return desk.window.explore.selection


def grid_of(desk: Desk) -> ItemGrid:
    grid = panel_of(desk).findChild(ItemGrid)
    assert grid is not None
    return grid


def listed(desk: Desk) -> list[int]:
    return grid_of(desk).table.places.tolist() if panel_of(desk).isVisible() else []


def press(within, name: str) -> None:
    buttons = within.findChildren(QAbstractButton)
    next(each for each in buttons if name in (each.text(), each.accessibleName())).click()


def some(desk: Desk, modality: Modality, label: int, count: int) -> list[int]:
    assert desk.state.gallery is not None
    items = [item.index for item in desk.state.gallery.items if (item.modality, item.label) == (modality, label)]
    return items[:count]


def settled(desk: Desk, count: int) -> None:
    """Wait until the gallery has so many items and the current query is answered."""
    until(lambda: desk.state.gallery is not None and len(desk.state.gallery.items) == count, f"{count} items")
    until(lambda: desk.state.query is None or desk.state.reply is not None, "an answer")


def name_of(item: Item) -> tuple[str, int]:
    return item.source, item.label


def test_all_points_that_are_shown_are_listed_by_key_and_escape_ends_that(desk: Desk) -> None:
    legend = desk.window.explore.map
    shown = ["Show speech points", *(f"Show digit {digit}" for digit in range(9))]
    for name in shown:
        press(legend, name)
    desk.window.explore.map.setFocus()
    desk.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert listed(desk) == some(desk, IMAGE, 9, 1000)
    texts = [label.text() for label in panel_of(desk).findChildren(type(panel_of(desk)._count))]
    assert "100 selected" in texts
    assert "100 images: 9 (100)" in texts
    for name in shown:
        press(legend, name)
    desk.key(Qt.Key.Key_Escape)
    assert desk.state.selection == ()
    assert listed(desk) == []


def test_the_lasso_has_a_key_that_the_button_follows(desk: Desk) -> None:
    desk.key(Qt.Key.Key_L)
    assert desk.window.explore.map.lasso
    press(desk.window.explore.map, "Lasso")
    assert not desk.window.commands["lasso"].isChecked()


def test_cursor_keys_play_and_enter_asks(desk: Desk) -> None:
    images, spoken = some(desk, IMAGE, 4, 1), some(desk, SPEECH, 4, 2)
    desk.state.select([*spoken, *images])
    assert listed(desk) == [*images, *spoken], "by digit, images first"
    grid_of(desk).setFocus()
    desk.key(Qt.Key.Key_Home)
    desk.key(Qt.Key.Key_Right)
    until(lambda: desk.played == spoken[:1], "the first utterance")
    desk.key(Qt.Key.Key_Right)
    until(lambda: desk.played == spoken, "the second one")
    assert desk.state.query is None
    desk.key(Qt.Key.Key_Home)
    desk.key(Qt.Key.Key_Return)
    assert {item.label for item in desk.await_found(SPEECH)} == {4}
    assert listed(desk), "the selection stays while one asks"


def test_a_click_plays_and_marks_the_item_in_the_map(desk: Desk) -> None:
    spoken = some(desk, SPEECH, 6, 3)
    desk.state.select(spoken)
    pause(0.1)
    grid = grid_of(desk)
    at = grid.visualRect(grid.table.cell(1)).center()
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    until(lambda: desk.played == spoken[1:2], "it")
    assert desk.window.explore.map._plot._under == spoken[1]


def test_play_all_plays_one_after_the_other(desk: Desk) -> None:
    spoken = some(desk, SPEECH, 1, 3)
    desk.state.select([*some(desk, IMAGE, 1, 2), *spoken])
    press(panel_of(desk), "Play all")
    until(lambda: desk.played == spoken, "all three")
    until(lambda: not desk.window.explore.playlist.running, "the end")
    assert desk.played == spoken


def test_escape_stops_playing_all_and_keeps_the_selection(desk: Desk) -> None:
    spoken = some(desk, SPEECH, 1, 3)
    desk.state.select(spoken)
    press(panel_of(desk), "Play all")
    grid_of(desk).setFocus()
    until(lambda: desk.root.player.playing, "the first one")
    desk.key(Qt.Key.Key_Escape)
    pause(0.5)
    assert desk.played == spoken[:1]
    assert not desk.root.player.playing
    assert desk.state.selection == tuple(spoken)


def test_playing_all_ends_when_something_else_is_played(desk: Desk) -> None:
    spoken, other = some(desk, SPEECH, 1, 3), some(desk, SPEECH, 2, 1)
    desk.state.select(spoken)
    press(panel_of(desk), "Play all")
    until(lambda: desk.played == spoken[:1], "the first one")
    desk.window.explore.queries.play(other[0])
    until(lambda: desk.played == [*spoken[:1], *other], "the other one")
    until(lambda: not desk.root.player.playing, "its end")
    pause(0.4)
    assert desk.played == [*spoken[:1], *other]
    assert not desk.window.explore.playlist.running


def test_items_are_exported_to_a_new_folder_each_time(desk: Desk, tmp_path: Path) -> None:
    desk.state.select([*some(desk, IMAGE, 3, 2), *some(desk, SPEECH, 3, 2)])
    told: list[str] = []
    desk.window.explore.informed.connect(told.append)
    for name in ("modinv-selection", "modinv-selection-2"):
        told.clear()
        panel_of(desk).export_requested.emit(str(tmp_path), desk.state.selection)
        until(lambda: told, "that they are exported")
        assert told == [f"Exported 4 items to {tmp_path / name}."]
        for part, modality in (("images", IMAGE), ("speech", SPEECH)):
            found = labelling_of(tmp_path / name / f"{name}-{part}.csv")
            assert (found.modality, [item.label for item in found.items.values()]) == (modality, [3, 3])
    assert [entry.name for entry in tmp_path.glob(".*")] == []


def test_where_nothing_can_be_written_the_window_says_so(desk: Desk, tmp_path: Path) -> None:
    desk.state.select(some(desk, IMAGE, 3, 2))
    warned: list[str] = []
    desk.window.explore.warned.connect(warned.append)
    panel_of(desk).export_requested.emit(str(tmp_path / "nowhere"), desk.state.selection)
    until(lambda: warned, "a warning")
    assert "nowhere" in warned[0]
    assert "No such file or directory" in warned[0]


def test_an_item_that_is_left_out_is_no_match_any_more_until_that_is_undone(desk: Desk, decisions: Path) -> None:
    desk.draw()
    before = desk.await_found(SPEECH)
    best = before[0]
    assert desk.state.gallery is not None
    corpus, key = desk.state.gallery.key(best.index).split(":", 1)
    desk.state.select([best.index])
    press(panel_of(desk), "Leave out")
    settled(desk, 1599)
    after = desk.await_found(SPEECH)
    assert name_of(best) not in map(name_of, after)
    assert [name_of(item) for item in after[:9]] == [name_of(item) for item in before[1:]]
    assert all(len(places) == 1599 for places in desk.state.maps.values())
    assert desk.state.selection == ()
    assert curation.decisions(corpus)[key].excluded
    until(desk.window.explore.undo.isVisible, "a way back")
    desk.window.explore.undo.findChild(QPushButton).click()
    settled(desk, 1600)
    assert [name_of(item) for item in desk.await_found(SPEECH)] == [name_of(item) for item in before]
    assert curation.decisions(corpus) == {}
    assert not list((decisions / "curation").glob("*.json"))


def test_a_key_leaves_one_item_out_and_goes_on_with_the_next(desk: Desk) -> None:
    chosen = some(desk, IMAGE, 5, 3)
    assert desk.state.gallery is not None
    sources = [desk.state.gallery.items[index].source for index in chosen]
    desk.state.select(chosen)
    grid_of(desk).setFocus()
    desk.key(Qt.Key.Key_Home)
    desk.key(Qt.Key.Key_Right)
    desk.key(Qt.Key.Key_X)
    settled(desk, 1599)
    assert list(curation.decisions("mnist")) == sources[1:2]
    assert [desk.state.gallery.items[index].source for index in listed(desk)] == [sources[0], sources[2]]
    assert grid_of(desk).hasFocus()
    assert grid_of(desk).current == listed(desk)[1]


def test_buttons_apply_to_marked_items_if_there_are_several(desk: Desk) -> None:
    chosen = some(desk, SPEECH, 5, 4)
    desk.state.select(chosen)
    grid_of(desk).setFocus()
    desk.key(Qt.Key.Key_Home)
    assert {button.text() for button in panel_of(desk).findChildren(QAbstractButton)} >= {"Leave out", "Export…"}
    desk.key(Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(panel_of(desk), "Export 2…")
    dialog = panel_of(desk).findChild(QFileDialog)
    dialog.reject()
    desk.window.explore.queries.stop_playing()
    desk.played.clear()
    press(panel_of(desk), "Play all")
    until(lambda: len(desk.played) == 2 and not desk.window.explore.playlist.running, "the end of the marked ones")
    assert desk.played == chosen[:2]
    press(panel_of(desk), "Leave 2 out")
    settled(desk, 1598)
    assert len(desk.state.selection) == 2


def test_what_another_page_decides_counts_once_explore_is_shown_again(desk: Desk) -> None:
    index = some(desk, SPEECH, 5, 1)[0]
    assert desk.state.gallery is not None
    corpus, key = desk.state.gallery.key(index).split(":", 1)
    desk.window.pages.turn_to("data")
    former = curation.decide(corpus, {key: curation.Decision(5).with_excluded(True)})
    desk.window.pages.turn_to("explore")
    settled(desk, 1599)
    curation.decide(corpus, former)
    desk.window.pages.turn_to("data")
    desk.window.pages.turn_to("explore")
    settled(desk, 1600)


def test_what_is_relabelled_on_another_page_is_shown_and_votes_with_its_new_label(desk: Desk) -> None:
    desk.draw()
    found = desk.await_found(SPEECH)
    assert desk.state.gallery is not None
    corpora = {desk.state.gallery.key(item.index).split(":", 1)[0] for item in found}
    (corpus,) = corpora
    keys = [desk.state.gallery.key(item.index).split(":", 1)[1] for item in found]
    label, other = found[0].label, (found[0].label + 1) % 10
    places = [item.index for item in found]
    desk.window.pages.turn_to("data")
    decisions = {key: curation.Decision(item.label).with_label(other) for key, item in zip(keys, found, strict=True)}
    former = curation.decide(corpus, decisions)
    desk.window.pages.turn_to("explore")
    try:
        until(lambda: desk.state.gallery.items[places[0]].label == other, "another label")
        again = desk.await_found(SPEECH)
        assert [item.index for item in again] == places
        assert {item.label for item in again} == {other}
        assert desk.state.reply.answer.nearest == other
        desk.state.select(places[:1])
        texts = [text.text() for text in panel_of(desk).findChildren(type(panel_of(desk)._count))]
        assert f"1 utterance: {other} (1)" in texts
        assert desk.window.explore.map._plot._labels[places[0]] == other
        press(panel_of(desk), "Leave out")
        settled(desk, 1599)
        assert curation.decisions(corpus)[keys[0]] == decisions[keys[0]].with_excluded(True)
        press(desk.window.explore.undo, "Undo")
        settled(desk, 1600)
        assert desk.state.gallery.items[places[0]].label == other
    finally:
        curation.decide(corpus, former)
        desk.window.pages.turn_to("data")
        desk.window.pages.turn_to("explore")
        until(lambda: desk.state.gallery.items[places[0]].label == label, "the published label again")


def test_not_all_images_can_be_left_out(desk: Desk) -> None:
    warned: list[str] = []
    desk.window.explore.warned.connect(warned.append)
    desk.state.select(range(1000))
    press(panel_of(desk), "Leave out")
    assert "all images of the gallery" in warned[0]
    pause(0.3)
    assert desk.state.gallery is not None
    assert len(desk.state.gallery.items) == 1600


def test_a_damaged_file_of_decisions_is_left_as_it_is(desk: Desk, decisions: Path) -> None:
    (decisions / "curation").mkdir(parents=True)
    file = decisions / "curation" / "mnist.json"
    file.write_text("no JSON")
    warned: list[str] = []
    desk.window.explore.warned.connect(warned.append)
    desk.state.select([*some(desk, IMAGE, 5, 1), *some(desk, SPEECH, 5, 1)])
    press(panel_of(desk), "Leave out")
    until(lambda: warned, "a warning")
    assert "damaged" in warned[0]
    assert file.read_text() == "no JSON"
    assert curation.decisions("voices") == {}, "all or none"


def test_takes_are_left_out_of_their_library(
    qapp,  # noqa: ARG001 (Qt first)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODINV_TAKES", str(tmp_path / "my-digits"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store, ink = TakeStore(), np.zeros((112, 112), np.uint8)
    ink[20:90, 50:60] = 255
    store.add_drawing("Ann", 1, ink)
    ink[20:30, 30:60] = 255
    store.add_drawing("Ann", 7, ink)
    desk = Desk(tmp_path / "settings.ini").open().ready()
    settled(desk, 1602)
    assert desk.state.gallery is not None
    seven = next(item for item in desk.state.gallery.items if item.source.startswith("Ann") and item.label == 7)
    desk.state.select([seven.index, *some(desk, IMAGE, 7, 1)])
    press(panel_of(desk), "Leave out")
    settled(desk, 1600)
    assert [(take.label, take.excluded) for take in store.takes()] == [(1, False), (7, True)]
    until(desk.window.explore.undo.isVisible, "a way back")
    press(desk.window.explore.undo, "Undo")
    settled(desk, 1602)
    assert not any(take.excluded for take in store.takes())
    desk.close()
