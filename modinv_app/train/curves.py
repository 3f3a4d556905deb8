"""The curves of runs, updated while they train.

This module imports pyqtgraph, which takes a third of a second: import it after the window is shown.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from PySide6.QtCore import QElapsedTimer, QEvent, Qt, QTimer
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QGridLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from model.recipes.recipe import DEFAULT_SYSTEM
from model.runs.store import RunUpdate
from model.runs.values import ESTIMATES, MetricPoint
from model.systems import charted_terms
from model.systems.base import Term
from modinv_app.common.theme import accent, muted_text
from modinv_app.train.curve_chart import Chart
from modinv_app.train.run_legend import RunLegend

_REDRAW_MS = 250
_SHORT = 2000  # steps up to which an axis shows the whole run
_TWO_COLUMNS = 560  # width in pixels from which losses and estimates are side by side
_EMPTY = "The curves of a run appear here: train a model, or choose a run."

_QUICK = "A quick estimate on the few hundred test items of the map; the evaluation measures it in full."
_ESTIMATES = tuple(
    replace(term, title=f"{term.title}, quick estimate", help=f"{term.help}. {_QUICK}")
    for term in ESTIMATES
    if term.name != "quick_p_at_1"  # it is close to 1 after a few steps
)


@dataclass(slots=True)
class _Series:
    """Steps and values of one run, by term."""

    name: str
    steps: int
    system: str
    xs: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    ys: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    last: int = 0

    def append(self, points: Sequence[MetricPoint]) -> None:
        """Add points; those of a resumed run replace later ones."""
        for point in points:
            for name in {*self.xs, *point.values}:
                xs = self.xs[name]
                if point.step < self.last or (name in point.values and xs and xs[-1] == point.step):
                    cut = bisect_left(xs, point.step)
                    del xs[cut:], self.ys[name][cut:]
                if name in point.values:
                    xs.append(point.step)
                    self.ys[name].append(point.values[name])
            self.last = point.step

    def nearest(self, term: str, step: float) -> int | None:
        """The index of the point nearest to a step; None without points."""
        xs = self.xs[term]
        if not xs:
            return None
        after = min(bisect_left(xs, step), len(xs) - 1)
        return after - 1 if after and step - xs[after - 1] < xs[after] - step else after


class Curves(QWidget):
    """Charts of the loss terms that the runs' systems declare, and of quick estimates of purity and modality SVM.

    Hovering over a curve, or the arrow keys, show the values of one run at one step in all charts. Charts are redrawn
    at most four times a second, and only while they are visible.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: dict[str, _Series] = {}
        self._cursor: tuple[int, int] | None = None  # index of a run, and a step
        self._since_drawn = QElapsedTimer()
        self._redraw_soon = QTimer(self, singleShot=True)
        self._redraw_soon.timeout.connect(self._redraw)

        self._legend = RunLegend()
        self._losses = charted_terms([DEFAULT_SYSTEM])
        self._charts: list[Chart] = []  # of the first terms, as far as they are built
        self._building = QTimer(
            self, interval=0
        )  # one per iteration of the event loop, so that the window stays responsive
        self._building.timeout.connect(self._build_chart)
        self._empty = QLabel(_EMPTY, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._empty.setMargin(16)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._columns = 0
        drawn = QWidget()
        layout = QVBoxLayout(drawn)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self._legend)
        layout.addLayout(self._grid, stretch=1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(drawn)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Curves")
        self._arrange()
        self._update_colours()

    @property
    def shown(self) -> tuple[str, ...]:
        """The keys of the runs, in the order of their colours."""
        return tuple(self._runs)

    def add_run(
        self,
        key: str,
        name: str,
        steps: int,
        points: Sequence[MetricPoint] = (),
        system: str = DEFAULT_SYSTEM,
    ) -> None:
        """Add a run in the next colour, or replace the points of a run.

        Parameters
        ----------
        key
            Identifies the run, such as its folder.
        name
            Its name in the legend.
        steps
            Steps of the whole run.
        points
            Its points so far.
        system
            Name of its system, which determines the terms of the loss.
        """
        self._runs[key] = _Series(name, steps, system)
        self._runs[key].append(points)
        self._changed(at_once=True)

    def append(self, key: str, points: Sequence[MetricPoint]) -> None:
        """Add points of a run; those of a resumed run replace later ones.

        Raises
        ------
        KeyError
            If there is no such run.
        """
        self._runs[key].append(points)
        self._changed()

    def update_run(self, key: str, update: RunUpdate) -> None:
        """Process an update of a run, which is added if necessary."""
        info, run = update.info, self._runs.get(key)
        if run is None or update.restarted:
            self.add_run(key, info.name, info.steps, update.points, info.plan.recipe.system)
        elif run.name != info.name:
            run.name = info.name
            run.append(update.points)
            self._changed(at_once=True)
        elif update.points:
            self.append(key, update.points)

    def keep(self, keys: Sequence[str]) -> None:
        """Remove all runs but these, and order them like this."""
        kept = {key: self._runs[key] for key in keys if key in self._runs}
        if list(kept) != list(self._runs):
            self._runs = kept
            self._changed(at_once=True)

    def _changed(self, at_once: bool = False) -> None:
        if at_once:
            self._cursor = None
        waited = self._since_drawn.elapsed() if self._since_drawn.isValid() else _REDRAW_MS
        if not self.isVisible():
            return  # drawn in showEvent
        if at_once or waited >= _REDRAW_MS:
            self._redraw()
        elif not self._redraw_soon.isActive():
            self._redraw_soon.start(_REDRAW_MS - waited)

    def _redraw(self) -> None:
        self._redraw_soon.stop()
        self._since_drawn.start()
        self._stack.setCurrentIndex(1 if self._runs else 0)
        self._legend.set_names([run.name for run in self._runs.values()])
        self._choose_charts()
        while self._runs and len(self._charts) < len(self._terms):
            self._build_chart()
        steps = self._span()
        for chart in self._charts:
            name = chart.term.name
            chart.draw([(run.xs[name], run.ys[name]) for run in self._runs.values()], steps)
        self._read()

    def _span(self) -> float:
        """Steps on the axis: those of the longest run, halved while more than half of the axis is empty.

        Short runs have their whole axis from the start, so that it does not change.
        """
        reached = max((run.last for run in self._runs.values()), default=0)
        span = float(max((run.steps for run in self._runs.values()), default=1))
        while span / 2 >= max(reached, _SHORT):
            span /= 2
        return max(span, reached)

    # The cursor

    def _read(self) -> None:
        """Show the values at the cursor; without one, the latest of a single run."""
        runs = list(self._runs.values())
        pointed = self._cursor[0] if self._cursor and len(runs) > 1 else None
        for chart in self._charts:
            name = chart.term.name
            chart.point_out(pointed)
            if self._cursor is None:
                chart.set_cursor(None, None)
                only = runs[0].ys[name] if len(runs) == 1 else []
                chart.set_reading(only[-1] if only else None)
            else:
                place, step = self._cursor
                at = runs[place].nearest(name, step)
                value = None if at is None else runs[place].ys[name][at]
                chart.set_cursor(step if at is None else runs[place].xs[name][at], value, place)
                chart.set_reading(value)
        if self._cursor is not None:
            self._legend.point_out(pointed, f"step {self._cursor[1]:,}")
        else:
            self._legend.point_out(None, f"step {runs[0].last:,}" if len(runs) == 1 and runs[0].last else "")

    def _point_at(self, chart: Chart, step: float, value: float) -> None:
        """Set the cursor to the curve that is nearest to the pointer."""
        nearest: tuple[float, int, int] | None = None
        if not math.isnan(step):
            height = chart.pixel()[1]
            for place, run in enumerate(self._runs.values()):
                at = run.nearest(chart.term.name, step)
                if at is not None:
                    away = abs(float(chart.at(run.ys[chart.term.name][at])) - value) / height
                    candidate = away, place, run.xs[chart.term.name][at]
                    nearest = candidate if nearest is None else min(nearest, candidate)
        self._set_cursor(None if nearest is None else nearest[1:])

    def _set_cursor(self, cursor: tuple[int, int] | None) -> None:
        if cursor != self._cursor:
            self._cursor = cursor
            self._read()

    def _step_cursor(self, by: int) -> None:
        runs = list(self._runs.values())
        place = self._cursor[0] if self._cursor else 0
        steps = runs[place].xs["total"]
        if not steps:
            return
        at = runs[place].nearest("total", self._cursor[1]) if self._cursor else None
        at = len(steps) - 1 if at is None else min(max(at + by, 0), len(steps) - 1)
        self._set_cursor((place, steps[at]))

    def _change_run(self, by: int) -> None:
        place, step = self._cursor or (0, max(run.last for run in self._runs.values()))
        self._set_cursor(((place + by) % len(self._runs), step))

    # Events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor to other steps (left, right) or runs (up, down), or remove it (Escape)."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}
        runs = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if self._runs and key in steps:
            self._step_cursor(steps[key])
        elif self._runs and key in runs:
            self._change_run(runs[key])
        elif self._cursor and key is Qt.Key.Key_Escape:
            self._set_cursor(None)
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._set_cursor(None)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._redraw()
        self._building.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._redraw_soon.stop()
        self._building.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._update_colours()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(accent(self.palette()), 1.5))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    @property
    def _terms(self) -> tuple[Term, ...]:
        """One a chart: all of the losses, then the estimates."""
        return (*self._losses, *_ESTIMATES)

    def _choose_charts(self) -> None:
        """Remove all charts if the loss terms of the runs have changed."""
        losses = charted_terms(run.system for run in self._runs.values())
        if not self._runs or losses == self._losses:
            return
        self._losses = losses
        for chart in self._charts:
            self._grid.removeWidget(chart)
            chart.hide()
            chart.deleteLater()
        self._charts.clear()
        self._columns = 0
        self._arrange()

    def _build_chart(self) -> None:
        if len(self._charts) == len(self._terms):
            self._building.stop()
            return
        chart = Chart(self._terms[len(self._charts)])
        chart.pointed.connect(partial(self._point_at, chart))
        self._charts.append(chart)
        self._place(chart)

    def _arrange(self) -> None:
        columns = 2 if self.width() >= _TWO_COLUMNS else 1
        if columns == self._columns:
            return
        self._columns = columns
        for chart in self._charts:
            self._place(chart)
        rows = len(self._losses) * len(_ESTIMATES) if columns == 2 else len(self._terms)
        for row in range(max(rows, self._grid.rowCount())):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)

    def _place(self, chart: Chart) -> None:
        """Place a chart in the only column, or in that of losses or estimates, both of the same height."""
        self._grid.removeWidget(chart)
        place, losses, estimates = self._charts.index(chart), len(self._losses), len(_ESTIMATES)
        if self._columns == 1:
            self._grid.addWidget(chart, place, 0)
        elif place < losses:
            self._grid.addWidget(chart, estimates * place, 0, estimates, 1)
        else:
            self._grid.addWidget(chart, losses * (place - losses), 1, losses, 1)
        chart.show_steps(place == len(self._terms) - 1 or (self._columns == 2 and place == losses - 1))

    def _update_colours(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, muted_text(palette))
        self._empty.setPalette(palette)
