"""Sweeps over lambda_IG: which one shows, and how to train one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from model.sweeps.runner import SweepPlan
from model.training.config import Estimate
from model.training.time_left import Countdown
from modinv_app.common.card import bold, muted
from modinv_app.common.data_service import DataService
from modinv_app.common.estimates import EstimateController
from modinv_app.common.icons import IconButton
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration, time_left
from modinv_app.jobs.client import JobClient
from modinv_app.sweep.service import SweepService
from modinv_app.sweep.sweep_entry import Listing, SweepState
from modinv_app.sweep.sweep_form import SweepForm
from modinv_app.sweep.sweep_table import SweepTable

_TICK_MS = 1000
_WHOLE = 1_000_000  # of a sweep's work
_NO_SWEEP = "There is no sweep yet. Train one: a model for each value of λ_IG, each judged as in the paper."


class SweepsPanel(QWidget):
    """The sweep at hand and its runs; behind a button, the form to train another.

    Parameters
    ----------
    service
        Opens and trains sweeps.
    client
        Does the trial steps of an estimate whenever the form has come to rest.
    data
        Knows which corpora there are, and fetches.

    Signals
    -------
    back_wanted()
        Enough of sweeps: the numbers again.
    """

    back_wanted = Signal()

    def __init__(
        self, service: SweepService, client: JobClient, data: DataService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._client = client
        self._data = data
        self._countdown = Countdown()
        self._tick = QTimer(self, interval=_TICK_MS)  # the time left runs down while nothing is heard
        self._tick.timeout.connect(self._show_work)
        self._build()
        self._estimates = EstimateController(
            client, "sweep", self.form, self.form.plan, lambda plan: plan.plan, _cost_in_words
        )
        self._lay_out()
        self._wire()
        self._show_state()

    def _build(self) -> None:
        self._back = QToolButton()
        self._back.setText("Numbers")
        self._back.setAutoRaise(True)
        self._back.setArrowType(Qt.ArrowType.LeftArrow)
        self._back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._back.setToolTip("Back to what was measured at this λ_IG")
        self._choice = QComboBox(placeholderText="No sweep")
        self._choice.setAccessibleName("Sweep")
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._open = IconButton("open", "Open a sweep from another place, or show where this one lies")
        self._open.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self._open)
        menu.addAction("A sweep's folder…", self._open_folder)
        menu.addAction("A file of results…", self._open_file)
        menu.addSeparator()
        self._show = menu.addAction("Show this sweep's folder", self._show_folder)
        self._open.setMenu(menu)
        self._bar = QProgressBar(textVisible=False, maximum=_WHOLE)
        self._bar.setFixedHeight(8)
        self._bar.setAccessibleName("Progress of the sweep")
        self._state = bold()
        self._doing, self._cost = muted(), muted()
        self._cost.setAccessibleName("Estimate")
        for label in (self._state, self._doing, self._cost):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        for label in (self._doing, self._cost):  # so that what is below stays where it is
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())
        self._trouble, self._form_trouble = Note(), Note()
        self._stop, self._resume, self._new, self._leave, self._start = (
            _button(*words)
            for words in (
                ("Stop", "Keep what there is; the sweep can be resumed, now or later"),
                ("Resume", "Train and judge what is left"),
                ("Train a sweep…", "Choose values of λ_IG, seeds, data and recipe"),
                ("Cancel", "Train nothing"),
                ("Start", "Train and judge one run after the other"),
            )
        )
        self._table = SweepTable()
        self.form = SweepForm()

    def _lay_out(self) -> None:
        choose = QHBoxLayout()
        choose.setSpacing(4)
        choose.addWidget(self._choice, 1)
        choose.addWidget(self._open)
        at_hand = QWidget()
        rows = QVBoxLayout(at_hand)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        rows.addLayout(choose)
        for widget in (self._state, self._bar, self._doing, self._trouble):
            rows.addWidget(widget)
        rows.addLayout(_row(self._stop, self._resume))
        rows.addWidget(self._table, 1)
        rows.addStretch()  # where there are no runs
        rows.addWidget(self._new)
        planned = QWidget()
        below = QVBoxLayout(planned)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(6)
        below.addWidget(_scrolled(self.form), 1)
        below.addWidget(self._form_trouble)
        below.addWidget(self._cost)
        below.addLayout(_row(self._leave, self._start))
        self._pages = QStackedLayout()
        self._pages.addWidget(at_hand)
        self._pages.addWidget(planned)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 4, 8, 4)
        whole.setSpacing(6)
        whole.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addLayout(self._pages, 1)

    def _wire(self) -> None:
        service, data, form, estimates = self._service, self._data, self.form, self._estimates
        service.listed.connect(self._show_listings)
        service.state_changed.connect(self._show_state)
        self._client.training_changed.connect(self._show_state)
        self._pages.currentChanged.connect(estimates.refresh)
        estimates.cost_changed.connect(self._cost.setText)
        estimates.trouble_changed.connect(self._form_trouble.show_text)
        estimates.possible_changed.connect(self._start.setEnabled)
        form.changed.connect(estimates.refresh)
        form.corpora.download_wanted.connect(data.download)
        form.corpora.download_unwanted.connect(data.stop)
        data.found.connect(form.corpora.show_corpora)
        data.progressed.connect(form.corpora.show_progress)
        data.ended.connect(form.corpora.show_problem)
        self._back.clicked.connect(self.back_wanted)
        self._choice.activated.connect(lambda: service.open(Path(self._choice.currentData())))
        self._stop.clicked.connect(service.stop)
        self._resume.clicked.connect(service.resume)
        self._new.clicked.connect(self._plan)
        self._leave.clicked.connect(lambda: self._pages.setCurrentIndex(0))
        self._start.clicked.connect(self._train)

    def set_back(self, possible: bool) -> None:
        """Say whether there are numbers to go back to."""
        self._back.setVisible(possible)

    def showEvent(self, event: QShowEvent) -> None:
        """Look at what there is by now."""
        super().showEvent(event)
        self._service.look()
        self._estimates.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure nothing that nobody looks at."""
        super().hideEvent(event)
        self._estimates.stop()

    # The sweep at hand

    def _show_listings(self, listings: Sequence[Listing]) -> None:
        with QSignalBlocker(self._choice):
            self._choice.clear()
            for listing in listings:
                self._choice.addItem(listing.title, str(listing.path))
                self._choice.setItemData(self._choice.count() - 1, str(listing.path), Qt.ItemDataRole.ToolTipRole)
        self._show_choice()

    def _show_choice(self) -> None:
        """The sweep at hand among those to choose from, wherever it was opened."""
        state = self._service.state
        if state is None or state.path is None:
            self._choice.setCurrentIndex(-1)
            return
        if self._choice.findData(str(state.path)) < 0:
            self._choice.addItem(state.title, str(state.path))
        self._choice.setCurrentIndex(self._choice.findData(str(state.path)))

    def _show_state(self) -> None:
        """Words, buttons and rows follow from how the sweep at hand stands."""
        state = self._service.state or SweepState("", ())
        self._show_choice()
        self._choice.setEnabled(not state.active)
        self._open.setEnabled(not state.active)
        self._show.setEnabled(state.record is not None)
        self._state.setText(self._words(state))
        self._bar.setVisible(state.active)
        self._bar.setValue(round(_WHOLE * state.share))
        self._doing.setVisible(state.active)
        if not state.active:
            self._tick.stop()
            self._countdown = Countdown()
        elif not self._tick.isActive():
            self._tick.start()
        self._show_work()
        obstacle = self._client.obstacle("sweep")
        self._trouble.show_text("" if state.active else obstacle or state.message)
        self._stop.setVisible(state.active)
        self._stop.setEnabled(not state.ending)
        self._stop.setText("Stopping…" if state.ending else "Stop")
        self._resume.setVisible(state.resumable)
        self._resume.setEnabled(not obstacle)
        self._table.setVisible(bool(state.runs))
        self._table.show_runs(state.runs)
        self._new.setVisible(not state.active)

    def _words(self, state: SweepState) -> str:
        if not state.runs:
            return _NO_SWEEP
        judged = f"{state.judged} of {len(state.runs)} runs judged"
        if state.active:
            return f"{'Stopping' if state.ending else 'Training'}: {judged}"
        if state.judged == len(state.runs):
            return f"{len(state.runs)} runs, all judged"
        return judged if state.finished else f"{judged}; the map comes at the end"

    def _show_work(self) -> None:
        """Say what is being done, and how long the rest takes."""
        state, now = self._service.state, time.monotonic()
        if state is None:
            return
        rest = self._countdown.at(now, None if state.ends_at is None else max(0.0, state.ends_at - now))
        self._doing.setText(state.text if rest is None else f"{state.text} · {time_left(rest)}")

    def _open_folder(self) -> None:
        self._ask_for(QFileDialog.FileMode.Directory, "Open a sweep's folder")

    def _open_file(self) -> None:
        self._ask_for(QFileDialog.FileMode.ExistingFile, "Open a file of results")

    def _show_folder(self) -> None:
        """Its table, its Figure 3 and its runs, in the system's own way."""
        state = self._service.state
        assert state is not None
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(state.path)))

    def _ask_for(self, mode: QFileDialog.FileMode, title: str) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.ExistingFile:
            dialog.setNameFilters(["Sweeps (*.safetensors)", "All files (*)"])
        dialog.fileSelected.connect(lambda path: self._service.open(Path(path)))
        dialog.open()

    # The form

    def _plan(self) -> None:
        self._data.look()
        self._pages.setCurrentIndex(1)

    def _train(self) -> None:
        self._pages.setCurrentIndex(0)
        self._service.start(self.form.plan())


def _cost_in_words(plan: SweepPlan, seconds: float, estimate: Estimate) -> str:
    runs = len(plan.configs())
    each = f"{runs} runs of {duration(seconds)} each" if runs > 1 else "one run"
    return (
        f"About {duration(runs * seconds)}: {each}, and up to a minute to judge each. "
        f"{estimate.memory_bytes / 1e9:.1f} GB of memory on {estimate.device}"
    )


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget)
    return row


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea(widgetResizable=True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(content)
    return area
