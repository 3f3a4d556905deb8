"""The choice of a recipe by its name, or of its values."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, Signal

from model.recipes.recipe import RECIPES, Recipe, named
from modinv_app.common.recipe_fields import RecipeFields
from modinv_app.common.wheel import ComboBox

_RECIPES = {
    "fast": ("Fast", "The paper's objective in minutes on a laptop"),
    "sprint": ("Sprint", "Fast, with a fifth of its pairs: for a first look"),
    "robust": ("Robust", "For other people's voices: pretrained on speech, and sound distorted as by rooms and noise"),
    "paper": ("Paper", "The paper's, as far as it is specified: 100 passes over MNIST, hours on a laptop"),
}
_OWN = "own"


class RecipeChoice(QObject):
    """A combo box of names, and a form of all values, to be placed separately.

    Signals
    -------
    changed()
        The recipe has changed, perhaps to one that can't be used.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.box = ComboBox()
        self.box.setAccessibleName("Recipe")
        for name, (title, tip) in _RECIPES.items():
            self.box.addItem(title, name)
            self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.box.activated.connect(self._choose)
        self.fields = RecipeFields()
        self.fields.edited.connect(self._own_values)
        self._choose()

    def recipe(self, lambda_ig: float) -> Recipe:
        """The recipe in the form, with the name of the recipe that it equals.

        Raises
        ------
        ValueError
            If a value can't be used: which, and what is allowed.
        """
        own = self.fields.recipe(_OWN, lambda_ig)
        for name in RECIPES:
            known = named(name, system=own.system, lambda_ig=lambda_ig)
            if known == replace(own, name=name):
                return known
        return own

    @property
    def has_lambda_ig(self) -> bool:
        """Whether the chosen system has a weight of the information gain."""
        return self.fields.has("lambda_ig")

    def set_recipe(self, recipe: Recipe) -> None:
        """Show a recipe."""
        self.fields.set_recipe(recipe)
        self._show(self.recipe(recipe.lambda_ig))

    def _choose(self) -> None:
        name = self.box.currentData()
        if name in RECIPES:
            self.fields.set_recipe(RECIPES[name])
            self._show(RECIPES[name])
        self.changed.emit()

    def _own_values(self) -> None:
        with contextlib.suppress(ValueError):  # `recipe` reports it
            self._show(self.recipe(0.0))
        self.changed.emit()

    def _show(self, recipe: Recipe) -> None:
        """Select the recipe's name; "Own values" is listed only while it is selected."""
        own = self.box.findData(_OWN)
        if recipe.name not in RECIPES and own < 0:
            self.box.addItem("Own values", _OWN)
        elif recipe.name in RECIPES and own >= 0:
            self.box.removeItem(own)
        self.box.setCurrentIndex(self.box.findData(recipe.name))
        self.box.setToolTip(_RECIPES.get(recipe.name, ("", "The values under “Advanced”"))[1])
