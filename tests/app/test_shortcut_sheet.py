"""The sheet of shortcuts lists every key that does something, under its group."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLabel, QScrollArea

from modinv_app.shell.shortcut_sheet import ShortcutSheet

# The offscreen platform has no window manager to tell of a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

EXTRA = [("Speak", "Space", "Hold to speak"), ("Draw", "Up / Shift+Wheel", "Thicker pen")]


def an_action(text, group, *keys):
    action = QAction(text)
    action.setShortcuts([QKeySequence(key) for key in keys])
    action.setProperty("group", group)
    return action


@pytest.fixture
def sheet(qtbot):
    actions = [
        an_action("&Undo", "Draw", "Ctrl+Z"),
        an_action("Zoom &in", "Map", "Ctrl++"),
        an_action("&Redo", "Draw", "Ctrl+Shift+Z", "Ctrl+Y"),
        an_action("Draw && &hear…", None, "F2"),
        an_action("Nothing", "Draw"),
    ]
    sheet = ShortcutSheet(actions, EXTRA)
    qtbot.addWidget(sheet)
    sheet.show()
    return sheet


def read(sheet):
    """The sheet as a person reads it: column by column, line by line, each line as its words."""
    lines = {}
    for label in sheet.findChildren(QLabel):
        place = label.mapTo(sheet, QPoint(0, label.height() // 2))
        column = label.parentWidget().mapTo(sheet, QPoint()).x()
        lines.setdefault((column, place.y()), []).append((place.x(), label.text()))
    return [[text for _, text in sorted(words)] for _, words in sorted(lines.items())]


def test_lists_each_group_with_its_actions_and_its_other_keys(sheet):
    assert read(sheet) == [
        ["Draw"],
        ["Undo", "Ctrl", "Z"],
        ["Redo", "Ctrl", "Shift", "Z", "or", "Ctrl", "Y"],
        ["Thicker pen", "Up", "or", "Shift", "Wheel"],
        ["Map"],
        ["Zoom in", "Ctrl", "+"],
        ["General"],
        ["Draw & hear", "F2"],
        ["Speak"],
        ["Hold to speak", "Space"],
    ]


def test_all_is_in_sight_when_there_is_room(sheet):
    area = sheet.findChild(QScrollArea)
    assert area.verticalScrollBar().maximum() == 0
    assert area.horizontalScrollBar().maximum() == 0


def test_a_small_sheet_has_one_column_and_scrolls_only_down(sheet, qtbot):
    wide = read(sheet)
    sheet.resize(sheet.minimumWidth(), 120)
    area = sheet.findChild(QScrollArea)
    qtbot.waitUntil(lambda: area.horizontalScrollBar().maximum() == 0)
    assert area.verticalScrollBar().maximum() > 0
    assert len({label.parentWidget().x() for label in sheet.findChildren(QLabel)}) == 1
    assert read(sheet) == wide


def test_escape_closes_it(sheet, qtbot):
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_an_empty_sheet_opens(qtbot):
    sheet = ShortcutSheet([])
    qtbot.addWidget(sheet)
    sheet.show()
    assert sheet.isVisible()
