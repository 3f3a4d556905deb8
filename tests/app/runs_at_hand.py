"""The list of runs, as a hand reaches its parts and an eye reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit
from pytestqt.qtbot import QtBot
from showing import shown

from model.runs.store import RunStore
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.theme import apply_scheme
from modinv_app.train.run_list import RunList
from modinv_app.train.runs import RunsPanel

WAIT = 20_000
"""Milliseconds; moments on an idle machine."""


@contextmanager
def runs_panel(qtbot: QtBot, store: RunStore) -> Iterator[RunsPanel]:
    """The list of the runs of a store, on the screen."""
    library = RunLibrary(store)
    yield shown(qtbot, RunsPanel(library), 300, 600)
    library.close()
    apply_scheme("system")


def runs(panel: RunsPanel) -> RunList:
    return panel.findChild(RunList)


def names(panel: RunsPanel) -> list[str]:
    model = runs(panel).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def words(panel: RunsPanel, name: str) -> str:
    return runs(panel).model().index(names(panel).index(name), 0).data(Qt.ItemDataRole.AccessibleTextRole)


def await_names(qtbot: QtBot, panel: RunsPanel, *wanted: str) -> None:
    panel.refresh()  # sooner than by its clock
    qtbot.waitUntil(lambda: names(panel) == list(wanted), timeout=WAIT)


def click(panel: RunsPanel, name: str, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    view = runs(panel)
    place = view.visualRect(view.model().index(names(panel).index(name), 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def button(panel: RunsPanel, name: str) -> QAbstractButton:
    return next(each for each in panel.findChildren(QAbstractButton) if name in (each.text(), each.accessibleName()))


def action(panel: RunsPanel, name: str) -> QAction:
    return next(each for each in panel.findChildren(QAction) if each.text() == name)


def field(panel: RunsPanel, name: str) -> QLineEdit:
    return next(each for each in panel.findChildren(QLineEdit) if each.accessibleName() == name)


def says(panel: RunsPanel, text: str) -> bool:
    return any(text in label.text() for label in panel.findChildren(QLabel) if label.isVisible())
