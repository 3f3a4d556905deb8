"""Damaged runs in the list: each says what is wrong, can be found and deleted, and the others are as ever."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot
from run_folders import make_run
from runs_at_hand import WAIT, action, await_names, button, click, field, names, runs, runs_panel, words

from model.runs.store import RunRecord, RunStore
from modinv_app.train.runs import RunsPanel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def panel(qtbot: QtBot, store: RunStore) -> Iterator[RunsPanel]:
    with runs_panel(qtbot, store) as panel:
        yield panel


def damage(record: RunRecord, content: str = "null") -> str:
    (record.folder / "run.json").write_text(content)
    return record.folder.name


def test_a_damaged_run_is_listed_with_what_is_wrong_and_can_be_deleted(
    qtbot: QtBot, panel: RunsPanel, store: RunStore
) -> None:
    make_run(store, "Good", step=60)
    name = damage(make_run(store, "Bad", step=60))
    await_names(qtbot, panel, name, "Good")  # by when it changed
    assert "Damaged" in words(panel, name)
    assert "run.json can't be read" in words(panel, name)
    click(panel, name)
    assert not button(panel, "Resume").isEnabled()
    assert not action(panel, "Rename").isEnabled()
    assert not action(panel, "Write a note").isEnabled()
    assert action(panel, "Open its folder").isEnabled()
    assert not field(panel, "Note on the run").isVisible()
    action(panel, "Delete").trigger()
    await_names(qtbot, panel, "Good")
    button(panel, "Undo").click()
    await_names(qtbot, panel, name, "Good")


@pytest.mark.parametrize(
    "content", ["null", "[" * 100_000, '{"format": "modinv-1", "created": 5}', '{"step": NaN}', '"\\ud800"']
)
def test_whatever_is_wrong_the_others_can_be_searched_and_compared(
    qtbot: QtBot, panel: RunsPanel, store: RunStore, content: str
) -> None:
    make_run(store, "First", seed=1)
    make_run(store, "Second", seed=2)
    name = damage(make_run(store, "Bad"), content)
    await_names(qtbot, panel, name, "First", "Second")
    runs(panel).selectAll()
    assert len(runs(panel).chosen_entries()) == 3
    field(panel, "Search runs").setText("damaged")
    assert names(panel) == [name]
    field(panel, "Search runs").setText("second")
    assert names(panel) == ["Second"]


def test_a_run_that_was_mended_is_shown_as_it_is(qtbot: QtBot, panel: RunsPanel, store: RunStore) -> None:
    record = make_run(store, "Mine")
    whole = json.loads((record.folder / "run.json").read_text())
    name = damage(record)
    await_names(qtbot, panel, name)
    click(panel, name)
    (record.folder / "run.json").write_text(json.dumps(whole))
    await_names(qtbot, panel, "Mine")
    qtbot.waitUntil(lambda: action(panel, "Rename").isEnabled(), timeout=WAIT)
