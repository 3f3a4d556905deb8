"""The map of the gallery, with the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from model.types import FloatArray, Item, Modality
from modinv_app.common.icons import IconButton
from modinv_app.common.settings import MapKind
from modinv_app.common.theme import muted_text
from modinv_app.map.map_layout import Fitted
from modinv_app.map.map_panel import MapPanel

if TYPE_CHECKING:  # it imports pyqtgraph
    from modinv_app.map.map_plot import MapPlot

_KINDS: tuple[MapKind, ...] = get_args(MapKind)
# Two of these buttons look like one switch.
_SEGMENT = """
QToolButton { border: 1px solid rgba(128, 128, 128, 0.5); background: transparent; padding: 3px 10px;
              color: palette(button-text); }
QToolButton:disabled { color: gray; }
QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }
QToolButton:focus { border-color: palette(highlight); }
"""


class ProjectionPanel(MapPanel):
    """All gallery items in two dimensions: colours are digits, shapes modalities.

    Up to two projections are kept, one of which is shown. Each is scaled to fill the view, so that switching moves the
    points and not the camera.

    Parameters
    ----------
    features_of
        Gallery index to features, for the card under the pointer.

    Signals
    -------
    kind_chosen(str)
        ``"PCA"`` or ``"t-SNE"`` is shown from now on; the query has to be shown again.
    place_clicked(object)
        Coordinates ``(2,)``, of the projection that is shown, of an empty place that was clicked.
    lassoed(object, bool)
        Indices ``(k,)`` of the points in an outline that was drawn, and whether they join the selection.
    deselected()
        Nothing is to be selected any more.
    lasso_toggled(bool)
        Dragging selects points from now on, or pans.
    """

    kind_chosen = Signal(str)
    place_clicked = Signal(object)
    lassoed = Signal(object, bool)
    deselected = Signal()
    lasso_toggled = Signal(bool)

    def __init__(self, features_of: Callable[[int], FloatArray]) -> None:
        super().__init__("Loading the map…", "Map of all digits", selectable=True)
        self._features_of = features_of
        self._projections: dict[MapKind, Fitted] = {}
        self._chosen: MapKind = "PCA"
        self._kinds = {kind: self._kind_button(kind) for kind in _KINDS}
        self._waiting = QLabel("t-SNE is being prepared…")
        self._lasso = IconButton("lasso", "Lasso")
        self._lasso.setCheckable(True)
        self._lasso.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lasso.setToolTip(
            "Lasso (L): draw around points to select them.\nWith Shift it works at any time, and adds to the selection."
        )
        self._lasso.toggled.connect(self._use_lasso)
        self._home = QToolButton()
        self._home.setText("Reset view")
        self._home.setAutoRaise(True)
        self._home.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._home.clicked.connect(self.reset_view)
        self._home.setToolTip("Show all points (Home, or double-click the background)")
        self._lay_out()
        self._update_colours()

    @property
    def kind(self) -> MapKind:
        """The projection that is shown: the chosen one, or another until that is available."""
        if self._chosen in self._projections:
            return self._chosen
        return next(iter(self._projections), self._chosen)

    def set_items(self, items: Sequence[Item]) -> None:
        """Set another gallery, which is shown once there are coordinates; the former one is cleared."""
        self._items = items
        self._projections.clear()
        if self._plot is not None:
            self._plot.set_items(items)
        self._update_state()

    def set_coordinates(self, kind: MapKind, coordinates: npt.ArrayLike) -> None:
        """Set the coordinates of a projection, which is shown if it is chosen or the first.

        Parameters
        ----------
        kind
            ``"PCA"`` or ``"t-SNE"``.
        coordinates
            ``(n, 2)``, one row for each item of `set_items`.

        Raises
        ------
        ValueError
            If there are no items, or another number of them, or if a coordinate is not finite.
        """
        coordinates = np.asarray(coordinates, np.float32)
        if not self._items or coordinates.shape != (len(self._items), 2):
            raise ValueError(f"{coordinates.shape} coordinates for {len(self._items)} items")
        if not np.isfinite(coordinates).all():
            raise ValueError("some coordinates are not finite")
        before = self.kind if self._projections else kind
        self._projections[kind] = Fitted.to_unit_square(coordinates)
        self.prepare()
        if self.kind == kind:
            self._show_points()
        self._update_state()
        if self.kind != before:
            self.kind_chosen.emit(kind)

    def choose(self, kind: MapKind) -> None:
        """Show a projection now, or as soon as it has coordinates."""
        before = self.kind
        self._chosen = kind
        self._update_state()
        if self.kind != before and self._projections:
            self._show_points()
            self.kind_chosen.emit(kind)

    def show_query(
        self,
        modality: Modality,
        mean: npt.ArrayLike,
        samples: npt.ArrayLike,
        matches: Sequence[int],
        guess: int | None,
    ) -> None:
        """Show a query, in coordinates of the projection that is shown.

        Parameters
        ----------
        modality
            The query's modality.
        mean, samples
            Its posterior's mean ``(2,)`` and samples ``(m, 2)``, placed by the projection.
        matches
            Indices of the matches.
        guess
            The recognised digit, if any.
        """
        fitted = self._projections.get(self.kind)
        if self._plot is None or fitted is None:
            return
        from modinv_app.map.query_layer import Query

        self._plot.show_query(Query(modality, fitted.place(mean), fitted.place(samples), tuple(matches), guess))

    def show_imagined(self, place: npt.ArrayLike | None, ends: npt.ArrayLike | None = None) -> None:
        """Show an imagined place ``(2,)`` and the ends ``(2, 2)`` of its line, in coordinates of the projection shown.

        Nothing is shown for None.
        """
        fitted = self._projections.get(self.kind)
        if self._plot is None or fitted is None:
            return
        if place is None:
            self._plot.show_imagined(None)
        else:
            self._plot.show_imagined(fitted.place(place), None if ends is None else fitted.place(ends))

    def clear_query(self) -> None:
        """Show no query."""
        if self._plot is not None:
            self._plot.show_query(None)

    @property
    def lasso(self) -> bool:
        """Whether dragging selects points."""
        return self._lasso.isChecked()

    @lasso.setter
    def lasso(self, on: bool) -> None:
        self._lasso.setChecked(on)

    @property
    def coordinates(self) -> FloatArray:
        """The coordinates of the items in the projection that is shown, ``(n, 2)``."""
        fitted = self._projections[self.kind]
        return fitted.coordinates_of(fitted.points)

    def select_shown(self) -> None:
        """Select all points that are not hidden."""
        if self._plot is not None:
            self.lassoed.emit(self._plot.shown, False)

    def show_selection(self, indices: Sequence[int]) -> None:
        """Show which items are selected."""
        if self._plot is not None:
            self._plot.show_selection(indices)

    def mark(self, index: int | None) -> None:
        """Mark an item as if the pointer were on it."""
        if self._plot is not None and self._projections:
            self._plot.mark(-1 if index is None else index)

    def cancel_outline(self) -> bool:
        """Drop the outline that is being drawn; whether there was one."""
        return self._plot is not None and self._plot.cancel_outline()

    def prepare(self) -> MapPlot:
        first = self._plot is None
        plot = super().prepare()
        if first:
            plot.set_lasso(self.lasso)
            plot.lassoed.connect(self.lassoed)
            plot.deselected.connect(self.deselected)
            plot.background_clicked.connect(
                lambda x, y: self.place_clicked.emit(self._projections[self.kind].coordinates_of([x, y]))
            )
        return plot

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._update_colours()

    def _kind_button(self, kind: MapKind) -> QToolButton:
        button = QToolButton()
        button.setText(kind)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: self.choose(kind))
        return button

    def _lay_out(self) -> None:
        group = QButtonGroup(self)
        top = QHBoxLayout()
        top.setSpacing(0)
        for button in self._kinds.values():
            group.addButton(button)
            top.addWidget(button)
        top.addSpacing(8)
        top.addWidget(self._waiting)
        top.addStretch()
        top.addWidget(self._lasso)
        top.addWidget(self._home)
        self._kinds["PCA"].setToolTip(
            "Principal components: the plane in which the items differ most.\n"
            "Click an empty place to see what the model imagines there."
        )
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertLayout(0, top)
        self._update_state()

    def _update_state(self) -> None:
        has_tsne = "t-SNE" in self._projections
        self._kinds["t-SNE"].setEnabled(has_tsne)
        self._kinds["t-SNE"].setToolTip("t-SNE: neighbours stay neighbours" if has_tsne else self._waiting.text())
        self._waiting.setVisible(bool(self._projections) and not has_tsne)
        self._kinds[self.kind].setChecked(True)
        self._home.setEnabled(bool(self._projections))
        self._lasso.setEnabled(bool(self._projections))
        self._stack.setCurrentWidget(self._plot if self._plot is not None and self._projections else self._message)

    def _use_lasso(self, on: bool) -> None:
        if self._plot is not None:
            self._plot.set_lasso(on)
        self.lasso_toggled.emit(on)

    def _show_points(self) -> None:
        if self._plot is not None:
            self._plot.set_points(self._projections[self.kind].points)

    def _update_colours(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, muted_text(palette))
        self._waiting.setPalette(palette)
        for button in self._kinds.values():
            button.setStyleSheet(_SEGMENT)  # its palette colours are resolved only when it is set
