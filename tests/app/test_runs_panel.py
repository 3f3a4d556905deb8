"""The list of runs, as a person uses it: look for, compare, use, resume, name, delete and bring back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot
from run_folders import append, make_run, points
from runs_at_hand import WAIT, action, await_names, button, click, field, names, runs, runs_panel, says, words

from model.runs.store import RunRecord, RunStore
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.theme import apply_scheme, run_colour
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.train.runs import RunsPanel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def panel(qtbot: QtBot, store: RunStore) -> Iterator[RunsPanel]:
    with runs_panel(qtbot, store) as panel:
        yield panel


def test_runs_of_any_process_appear_by_themselves_newest_first(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    assert says(panel, "No runs yet")
    make_run(store, "Young", lambda_ig=2.15e-2, seed=7)
    make_run(store, "Old", step=0, state="waiting")
    qtbot.waitUntil(lambda: names(panel) == ["Young", "Old"], timeout=WAIT)
    assert not says(panel, "No runs yet")
    told = words(panel, "Young")
    for part in ("λ 2.15e-2", "fast", "seed 7", "Complete: 100 of 100 steps", "purity 0.90", "SVM 0.60"):
        assert part in told
    assert "Waiting" in words(panel, "Old")


def test_a_run_that_trains_is_followed_and_one_that_died_can_resume(
    qtbot: QtBot, panel: RunsPanel, store: RunStore
) -> None:
    record = make_run(store, "Growing", "running", 40)
    with record.lock().acquire():
        await_names(qtbot, panel, "Growing")
        click(panel, "Growing")
        assert "Training: 40 of 100 steps" in words(panel, "Growing")
        assert not button(panel, "Resume").isEnabled()
        QTest.keyClick(runs(panel), Qt.Key.Key_Delete)
        append(record, points(50, 60, purity=0.99))
        (record.folder / "snapshots").mkdir()
        record.snapshot_file(60).write_bytes(b"")
        qtbot.waitUntil(lambda: "Training: 60 of 100 steps" in words(panel, "Growing"), timeout=WAIT)
        assert "purity 0.99" in words(panel, "Growing")
        assert record.folder.is_dir()  # Delete did nothing
    qtbot.waitUntil(lambda: "Interrupted" in words(panel, "Growing"), timeout=WAIT)
    assert says(panel, "It can be resumed from the last checkpoint")
    with qtbot.waitSignal(panel.resume_wanted) as wanted:
        button(panel, "Resume").click()
    assert wanted.args == [record]


def test_search_finds_names_notes_and_settings(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    make_run(store, "Bright", lambda_ig=0.0)
    make_run(store, "Dull", "failed", 40, lambda_ig=1.0).set_note("too strong")
    await_names(qtbot, panel, "Bright", "Dull")
    search = field(panel, "Search runs")
    for text, found in (
        ("bri", ["Bright"]),
        ("STRONG dull", ["Dull"]),
        ("failed", ["Dull"]),
        ("fast", ["Bright", "Dull"]),
    ):
        search.setText(text)
        assert names(panel) == found
    search.setText("nobody")
    assert says(panel, "No run matches")
    search.clear()
    assert names(panel) == ["Bright", "Dull"]


def test_what_a_run_can_be_used_for(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "Done")
    make_run(store, "Unborn", "waiting", 0)
    await_names(qtbot, panel, "Done", "Unborn")
    assert not button(panel, "Use").isEnabled()
    with qtbot.waitSignal(panel.run_selected) as selected:
        click(panel, "Done")
    assert selected.args == [record]
    for name, signal in (("Use", panel.model_chosen), ("Evaluate", panel.evaluation_wanted)):
        with qtbot.waitSignal(signal) as wanted:
            button(panel, name).click()
        assert wanted.args == [str(record.model_file)]
    assert not button(panel, "Resume").isEnabled()
    click(panel, "Unborn")
    assert not button(panel, "Use").isEnabled()
    assert not button(panel, "Evaluate").isEnabled()


def test_renaming_in_place(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "fast, λ 0.02")
    await_names(qtbot, panel, "fast, λ 0.02")
    click(panel, "fast, λ 0.02")
    QTest.keyClick(runs(panel), Qt.Key.Key_F2)
    editor = field(panel, "Name of the run")
    editor.selectAll()
    QTest.keyClicks(editor, "My best")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    await_names(qtbot, panel, "My best")
    assert RunRecord(record.folder).info().name == "My best"


def test_a_note_is_kept(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "First")
    make_run(store, "Second")
    await_names(qtbot, panel, "First", "Second")
    click(panel, "First")
    note = field(panel, "Note on the run")
    note.setFocus()
    QTest.keyClicks(note, "for the talk")
    QTest.keyClick(note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "for the talk" in words(panel, "First"), timeout=WAIT)
    assert RunRecord(record.folder).info().note == "for the talk"
    click(panel, "Second")
    assert note.text() == ""
    click(panel, "First")
    assert note.text() == "for the talk"


def test_a_note_that_is_being_written_goes_to_its_own_run(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    first, second = make_run(store, "First"), make_run(store, "Second")
    await_names(qtbot, panel, "First", "Second")
    click(panel, "First")
    note = field(panel, "Note on the run")
    note.setFocus()
    QTest.keyClicks(note, "half a")
    panel.refresh()
    QTest.qWait(200)
    assert note.text() == "half a"  # a look at the disk takes nothing away
    panel.choose(second.folder)  # as when a training begins
    qtbot.waitUntil(lambda: note.text() == "", timeout=WAIT)
    qtbot.waitUntil(lambda: RunRecord(first.folder).info().note == "half a", timeout=WAIT)
    assert RunRecord(second.folder).info().note == ""


def test_deleting_can_be_undone(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    kept, gone, also = (make_run(store, name) for name in ("Kept", "Gone", "Also"))
    await_names(qtbot, panel, "Kept", "Gone", "Also")
    click(panel, "Gone")
    click(panel, "Also", Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(runs(panel), Qt.Key.Key_Delete)
    await_names(qtbot, panel, "Kept")
    assert says(panel, "Deleted 2 runs")
    assert not gone.folder.exists()
    button(panel, "Undo").click()
    await_names(qtbot, panel, "Kept", "Gone", "Also")
    assert gone.info().name == "Gone"
    assert also.points()
    assert not panel.findChild(UndoStrip).isVisible()
    click(panel, "Kept")
    QTest.keyClick(runs(panel), Qt.Key.Key_Delete)
    await_names(qtbot, panel, "Gone", "Also")
    assert says(panel, "Deleted Kept")
    click(panel, "Gone")
    QTest.keyClick(runs(panel), Qt.Key.Key_Delete)
    await_names(qtbot, panel, "Also")
    store.delete(also)  # by somebody else, who has a way back of his own
    button(panel, "Undo").click()
    await_names(qtbot, panel, "Gone")
    RunLibrary(store).close()  # the next session frees the room
    assert store.undo_delete() is None
    assert not kept.folder.exists()


def choose(panel: RunsPanel, *chosen: str) -> None:
    click(panel, chosen[0])
    for name in chosen[1:]:
        click(panel, name, Qt.KeyboardModifier.ControlModifier)


def cells(panel: RunsPanel) -> dict[str, list[tuple[str, bool]]]:
    """By the name of a row: its texts, and whether they are highlighted."""
    table = panel.findChild(QTableWidget)
    assert table.isVisible()
    return {
        table.verticalHeaderItem(row).text(): [
            (table.item(row, column).text(), table.item(row, column).background().style() != Qt.BrushStyle.NoBrush)
            for column in range(table.columnCount())
        ]
        for row in range(table.rowCount())
    }


def test_comparing_highlights_what_was_chosen_differently(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    weak = make_run(store, "Weak", lambda_ig=0.0, purity=0.5)
    make_run(store, "Other")
    strong = make_run(store, "Strong", lambda_ig=1.0, batch_norm=True)
    await_names(qtbot, panel, "Weak", "Other", "Strong")
    told: list[list[RunRecord]] = []
    panel.comparison_changed.connect(told.append)
    choose(panel, "Strong", "Weak")
    assert told[-1] == [strong, weak]  # in the order in which they were chosen, that of their colours
    found = cells(panel)
    assert found["λ_IG"] == [("1", True), ("0", True)]
    assert found["Batch norm"] == [("yes", True), ("no", True)]
    assert found["Purity, quick"] == [("0.900", False), ("0.500", False)]
    assert "Seed" not in found
    assert says(panel, "2 differences")
    button(panel, "Show what the runs have in common, too").click()
    assert cells(panel)["Seed"] == [("0", False), ("0", False)]
    assert not button(panel, "Use").isEnabled()
    click(panel, "Weak")
    assert told[-1] == [weak]
    assert not panel.findChild(QTableWidget).isVisible()
    runs(panel).clearSelection()
    assert told[-1] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chosen_run_bears_the_colour_of_its_curve(
    qtbot: QtBot, panel: RunsPanel, store: RunStore, scheme: str
) -> None:
    apply_scheme(scheme)
    make_run(store, "Upper")
    make_run(store, "Lower")
    await_names(qtbot, panel, "Upper", "Lower")
    choose(panel, "Lower", "Upper")
    view = runs(panel)
    image = view.viewport().grab().toImage()
    for name, place in (("Lower", 0), ("Upper", 1)):
        row = view.visualRect(view.model().index(names(panel).index(name), 0))
        seen = image.pixelColor((row.topLeft() + QPoint(3, row.height() // 2)) * image.devicePixelRatio())
        wanted = run_colour(place, scheme == "dark")
        assert abs(seen.hue() - wanted.hue()) < 12
    assert (view.palette().color(QPalette.ColorRole.Window).lightness() < 128) == (scheme == "dark")


def test_the_choice_survives_what_happens_to_others(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "Mine")
    await_names(qtbot, panel, "Mine")
    click(panel, "Mine")
    told: list[object] = []
    panel.comparison_changed.connect(told.append)
    other = make_run(store, "New")
    await_names(qtbot, panel, "Mine", "New")
    shutil.rmtree(other.folder)
    await_names(qtbot, panel, "Mine")
    assert told == []
    panel.choose(make_run(store, "Wanted").folder)
    qtbot.waitUntil(lambda: len(told) == 1, timeout=WAIT)
    assert [each.info().name for each in told[0]] == ["Wanted"]
    shutil.rmtree(record.folder)
    await_names(qtbot, panel, "Wanted")


def test_opening_the_folder(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    class Files(QObject):
        opened: str = ""

        @Slot(QUrl)
        def open(self, url: QUrl) -> None:
            self.opened = url.toLocalFile()

    record, files = make_run(store, "Mine"), Files()
    await_names(qtbot, panel, "Mine")
    click(panel, "Mine")
    QDesktopServices.setUrlHandler("file", files, "open")
    try:
        action(panel, "Open its folder").trigger()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert Path(files.opened) == record.folder


def test_a_run_elsewhere_is_listed_until_it_is_taken_off(
    qtbot: QtBot, panel: RunsPanel, store: RunStore, tmp_path: Path
) -> None:
    make_run(store, "Here")
    away = make_run(RunStore(tmp_path / "disk"), "Away")
    panel.open_elsewhere(away.folder)
    await_names(qtbot, panel, "Here", "Away")
    qtbot.waitUntil(lambda: button(panel, "Use").isEnabled(), timeout=WAIT)  # it is chosen
    action(panel, "Remove from the list").trigger()
    await_names(qtbot, panel, "Here")
    assert away.folder.is_dir()
    with qtbot.waitSignal(panel.failed, timeout=WAIT) as failed:
        panel.open_elsewhere(tmp_path)
    assert "could not be opened as a run" in failed.args[0]
    assert names(panel) == ["Here"]


def test_trouble_with_the_disk_is_told(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "Mine")
    await_names(qtbot, panel, "Mine")
    click(panel, "Mine")
    record.folder.rename(record.folder.with_name("away"))
    runs(panel).model().setData(runs(panel).currentIndex(), "Another")
    with qtbot.waitSignal(panel.failed, timeout=WAIT) as failed:
        pass
    assert "could not be renamed" in failed.args[0]
    assert "Traceback" in failed.args[1]
    assert not record.folder.exists()
    await_names(qtbot, panel, "Mine")  # it is found where it lies now


def test_nobody_reads_the_disk_while_the_list_is_hidden(
    qtbot: QtBot, panel: RunsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.hide()
    QTest.qWait(100)
    looks = 0

    def count(_store: RunStore) -> list[RunRecord]:
        nonlocal looks
        looks += 1
        return []

    monkeypatch.setattr(RunStore, "list", count)
    QTest.qWait(1300)
    assert looks == 0
    panel.show()
    qtbot.waitUntil(lambda: looks == 1, timeout=WAIT)


def test_a_run_that_appears_while_the_hidden_list_is_read_is_chosen(
    qtbot: QtBot, panel: RunsPanel, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.hide()
    QTest.qWait(100)
    read, has_read, go_on = RunStore.list, threading.Event(), threading.Event()

    def read_slowly(store: RunStore) -> list[RunRecord]:
        found = read(store)
        has_read.set()
        go_on.wait(WAIT / 1000)
        return found

    monkeypatch.setattr(RunStore, "list", read_slowly)
    panel.refresh()
    qtbot.waitUntil(has_read.is_set, timeout=WAIT)
    record = make_run(store, "New")
    with qtbot.waitSignal(panel.run_selected, timeout=WAIT) as selected:
        panel.choose(record.folder)
        go_on.set()
    assert selected.args == [record]


def test_many_runs_chosen_by_the_keyboard(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    for place in range(12):
        make_run(store, f"Run {place}", seed=place)
    qtbot.waitUntil(lambda: len(names(panel)) == 12, timeout=WAIT)
    view = runs(panel)
    view.setFocus()
    view.selectionModel().setCurrentIndex(view.model().index(0, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    for _ in range(11):
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert len(cells(panel)["Seed"]) == 12
    QTest.keyClick(view, Qt.Key.Key_Backspace)
    await_names(qtbot, panel)
    assert says(panel, "Deleted 12 runs")
