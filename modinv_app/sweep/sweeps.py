"""The panel to choose and train sweeps over lambda_IG and comparisons of systems."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QWidget,
)

from model.cores import jobs_that_fit, jobs_that_pay
from model.sweeps.plans import Plan
from model.training.config import Estimate
from model.training.time_left import Countdown
from modinv_app.common.card import bold, muted
from modinv_app.common.data_service import DataService
from modinv_app.common.dialogs import ask_for_file, ask_for_folder
from modinv_app.common.estimates import EstimateController
from modinv_app.common.icons import IconButton
from modinv_app.common.layouts import VerticalScrollArea, column, row
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration, time_left
from modinv_app.jobs.client import JobClient
from modinv_app.sweep.service import SweepService
from modinv_app.sweep.sweep_entry import Listing, SweepState
from modinv_app.sweep.sweep_form import SweepForm
from modinv_app.sweep.sweep_table import SweepTable

_TICK_MS = 1000
_WHOLE = 1_000_000  # maximum of the progress bar
_NO_SWEEP = (
    "There is no sweep yet. Train one: a model for each value of λ_IG, or for each system, each evaluated as in the "
    "paper."
)


class SweepsPanel(QWidget):
    """The current sweep and its runs, and a form to train another one.

    Signals
    -------
    back_wanted()
        The user wants to return to the numbers.
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
        self._tick = QTimer(self, interval=_TICK_MS)  # counts down the remaining time between messages
        self._tick.timeout.connect(self._show_work)
        self._build()
        self._estimates = EstimateController(
            client,
            "sweep",
            self.form,
            self.form.config,
            lambda plan: plan.plan,
            self._cost_in_words,
            threads_of=lambda plan: plan.threads,
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
        self._back.setToolTip("Back to the measurements at this λ_IG")
        self._choice = QComboBox(placeholderText="No sweep")
        self._choice.setAccessibleName("Sweep")
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._open = IconButton("open", "Open a sweep from another folder, or show the folder of this one")
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
        for label in (self._doing, self._cost):  # so that nothing below moves
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())
        self._trouble, self._form_trouble = Note(), Note()
        self._stop, self._resume, self._new, self._leave, self._start = (
            _button(*words)
            for words in (
                ("Stop", "Keep what there is; the sweep can be resumed, now or later"),
                ("Resume", "Train and evaluate the remaining runs"),
                ("Train a sweep…", "Choose values of λ_IG or systems, seeds, data and recipe"),
                ("Cancel", "Train nothing"),
                ("Start", "Train and evaluate all runs, as many at the same time as cores and memory permit"),
            )
        )
        self._table = SweepTable()
        self.form = SweepForm()

    def _lay_out(self) -> None:
        choose = row((self._choice, 1), self._open, spacing=4)
        resume = row(self._stop, self._resume, spacing=6)
        current, new = QWidget(), QWidget()
        column(
            *(choose, self._state, self._bar, self._doing, self._trouble, resume, (self._table, 1), None, self._new),
            parent=current,
            spacing=8,
        )
        start = row(self._leave, self._start, spacing=6)
        column((VerticalScrollArea(self.form), 1), self._form_trouble, self._cost, start, parent=new, spacing=6)
        self._pages = QStackedLayout()
        self._pages.addWidget(current)
        self._pages.addWidget(new)
        whole = column(self._back, (self._pages, 1), parent=self, margins=(0, 4, 8, 4), spacing=6)
        whole.setAlignment(self._back, Qt.AlignmentFlag.AlignLeft)

    def _wire(self) -> None:
        service, form, estimates = self._service, self.form, self._estimates
        service.listed.connect(self._show_listings)
        service.state_changed.connect(self._show_state)
        self._client.training_changed.connect(self._show_state)
        estimates.cost_changed.connect(self._cost.setText)
        estimates.trouble_changed.connect(self._form_trouble.show_text)
        estimates.possible_changed.connect(self._start.setEnabled)
        form.changed.connect(estimates.refresh)
        form.corpora.connect_to(self._data)
        self._back.clicked.connect(self.back_wanted)
        self._choice.activated.connect(lambda: service.open(Path(self._choice.currentData())))
        self._stop.clicked.connect(service.stop)
        self._resume.clicked.connect(service.resume)
        self._new.clicked.connect(self._show_form)
        self._leave.clicked.connect(lambda: self._pages.setCurrentIndex(0))
        self._start.clicked.connect(self._train)

    def set_back(self, possible: bool) -> None:
        """Set whether there are numbers to return to."""
        self._back.setVisible(possible)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._service.refresh()

    # The current sweep

    def _show_listings(self, listings: Sequence[Listing]) -> None:
        with QSignalBlocker(self._choice):
            self._choice.clear()
            for listing in listings:
                self._choice.addItem(listing.title, str(listing.path))
                self._choice.setItemData(self._choice.count() - 1, str(listing.path), Qt.ItemDataRole.ToolTipRole)
        self._show_choice()

    def _show_choice(self) -> None:
        """Select the current sweep, which is added if it was opened from elsewhere."""
        state = self._service.state
        if state is None or state.path is None:
            self._choice.setCurrentIndex(-1)
            return
        if self._choice.findData(str(state.path)) < 0:
            self._choice.addItem(state.title, str(state.path))
        self._choice.setCurrentIndex(self._choice.findData(str(state.path)))

    def _show_state(self) -> None:
        """Update texts, buttons and rows from the state of the current sweep."""
        state = self._service.state or SweepState("", ())
        self._show_choice()
        self._choice.setEnabled(not state.active)
        self._open.setEnabled(not state.active)
        self._show.setEnabled(state.record is not None)
        self._state.setText(self._summary(state))
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

    def _summary(self, state: SweepState) -> str:
        if not state.runs:
            return _NO_SWEEP
        evaluated = f"{state.evaluated} of {len(state.runs)} runs evaluated"
        if state.active:
            return f"{'Stopping' if state.ending else 'Training'}: {evaluated}"
        if state.evaluated == len(state.runs):
            return f"{len(state.runs)} runs, all evaluated"
        return evaluated if state.finished else f"{evaluated}; the map appears at the end"

    def _show_work(self) -> None:
        """Show what is being done, and the remaining time."""
        state, now = self._service.state, time.monotonic()
        if state is None:
            return
        rest = self._countdown.at(now, None if state.ends_at is None else max(0.0, state.ends_at - now))
        self._doing.setText(state.text if rest is None else f"{state.text} · {time_left(rest)}")

    def _open_folder(self) -> None:
        ask_for_folder(self, "Open a sweep's folder", self._open_path)

    def _open_file(self) -> None:
        ask_for_file(self, "Open a file of results", "Sweeps (*.safetensors)", self._open_path)

    def _show_folder(self) -> None:
        state = self._service.state
        assert state is not None
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(state.path)))

    def _open_path(self, path: str) -> None:
        self._service.open(Path(path))

    # The form

    def _show_form(self) -> None:
        self._data.refresh()
        self._pages.setCurrentIndex(1)

    def _cost_in_words(self, plan: Plan, seconds: float, estimate: Estimate) -> str:
        runs, gpus = len(plan.runs()), sum(name != "cpu" for name, _ in self._client.devices)
        jobs = jobs_that_pay(runs, plan.threads, gpus)
        if not gpus:
            jobs = jobs_that_fit(jobs, estimate.free_bytes, estimate.memory_bytes)
        each = f"{runs} runs of {duration(seconds)} each" if runs > 1 else "one run"
        together = f", {jobs} at a time" if jobs > 1 else ""
        return (
            f"About {duration(math.ceil(runs / jobs) * seconds)}: {each}{together}, and up to a minute to evaluate "
            f"each. {jobs * estimate.memory_bytes / 1e9:.1f} GB of memory on {estimate.device}"
        )

    def _train(self) -> None:
        self._pages.setCurrentIndex(0)
        self._service.start(self.form.config())


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
