"""The paper's Figure 2: a row of maps for each model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from model.evaluation.store import Evaluation
from model.types import FloatArray
from modinv_app.common.card import muted
from modinv_app.common.layouts import VerticalScrollArea, column, row
from modinv_app.map.legend import Legend

if TYPE_CHECKING:
    from modinv_app.evaluate.figure2_row import Figure2Row

FeaturesOf = Callable[[Evaluation, int], "FloatArray | None"]


class Figure2Panel(QWidget):
    """Any number of models as rows, first the evaluated one.

    Parameters
    ----------
    features_of
        Features of an item of an evaluation; ``None`` if they are not loaded.

    Signals
    -------
    row_wanted(QPushButton)
        The user wants to add a model: offer a menu at this button.
    play_wanted(Evaluation, int)
        Play the utterance with this item index.
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
        self._add.setToolTip("Another model as a further row, evaluated in the same way")
        self._add.clicked.connect(lambda: self.row_wanted.emit(self._add))
        hint = muted("t-SNE of 200 embeddings of either modality in one map")
        content = QWidget()
        self._list = column(parent=content, spacing=12)
        bottom = row(self._legend, (hint, 1), self._add)
        column((VerticalScrollArea(content), 1), bottom, parent=self, margins=(10, 10, 10, 8))

    @property
    def rows(self) -> list[tuple[str, Evaluation]]:
        """Title and evaluation of each model, from top to bottom."""
        return list(self._rows)

    def show_model(self, title: str, evaluation: Evaluation) -> None:
        """Start the figure again with the evaluated model."""
        while self._rows:
            self._remove(self._widgets[-1])
        self.add_row(title, evaluation)

    def add_row(self, title: str, evaluation: Evaluation) -> None:
        """Add a model below."""
        # Imported late: it imports pyqtgraph, which would delay the start of the window.
        from modinv_app.evaluate.figure2_row import Figure2Row

        maps = Figure2Row(title, evaluation, partial(self._features_of, evaluation))
        maps.play_wanted.connect(partial(self.play_wanted.emit, evaluation))
        maps.removed.connect(partial(self._remove, maps))
        self._rows.append((title, evaluation))
        self._widgets.append(maps)
        self._list.addWidget(maps, 1)
        maps.set_removable(len(self._rows) > 1)
        self._filter()

    def _remove(self, maps: Figure2Row) -> None:
        place = self._widgets.index(maps)
        del self._widgets[place], self._rows[place]
        self._list.removeWidget(maps)
        maps.hide()
        maps.deleteLater()

    def _filter(self) -> None:
        for maps in self._widgets:
            maps.set_hidden(self._legend.hidden_digits, self._legend.hidden_modalities)
