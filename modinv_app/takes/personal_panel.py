"""The panel to train with people's takes: the choices, the progress, and what each person gains."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QStackedWidget, QToolButton, QWidget

from model.evaluation.personal_results import Counts, takes_to_train
from model.runs.personal_runs import PersonalRun
from model.training.config import Estimate, TrainingConfig
from model.training.time_left import Countdown, Pace
from modinv_app.common.card import Card, bold, muted
from modinv_app.common.estimates import EstimateController
from modinv_app.common.layouts import column, row
from modinv_app.common.model_catalogue import Model
from modinv_app.common.note import Note
from modinv_app.common.run_entry import ACTIVE, STATES, date, duration, time_left
from modinv_app.common.take_library import TakeLibrary
from modinv_app.jobs.client import JobClient
from modinv_app.takes.personal_form import Choice, PersonalForm
from modinv_app.takes.personal_service import PersonalService
from modinv_app.takes.takes_table import TakesTable

_TICK_MS = 1000
_WHOLE = 1_000_000  # maximum of the progress bar
_INVITATION = (
    "Nothing has trained with takes yet. A model learns from three takes in four, among the digits that it was trained "
    "on. The others never train: they show what each person gains."
)
_USE = (
    "Draw and speak with this model from now on. If it was trained from the shipped model, it keeps that one's "
    "confidence and rejects scribbles and other words; if not, it has a guess for everything."
)

Plan = tuple[TrainingConfig, Choice]


class PersonalPanel(QWidget):
    """Starts and stops a training with takes, and shows its results, or those of the latest one.

    Signals
    -------
    back_wanted()
        The user wants to see the takes again.
    model_chosen(str)
        Use the model of this path.
    """

    back_wanted = Signal()
    model_chosen = Signal(str)

    def __init__(
        self, service: PersonalService, client: JobClient, library: TakeLibrary, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._service, self._client = service, client
        self._loaded = self._former = Path()  # the model in use, and the one in use before that of the run
        self._planned: tuple[Path, Counts] | None = None  # what the plan is of
        self._plan: TrainingConfig | Exception | None = None
        self._pace, self._countdown = Pace(), Countdown()
        self._tick = QTimer(self, interval=_TICK_MS)  # counts down the remaining time between messages
        self._tick.timeout.connect(self._show_progress)
        self.form = PersonalForm()
        self._build()
        self._estimates: EstimateController[Plan] = EstimateController(
            client, "takes", self.form, self._choice, _run_of, _cost_in_words, lambda plan: plan[1].warning
        )
        self._lay_out()
        self._wire(library)
        self._show()

    def _build(self) -> None:
        self._back = QToolButton()
        self._back.setText("Takes")
        self._back.setAutoRaise(True)
        self._back.setArrowType(Qt.ArrowType.LeftArrow)
        self._back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._back.setToolTip("Back to the takes; a training goes on meanwhile")
        self.bar = QProgressBar(textVisible=False, maximum=_WHOLE)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName("Progress of the training with takes")
        self.doing, self.cost, self._caption = QLabel(), muted(), muted()
        self.cost.setAccessibleName("Estimate")
        for label in (self.doing, self.cost, self._caption):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        for label in (self.doing, self.cost):  # so that nothing below moves
            label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.trouble, self.problem = Note(), Note()
        self.train = _button("Train", "Make a new model, which has learnt from these takes, too")
        self.train.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.pause = _button("Pause", "Pause the training, to free the processor for a while")
        self.stop = _button("Stop", "Keep what there is; it can be resumed, now or later")
        self.use = _button("Use this model", _USE)
        self.former = _button("Back to the former model", "Draw and speak with the model that was in use before")
        self.resume = _button("Resume", "Train to the end, and count what was not")
        self.table = TakesTable()
        self._title, self._state = bold("Takes understood"), muted(alignment=Qt.AlignmentFlag.AlignRight)

    def _lay_out(self) -> None:
        card = Card("Train with takes")
        work = QWidget()
        column(self.bar, self.doing, row(self.pause, self.stop, None, spacing=6), None, parent=work, spacing=6)
        choose = QWidget()
        column(self.form, self.trouble, self.cost, None, self.train, parent=choose, spacing=6)
        self._tops = QStackedWidget()
        self._tops.addWidget(choose)
        self._tops.addWidget(work)
        self._tops.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        buttons = row(self.use, self.former, self.resume, None, spacing=6)
        card.body.setSpacing(6)
        card.body.addWidget(self._tops)
        card.body.addLayout(row(self._title, (self._state, 1)))
        card.body.addWidget(self.table, 1)
        card.body.addWidget(self._caption)
        card.body.addWidget(self.problem)
        card.body.addLayout(buttons)
        card.body.addStretch()  # while there is no table
        whole = column(self._back, (card, 1), parent=self, spacing=2)
        whole.setAlignment(self._back, Qt.AlignmentFlag.AlignLeft)

    def _wire(self, library: TakeLibrary) -> None:
        service, estimates = self._service, self._estimates
        service.changed.connect(self._show)
        self._client.training_changed.connect(self._show)
        estimates.cost_changed.connect(self.cost.setText)
        estimates.trouble_changed.connect(self.trouble.show_text)
        estimates.possible_changed.connect(self.train.setEnabled)
        self.form.changed.connect(self._make_plan)
        library.listed.connect(self.form.show_listing)
        self._back.clicked.connect(self.back_wanted)
        self.train.clicked.connect(self._start)
        self.pause.clicked.connect(self._pause)
        self.stop.clicked.connect(service.stop)
        self.resume.clicked.connect(service.resume)
        self.use.clicked.connect(self._use)
        self.former.clicked.connect(lambda: self.model_chosen.emit(str(self._former_model)))

    def minimumSizeHint(self) -> QSize:
        return QSize(450, 300)

    def show_loaded(self, model: Model) -> None:
        """Show which model is in use."""
        if model.file != self._loaded:
            run = self._service.run
            if run is None or self._loaded != run.record.model_file.absolute():
                self._former = self._loaded
            self._loaded = model.file
        self.form.show_loaded(model)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._client.prepare()
        self._service.refresh()
        self._make_plan()

    # The choices

    def _make_plan(self) -> None:
        """Have the plan of what is chosen made, if it is another one."""
        choice = self.form.choice
        wanted = choice.start, takes_to_train(choice.takes)
        if self.isVisible() and wanted != self._planned:
            self._planned, self._plan = wanted, None

            def done(plan: TrainingConfig | Exception) -> None:
                if self._planned is wanted:
                    self._plan = plan
                    self._estimates.refresh()

            self._service.plan(*wanted, done)
        self._estimates.refresh()

    def _choice(self) -> Plan:
        """What the form says; raises ``ValueError`` while it can't be trained."""
        if isinstance(self._plan, Exception):
            raise ValueError(str(self._plan)) from self._plan
        if self._plan is None:
            raise ValueError
        return self._plan, self.form.choice

    def _start(self) -> None:
        choice = self.form.choice
        self._service.start(choice.start, choice.people, choice.leave_out)

    # The training, and what came of it

    def _pause(self) -> None:
        work = self._service.work
        (self._service.unpause if work is not None and work.paused else self._service.pause)()

    def _show(self) -> None:
        """Update texts and buttons."""
        service = self._service
        work, run, results = service.work, service.run, service.results
        self._tops.setCurrentIndex(work is not None)
        if work is None or work.paused:
            self._pace, self._countdown = Pace(), Countdown()
            self._tick.stop()
        elif not self._tick.isActive():
            self._tick.start()
        if work is not None:
            self.bar.setValue(round(_WHOLE * work.share))
            if work.share > 0 and not work.paused:  # before, the model is tested as it is
                self._pace.update(time.monotonic(), work.share)
            waiting = bool(work.pending)
            self.pause.setText("Continue" if work.paused else work.pending if work.pending == "Pausing…" else "Pause")
            self.pause.setEnabled(not waiting)
            self.stop.setText("Stopping…" if work.pending == "Stopping…" else "Stop")
            self.stop.setEnabled(work.pending != "Stopping…")
        self._show_progress()
        self.table.show_results(results)
        invitation = _INVITATION if work is None else ""
        self._caption.setText(results.caption if results is not None else invitation)
        for part in (self._title, self._state, self.table):
            part.setVisible(results is not None)
        self._state.setText(_state_of(run) if work is None and run is not None else "")
        self.problem.show_text("" if work is not None else service.message or (run.info.message if run else ""))
        self._show_buttons(run if work is None else None)

    def _show_buttons(self, run: PersonalRun | None) -> None:
        loaded = run is not None and self._loaded == run.record.model_file.absolute()
        self.use.setVisible(run is not None and not loaded)
        self.use.setEnabled(run is not None and run.has_model)
        self.former.setVisible(loaded)
        unfinished = (
            run is not None
            and run.info.state not in ACTIVE
            and (run.info.resumable or (run.info.state == "complete" and not run.results.complete))
        )
        self.resume.setVisible(unfinished)
        self.resume.setEnabled(self._client.training is None)

    def _show_progress(self) -> None:
        work, now = self._service.work, time.monotonic()
        if work is None:
            return
        rest = self._countdown.at(now, self._pace.remaining(now, 1.0))
        words = "Paused" if work.paused else work.text
        self.doing.setText(words if rest is None or work.paused else f"{words} · {time_left(rest)}")

    def _use(self) -> None:
        if (run := self._service.run) is not None:
            self.model_chosen.emit(str(run.record.model_file))

    @property
    def _former_model(self) -> Path:
        """The model to go back to: the one in use before, or else that from which the run started."""
        run = self._service.run
        start = run.info.plan.start if run is not None else None
        return start if self._former == Path() and start is not None else self._former


def _run_of(plan: Plan) -> TrainingConfig:
    return replace(plan[0], people=())  # whose takes they are changes nothing of the cost


def _cost_in_words(plan: Plan, seconds: float, estimate: Estimate) -> str:
    trainings = plan[1].trainings
    several = f": {duration(seconds)} with all, and as long without each of {trainings - 1} people"
    words = f"About {duration(trainings * seconds)}{several if trainings > 1 else ''}."
    return f"{words} {estimate.memory_bytes / 1e9:.1f} GB of memory on {estimate.device}"


def _state_of(run: PersonalRun) -> str:
    return f"{STATES[run.info.state]}, {date(run.info.created)}"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
