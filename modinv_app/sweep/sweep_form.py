"""The form of a sweep."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from model.data.corpora import find, preferred
from model.recipes.recipe import FAST, PAPER_LAMBDAS, lambda_text
from model.sweeps.runner import SweepPlan
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app.common.card import bold, with_subscripts
from modinv_app.common.check_box import CheckBox
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.layouts import column, form
from modinv_app.common.recipe_choice import RecipeChoice

_COLUMNS = 4


class SweepForm(QWidget):
    """Values of lambda_IG, seeds, data and recipe; the recipe's values are under "Advanced".

    Signals
    -------
    changed()
        The sweep has changed, perhaps to one that can't be trained.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = {value: CheckBox(lambda_text(value)) for value in PAPER_LAMBDAS}
        for value, box in self._values.items():
            box.setChecked(True)
            box.setAccessibleName(f"λ_IG {lambda_text(value)}")
            box.toggled.connect(self.changed)
        self._others = QLineEdit(placeholderText="other values, such as 0.05, 2e-1")
        self._others.setAccessibleName("Other values of lambda IG")
        self._others.setToolTip("Any values of at least 0, with commas between")
        self._seeds = QLineEdit("0")
        self._seeds.setAccessibleName("Seeds")
        self._seeds.setToolTip("Every value is trained once with each seed, such as 0, 1, 2: they show the spread")
        for field in (self._others, self._seeds):
            field.textEdited.connect(self.changed)
        self.corpora = CorpusChoice()
        self.corpora.changed.connect(self.changed)
        self._recipe = RecipeChoice(self)
        self._recipe.changed.connect(self.changed)
        self._lay_out()

    def _lay_out(self) -> None:
        values = QGridLayout()
        values.setHorizontalSpacing(4)
        values.setVerticalSpacing(4)
        for place, box in enumerate(self._values.values()):
            values.addWidget(box, place // _COLUMNS, place % _COLUMNS)
        rows = form()
        rows.addRow("Seeds", self._seeds)
        rows.addRow("Recipe", self._recipe.box)
        self.advanced = Collapsible("Advanced", self._recipe.fields)
        title = bold(with_subscripts("Values of λ_IG"))
        data = bold(f"Learn from {find(preferred(Modality.IMAGE)).info.title}'s images and")
        column(title, values, self._others, data, self.corpora, rows, self.advanced, None, parent=self, spacing=8)

    def config(self) -> SweepPlan:
        """The chosen sweep.

        Raises
        ------
        ValueError
            If it can't be trained: why, and what to do.
        """
        ticked = [value for value, box in self._values.items() if box.isChecked()]
        lambdas = sorted({*ticked, *map(_value, _parts(self._others.text()))})
        if not lambdas:
            raise ValueError("Choose at least one value of λ_IG.")
        seeds = tuple(dict.fromkeys(map(_seed, _parts(self._seeds.text()))))
        if not seeds:
            raise ValueError("Write at least one seed, such as 0.")
        speech = self.corpora.chosen()
        if not speech:
            raise ValueError("Choose at least one corpus of speech to learn from.")
        plan = TrainingConfig(self._recipe.recipe(FAST.lambda_ig), (preferred(Modality.IMAGE), *speech), seeds[0])
        return SweepPlan(plan, tuple(lambdas), seeds)


def _parts(text: str) -> list[str]:
    return text.replace(",", " ").replace(";", " ").split()


def _value(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ValueError(f"“{text}” is not a value of λ_IG. Write numbers of at least 0, such as 0.05, 2e-1.")
    return value


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"“{text}” is not a seed. Write whole numbers of at least 0, such as 0, 1, 2.")
    return int(text)
