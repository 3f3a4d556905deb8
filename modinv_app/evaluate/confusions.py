"""Confusion matrices in both directions, and the items of their cells."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout

from model.evaluation.store import Evaluation
from model.types import Modality
from modinv_app.common.card import Card, muted
from modinv_app.evaluate.confusion_grid import ConfusionGrid, confusion_text
from modinv_app.evaluate.pair_view import ARROWS, FeaturesOf, Pair, PairsPanel


class ConfusionsPanel(PairsPanel):
    """A confusion matrix for each direction, and beside them the items of the selected cell."""

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__(features_of, "Items of the cell")
        self.grids = {query: ConfusionGrid(query) for query in Modality}
        self._which = muted()
        self._which.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(10)
        for row, (query, grid) in enumerate(self.grids.items()):
            card = Card(ARROWS[query])
            card.body.addWidget(grid)
            layout.addWidget(card, row, 0)
            layout.setRowStretch(row, 1)
            grid.opened.connect(partial(self._open, query))
        items = Card("Items of the cell")
        items.body.addWidget(self._which)
        items.body.addWidget(self.pairs, 1)
        layout.addWidget(items, 0, 1, 2, 1)
        layout.setColumnStretch(0, 1)
        layout.setColumnStretch(1, 1)

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """Show the confusions of a model, with the worst cell selected, or nothing."""
        self._evaluation = evaluation
        self.pairs.show_pairs(())
        self._which.setText("")
        for query, grid in self.grids.items():
            grid.show_counts(() if evaluation is None else evaluation.report.direction(query).confusion)
        worst = [(query, cell) for query, grid in self.grids.items() if (cell := grid.worst())]
        if worst:
            query, cell = worst[0]
            self.grids[query].mark(cell)
            self._open(query, *cell)

    def _open(self, query: Modality, row: int, column: int) -> None:
        if self._evaluation is None:
            return
        self.grids[query.other].mark(None)
        items = self._evaluation.items()
        pairs = [Pair(items[index], items[match]) for index, match in self._evaluation.cell(query, row, column)]
        text = confusion_text(query, row, column)
        self._which.setText(f"{text}: {len(pairs):,}. A click plays the recording.")
        self.pairs.show_pairs(pairs)
