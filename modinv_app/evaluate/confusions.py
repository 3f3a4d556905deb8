"""Which digits the model confuses, both ways, and the items behind each confusion."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout

from model.evaluation.store import Evaluation
from model.types import Modality
from modinv_app.common.card import Card, muted
from modinv_app.common.match_model import WORDS
from modinv_app.evaluate.confusion_grid import ConfusionGrid
from modinv_app.evaluate.pair_view import ARROWS, FeaturesOf, Pair, PairsPanel

_VERBS = {Modality.IMAGE: "Images of", Modality.SPEECH: "Spoken"}


class ConfusionsPanel(PairsPanel):
    """A grid for each direction; the cell that is chosen opens its items beside them."""

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
        items = Card("Behind the cell")
        items.body.addWidget(self._which)
        items.body.addWidget(self.pairs, 1)
        layout.addWidget(items, 0, 1, 2, 1)
        layout.setColumnStretch(0, 1)
        layout.setColumnStretch(1, 1)

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """Show the confusions of a model, or nothing; the worst cell opens."""
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
        found = [Pair(items[asked], items[match]) for asked, match in self._evaluation.cell(query, row, column)]
        right = "rightly" if row == column else "wrongly"
        words = f"{_VERBS[query]} {WORDS[row]}, {right} answered by {WORDS[column]}"
        self._which.setText(f"{words}: {len(found):,}. A click plays the recording.")
        self.pairs.show_pairs(found)
