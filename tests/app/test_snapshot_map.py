"""Snapshots of a run: followed live, replayed on a timeline, and let alone by whoever looks at earlier ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import showing
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QSlider
from pytestqt.qtbot import QtBot
from sweeps import clouds, make_items

from model.runs.store import Snapshot
from model.types import FloatArray
from modinv_app.map.hover_card import HoverCard
from modinv_app.train.snapshot_map import SnapshotMap

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

ITEMS = make_items(2)
EMPTY = np.empty((0, 128), np.float32)


def features(index: int) -> FloatArray:
    return np.full((28, 28) if index < len(ITEMS) // 2 else (100, 80), 0.5, np.float32)


PROBE = SimpleNamespace(items=ITEMS, features=features)  # what the map needs of a gallery


def snapshot(step: int, seed: int | None = None) -> Snapshot:
    """One with a map of its own."""
    values = {"quick_purity": step / 1000, "quick_svm": 1 - step / 1000, "quick_p_at_1": 0.5}
    return Snapshot(step, EMPTY, EMPTY, clouds(ITEMS, 5, 2, step if seed is None else seed), values)


def a_map(qtbot: QtBot, *snapshots: Snapshot) -> SnapshotMap:
    """One on the screen, with these snapshots."""
    plot = SnapshotMap()
    plot.set_probe(PROBE)
    plot.show_snapshots(snapshots)
    return showing.shown(qtbot, plot, 560, 560)


@pytest.fixture
def shown(qtbot: QtBot) -> SnapshotMap:
    return a_map(qtbot)


def words(shown: SnapshotMap) -> str:
    return "\n".join(label.text() for label in shown.findChildren(QLabel) if label.isVisible())


def places(shown: SnapshotMap) -> list[QPoint | None]:
    return [shown.position_of(index) for index in range(len(ITEMS))]


def slider(shown: SnapshotMap) -> QSlider:
    return shown.findChild(QSlider)


def button(shown: SnapshotMap) -> QAbstractButton:
    return next(each for each in shown.findChildren(QAbstractButton) if each.accessibleName() in ("Replay", "Pause"))


def where_it_lies(qtbot: QtBot, one: Snapshot) -> list[QPoint | None]:
    """Where the items of a snapshot lie when it shows alone."""
    return places(a_map(qtbot, one))


def test_before_the_first_snapshot_it_says_what_to_wait_for(shown: SnapshotMap) -> None:
    assert "first snapshot" in words(shown)
    assert shown.step is None
    assert not button(shown).isEnabled()
    assert not slider(shown).isEnabled()


def test_a_new_snapshot_is_glided_to_and_told_in_numbers(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0)])
    before = places(shown)
    shown.show_snapshots([snapshot(100)])
    assert places(shown) == before, "nothing jumps"
    qtbot.waitUntil(lambda: shown.step == 100 and slider(shown).value() == slider(shown).maximum(), timeout=3000)
    assert places(shown) == where_it_lies(qtbot, snapshot(100))
    assert "Step 100" in words(shown)
    assert "Purity ≈ 0.100  ·  Modality SVM ≈ 0.900  ·  P@1 ≈ 0.500" in words(shown)


def test_snapshot_after_snapshot_the_map_goes_forward_only(qtbot: QtBot, shown: SnapshotMap) -> None:
    seen: list[int] = []
    slider(shown).valueChanged.connect(seen.append)
    shown.show_snapshots([snapshot(0)])
    for step in (100, 200):
        shown.show_snapshots([snapshot(step)])
        qtbot.waitUntil(lambda: slider(shown).value() == slider(shown).maximum(), timeout=3000)
    assert seen == sorted(seen)


def test_a_finished_run_shows_its_end_at_once(shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(step) for step in range(0, 400, 100)])
    assert shown.step == 300


def test_whoever_has_gone_back_stays_there(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100), snapshot(200)])
    QTest.keyClick(slider(shown), Qt.Key.Key_Home)
    before = places(shown)
    assert shown.step == 0
    shown.show_snapshots([snapshot(300)])
    qtbot.wait(100)
    assert shown.step == 0
    assert places(shown) == before
    QTest.keyClick(slider(shown), Qt.Key.Key_End)
    assert shown.step == 300


def test_arrow_keys_go_from_snapshot_to_snapshot(shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100), snapshot(200)])
    QTest.keyClick(slider(shown), Qt.Key.Key_Left)
    assert shown.step == 100


def test_between_two_snapshots_points_lie_between(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100)])
    ends = where_it_lies(qtbot, snapshot(0)), where_it_lies(qtbot, snapshot(100))
    slider(shown).setValue(slider(shown).maximum() // 2)
    for here, one, other in zip(places(shown), *ends, strict=True):
        assert abs(here.x() - (one.x() + other.x()) / 2) <= 1
        assert abs(here.y() - (one.y() + other.y()) / 2) <= 1


def test_a_replay_passes_all_snapshots_and_can_be_paused(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100), snapshot(200)])
    seen: list[int] = []
    slider(shown).valueChanged.connect(lambda: seen.append(shown.step))
    button(shown).click()
    assert button(shown).accessibleName() == "Pause"
    qtbot.waitUntil(lambda: shown.step == 100, timeout=2000)
    button(shown).click()
    here = places(shown)
    qtbot.wait(60)
    assert places(shown) == here
    button(shown).click()
    qtbot.waitUntil(lambda: button(shown).accessibleName() == "Replay", timeout=3000)
    assert shown.step == 200
    assert seen == sorted(seen)
    assert set(seen) == {0, 100, 200}


def test_a_replay_goes_on_to_what_comes_meanwhile(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100)])
    button(shown).click()
    qtbot.wait(50)
    shown.show_snapshots([snapshot(200)])
    assert button(shown).accessibleName() == "Pause"
    qtbot.waitUntil(lambda: shown.step == 200, timeout=3000)


def test_a_hand_on_the_timeline_ends_a_replay(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(step) for step in range(0, 1000, 100)])
    button(shown).click()
    qtbot.wait(50)
    QTest.keyClick(slider(shown), Qt.Key.Key_End)
    qtbot.wait(50)
    assert button(shown).accessibleName() == "Replay"
    assert shown.step == 900


def test_steps_that_are_trained_again_replace_what_was_there(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100), snapshot(200)])
    again = snapshot(100, seed=77)
    shown.show_snapshots([again])
    qtbot.waitUntil(lambda: shown.step == 100 and slider(shown).value() == slider(shown).maximum(), timeout=3000)
    assert places(shown) == where_it_lies(qtbot, again)


def test_another_run_starts_anew(shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0), snapshot(100)])
    shown.set_probe(PROBE, "This run left no snapshots.")
    assert shown.step is None
    assert "This run left no snapshots." in words(shown)
    assert shown.position_of(0) is None


def test_pointing_shows_a_card_and_a_click_is_told(qtbot: QtBot, shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0)])
    index = len(ITEMS) - 1
    at = shown.position_of(index)
    target = shown.childAt(at)
    QTest.mouseMove(target, target.mapFrom(shown, at - QPoint(2, 2)))
    QTest.mouseMove(target, target.mapFrom(shown, at))
    qtbot.wait(20)
    assert shown.findChild(HoverCard).text.startswith(f"{ITEMS[index].label} · speech")
    with qtbot.waitSignal(shown.clicked) as heard:
        QTest.mouseClick(target, Qt.MouseButton.LeftButton, pos=target.mapFrom(shown, at))
    assert heard.args == [index]


def test_the_legend_hides_points(shown: SnapshotMap) -> None:
    shown.show_snapshots([snapshot(0)])
    chip = next(each for each in shown.findChildren(QAbstractButton) if each.accessibleName() == "Show digit 0")
    with_zero = shown.grab().toImage()
    chip.click()
    assert shown.grab().toImage() != with_zero
