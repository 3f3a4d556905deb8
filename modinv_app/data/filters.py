"""Which items are shown: split, digit and speaker."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from model.data.corpora import Split
from model.types import WORDS
from modinv_app.common.layouts import row


class Filters(QWidget):
    """Three choices side by side.

    Signals
    -------
    split_chosen()
        Another split is to be read.
    changed()
        Other digits or speakers are to be shown.
    """

    split_chosen = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.splits, self.digits, self.speakers = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.splits, "Split"), (self.digits, "Digit"), (self.speakers, "Speaker")):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.digits.addItem("All digits", None)
        for digit, word in enumerate(WORDS):
            self.digits.addItem(f"{digit}, {word}", digit)
        self.splits.activated.connect(self.split_chosen)
        self.digits.activated.connect(self.changed)
        self.speakers.activated.connect(self.changed)
        row((self.splits, 1), (self.digits, 1), (self.speakers, 1), parent=self, spacing=6)
        self.show_speakers(())

    @property
    def split(self) -> Split:
        """The chosen split."""
        return self.splits.currentData()  # type: ignore[no-any-return]

    @property
    def digit(self) -> int | None:
        """The chosen digit; None for all."""
        return self.digits.currentData()  # type: ignore[no-any-return]

    @property
    def speaker(self) -> str | None:
        """The chosen speaker; None for all."""
        return self.speakers.currentText() if self.speakers.currentIndex() > 0 else None

    def show_splits(self, splits: Sequence[Split]) -> None:
        """Offer these splits; the choice stays if it can."""
        before = self.splits.currentData()
        self.splits.clear()
        for split in splits:
            self.splits.addItem(split.capitalize(), split)
        self.splits.setCurrentIndex(max(0, self.splits.findData(before)))

    def show_speakers(self, speakers: Sequence[str]) -> None:
        """Offer these speakers, unless there is at most one; the choice stays if it can."""
        before = self.speaker
        self.speakers.clear()
        self.speakers.addItems([f"All {len(speakers):,} speakers", *speakers])
        self.speakers.setCurrentIndex(1 + speakers.index(before) if before in speakers else 0)
        self.speakers.setVisible(len(speakers) > 1)

    def toggle_digit(self, digit: int) -> None:
        """Choose a digit, or all again if it was chosen."""
        self.digits.setCurrentIndex(self.digits.findData(None if digit == self.digit else digit))
        self.changed.emit()

    def show_all(self) -> None:
        """Choose all digits and speakers."""
        self.digits.setCurrentIndex(0)
        self.speakers.setCurrentIndex(0)
        self.changed.emit()
