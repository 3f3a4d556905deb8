"""A form with a row for every field that the recipes of a system declare, except lambda_IG."""

from __future__ import annotations

import contextlib
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from model.recipes.fields import RecipeField, fields_of
from model.recipes.recipe import Recipe
from modinv_app.common.card import bold
from modinv_app.common.check_box import CheckBox
from modinv_app.common.layouts import form
from modinv_app.common.theme import is_dark, warning_colour
from modinv_app.common.wheel import ComboBox

_SYSTEM = "system"
_LAMBDA_IG = "lambda_ig"  # has a slider of its own


class RecipeFields(QWidget):
    """A form of a recipe's values, each checked while it is typed.

    Signals
    -------
    edited()
        The user has changed a value.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editors: dict[str, tuple[RecipeField, list[_Editor]]] = {}
        self._values: dict[str, Any] = {}  # of all fields so far, also those that only another system has
        self._form = form(self, spacing=4)
        (system,) = (field for field in fields_of(Recipe) if field.name == _SYSTEM)
        self._add_rows([system])
        self._rows_of_system = self._form.rowCount()
        for row in range(self._rows_of_system):
            self._form.setRowVisible(row, len(system.words) > 1)
        self._show_fields_of(Recipe)

    def _show_fields_of(self, recipe_type: type[Recipe]) -> None:
        """Create the rows of a system's recipes. The row of the system stays: its box may have just been used."""
        self._recipe_type = recipe_type
        self._editors = {_SYSTEM: self._editors[_SYSTEM]}
        while self._form.rowCount() > self._rows_of_system:
            self._form.removeRow(self._rows_of_system)
        self._add_rows([field for field in fields_of(recipe_type) if field.name not in (_SYSTEM, _LAMBDA_IG)])

    def _add_rows(self, fields: list[RecipeField]) -> None:
        group = ""
        for field in fields:
            if field.group != group:
                heading = bold(field.group)
                heading.setContentsMargins(0, 8 if group else 0, 0, 0)
                self._form.addRow(heading)
                group = field.group
            editors = [self._editor(number) for number in field.numbers]
            for number, editor in zip(field.numbers, editors, strict=True):
                tip = f"{field.help}, in {field.unit}" if field.unit else field.help
                editor.setToolTip(tip)
                editor.setAccessibleName(number.title)
                label = QLabel(number.title)
                label.setToolTip(tip)
                label.setBuddy(editor)
                self._form.addRow(label, editor)
            self._editors[field.name] = field, editors

    def _editor(self, field: RecipeField) -> _Editor:
        if field.is_switch:
            switch = _SwitchBox()
            switch.clicked.connect(self.edited)
            return switch
        if field.is_choice:
            words = _ChoiceBox(field)
            words.activated.connect(self._choose_system if field.name == _SYSTEM else self.edited)
            return words
        number = _NumberEdit(field)
        number.textEdited.connect(self.edited)
        return number

    def _choose_system(self) -> None:
        """Show the fields of the chosen system's recipes, with their former values."""
        system = self._editors[_SYSTEM][1][0].value()
        with contextlib.suppress(ValueError):  # a value can't be used: keep the former ones
            self._values |= self._shown()
        with contextlib.suppress(ValueError):  # it can't be imported; `recipe` reports it
            kind = Recipe.subclass_for({"system": system})
            known = {field.name for field in fields_of(kind)} & set(self._values)
            self.set_recipe(kind("", **{name: self._values[name] for name in known} | {_SYSTEM: system}))
        self.edited.emit()

    def set_recipe(self, recipe: Recipe) -> None:
        """Show the values of a recipe."""
        self._values |= {field.name: getattr(recipe, field.name) for field in fields_of(type(recipe))}
        if type(recipe) is not self._recipe_type:
            self._show_fields_of(type(recipe))
        for name, (field, editors) in self._editors.items():
            value = getattr(recipe, name)
            for editor, number in zip(editors, value if field.parts else (value,), strict=True):
                editor.show_value(number)

    def has(self, name: str) -> bool:
        """Whether the recipes of the chosen system have a field."""
        return any(field.name == name for field in fields_of(self._recipe_type))

    def recipe(self, name: str, lambda_ig: float) -> Recipe:
        """The recipe with all these values.

        Raises
        ------
        ValueError
            If one of them can't be used: which, and what is allowed.
        """
        own = self._recipe_type(name, lambda_ig, **self._shown())
        return own.changed()  # of the class that its system has

    def _shown(self) -> dict[str, Any]:
        """The values in the form; raises as :meth:`recipe`."""
        values: dict[str, Any] = {}
        for field, editors in self._editors.values():
            numbers = tuple(editor.value() for editor in editors)
            values[field.name] = numbers if field.parts else numbers[0]
        return values


class _ChoiceBox(ComboBox):
    """A choice among a few words."""

    def __init__(self, field: RecipeField) -> None:
        super().__init__()
        for value, word in field.words.items():
            self.addItem(word, value)
        self.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def show_value(self, value: str) -> None:
        self.setCurrentIndex(self.findData(value))

    def value(self) -> str:
        return str(self.currentData())


class _SwitchBox(CheckBox):
    """On or off."""

    def show_value(self, value: bool) -> None:
        self.setChecked(value)

    def value(self) -> bool:
        return self.isChecked()


class _NumberEdit(QLineEdit):
    """A number such as ``0.001`` or ``1e-3``; one that can't be used is underlined."""

    def __init__(self, field: RecipeField) -> None:
        super().__init__()
        self._field = field
        self.setPlaceholderText(field.empty)

    def show_value(self, value: float | None) -> None:
        self.setText("" if value is None else f"{value:.12g}".replace("e-0", "e-"))

    def value(self) -> Any:
        """The number; raises ``ValueError`` with what is allowed."""
        return self._field.parse(self.text())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        try:
            self.value()
        except ValueError:
            painter = QPainter(self)
            painter.fillRect(2, self.height() - 3, self.width() - 4, 2, warning_colour(is_dark(self.palette())))


_Editor = _ChoiceBox | _SwitchBox | _NumberEdit
