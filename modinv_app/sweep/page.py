"""The page of the dial: the models of a sweep over lambda_IG, or of a comparison of systems, in one map."""

from __future__ import annotations

import math
import time

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QWidget

from model import locations
from model.evaluation.sweep_results import SweepResults
from model.sweeps.records import SweepStore
from model.sweeps.results import Results
from model.types import FloatArray, Modality
from modinv_app.common.card import with_subscripts
from modinv_app.common.chart_choice import ChartChoice
from modinv_app.common.data_service import DataService
from modinv_app.common.icons import IconButton
from modinv_app.common.lambda_dial import LambdaDial
from modinv_app.common.layouts import column, row
from modinv_app.common.page import Page, Services, Trainer
from modinv_app.common.sweep_charts import PURITY_COLOUR, SVM_COLOUR
from modinv_app.jobs.client import JobClient
from modinv_app.map.map_layout import Morph
from modinv_app.map.morph_map import MorphMap
from modinv_app.sweep.axes import Axis, LambdaAxis, SystemAxis
from modinv_app.sweep.description import Description, origin_of
from modinv_app.sweep.gauge import Gauge
from modinv_app.sweep.service import SweepService
from modinv_app.sweep.sweep_entry import SweepState
from modinv_app.sweep.sweeps import SweepsPanel
from modinv_app.sweep.system_dial import SystemDial
from modinv_app.sweep.system_table import SystemTable

_FRAME_MS = 16
_EASE = 0.14  # time constant in seconds with which the map follows the dial
_FASTEST = 6.0  # maps per second
_LONGEST = 0.1  # seconds that a frame counts for: after a longer one no map is left out
_ARRIVED = 0.002  # of the distance between two maps: less than a pixel
_STAY, _GO = 1.1, 1.5  # seconds for which a map is shown while playing, and of the way to the next
_SIDE = 330
_PLAY = "Play: turn the dial from end to end"
_MISSING = "There is no sweep to show yet.\n\nTrain one under “Sweeps”, or by “modinv sweep”."
_SWEEPS = "Sweeps…"


