"""The form of a sweep or a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from model.data.corpora import find, preferred
from model.recipes.recipe import FAST, PAPER_LAMBDAS, lambda_text
from model.sweeps.plans import SYSTEMS, ComparisonPlan, Plan, SweepPlan, on_all_cores
from model.systems import summary
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app.common.card import bold
from modinv_app.common.check_box import CheckBox
from modinv_app.common.collapsible import Collapsible
from modinv_app.common.corpus_choice import CorpusChoice
from modinv_app.common.layouts import column, form
from modinv_app.common.recipe_choice import RecipeChoice
from modinv_app.common.wheel import ComboBox

_COLUMNS = 4


class SweepForm(QWidget):
    """Values of lambda_IG or systems, seeds, data and recipe; the recipe's values are under "Advanced".

    Signals
    -------
    changed()
        The plan has changed, perhaps to one that can't be trained.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis = ComboBox()
        self._axis.addItems(["Values of λ_IG", "Systems"])
        self._axis.setAccessibleName("What the runs differ in")
        self._axis.setToolTip("Train a model for each value of λ_IG, or one for each system, on the same data")
        self._systems = {name: CheckBox(name) for name in SYSTEMS}
        for name, box in self._systems.items():
            box.setChecked(True)
            box.setToolTip(f"{summary(_system_of(SYSTEMS[name]))}\n{', '.join(SYSTEMS[name])}")
            box.toggled.connect(self.changed)
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
        of_lambda, of_systems = QWidget(), QWidget()
        column(values, self._others, parent=of_lambda, spacing=8)
        column(*self._systems.values(), parent=of_systems, spacing=4)
        of_systems.hide()

        def show_axis(place: int) -> None:
            of_lambda.setVisible(place == 0)
            of_systems.setVisible(place == 1)
            self.changed.emit()

        self._axis.currentIndexChanged.connect(show_axis)
        data = bold(f"Learn from {find(preferred(Modality.IMAGE)).info.title}'s images and")
        column(
            *(self._axis, of_lambda, of_systems, data, self.corpora, rows, self.advanced, None),
            parent=self,
            spacing=8,
        )

    def config(self) -> Plan:
        """The chosen sweep or comparison.

        Raises
        ------
        ValueError
            If it can't be trained: why, and what to do.
        """
        swept = self._axis.currentIndex() == 0
        ticked = [value for value, box in self._values.items() if box.isChecked()]
        lambdas = sorted({*ticked, *map(_value, _parts(self._others.text()))}) if swept else []
        systems = {name: SYSTEMS[name] for name, box in self._systems.items() if box.isChecked()}
        if swept and not lambdas:
            raise ValueError("Choose at least one value of λ_IG.")
        if not swept and not systems:
            raise ValueError("Choose at least one system.")
        seeds = tuple(dict.fromkeys(map(_seed, _parts(self._seeds.text()))))
        if not seeds:
            raise ValueError("Write at least one seed, such as 0.")
        speech = self.corpora.chosen()
        if not speech:
            raise ValueError("Choose at least one corpus of speech to learn from.")
        plan = TrainingConfig(self._recipe.recipe(FAST.lambda_ig), (preferred(Modality.IMAGE), *speech), seeds[0])
        return on_all_cores(SweepPlan(plan, tuple(lambdas), seeds) if swept else ComparisonPlan(plan, systems, seeds))


def _system_of(settings: Sequence[str]) -> str:
    return next(text.removeprefix("system=") for text in settings if text.startswith("system="))


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
