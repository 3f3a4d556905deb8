"""A slider for lambda_IG on a logarithmic scale from 1e-5 to 1, extended to 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from model.recipes.recipe import PAPER_LAMBDAS, lambda_text
from modinv_app.common.marked_scale import TICKS, Mark, MarkedScale

_LOWEST = 1e-5  # the smallest value of the logarithmic part
_DECADES = 5.0
_STEP = _DECADES / 6  # decades between two of the paper's values, and between 0 and the smallest


def place_of(value: float) -> float:
    """The position of a lambda_IG of at least 0 on the scale, from 0 (left) to 1 (right).

    Logarithmic from 1e-5 to 1, linear below 1e-5, and clipped above 1.
    """
    if value < _LOWEST:
        return value / _LOWEST * _STEP / (_DECADES + _STEP)
    return min(1.0, (math.log10(value) + _DECADES + _STEP) / (_DECADES + _STEP))


def value_at(place: float) -> float:
    """The lambda_IG at a place of the scale, to three digits; the inverse of `place_of`."""
    decades = place * (_DECADES + _STEP) - _STEP
    value = _LOWEST * (1 + decades / _STEP) if decades < 0 else _LOWEST * 10**decades
    return float(f"{value:.3g}")


class LambdaDial(QWidget):
    """A slider that snaps to marked values, and a field for any other value.

    Parameters
    ----------
    marks
        Ascending values of lambda_IG that are labelled below the scale.

    Signals
    -------
    value_changed(float)
        The value has changed, by the user or by `set_value`.
    """

    value_changed = Signal(float)

    def __init__(self, marks: Sequence[float] = PAPER_LAMBDAS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0.0
        self._scale = MarkedScale(
            "Lambda IG", "λ_IG, the weight of the information gain", value_at, dotted_below=place_of(_LOWEST)
        )  # dotted below the lowest value, as a logarithm never reaches 0
        self.set_marks(marks)
        self._scale.valueChanged.connect(self._slide)
        self._field = QLineEdit()
        self._field.setAccessibleName("Value of lambda IG")
        self._field.setToolTip("Type any value of at least 0, for example 0.02 or 2e-2")
        self._field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._field.setFixedWidth(self._field.fontMetrics().horizontalAdvance("8.888e-88") + 16)
        self._field.editingFinished.connect(self._take_typed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._scale, 1)
        layout.addWidget(self._field, 0, Qt.AlignmentFlag.AlignTop)
        self.setFocusProxy(self._scale)
        self._show()

    @property
    def value(self) -> float:
        """The chosen lambda_IG."""
        return self._value

    def set_value(self, value: float) -> None:
        """Choose a lambda_IG; a value above 1 is kept, with the handle at the end of the scale.

        Raises
        ------
        ValueError
            If it is negative or not finite.
        """
        if not 0 <= value < math.inf:
            raise ValueError(f"lambda_IG must be a number of at least 0, not {value}.")
        changed, self._value = value != self._value, value
        self._show()
        if changed:
            self.value_changed.emit(value)

    def set_marks(self, marks: Sequence[float]) -> None:
        """Label other values, ascending, below the scale."""
        self._scale.set_marks([Mark(place_of(value), value, lambda_text(value)) for value in marks])

    def step(self, marks: int) -> None:
        """Move to the next mark (1) or to the previous one (-1)."""
        self._scale.step(marks)

    def _slide(self) -> None:
        self.set_value(self._scale.chosen)

    def _take_typed(self) -> None:
        try:
            self.set_value(float(self._field.text().replace(",", ".")))
        except ValueError:
            self._show()  # restore the text

    def _show(self) -> None:
        text = lambda_text(self._value)
        with QSignalBlocker(self._scale):
            self._scale.setValue(round(place_of(self._value) * TICKS))
        self._scale.setAccessibleDescription(text)
        self._field.setText(text)
