"""Every value of a recipe but lambda_IG, to change by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QWidget

from model.recipes.recipe import Recipe
from modinv_app.common.card import bold
from modinv_app.common.check_box import CheckBox
from modinv_app.common.theme import is_dark, warning_colour


@dataclass(frozen=True, slots=True)
class _Number:
    """A number between two bounds; where ``optional``, an empty field is none at all."""

    name: str
    title: str
    tip: str
    low: float
    high: float
    whole: bool = False
    optional: bool = False
    place: int | None = None  # in a value that is a tuple


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of a few words."""

    name: str
    title: str
    tip: str
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Switch:
    """On or off."""

    name: str
    title: str
    tip: str


_Field = _Number | _Choice | _Switch

_GROUPS: tuple[tuple[str, tuple[_Field, ...]], ...] = (
    (
        "Batches",
        (
            _Number("steps", "Steps", "Batches in all; 469 are one pass over MNIST", 1, 10_000_000, whole=True),
            _Number("batch_size", "Pairs a batch", "Distinct pairs of an image and an utterance", 2, 4096, whole=True),
            _Number(
                "samples_per_input", "Samples an input", "Embeddings drawn from each posterior", 1, 256, whole=True
            ),
            _Choice(
                "impostors",
                "Impostors",
                "What a pair must be more similar than: one other pair of the batch, as in the paper, an image and an "
                "utterance drawn apart, or all of them",
                {"pair": "One pair, as the paper", "one": "One of each", "all": "All of the batch"},
            ),
        ),
    ),
    (
        "Optimiser",
        (
            _Number("learning_rate", "Learning rate", "Adam's: the first, or the peak of one cycle", 1e-9, 1.0),
            _Choice(
                "schedule",
                "Schedule",
                "How the learning rate goes on: times 0.9 every ten passes, as in the paper, or up and down once",
                {"staircase": "Staircase, as the paper", "one-cycle": "One cycle"},
            ),
            _Number("betas", "Adam's β₁", "Memory of the gradient", 0.0, 0.999999, place=0),
            _Number("betas", "Adam's β₂", "Memory of its square", 0.0, 0.999999, place=1),
            _Number("epsilon", "Adam's ε", "Keeps a division from a small number", 1e-16, 1.0),
            _Number("lambda_wd", "λ_WD", "Weight of the weight norms", 0.0, 1.0),
        ),
    ),
    (
        "Posteriors",
        (
            _Number("kl_warmup", "Warm-up of λ_IG", "Share of the steps over which λ_IG rises from 0", 0.0, 1.0),
            _Number(
                "initial_log_variance",
                "First log variance",
                "Where the log variances start; empty: where PyTorch puts them, as in the paper",
                -20.0,
                5.0,
                optional=True,
            ),
            _Switch("batch_norm", "Batch norm", "In the speech encoder, as Hsu's released configuration has it"),
            _Switch("bfloat16", "bfloat16", "Where the device computes in it by itself: faster, a little less exact"),
        ),
    ),
    (
        "Augmentation of speech",
        (
            _Number("time_shift", "Time shift", "At most so many frames", 0, 50, whole=True),
            _Number("time_stretch", "Time stretch", "At most this share", 0.0, 0.9),
            _Number("frequency_warp", "Frequency warp", "At most this share", 0.0, 0.9),
            _Number("channel", "Channel", "How much a microphone and a room colour it", 0.0, 5.0),
            _Number("noise", "Noise", "How much noise lies over it", 0.0, 5.0),
            _Number("frequency_mask", "Frequency mask", "At most so many bands", 0, 79, whole=True),
            _Number("augmented_share", "Share of the steps", "That are augmented, from the first", 0.0, 1.0),
        ),
    ),
)


class RecipeFields(QWidget):
    """A form over a recipe's values, each checked as it is typed.

    Signals
    -------
    edited()
        The user has changed a value.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editors: list[tuple[_Field, _NumberEdit | QComboBox | CheckBox]] = []
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(4)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for title, fields in _GROUPS:
            self._add_group(title, fields)

    def _add_group(self, title: str, fields: tuple[_Field, ...]) -> None:
        heading = bold(title)
        heading.setContentsMargins(0, 8 if self._editors else 0, 0, 0)
        self._form.addRow(heading)
        for field in fields:
            editor = self._editor(field)
            editor.setToolTip(field.tip)
            editor.setAccessibleName(field.title)
            label = QLabel(field.title)
            label.setToolTip(field.tip)
            label.setBuddy(editor)
            self._form.addRow(label, editor)
            self._editors.append((field, editor))

    def _editor(self, field: _Field) -> _NumberEdit | QComboBox | CheckBox:
        if isinstance(field, _Number):
            number = _NumberEdit(field)
            number.textEdited.connect(self.edited)
            return number
        if isinstance(field, _Switch):
            switch = CheckBox()
            switch.clicked.connect(self.edited)
            return switch
        words = QComboBox()
        for value, word in field.words.items():
            words.addItem(word, value)
        words.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        words.activated.connect(self.edited)
        return words

    def set_recipe(self, recipe: Recipe) -> None:
        """Show the values of a recipe."""
        for field, editor in self._editors:
            value = getattr(recipe, field.name)
            if isinstance(editor, _NumberEdit):
                editor.show_value(value if editor.field.place is None else value[editor.field.place])
            elif isinstance(editor, QComboBox):
                editor.setCurrentIndex(editor.findData(value))
            else:
                editor.setChecked(value)

    def values(self) -> dict[str, Any]:
        """All values by their names in a recipe.

        Raises
        ------
        ValueError
            If one of them can't be used: which, and what it may be.
        """
        values: dict[str, Any] = {}
        for field, editor in self._editors:
            if isinstance(editor, QComboBox):
                values[field.name] = editor.currentData()
            elif isinstance(editor, CheckBox):
                values[field.name] = editor.isChecked()
            elif editor.field.place is None:
                values[field.name] = editor.value()
            else:
                values[field.name] = (*values.get(field.name, ()), editor.value())
        return values


class _NumberEdit(QLineEdit):
    """A number as people type it, ``0.001`` or ``1e-3``; one that can't be used is marked."""

    def __init__(self, field: _Number) -> None:
        super().__init__()
        self.field = field
        if field.optional:
            self.setPlaceholderText("PyTorch's own")

    def show_value(self, value: float | None) -> None:
        self.setText("" if value is None else f"{value:.12g}".replace("e-0", "e-"))

    def value(self) -> float | int | None:
        """The number; a ``ValueError`` says what it may be."""
        field, text = self.field, self.text().strip().replace(",", ".")
        if field.optional and not text:
            return None
        kind = "a whole number" if field.whole else "a number"
        try:
            value: float = int(text) if field.whole else float(text)
        except ValueError:
            value = math.nan
        if not field.low <= value <= field.high:
            raise ValueError(f"{field.title} must be {kind} from {field.low:g} to {field.high:g}.")
        return value

    def paintEvent(self, event: QPaintEvent) -> None:
        """Underline what can't be used."""
        super().paintEvent(event)
        try:
            self.value()
        except ValueError:
            painter = QPainter(self)
            painter.fillRect(2, self.height() - 3, self.width() - 4, 2, warning_colour(is_dark(self.palette())))
