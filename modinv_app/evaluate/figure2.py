"""The paper's Figure 2 on the screen: a row of maps for each model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from model.evaluation.store import Evaluation
from model.types import FloatArray
from modinv_app.common.card import muted
from modinv_app.map.legend import Legend

if TYPE_CHECKING:
    from modinv_app.evaluate.figure2_row import Figure2Row

FeaturesOf = Callable[[Evaluation, int], "FloatArray | None"]


class Figure2Panel(QWidget):
    """Any number of models as rows; the first is the one that the page is about.

    Parameters
    ----------
    features_of
        Features of an item of an evaluation; ``None`` where they are not there (yet).

    Signals
    -------
    row_wanted(QPushButton)
        Someone wants another model in the figure: offer some at this button.
    play_wanted(Evaluation, int)
        An utterance that shall sound.
    """

    row_wanted = Signal(object)
    play_wanted = Signal(object, int)

    def __init__(self, features_of: FeaturesOf) -> None:
        super().__init__()
        self._features_of = features_of
        self._rows: list[tuple[str, Evaluation]] = []
        self._widgets: list[Figure2Row] = []
        self._legend = Legend()
        self._legend.changed.connect(self._filter)
        self._add = QPushButton("Add a model…")
        self._add.setToolTip("Another model as a further row, judged in the same way")
        self._add.clicked.connect(lambda: self.row_wanted.emit(self._add))
        hint = muted("t-SNE of 200 embeddings of either modality in one map")
        bottom = QHBoxLayout()
        bottom.addWidget(self._legend)
        bottom.addWidget(hint, 1)
        bottom.addWidget(self._add)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(12)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 8)
        layout.addWidget(scroll, 1)
        layout.addLayout(bottom)

    @property
    def rows(self) -> list[tuple[str, Evaluation]]:
        """Title and evaluation of each model, from top to bottom."""
        return list(self._rows)

    def show_model(self, title: str, evaluation: Evaluation) -> None:
        """Begin the figure anew with the model that the page is about."""
        while self._rows:
            self._take_out(self._widgets[-1])
        self.add_row(title, evaluation)

    def add_row(self, title: str, evaluation: Evaluation) -> None:
        """One more model below."""
        # Not at the top of this file: pyqtgraph is imported with it, and a window that opens can't wait for that.
        from modinv_app.evaluate.figure2_row import Figure2Row

        row = Figure2Row(title, evaluation, partial(self._features_of, evaluation))
        row.play_wanted.connect(partial(self.play_wanted.emit, evaluation))
        row.removed.connect(partial(self._take_out, row))
        self._rows.append((title, evaluation))
        self._widgets.append(row)
        self._list.addWidget(row, 1)
        row.set_removable(len(self._rows) > 1)
        self._filter()

    def _take_out(self, row: Figure2Row) -> None:
        place = self._widgets.index(row)
        del self._widgets[place], self._rows[place]
        self._list.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _filter(self) -> None:
        for row in self._widgets:
            row.set_hidden(self._legend.hidden_digits, self._legend.hidden_modalities)
