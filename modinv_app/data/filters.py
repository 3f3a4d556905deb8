"""Which items are shown, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from model.data.corpora import Split
from model.types import WORDS
from modinv_app.common.layouts import row

Order = Literal["in order", "surprising", "changed"]

_ORDERS: dict[Order, tuple[str, str]] = {
    "in order": ("In order", "All items as the corpus lists them"),
    "surprising": ("Surprising first", "Most surprising to this model first: those whose labels it contradicts most"),
    "changed": ("Changed", "Only items that you have left out or relabelled"),
}


class Filters(QWidget):
    """Four choices side by side.

    Signals
    -------
    split_chosen()
        Another split is to be read.
    changed()
        Other digits or speakers are to be shown, or in another order.
    """

    split_chosen = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.splits, self.digits, self.speakers, self.orders = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        names = ("Split", "Digit", "Speaker", "Which items, in which order")
        for box, name in zip((self.splits, self.digits, self.speakers, self.orders), names, strict=True):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.digits.addItem("All digits", None)
        for digit, word in enumerate(WORDS):
            self.digits.addItem(f"{digit}, {word}", digit)
        for place, (order, (title, tip)) in enumerate(_ORDERS.items()):
            self.orders.addItem(title, order)
            self.orders.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.orders.activated.connect(self.changed)
        self.splits.activated.connect(self.split_chosen)
        self.digits.activated.connect(self.changed)
        self.speakers.activated.connect(self.changed)
        # By the widths of their texts, so that all can be read in a small window.
        row((self.splits, 9), (self.digits, 8), (self.speakers, 11), (self.orders, 12), parent=self, spacing=6)
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

    @property
    def order(self) -> Order:
        """The chosen order, or that only changed items are shown."""
        return self.orders.currentData()  # type: ignore[no-any-return]

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
        """Choose all digits and speakers, changed or not."""
        if self.order == "changed":
            self.orders.setCurrentIndex(0)
        self.digits.setCurrentIndex(0)
        self.speakers.setCurrentIndex(0)
        self.changed.emit()
