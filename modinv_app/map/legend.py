"""The legend of a map, whose entries show and hide points."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QWidget

from model.types import Modality
from modinv_app.common.chip import Chip
from modinv_app.common.layouts import row
from modinv_app.common.theme import digit_colour, is_dark


class Legend(QWidget):
    """A chip for each digit and each modality.

    Signals
    -------
    changed()
        Other points are hidden.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._digits = [Chip(str(digit)) for digit in range(10)]
        self._modalities = {
            Modality.IMAGE: Chip("Images", Modality.IMAGE),
            Modality.SPEECH: Chip("Speech", Modality.SPEECH),
        }
        for digit, chip in enumerate(self._digits):
            chip.setAccessibleName(f"Show digit {digit}")
            chip.setToolTip(f"Show or hide the digit {digit}")
        for modality, chip in self._modalities.items():
            chip.setAccessibleName(f"Show {modality} points")
            chip.setToolTip(f"Show or hide all {chip.text().lower()}")
        row(*self._digits, 8, *self._modalities.values(), parent=self, spacing=2)
        for chip in (*self._digits, *self._modalities.values()):
            chip.toggled.connect(self.changed)
        self._update_colours()

    @property
    def hidden_digits(self) -> frozenset[int]:
        """Digits whose points are hidden."""
        return frozenset(digit for digit, chip in enumerate(self._digits) if not chip.isChecked())

    @property
    def hidden_modalities(self) -> frozenset[Modality]:
        """Modalities whose points are hidden."""
        return frozenset(modality for modality, chip in self._modalities.items() if not chip.isChecked())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._update_colours()

    def _update_colours(self) -> None:
        dark = is_dark(self.palette())
        for digit, chip in enumerate(self._digits):
            chip.set_colour(digit_colour(digit, dark))
