"""One row of the paper's Figure 2: images, speech, and both in one map.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from model.evaluation.store import Evaluation
from model.types import FloatArray, Modality
from modinv_app.common.card import bold, muted
from modinv_app.map.hover_card import HoverCard
from modinv_app.map.map_layout import Fitted
from modinv_app.map.map_plot import MapPlot

_COLUMNS: tuple[tuple[str, frozenset[Modality]], ...] = (
    ("Images", frozenset({Modality.SPEECH})),
    ("Speech", frozenset({Modality.IMAGE})),
    ("Both", frozenset()),
)


class Figure2Row(QWidget):
    """Three maps of the embeddings of one model; hovering shows an item, a click plays an utterance.

    Parameters
    ----------
    title
        Name of the model.
    evaluation
        Contains the coordinates of the embeddings.
    features_of
        Item index of that evaluation to features; ``None`` if they are not loaded.

    Signals
    -------
    play_wanted(int)
        Play the utterance with this item index.
    removed()
        The user wants to remove this row.
    """

    play_wanted = Signal(int)
    removed = Signal()

    def __init__(self, title: str, evaluation: Evaluation, features_of: Callable[[int], FloatArray | None]) -> None:
        super().__init__()
        coordinates, places = evaluation.figure2()
        items = evaluation.items()
        self._items = [items[place] for place in places]
        self._features_of = features_of
        self._title = title
        self._points = Fitted.to_unit_square(coordinates).points
        self._hidden: tuple[frozenset[int], frozenset[Modality]] = (frozenset(), frozenset())
        self.plots: list[MapPlot] = []
        self._remove = QToolButton(autoRaise=True)
        self._remove.setText("✕")
        self._remove.setToolTip("Take this model out of the figure")
        self._remove.setAccessibleName(f"Take {title} out of the figure")
        self._remove.clicked.connect(self.removed)
        report = evaluation.report
        about = muted(f"purity {report.purity.mean:.3f} · modality SVM {report.modality_svm.mean:.3f}")
        heading = QHBoxLayout()
        heading.setSpacing(10)
        heading.addWidget(bold(title))
        heading.addWidget(about, 1)
        heading.addWidget(self._remove)
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.addLayout(heading, 0, 0, 1, len(_COLUMNS))
        for column, (name, _) in enumerate(_COLUMNS):
            grid.addWidget(muted(name), 1, column)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(2, 1)
        self._building = QTimer(
            self, interval=0
        )  # one per iteration of the event loop, so that the window stays responsive
        self._building.timeout.connect(self._build_plot)
        self._building.start()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_removable(self, removable: bool) -> None:
        """Set whether the row can be removed."""
        self._remove.setVisible(removable)

    def set_hidden(self, digits: frozenset[int], modalities: frozenset[Modality]) -> None:
        """Hide digits everywhere, and modalities in the map of both."""
        self._hidden = digits, modalities
        for plot, (_, hidden) in zip(self.plots, _COLUMNS, strict=False):
            plot.set_hidden(digits, hidden or modalities)

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(36 * line, 15 * line)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll through the rows, and zoom only with Ctrl."""
        if isinstance(event, QWheelEvent) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _build_plot(self) -> None:
        column = len(self.plots)
        name, hidden = _COLUMNS[column]
        digits, modalities = self._hidden
        plot = MapPlot()
        plot.setAccessibleName(f"{self._title}: {name.lower()}")
        plot.set_items(self._items)
        plot.set_hidden(digits, hidden or modalities)
        plot.set_points(self._points)
        card = HoverCard(plot)
        plot.hovered.connect(partial(self._show_card, plot, card))
        plot.clicked.connect(self._click)
        plot.viewport().installEventFilter(self)
        self.plots.append(plot)
        self._grid.addWidget(plot, 2, column)
        if len(self.plots) == len(_COLUMNS):
            self._building.stop()

    def _show_card(self, plot: MapPlot, card: HoverCard, place: int) -> None:
        item = self._items[place] if place >= 0 else None
        features = None if item is None else self._features_of(item.index)
        if item is None or features is None:
            card.hide()
        else:
            card.show_item(item, features, plot.position_of(place).toPoint())

    def _click(self, place: int) -> None:
        if self._items[place].modality is Modality.SPEECH:
            self.play_wanted.emit(self._items[place].index)
