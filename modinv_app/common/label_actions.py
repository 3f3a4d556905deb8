"""Buttons and a menu that relabel the chosen items of a grid and leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton

from model.types import WORDS
from modinv_app.common.grid_view import LabelledGrid


class LabelActions(QObject):
    """The buttons "It is a…" and "Leave out" of a grid, with its keys and context menu.

    Parameters
    ----------
    grid
        The grid.
    what, where
        Its items in the plural, and what they can be left out of, for tooltips.
    more
        Other buttons that the context menu offers, too.

    Signals
    -------
    relabel_wanted(int)
        The chosen items are of this digit.
    exclude_wanted()
        Leave the chosen items out, or take them in again.
    """

    relabel_wanted = Signal(int)
    exclude_wanted = Signal()

    def __init__(self, grid: LabelledGrid, what: str, where: str, more: Sequence[QPushButton] = ()) -> None:
        super().__init__(grid)
        self._grid = grid
        self._labels = QMenu("It is a…", grid)
        for digit, word in enumerate(WORDS):
            self._labels.addAction(f"{digit}  {word}").triggered.connect(partial(self.relabel_wanted.emit, digit))
        self.relabel_button = QPushButton("It is a…")
        self.relabel_button.setToolTip(f"Give the chosen {what} another label (0 to 9)")
        self.relabel_button.setMenu(self._labels)
        self.exclude_button = QPushButton("Leave out")
        self.exclude_button.setToolTip(f"Leave the chosen {what} out of {where}, or take them in again (X)")
        self.exclude_button.clicked.connect(self.exclude_wanted)
        self._more = more
        grid.relabel_wanted.connect(self.relabel_wanted)
        grid.exclude_wanted.connect(self.exclude_wanted)
        grid.customContextMenuRequested.connect(self._show_menu)

    def show_chosen(self, count: int, all_excluded: bool) -> None:
        """Enable what can be done with so many items, all of which may be left out already."""
        for button in (self.relabel_button, self.exclude_button):
            button.setEnabled(count > 0)
        self.exclude_button.setText("Take in again" if count and all_excluded else "Leave out")

    def _show_menu(self, at: QPoint) -> None:
        if not self.relabel_button.isEnabled():
            return
        menu = QMenu(self._grid)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addMenu(self._labels)
        for button in (self.exclude_button, *self._more):
            action = QAction(button.text(), menu)
            action.setEnabled(button.isEnabled())
            action.triggered.connect(button.click)
            menu.addAction(action)
        menu.popup(self._grid.viewport().mapToGlobal(at))
