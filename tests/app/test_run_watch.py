"""Following runs, and their curves over each other, as the page of training puts them together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from run_folders import append, make_run, points
from showing import shown

from model.runs.store import RunRecord, RunStore, RunUpdate
from modinv_app.common.run_library import RunLibrary
from modinv_app.train.curve_chart import Chart
from modinv_app.train.curves import Curves

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def library(qapp, store: RunStore) -> Iterator[RunLibrary]:  # noqa: ARG001 (Qt first)
    library = RunLibrary(store)
    yield library
    library.close()


@pytest.fixture
def told(library: RunLibrary) -> list[tuple[RunRecord, RunUpdate]]:
    found: list[tuple[RunRecord, RunUpdate]] = []
    library.updated.connect(lambda record, update: found.append((record, update)))
    return found


def steps(told: list[tuple[RunRecord, RunUpdate]], record: RunRecord) -> list[int]:
    return [point.step for of, update in told if of == record for point in update.points if "total" in point.values]


def test_what_comes_to_a_run_is_told_once(
    qtbot: QtBot, library: RunLibrary, told: list[tuple[RunRecord, RunUpdate]], store: RunStore
) -> None:
    record = make_run(store, "Growing", "running", 20)
    library.follow("me", [record])
    qtbot.waitUntil(lambda: steps(told, record) == [0, 10, 20])
    append(record, points(30, 30))
    qtbot.waitUntil(lambda: steps(told, record) == [0, 10, 20, 30])
    before = len(told)
    QTest.qWait(600)
    assert len(told) == before  # nothing new, nothing told
    record.rename("Renamed")
    qtbot.waitUntil(lambda: told[-1][1].info.name == "Renamed")


def test_only_those_that_are_watched_are_told(
    qtbot: QtBot, library: RunLibrary, told: list[tuple[RunRecord, RunUpdate]], store: RunStore
) -> None:
    one, other, empty = make_run(store, "One"), make_run(store, "Other"), make_run(store, "Empty", "waiting", 0)
    library.follow("me", [one])
    library.follow("me", [other, empty])  # at once, before the first look is back
    qtbot.waitUntil(lambda: {record.folder for record, _ in told} == {other.folder, empty.folder})
    assert not steps(told, one)
    library.follow("me", [])
    told.clear()
    append(other, points(110, 110))
    QTest.qWait(400)
    assert not told
    library.follow(
        "me", [one, RunRecord(store.folder / "gone")]
    )  # one that can't be read keeps no other from being told
    qtbot.waitUntil(lambda: len(steps(told, one)) == 11)


def test_the_curves_of_chosen_runs_lie_over_each_other(qtbot: QtBot, library: RunLibrary, store: RunStore) -> None:
    curves = shown(qtbot, Curves(), 600, 500)
    library.updated.connect(lambda record, update: curves.update_run(str(record.folder), update))
    one, other = make_run(store, "One", "running", 20), make_run(store, "Other", purity=0.5)

    def show(*records: RunRecord) -> None:
        library.follow("me", records)
        curves.keep([str(record.folder) for record in records])

    show(one)
    qtbot.waitUntil(lambda: curves.shown == (str(one.folder),))
    show(one, other)
    qtbot.waitUntil(lambda: curves.shown == (str(one.folder), str(other.folder)))
    show(other)
    assert curves.shown == (str(other.folder),)
    purity = next(chart for chart in curves.findChildren(Chart) if chart.term.name == "quick_purity")
    assert purity.reading == "0.500"
    show(one)
    qtbot.waitUntil(lambda: purity.reading == "0.900")
    # The run resumes from its checkpoint at step 10: the file is another one, without what came after.
    one.metrics_file.unlink()
    append(one, points(0, 10, purity=0.3))
    qtbot.waitUntil(lambda: purity.reading == "0.300")
