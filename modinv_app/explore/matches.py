"""What was found: the utterances nearest to a drawing, or the images nearest to what was said."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from model.types import Answer, FloatArray, Modality
from modinv_app.common.card import bold, muted
from modinv_app.common.match_model import MatchModel
from modinv_app.explore.match_view import MatchView

_CAPTIONS = {
    Modality.SPEECH: "Nearest spoken digits",
    Modality.IMAGE: "Nearest images",
}
_INVITATION = "Draw a digit to hear the nearest spoken one, or speak to see the nearest images."


class MatchesPanel(QWidget):
    """The matches of the last answer, best first, to look at, listen to and use as the next query.

    Parameters
    ----------
    features_of
        Gallery index to features, ``(28, 28)`` or ``(100, 80)``; called while painting: a look-up.

    Signals
    -------
    play_requested(int)
        Gallery index of an utterance that shall sound.
    query_requested(int)
        Gallery index of an item that shall be the next query.
    """

    play_requested = Signal(int)
    query_requested = Signal(int)

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
        layout = QVBoxLayout(found)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        heading = QVBoxLayout()
        heading.setContentsMargins(6, 4, 6, 4)
        heading.setSpacing(0)
        heading.addWidget(self._caption)
        below = QHBoxLayout()
        below.addWidget(self._summary, 1)
        score = muted("score")
        score.setToolTip("Dot product of the two posteriors' means: the more, the more alike")
        below.addWidget(score)
        heading.addLayout(below)
        layout.addLayout(heading)
        layout.addWidget(self._view, 1)

        self._pages = QStackedLayout(self)
        self._pages.addWidget(_Invitation())
        self._pages.addWidget(found)
        self.setFocusProxy(self._view)
        self.setMinimumWidth(30 * self.fontMetrics().averageCharWidth())

    def show_answer(self, answer: Answer) -> None:
        """Show what was found; the selected item stays selected for as long as it is among the matches."""
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
        """Forget the answer and invite to a new one."""
        self._selected = None
        self._model.set_matches(())
        self._pages.setCurrentIndex(0)

    def set_playing(self, index: int | None) -> None:
        """Mark the utterance with this gallery index as sounding, or none."""
        self._view.set_playing(index)

    @property
    def chosen(self) -> int | None:
        """Gallery index of the match that a person has selected, if one is."""
        return self._selected

    def select_next(self) -> None:
        """Select the match after the selected one; the first if none is."""
        self._view.step(1)

    def select_previous(self) -> None:
        """Select the match before the selected one; the first if none is."""
        self._view.step(-1)

    def _select_again(self) -> None:
        row = self._model.row_of(self._selected)
        if row is None:
            self._selected = None
            self._view.clearSelection()
        elif row != self._view.selected_row():
            self._view.setCurrentIndex(self._model.index(row))

    def _remember(self) -> None:
        row = self._view.selected_row()
        self._selected = None if row is None else self._model.match_at(row).item.index


class _Invitation(QWidget):
    """What to do when there is nothing to show."""

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
