"""The takes of the chosen person, with what can be done with them."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from model.data.takes import Take
from model.types import WORDS, Modality
from modinv_app.common.card import Card
from modinv_app.common.label_actions import LabelActions
from modinv_app.common.layouts import row
from modinv_app.common.take_library import Listing, TakeLibrary
from modinv_app.takes.take_grid import TakeGrid

_HINT = {Modality.SPEECH: "Click a take to hear it.", Modality.IMAGE: "Click a take to choose it."}


class TakesPanel(Card):
    """Plays, relabels, leaves out and deletes takes.

    Signals
    -------
    play_wanted(Take)
        Play a recording.
    """

    play_wanted = Signal(object)

    def __init__(self, library: TakeLibrary, parent: QWidget | None = None) -> None:
        super().__init__("Takes", parent=parent)
        self._library = library
        self._person: str | None = None
        self._modality = Modality.SPEECH
        self._shown: list[Take] = []
        self.grid = TakeGrid()
        self.grid.chosen.connect(self._show_chosen)
        self.grid.play_wanted.connect(self.play_wanted)
        self.grid.delete_wanted.connect(self.delete)
        self._details = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._details.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.delete_button = QPushButton("Delete")
        self.delete_button.setToolTip("Delete the chosen takes; this can be undone (Del)")
        self.delete_button.clicked.connect(self.delete)
        self._actions = LabelActions(self.grid, "takes", "gallery and training", [self.delete_button])
        self._actions.relabel_wanted.connect(self.relabel)
        self._actions.exclude_wanted.connect(self.exclude)
        self.relabel_button, self.exclude_button = self._actions.relabel_button, self._actions.exclude_button
        self.body.setSpacing(6)
        self.body.addWidget(self.grid, 1)
        self.body.addLayout(row((self._details, 1), self.relabel_button, self.exclude_button, self.delete_button))
        library.listed.connect(self._show_listing)
        library.features_ready.connect(self.grid.table.show_features)
        self._show_chosen([])

    def minimumSizeHint(self) -> QSize:
        return QSize(360, 300)

    def show_person(self, person: str | None, modality: Modality) -> None:
        """Show the takes of this person in this modality."""
        self._person, self._modality = person, modality
        self._show_listing(self._library.listing)
        self._show_chosen(self.grid.chosen_takes())

    def show_playing(self, key: str | None) -> None:
        """Mark the take with this key as playing."""
        self.grid.show_playing(key)

    def relabel(self, digit: int) -> None:
        """Say that the chosen takes are of another digit."""
        if takes := self.grid.chosen_takes():
            self._library.relabel(takes, digit)

    def exclude(self) -> None:
        """Leave the chosen takes out, or take them in again if all are left out."""
        if takes := self.grid.chosen_takes():
            self._library.exclude(takes, not all(take.excluded for take in takes))

    def delete(self) -> None:
        """Delete the chosen takes; this can be undone."""
        if takes := self.grid.chosen_takes():
            words = f"a take of “{WORDS[takes[0].label]}”" if len(takes) == 1 else f"{len(takes)} takes"
            self._library.delete(takes, f"Deleted {words}.")

    def _show_listing(self, listing: Listing) -> None:
        takes = listing.of(self._person, self._modality)
        new = [take for take in takes if take.key not in self.grid.table.features]
        self.grid.show_takes(takes)
        if takes != self._shown:
            self._shown = takes
            self._library.want_features(new)
        said = "said" if self._modality is Modality.SPEECH else "drawn"
        self.aside.setText(f"{self._person}: {len(takes)} {said}" if self._person else "")

    def _show_chosen(self, takes: list[Take]) -> None:
        self._actions.show_chosen(len(takes), all(take.excluded for take in takes))
        self.delete_button.setEnabled(bool(takes))
        if len(takes) != 1:
            self._say(f"{len(takes)} takes chosen" if takes else _HINT[self._modality])
            return
        take = takes[0]
        words = f"{WORDS[take.label]}, {take.when.astimezone():%d %b, %H:%M}"
        self._say(words)

        def add_device(device: str) -> None:
            if device and self.grid.chosen_takes() == [take]:
                self._say(f"{words}, {device}")

        self._library.ask_device(take, add_device)

    def _say(self, words: str) -> None:
        self._details.setText(words)
        self._details.setToolTip(words)
