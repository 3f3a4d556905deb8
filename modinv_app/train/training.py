"""Where a model is trained: choose, see what it will cost, train, and see what it has brought."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from model.checkpoints import UnusableCheckpoint
from model.runs.store import RunInfo, RunUpdate
from model.training.config import Estimate, TrainingConfig
from modinv_app.common.card import muted
from modinv_app.common.data_service import DataService
from modinv_app.common.estimates import EstimateController
from modinv_app.common.model_catalogue import Model
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.jobs.client import JobClient
from modinv_app.train.config_form import TrainingConfigForm
from modinv_app.train.run_card import RunAction, RunCard
from modinv_app.train.service import TrainingService


class TrainingPanel(QWidget):
    """A form while nothing trains, else the run at hand.

    Parameters
    ----------
    service
        Trains.
    client
        Does the trial steps of an estimate whenever the choice has come to rest.
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

    def __init__(
        self, service: TrainingService, client: JobClient, data: DataService, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._client = client
        self._data = data
        self._loaded: Path | None = None
        self.form = TrainingConfigForm()
        self._estimates = EstimateController(
            client, "train", self.form, self.form.plan, lambda plan: plan, _cost_in_words, _leak
        )
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
        self._show_devices(client.devices)
        self._estimates.refresh()

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
        service, data, estimates = self._service, self._data, self._estimates
        self.form.changed.connect(estimates.refresh)
        self._pages.currentChanged.connect(estimates.refresh)
        estimates.cost_changed.connect(self._cost.setText)
        estimates.trouble_changed.connect(self._trouble.show_text)
        estimates.possible_changed.connect(self._train.setEnabled)
        self.form.corpora.download_wanted.connect(data.download)
        self.form.corpora.download_unwanted.connect(data.stop)
        data.found.connect(self.form.corpora.show_corpora)
        data.progressed.connect(self.form.corpora.show_progress)
        data.ended.connect(self.form.corpora.show_problem)
        self._client.devices_found.connect(self._show_devices)
        service.activity.connect(self.card.show_activity)
        service.state_changed.connect(self._show_run)
        service.grown.connect(self._show_growth)
        service.compared.connect(self.card.show_loaded)
        service.cancelled.connect(lambda name: self._undo.offer(f"Discarded “{name}”."))
        self.card.wanted.connect(self._do)

    def show_loaded(self, model: Model) -> None:
        """Say which model is loaded: a run may start from it, and is compared with it."""
        self._loaded = model.file
        self.form.show_loaded(model.file, model.title)
        self._estimates.refresh()  # who starts from the loaded model starts from another one now

    def choose(self, plan: TrainingConfig) -> None:
        """Show the form with what a plan says."""
        self.form.set_plan(plan)
        self._pages.setCurrentIndex(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._client.prepare()
        self._service.look_again()
        self._data.look()
        self._estimates.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure nothing that nobody looks at."""
        super().hideEvent(event)
        self._estimates.stop()

    def _show_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        if devices:
            self.form.show_devices([("auto", f"Automatic: {devices[0][1]}"), *devices])

    def _start(self) -> None:
        self._service.start(self.form.plan())

    # Training

    def _show_run(self, info: RunInfo | None) -> None:
        if info is None:
            self._pages.setCurrentIndex(0)
            self._estimates.refresh()
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


def _cost_in_words(_plan: TrainingConfig, seconds: float, estimate: Estimate) -> str:
    memory = f"{estimate.memory_bytes / 1e9:.1f} GB of memory"
    return f"About {duration(seconds)} and {memory} on {estimate.device}"


def _scrolled(content: QWidget) -> QScrollArea:
    content.setContentsMargins(8, 10, 8, 8)
    area = QScrollArea(widgetResizable=True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setMinimumWidth(52 * area.fontMetrics().averageCharWidth())
    area.setWidget(content)
    return area
