"""The panel of matches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from model.types import Answer, FloatArray, Modality
from modinv_app.common.card import bold, muted
from modinv_app.common.layouts import column, row
from modinv_app.common.match_model import MatchModel
from modinv_app.explore.match_view import MatchView

_CAPTIONS = {
    Modality.SPEECH: "Nearest spoken digits",
    Modality.IMAGE: "Nearest images",
}
_INVITATION = "Draw a digit to hear the nearest spoken one, or speak to see the nearest images."


class MatchesPanel(QWidget):
    """The matches of the current answer, best first.

    Parameters
    ----------
    features_of
        Gallery index to features, ``(28, 28)`` or ``(100, 80)``; called while painting, so it has to be fast.

    Signals
    -------
    play_requested(int)
        Gallery index of an utterance to play.
    query_requested(int)
        Gallery index of an item to use as the query.
    chosen_changed(int or None)
        Another match is selected: its gallery index.
    """

    play_requested = Signal(int)
    query_requested = Signal(int)
    chosen_changed = Signal(object)

    def __init__(self, features_of: Callable[[int], FloatArray]) -> None:
        super().__init__()
        self._model = MatchModel()
        self._selected: int | None = None

        self._view = MatchView(self._model, features_of)
        self._view.play_requested.connect(self.play_requested)
        self._view.query_requested.connect(self.query_requested)
        self._view.selectionModel().selectionChanged.connect(self._remember)

        self._caption = bold()
        self._summary = muted()
        self._summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

        found = QWidget()
        score = muted("score")
        score.setToolTip("Dot product of the two posteriors' means: higher is more similar")
        heading = column(self._caption, row((self._summary, 1), score), margins=(6, 4, 6, 4), spacing=0)
        column(heading, (self._view, 1), parent=found, spacing=2)

        self._pages = QStackedLayout(self)
        self._pages.addWidget(_Invitation())
        self._pages.addWidget(found)
        self.setFocusProxy(self._view)
        self.setMinimumWidth(30 * self.fontMetrics().averageCharWidth())

    def show_answer(self, answer: Answer) -> None:
        """Show an answer; the selected item stays selected while it is among the matches."""
        if not answer.matches:
            self.clear()
            return
        modality = answer.modality.other
        self._model.set_matches(answer.matches)
        self._view.show_modality(modality)
        self._select_again()
        caption = _CAPTIONS[modality]
        self._caption.setText(caption)
        self._summary.setText(answer.verdict)
        self._view.setAccessibleName(caption)
        self._view.setAccessibleDescription(self._summary.text())
        self._pages.setCurrentIndex(1)

    def clear(self) -> None:
        """Show no answer, but what to do."""
        self._choose(None)
        self._model.set_matches(())
        self._pages.setCurrentIndex(0)

    def set_playing(self, index: int | None) -> None:
        """Mark the utterance with this gallery index as playing, or none."""
        self._view.set_playing(index)

    @property
    def chosen(self) -> int | None:
        """Gallery index of the selected match, if there is one."""
        return self._selected

    def select_next(self) -> None:
        """Select the match after the selected one; the first if none is."""
        self._view.step(1)

    def select_previous(self) -> None:
        """Select the match before the selected one; the first if none is."""
        self._view.step(-1)

    def _select_again(self) -> None:
        place = self._model.row_of(self._selected)
        if place is None:
            self._choose(None)
            self._view.clearSelection()
        elif place != self._view.selected_row():
            self._view.setCurrentIndex(self._model.index(place))

    def _remember(self) -> None:
        place = self._view.selected_row()
        self._choose(None if place is None else self._model.match_at(place).item.index)

    def _choose(self, index: int | None) -> None:
        if index != self._selected:
            self._selected = index
            self.chosen_changed.emit(index)


class _Invitation(QWidget):
    """What to do while there is nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        sign = QLabel("7  ⇄  “seven”")
        font = sign.font()
        font.setPointSizeF(1.8 * font.pointSizeF())
        sign.setFont(font)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        for label in (sign, QLabel(_INVITATION)):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addStretch(3)
