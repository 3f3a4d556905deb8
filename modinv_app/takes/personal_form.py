"""The choices of a training with takes: whose, from which model, and whether people are left out in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QWidget

from model import locations
from model.data.takes import Take
from model.evaluation.personal_results import takes_to_train, too_few, trained_people
from modinv_app.common.check_box import CheckBox
from modinv_app.common.layouts import column, form
from modinv_app.common.model_catalogue import Model
from modinv_app.common.take_library import Listing

_EVERYBODY, _ONE = 0, 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes
    ----------
    start
        File of the model to start from.
    people
        Whose takes.
    takes
        Their takes.
    leave_out
        Whether each of several people is left out in turn.
    """

    start: Path
    people: tuple[str, ...]
    takes: tuple[Take, ...]
    leave_out: bool

    @property
    def trainings(self) -> int:
        """How many models are trained."""
        return 1 + (len(trained_people(takes_to_train(self.takes))) if self.leave_out else 0)

    @property
    def warning(self) -> str:
        """Of what there is too little, in words; empty if there is enough."""
        return too_few(self.takes)


class PersonalForm(QWidget):
    """Chooses people, the model to start from, and whether people are left out.

    Signals
    -------
    changed()
        Another choice was made, or takes have changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listing, self._person = Listing(), ""
        self._loaded = Model("Shipped model", locations.shipped_model().absolute(), "shipped")
        self.whose = QComboBox()
        self.whose.addItems(["", ""])
        self.whose.setToolTip("Whose takes the model learns from")
        self.start = QComboBox()
        self.start.setToolTip("The model that learns; it stays as it is, a new one is made from it")
        self.leave_out = CheckBox("Leave each person out in turn")
        self.leave_out.setToolTip(
            "Test each person with one more model, which has trained with the others only: as if they were new to it"
        )
        fields = form()
        self._fields = fields
        for title, box in (("Takes of", self.whose), ("Start from", self.start)):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            label = QLabel(title)
            label.setBuddy(box)
            fields.addRow(label, box)
            box.activated.connect(self._change)
        self.leave_out.toggled.connect(self._change)
        column(fields, self.leave_out, parent=self, spacing=6)
        self._show_models()
        self._change()

    @property
    def choice(self) -> Choice:
        """What is chosen now."""
        people = (self._person,) if self.whose.currentIndex() == _ONE else self._listing.people
        takes = tuple(take for take in self._listing.takes if take.person in people)
        leave_out = self.leave_out.isEnabled() and self.leave_out.isChecked()
        return Choice(Path(self.start.currentData()), people, takes, leave_out)

    def show_listing(self, listing: Listing) -> None:
        """Show people and takes as they are now."""
        self._listing = listing
        self._change()

    def show_person(self, person: str | None) -> None:
        """Show who is chosen on the page."""
        self._person = person or ""
        self._change()

    def show_loaded(self, model: Model) -> None:
        """Show which model is in use: a training starts from it, unless the user chooses the shipped one."""
        another, self._loaded = model != self._loaded, model
        self._show_models()
        if another:
            self.start.setCurrentIndex(0)
        self._change()

    def _show_models(self) -> None:
        shipped = Model("Shipped model", locations.shipped_model().absolute(), "shipped")
        models: Sequence[Model] = (self._loaded,) if self._loaded == shipped else (self._loaded, shipped)
        chosen = self.start.currentData()
        with QSignalBlocker(self.start):
            self.start.clear()
            for model in models:
                self.start.addItem(model.title, str(model.file))
            self.start.setCurrentIndex(max(0, self.start.findData(chosen) if len(models) > 1 else 0))
        self._fields.setRowVisible(self.start, len(models) > 1)

    def _change(self) -> None:
        people = self._listing.people
        if not self._person:
            self.whose.setCurrentIndex(_EVERYBODY)
        self.whose.setItemText(_EVERYBODY, f"everybody ({len(people)})" if people else "everybody")
        self.whose.setItemText(_ONE, f"{self._person} only" if self._person else "one person")
        counts = takes_to_train(self.choice.takes)
        several = len(trained_people(counts))
        self.leave_out.setEnabled(several > 1)
        self.changed.emit()