class DialPage(Page):
    """A map that changes as the dial is turned, with measurements, curves or a table, and a description.

    The dial turns through the values of lambda_IG of a sweep or through the systems of a comparison. Between two
    trained models the map is interpolated; numbers and texts are those of the nearest one. A button leads to the choice
    and training of sweeps and comparisons.

    Parameters
    ----------
    service
        Opens and trains sweeps.
    client
        Estimates the cost of a sweep.
    data
        Finds and downloads corpora.
    """

    def __init__(self, service: SweepService, client: JobClient, data: DataService) -> None:
        super().__init__()
        self.service = service
        self.trainer = Trainer("sweep", "sweep", "λ dial, Sweeps…", service.stop)
        self.sweeps = SweepsPanel(service, client, data)
        self._results: Results | None = None
        self._axis: Axis | None = None
        self._kept: dict[int, Results] = {}  # the last results of each axis
        self._morph = Morph(())
        self._places = np.zeros(1)  # positions of the models on the dial
        self._shown = self._target = 0.0  # positions: 0 is the first model, 1 the second
        self._played: float | None = None  # seconds of playing
        self._nearest = -1
        self._last_frame = 0.0
        self.map = MorphMap(_MISSING)
        self.map.clicked.connect(self._clicked)
        self._axes = QComboBox()
        self._axes.addItems(["λ_IG", "System"])
        self._axes.setAccessibleName("What the dial turns through")
        self._axes.setToolTip("Turn through values of λ_IG, or through systems that were trained on the same data")
        self._axes.activated.connect(self._choose_axis)
        self._dials = QStackedWidget()
        self._lambda_dial, self._system_dial = LambdaDial(), SystemDial()
        for dial in (self._lambda_dial, self._system_dial):
            dial.value_changed.connect(self._turn)
            self._dials.addWidget(dial)
        self._play = IconButton("play", _PLAY)
        self._play.setAutoRaise(False)
        self._play.clicked.connect(self._toggle)
        self._words = QStackedWidget()  # as high as the longest text, so that nothing moves
        self._purity = Gauge(
            "Cluster purity",
            "Are the digits kept apart?",
            ("0.1  not at all", "perfectly  1"),
            (0.1, 1.0),
            PURITY_COLOUR,
        )
        self._svm = Gauge(
            "Modality SVM", "Can images be told from speech?", ("0.5  by guessing", "always  1"), (0.5, 1.0), SVM_COLOUR
        )
        self._where = QLabel()
        self._curve, self._table = ChartChoice(), SystemTable()
        self._table.chosen.connect(lambda index: self.dial.set_value(float(index)))
        self._charts = QStackedWidget()
        for chart in (self._curve, self._table):
            self._charts.addWidget(chart)
        self._side = QWidget()
        self._column = QStackedWidget()
        self._origin = QLabel()
        self._to_sweeps = QPushButton(_SWEEPS)
        self._to_sweeps.setToolTip("Choose another sweep, or train one")
        self._frames = QTimer(self, interval=_FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
        self._frames.timeout.connect(self._advance)
        self._lay_out()
        self._wire_sweeps()
        self._enable(there=False)
        self.setFocusProxy(self._dials)

    @property
    def dial(self) -> LambdaDial | SystemDial:
        """The dial of the current axis."""
        return self._system_dial if self._dials.currentWidget() is self._system_dial else self._lambda_dial

    def show_results(self, results: Results) -> None:
        """Show a sweep at the current value of the dial, or a comparison at its first system."""
        self._stop()
        if self._results is None:
            self._column.setCurrentWidget(self._side)
        self._results = results
        self._morph = Morph(list(results.coordinates))
        self._axis = self._show_axis(results)
        self._places = np.array([self._axis.place_of(value) for value in self._axis.values])
        self.map.set_items(results.items, self._features)
        old = [each for place in range(self._words.count()) if (each := self._words.widget(place)) is not None]
        for index in range(len(self._axis.values)):
            self._words.addWidget(_Paragraphs(self._axis.describe(index)))
        self._words.setCurrentIndex(len(old))  # one that stays, so that the others are not laid out again
        for each in old:
            self._words.removeWidget(each)
            each.deleteLater()
        self._origin.setText(origin_of(results))
        self._enable(there=True)
        self._nearest = -1
        self._shown = self._target = self._position_of(self.dial.value)
        self._show()

    def _show_axis(self, results: Results) -> Axis:
        """Show dial and chart of an axis."""
        axis: Axis
        if isinstance(results, SweepResults):
            axis, place = LambdaAxis(results), 0
            self._lambda_dial.set_marks(results.lambdas)
            self._curve.show_results(results)
        else:
            axis, place = SystemAxis(results), 1
            self._system_dial.set_systems(results.systems)
            self._table.show_results(results)
        self._kept[place] = results
        for shown in (self._axes, self._dials, self._charts):
            shown.setCurrentIndex(place)
        return axis

    def _choose_axis(self, place: int) -> None:
        """Show the last results of an axis, or the shipped ones; without any, where they can be trained."""
        shipped = (locations.shipped_sweep(), locations.shipped_comparison())[place]
        if place in self._kept:
            self.show_results(self._kept[place])
        elif shipped.is_file() and not self.busy:
            self.service.open(shipped)
        else:
            self._axes.setCurrentIndex(self._dials.currentIndex())
            self._column.setCurrentWidget(self.sweeps)

    # The interface to the window

    @property
    def busy(self) -> bool:
        """Whether a sweep trains, starts or stops."""
        return self.service.busy

    def show_shipped(self) -> None:
        """Show the shipped sweep, if there is one."""
        if locations.shipped_sweep().is_file():
            self.service.open(locations.shipped_sweep())

    def release(self) -> None:
        self.service.close()

    def _wire_sweeps(self) -> None:
        service = self.service
        service.loaded.connect(self.show_results)
        service.state_changed.connect(self._show_sweep)
        service.finished.connect(lambda title: self.informed.emit(f"The sweep “{title}” is trained and evaluated."))
        service.failed.connect(self._fail)
        self._to_sweeps.clicked.connect(lambda: self._column.setCurrentWidget(self.sweeps))
        self.sweeps.back_wanted.connect(lambda: self._column.setCurrentWidget(self._side))

    def _fail(self, text: str, details: str) -> None:
        if self._results is None:
            self._column.setCurrentWidget(self.sweeps)
        self.failed.emit(text, details)

    def _show_sweep(self, state: SweepState) -> None:
        """Show the progress of a sweep on the button."""
        self._to_sweeps.setText(f"Sweep: {state.share:.0%}" if state.active else _SWEEPS)

    @property
    def position(self) -> float:
        """The position of the map: 0 is the first model, 1 the second."""
        return self._shown

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._stop()

    def _features(self, index: int) -> FloatArray | None:
        """The features of an image; a sweep contains none of utterances."""
        results = self._results
        if results is None or results.items[index].modality is Modality.SPEECH:
            return None
        return np.asarray(results.image_features[index], np.float32) / np.float32(255)

    def _clicked(self, index: int) -> None:
        results = self._results
        if results is not None and results.items[index].modality is Modality.SPEECH:
            self.play_wanted.emit(results.keys[index - len(results.image_features)])

    def _position_of(self, value: float) -> float:
        assert self._axis is not None
        return float(np.interp(self._axis.place_of(value), self._places, np.arange(len(self._places))))

    def _place_at(self, position: float) -> float:
        return float(np.interp(position, np.arange(len(self._places)), self._places))

    # Animation

    def _turn(self, value: float) -> None:
        """Follow the dial, which was turned by the user; stop playing."""
        self._stop()
        self._target = self._position_of(value)
        self._move()

    def _toggle(self) -> None:
        if self._played is not None:
            self._stop()
            return
        at_end = self._target == self._last
        self._played = 0.0 if at_end else _seconds_to(self._target)
        self._play.set_outline("pause", "Pause")
        self._move()

    @property
    def _last(self) -> int:
        """The position of the last map."""
        return len(self._places) - 1

    def _move(self) -> None:
        if self._results is not None and not self._frames.isActive():
            self._last_frame = time.perf_counter()
            self._frames.start()

    def _stop(self) -> None:
        self._played = None
        self._play.set_outline("play", _PLAY)

    def _advance(self) -> None:
        """Paint one frame: turn the dial while playing, and let the map follow it."""
        now = time.perf_counter()
        passed, self._last_frame = now - self._last_frame, now
        if self._played is not None:
            self._play_on(passed)
        passed = min(passed, _LONGEST)
        way = self._target - self._shown
        step = way * (1 - math.exp(-passed / _EASE))
        most = _FASTEST * passed
        self._shown += min(most, max(-most, step))
        if abs(self._target - self._shown) < _ARRIVED:
            self._shown = self._target
            if self._played is None:
                self._frames.stop()
        self._show()

    def _play_on(self, passed: float) -> None:
        """Turn the dial while playing."""
        assert self._axis is not None
        assert self._played is not None
        self._played += passed
        self._target = min(_position_after(self._played), float(self._last))
        mark = round(self._target)
        exact = self._target == mark
        with QSignalBlocker(self.dial):  # which is not a turn by the user
            self.dial.set_value(self._axis.values[mark] if exact else self._axis.value_at(self._place_at(self._target)))
        if self._target == self._last:
            self._stop()

    # Display

    def _show(self) -> None:
        self.map.place(self._morph.at(self._shown))
        nearest = round(self._shown)
        chart = self._table if self._charts.currentWidget() is self._table else self._curve
        chart.show_place(self._place_at(self._shown), nearest)
        if nearest != self._nearest:
            self._nearest = nearest
            self._show_model(nearest)
        self._show_where()

    def _show_model(self, index: int) -> None:
        assert self._axis is not None
        paper, (purity, svm) = self._axis.paper(index), self._axis.measured(index)
        self._purity.show_value(purity, paper.purity if paper else None)
        self._svm.show_value(svm, paper.modality_svm if paper else None)
        self._words.setCurrentIndex(index)

    def _enable(self, *, there: bool) -> None:
        for part in (self._dials, self._play):
            part.setEnabled(there)
        self.sweeps.set_back(there)

    def _show_where(self) -> None:
        assert self._axis is not None
        text = self._axis.where(self._nearest, there=abs(self._shown - self._nearest) < _ARRIVED)
        if with_subscripts(text) != self._where.text():
            self._where.setText(with_subscripts(text))

    def _lay_out(self) -> None:
        turn = QHBoxLayout()
        turn.setContentsMargins(4, 0, 8, 0)
        turn.setSpacing(6)
        for part in (self._play, self._axes):
            turn.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        turn.addWidget(self._dials, 1)
        left = column((self.map, 1), turn, spacing=8)
        for label in (self._where, self._origin):
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._origin.setWordWrap(True)
        below = row((self._origin, 1))
        below.addWidget(self._to_sweeps, 0, Qt.AlignmentFlag.AlignBottom)
        column(
            *(self._where, self._words, 8, self._purity, self._svm, 4, (self._charts, 1), below),
            parent=self._side,
            margins=(0, 8, 8, 4),
            spacing=6,
        )
        for page in (QWidget(), self._side, self.sweeps):  # empty until a sweep is loaded
            self._column.addWidget(page)
        if not locations.shipped_sweep().is_file():
            self._column.setCurrentWidget(self.sweeps)
        self._column.setFixedWidth(_SIDE)
        self._words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row((left, 1), self._column, parent=self, margins=(0, 0, 0, 6), spacing=14)


def build(services: Services) -> DialPage:
    """Build the page with the shipped sweep."""
    page = DialPage(SweepService(SweepStore(), services.client), services.client, services.data)
    page.show_shipped()
    return page


class _Paragraphs(QWidget):
    """The description of one model."""

    def __init__(self, words: Description) -> None:
        super().__init__()
        layout = column(parent=self, spacing=5)
        title = QLabel(words.title)
        large = title.font()
        large.setPointSizeF(1.35 * large.pointSizeF())
        large.setBold(True)
        title.setFont(large)
        layout.addWidget(title)
        for text in filter(None, (words.sees, words.why, words.paper)):
            label = QLabel(text)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(label)
        layout.addStretch()


def _seconds_to(position: float) -> float:
    """The seconds of playing until a position; the inverse of `_position_after`."""
    maps = int(position)
    share = position - maps
    return maps * (_STAY + _GO) + (_STAY + share * _GO if share else 0.0)


def _position_after(seconds: float) -> float:
    """The position after so many seconds of playing, which pauses at each map."""
    maps, rest = divmod(seconds, _STAY + _GO)
    return maps + max(0.0, rest - _STAY) / _GO
