"""The matches of an answer as a Qt list model, fast enough to follow a pen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, Qt

from model.types import WORDS, Match, Modality
from modinv_app.common.item_view import ROOT, AnyIndex


class MatchModel(QAbstractListModel):
    """The nearest items of the other modality, best first.

    An update of the same length, as is usual while drawing, changes rows in place, so that a view keeps its layout and
    scroll position.
    """

    def __init__(self) -> None:
        super().__init__()
        self._matches: tuple[Match, ...] = ()
        self._playing: int | None = None

    def set_matches(self, matches: Sequence[Match]) -> None:
        """Show these matches, best first."""
        if len(matches) == len(self._matches):
            before, self._matches = self._matches, tuple(matches)
            # The bars are relative to the best score: one change may change them all.
            if before != self._matches:
                self.dataChanged.emit(self.index(0), self.index(len(matches) - 1))
        else:
            self.beginResetModel()
            self._matches = tuple(matches)
            self.endResetModel()

    def match_at(self, row: int) -> Match:
        """The match in a row."""
        return self._matches[row]

    def row_of(self, gallery_index: int | None) -> int | None:
        """The row of a gallery item, or None if it is not among the matches."""
        rows = (row for row, match in enumerate(self._matches) if match.item.index == gallery_index)
        return next(rows, None)

    def similarity(self, row: int) -> float:
        """Score relative to the best match, in [0, 1]; a score below zero counts as none."""
        best = self._matches[0].score
        return max(0.0, self._matches[row].score / best) if best > 0 else 0.0

    @property
    def playing(self) -> int | None:
        """The gallery index of the item that is playing."""
        return self._playing

    def set_playing(self, gallery_index: int | None) -> None:
        """Mark the item that is playing, or none."""
        before, self._playing = self._playing, gallery_index
        for changed in {before, gallery_index}:
            row = self.row_of(changed)
            if row is not None:
                self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self._matches)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        match = self._matches[index.row()]
        word = WORDS[match.item.label]
        if role == Qt.ItemDataRole.DisplayRole:
            return word
        if role == Qt.ItemDataRole.AccessibleTextRole:
            playing = ", playing" if match.item.index == self._playing else ""
            return f"{index.row() + 1}: {word}, {match.item.source}, score {format_score(match)}{playing}"
        if role == Qt.ItemDataRole.ToolTipRole:
            verb = "Says" if match.item.modality is Modality.SPEECH else "Shows"
            return f"{verb} {word}\n{match.item.source}\nSimilarity {format_score(match)}"
        return None


def format_score(match: Match) -> str:
    """A similarity to about three digits: ``"0.87"``, ``"34.2"``."""
    return f"{match.score:.1f}" if abs(match.score) >= 10 else f"{match.score:.2f}"
