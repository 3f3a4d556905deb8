"""What can be done with the selected items: relabel them, leave them out, and take that back."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.data.curation import Decision
from model.types import WORDS
from modinv_app.common.item_grid import ItemGrid
from modinv_app.common.label_actions import LabelActions
from modinv_app.common.layouts import column, row
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.data.items import Items
from modinv_app.data.service import CorpusService, Decided

_HINT = "Ctrl-click selects more."
_TAKES = "Takes are changed on My digits."


class CurationBar(QWidget):
    """Buttons below a grid of items, and what was done last, with its undo.

    What is decided is kept beside the corpora, never in them.
    """

    def __init__(self, grid: ItemGrid, service: CorpusService) -> None:
        super().__init__()
        self._grid, self._service = grid, service
        self._items: Items | None = None
        self._former: Mapping[str, Decision] = {}
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.take_back = QPushButton("Take back all")
        self.take_back.setToolTip("Forget what is left out and relabelled in this corpus, in all splits")
        self.take_back.clicked.connect(self._take_back_all)
        self.labels = LabelActions(grid, "items", "training and evaluation")
        self.labels.relabel_wanted.connect(self._relabel)
        self.labels.exclude_wanted.connect(self._exclude)
        self.undo = UndoStrip()
        self.undo.undo_wanted.connect(self._undo)
        self.undo.listen_in(grid)
        buttons = (self.labels.relabel_button, self.labels.exclude_button, self.take_back)
        column(self.undo, row((self._words, 1), *buttons, spacing=6), parent=self, spacing=4)
        grid.selection_changed.connect(self._show_selection)
        service.decided.connect(self._offer_undo)
        self.show_items(None)

    def show_items(self, items: Items | None) -> None:
        """Act on these items, which the grid shows."""
        if self._items is None or items is None or items.corpus != self._items.corpus:
            self.undo.hide()
        self._items = items
        self.take_back.setVisible(items is not None and bool(items.decisions))
        self._show_selection()

    def _show_selection(self) -> None:
        items, chosen = self._items, self._grid.selected
        if items is None or not items.changeable:
            self._say(_TAKES if items is not None else "")
            self.labels.show_chosen(0, False)
            return
        self._say(_HINT if len(chosen) < 2 else f"{len(chosen):,} items selected")
        self.labels.show_chosen(len(chosen), bool(items.excluded[chosen].all()))

    def _say(self, words: str) -> None:
        self._words.setText(words)
        self._words.setToolTip(words)

    def _relabel(self, digit: int) -> None:
        items, chosen = self._items, self._grid.selected
        if items is not None and items.changeable and len(chosen):
            words = f"{_number(len(chosen))} labelled {WORDS[digit]}."
            self._service.decide(items, chosen, lambda decision: decision.with_label(digit), words)

    def _exclude(self) -> None:
        items, chosen = self._items, self._grid.selected
        if items is not None and items.changeable and len(chosen):
            out = not items.excluded[chosen].all()
            words = f"{_number(len(chosen))} left out." if out else f"{_number(len(chosen))} taken in again."
            self._service.decide(items, chosen, lambda decision: decision.with_excluded(out), words)

    def _take_back_all(self) -> None:
        if self._items is not None:
            self._service.take_back_all(self._items, f"All is as published in {self._items.corpus}.")

    def _offer_undo(self, decided: Decided) -> None:
        if decided.words and self._items is not None and decided.items.corpus == self._items.corpus:
            self._former = decided.former
            self.undo.offer(decided.words)

    def _undo(self) -> None:
        if self._items is not None:
            self._service.restore_decisions(self._items, self._former)


def _number(count: int) -> str:
    return "One item" if count == 1 else f"{count:,} items"
