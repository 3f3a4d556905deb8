"""A slider from system to system."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from modinv_app.common.layouts import row
from modinv_app.common.marked_scale import TICKS, Mark, MarkedScale


class SystemDial(QWidget):
    """A slider over systems, in the order of their comparison; its value is 0 at the first, 1 at the second.

    Signals
    -------
    value_changed(float)
        The value has changed, by the user or by `set_value`.
    """

    value_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0.0
        self._names: tuple[str, ...] = ()
        self._scale = MarkedScale("System", "The system that was trained", lambda place: place * self._last)
        self._scale.valueChanged.connect(lambda: self.set_value(self._scale.chosen))
        row((self._scale, 1), parent=self)
        self.setFocusProxy(self._scale)

    @property
    def _last(self) -> int:
        return max(1, len(self._names) - 1)

    @property
    def value(self) -> float:
        """The chosen position among the systems."""
        return self._value

    def set_value(self, value: float) -> None:
        """Choose a position among the systems, from 0 to their number less one."""
        changed, self._value = value != self._value, value
        with QSignalBlocker(self._scale):
            self._scale.setValue(round(value / self._last * TICKS))
        self._scale.setAccessibleDescription(self._names[round(value)])
        if changed:
            self.value_changed.emit(value)

    def set_systems(self, names: Sequence[str]) -> None:
        """Offer other systems, at least one, and stand at the first."""
        self._names = tuple(names)
        self._scale.set_marks([Mark(at / self._last, float(at), name) for at, name in enumerate(names)])
        self.set_value(0.0)

    def step(self, marks: int) -> None:
        """Move to the next system (1) or to the previous one (-1)."""
        self._scale.step(marks)
