"""Where a model is trained: choose, see what it will cost, train, and see what it has brought."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from model.checkpoints import UnusableCheckpoint
from model.recipes.recipe import FAST
from model.runs.store import RunInfo, RunUpdate
from model.training.config import Estimate, TrainingConfig
from modinv_app.common.card import muted
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import Model
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration, memory_shortage
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.train.config_form import TrainingConfigForm
from modinv_app.train.run_card import RunAction, RunCard
from modinv_app.train.service import TrainingService

_ESTIMATE_AFTER_MS = 800  # without another change: trial steps take seconds


class TrainingPanel(QWidget):
    """A form while nothing trains, else the run at hand.

    Parameters
    ----------
    service
        Trains; the panel asks it for an estimate whenever the choice settles.
    data
        Knows which corpora there are, and fetches.

    Signals
    -------
    model_chosen(str)
        Path of a model that shall draw and speak from now on.
    evaluation_wanted(str)
        Path of a model that shall be judged.
    """

    model_chosen = Signal(str)
    evaluation_wanted = Signal(str)

    def __init__(self, service: TrainingService, data: DataService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._data = data
        self._loaded: Path | None = None
        self._estimates: dict[TrainingConfig, Estimate] = {}
        self._ask = QTimer(self, interval=_ESTIMATE_AFTER_MS, singleShot=True)
        self._ask.timeout.connect(self._ask_for_estimate)
        self.form = TrainingConfigForm()
        self.card = RunCard()
        self._cost = muted()
        self._cost.setWordWrap(True)
        self._cost.setMinimumHeight(2 * self.fontMetrics().lineSpacing())  # so that the button stays where it is
        self._cost.setAccessibleName("Estimate")
        self._trouble = Note()
        self._train = QPushButton("Train")
        self._train.setDefault(True)
        self._train.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._train.clicked.connect(self._start)
        self._undo = UndoStrip()
        self._undo.undo_wanted.connect(service.undo_cancel)
        self._lay_out()
        self._wire()
        self._choice_changed()

    def _lay_out(self) -> None:
        choose = QWidget()
        rows = QVBoxLayout(choose)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(_scrolled(self.form), 1)
        below = QVBoxLayout()
        below.setContentsMargins(8, 4, 8, 8)
        below.setSpacing(6)
        for widget in (self._trouble, self._cost, self._train, self._undo):
            below.addWidget(widget)
        rows.addLayout(below)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(choose)
        self._pages.addWidget(_scrolled(self.card))

    def _wire(self) -> None:
        service, data = self._service, self._data
        self.form.changed.connect(self._choice_changed)
        self.form.download_wanted.connect(data.download)
        self.form.download_unwanted.connect(data.stop)
        data.found.connect(self.form.corpora.show_corpora)
        data.progressed.connect(self.form.corpora.show_progress)
        data.ended.connect(self.form.corpora.show_problem)
        service.prepared.connect(self.form.show_devices)
        service.estimated.connect(self._take_estimate)
        service.inestimable.connect(self._show_inestimable)
        service.activity.connect(self._show_activity)
        service.state_changed.connect(self._show_run)
        service.grown.connect(self._show_growth)
        service.compared.connect(self.card.show_loaded)
        service.cancelled.connect(lambda name: self._undo.offer(f"Discarded “{name}”."))
        self.card.wanted.connect(self._do)

    def show_loaded(self, model: Model) -> None:
        """Say which model is loaded: a run may start from it, and is compared with it."""
        self._loaded = model.file
        self.form.show_loaded(model.file, model.title)
        self._choice_changed()  # who starts from the loaded model starts from another one now

    def set_elsewhere(self, busy: bool) -> None:
        """Say whether a sweep trains on another page."""
        self._service.set_elsewhere(busy)
        self._choice_changed()

    @property
    def _free(self) -> bool:
        """Whether a run could begin."""
        return not self._service.busy and not self._service.elsewhere

    def choose(self, plan: TrainingConfig) -> None:
        """Show the form with what a plan says."""
        self.form.set_plan(plan)
        self._pages.setCurrentIndex(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._service.prepare()
        self._service.look_again()
        self._data.look()
        self._choice_changed()

    # Choosing

    def _choice_changed(self) -> None:
        """Show what the choice costs, or why it can't be trained; ask for what isn't known yet."""
        self._ask.stop()
        try:
            plan = self.form.plan()
        except ValueError as error:
            self._trouble.show_text(str(error))
            self._cost.setText("")
            self._train.setEnabled(False)
            return
        self._trouble.show_text(self._service.elsewhere or _leak(plan))
        self._train.setEnabled(self._free)
        estimate = self._estimates.get(_what_costs(plan))
        if estimate is not None:
            self._show_estimate(plan, estimate)
        elif self._service.elsewhere:
            self._cost.setText("")  # trial steps beside a training would measure both
        elif self.isVisible() and self._pages.currentIndex() == 0:
            self._cost.setText("Measuring how long it will take…")
            self._ask.start()

    def _ask_for_estimate(self) -> None:
        try:
            self._service.estimate(_what_costs(self.form.plan()))
        except ValueError:
            return  # it changed meanwhile, and that has been said

    def _take_estimate(self, plan: TrainingConfig, estimate: Estimate) -> None:
        self._estimates[plan] = estimate
        self._choice_changed()

    def _show_estimate(self, plan: TrainingConfig, estimate: Estimate) -> None:
        seconds = estimate.seconds + (plan.recipe.steps - FAST.steps) * estimate.step_seconds
        memory = f"{estimate.memory_bytes / 1e9:.1f} GB of memory"
        self._cost.setText(f"About {duration(seconds)} and {memory} on {estimate.device}")
        if (shortage := memory_shortage(estimate)) and not self._service.elsewhere:
            self._trouble.show_text("\n".join(filter(None, (shortage, _leak(plan)))))

    def _show_inestimable(self, plan: TrainingConfig, why: str) -> None:
        try:
            current = _what_costs(self.form.plan()) == plan
        except ValueError:
            return
        if current:
            self._cost.setText("")
            self._trouble.show_text(why)

    def _show_activity(self, share: float | None, text: str) -> None:
        if self._service.busy:
            self.card.show_activity(share, text)
        elif text and self._cost.text():
            self._cost.setText(text if share is None else f"{text}: {share:.0%}")

    def _start(self) -> None:
        self._ask.stop()
        self._service.start(self.form.plan())

    # Training

    def _show_run(self, info: RunInfo | None) -> None:
        self._train.setEnabled(self._free)
        if info is None:
            self._pages.setCurrentIndex(0)
            self._choice_changed()
            return
        self._undo.hide()
        record = self._service.record
        self.card.show_run(info, record is not None and record.model_file.exists())
        self._pages.setCurrentIndex(1)
        if self._loaded is not None and not self._service.busy:
            self._service.compare(self._loaded)

    def _show_growth(self, growth: RunUpdate) -> None:
        for snapshot in growth.snapshots[-1:]:
            self.card.show_quick(snapshot.values)

    def _do(self, deed: RunAction) -> None:
        """What the card's buttons say."""
        service, record, info = self._service, self._service.record, self.card.info
        assert record is not None
        assert info is not None
        if deed == "new":
            self.choose(info.plan)
        elif deed == "resume":
            service.resume(record)
        elif deed == "use":
            self.model_chosen.emit(str(record.model_file))
        elif deed == "evaluate":
            self.evaluation_wanted.emit(str(record.model_file))
        else:
            {"pause": service.pause, "go": service.go, "stop": service.stop, "cancel": service.cancel}[deed]()


def _leak(plan: TrainingConfig) -> str:
    """That the model to start from has heard who is left out; nothing of one that can't be read: that is told later."""
    try:
        return plan.leak()
    except UnusableCheckpoint:
        return ""


def _what_costs(plan: TrainingConfig) -> TrainingConfig:
    """The plan without what changes neither time nor memory of a step: plans that cost the same are one."""
    recipe = replace(plan.recipe, name="", lambda_ig=FAST.lambda_ig, lambda_wd=FAST.lambda_wd, steps=FAST.steps)
    return replace(plan, recipe=recipe, seed=0, start=None)


def _scrolled(content: QWidget) -> QScrollArea:
    content.setContentsMargins(8, 10, 8, 8)
    area = QScrollArea(widgetResizable=True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setMinimumWidth(52 * area.fontMetrics().averageCharWidth())
    area.setWidget(content)
    return area
