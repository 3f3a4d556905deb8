"""The wrong matches of a model, worst first."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QComboBox, QStackedLayout

from model.evaluation.store import Evaluation, Mistake
from model.types import Item, Modality
from modinv_app.common.card import muted
from modinv_app.common.layouts import column, row
from modinv_app.evaluate.pair_view import ARROWS, FeaturesOf, Pair, PairsPanel

_WHICH: tuple[tuple[str, Modality | None], ...] = (
    ("Both ways", None),
    *((ARROWS[query], query) for query in Modality),
)


class MistakesPanel(PairsPanel):
    """Queries whose nearest match is of another digit, by decreasing margin over the best correct match."""

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__(features_of, "Mistakes, worst first")
        self.which = QComboBox()
        self.which.setAccessibleName("Direction")
        for name, query in _WHICH:
            self.which.addItem(name, query)
        self.which.currentIndexChanged.connect(self._show)
        self._count = muted()
        none = muted("All nearest matches are correct.")
        top = row(self.which, (self._count, 1), margins=(3, 0, 3, 0))
        self._stack = QStackedLayout()
        self._stack.addWidget(self.pairs)
        self._stack.addWidget(none)
        column(top, (self._stack, 1), parent=self, margins=(10, 10, 10, 10))

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """Show the mistakes of a model, or nothing."""
        self._evaluation = evaluation
        self._show()

    def _show(self) -> None:
        if self._evaluation is None:
            self.pairs.show_pairs(())
            self._stack.setCurrentWidget(self.pairs)
            self._count.setText("")
            return
        items, query = self._evaluation.items(), self.which.currentData()
        mistakes = [each for each in self._evaluation.mistakes() if query in (None, items[each.query].modality)]
        total = sum(query in (None, item.modality) for item in items)
        self._count.setText(
            f"{len(mistakes):,} of {total:,} nearest matches are wrong. “by” is the margin of the wrong match over the "
            "best correct one."
        )
        self.pairs.show_pairs([_pair(items, each) for each in mistakes])
        self._stack.setCurrentIndex(0 if mistakes else 1)


def _pair(items: list[Item], mistake: Mistake) -> Pair:
    by = "no correct match" if math.isinf(mistake.margin) else f"by {mistake.margin:.1f}"
    return Pair(items[mistake.query], items[mistake.match], by)
