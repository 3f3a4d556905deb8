"""What the model gets wrong, worst first."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout

from model.evaluation.store import Evaluation, Mistake
from model.types import Item, Modality
from modinv_app.common.card import muted
from modinv_app.evaluate.pair_view import ARROWS, FeaturesOf, Pair, PairsPanel

_WHICH: tuple[tuple[str, Modality | None], ...] = (
    ("Both ways", None),
    *((ARROWS[query], query) for query in Modality),
)


class MistakesPanel(PairsPanel):
    """Queries whose nearest match shows another digit, those first whose match beats every right one by most."""

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__(features_of, "Mistakes, worst first")
        self.which = QComboBox()
        self.which.setAccessibleName("Direction")
        for name, query in _WHICH:
            self.which.addItem(name, query)
        self.which.currentIndexChanged.connect(self._show)
        self._count = muted()
        none = muted("No nearest match shows a wrong digit.")
        top = QHBoxLayout()
        top.setContentsMargins(3, 0, 3, 0)
        top.addWidget(self.which)
        top.addWidget(self._count, 1)
        self._stage = QStackedLayout()
        self._stage.addWidget(self.pairs)
        self._stage.addWidget(none)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addLayout(top)
        layout.addLayout(self._stage, 1)

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """Show the mistakes of a model, or nothing."""
        self._evaluation = evaluation
        self._show()

    def _show(self) -> None:
        if self._evaluation is None:
            self.pairs.show_pairs(())
            self._stage.setCurrentWidget(self.pairs)
            self._count.setText("")
            return
        items, query = self._evaluation.items(), self.which.currentData()
        mistakes = [each for each in self._evaluation.mistakes() if query in (None, items[each.query].modality)]
        asked = sum(query in (None, item.modality) for item in items)
        self._count.setText(
            f"{len(mistakes):,} of {asked:,} queries found a wrong digit. “by” tells how much the wrong match "
            "scores above the best right one."
        )
        self.pairs.show_pairs([_pair(items, each) for each in mistakes])
        self._stage.setCurrentIndex(0 if mistakes else 1)


def _pair(items: list[Item], mistake: Mistake) -> Pair:
    by = "no right one" if math.isinf(mistake.margin) else f"by {mistake.margin:.1f}"
    return Pair(items[mistake.query], items[mistake.match], by)
