"""The panel to train a model: the form, and the current run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QSizePolicy, QStackedLayout, QWidget

from model.checkpoints import UnusableCheckpoint
from model.runs.store import RunInfo, RunUpdate
from model.training.config import Estimate, TrainingConfig
from modinv_app.common.card import muted
from modinv_app.common.data_service import DataService
from modinv_app.common.estimates import EstimateController
from modinv_app.common.layouts import VerticalScrollArea, column
from modinv_app.common.model_catalogue import Model
from modinv_app.common.note import Note
from modinv_app.common.run_entry import duration
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.jobs.client import JobClient
from modinv_app.train.config_form import TrainingConfigForm
from modinv_app.train.run_card import RunAction, RunCard
from modinv_app.train.service import TrainingService


class TrainingPanel(QWidget):
    """The form while nothing trains, else the current run.

    Signals
    -------
    model_chosen(str)
        Use the model of this path.
    evaluation_wanted(str)
        Evaluate the model of this path.
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
            client, "train", self.form, self.form.config, lambda config: config, _cost_in_words, _leak
        )
        self.card = RunCard()
        self._cost = muted()
        self._cost.setWordWrap(True)
        self._cost.setMinimumHeight(2 * self.fontMetrics().lineSpacing())  # so that the button does not move
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
        below = column(self._trouble, self._cost, self._train, self._undo, margins=(8, 4, 8, 8), spacing=6)
        column((_scrolled(self.form), 1), below, parent=choose, spacing=0)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(choose)
        self._pages.addWidget(_scrolled(self.card))

    def _wire(self) -> None:
        service, estimates = self._service, self._estimates
        self.form.changed.connect(estimates.refresh)
        estimates.cost_changed.connect(self._cost.setText)
        estimates.trouble_changed.connect(self._trouble.show_text)
        estimates.possible_changed.connect(self._train.setEnabled)
        self.form.corpora.connect_to(self._data)
        self._client.devices_found.connect(self._show_devices)
        service.activity.connect(self.card.show_activity)
        service.state_changed.connect(self._show_run)
        service.updated.connect(self._show_update)
        service.compared.connect(self.card.show_loaded)
        service.cancelled.connect(lambda name: self._undo.offer(f"Discarded “{name}”."))
        self.card.wanted.connect(self._do)

    def show_loaded(self, model: Model) -> None:
        """Set the loaded model: a run may start from it, and is compared with it."""
        self._loaded = model.file
        self.form.show_loaded(model.file, model.title)
        self._estimates.refresh()  # the form may start from the loaded model

    def choose(self, config: TrainingConfig) -> None:
        """Show the form with a configuration."""
        self.form.set_config(config)
        self._pages.setCurrentIndex(0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._client.prepare()
        self._service.refresh()
        self._data.refresh()

    def _show_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        if devices:
            self.form.show_devices([("auto", f"Automatic: {devices[0][1]}"), *devices])

    def _start(self) -> None:
        self._service.start(self.form.config())

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

    def _show_update(self, update: RunUpdate) -> None:
        for snapshot in update.snapshots[-1:]:
            self.card.show_quick(snapshot.values)

    def _do(self, action: RunAction) -> None:
        service, record, info = self._service, self._service.record, self.card.info
        assert record is not None
        assert info is not None
        if action == "new":
            self.choose(info.plan)
        elif action == "resume":
            service.resume(record)
        elif action == "use":
            self.model_chosen.emit(str(record.model_file))
        elif action == "evaluate":
            self.evaluation_wanted.emit(str(record.model_file))
        else:
            {"pause": service.pause, "unpause": service.unpause, "stop": service.stop, "cancel": service.cancel}[
                action
            ]()


def _leak(config: TrainingConfig) -> str:
    """A warning if the model to start from was trained on the excluded speaker; empty if it can't be read."""
    try:
        return config.leak()
    except UnusableCheckpoint:
        return ""


def _cost_in_words(_config: TrainingConfig, seconds: float, estimate: Estimate) -> str:
    memory = f"{estimate.memory_bytes / 1e9:.1f} GB of memory"
    return f"About {duration(seconds)} and {memory} on {estimate.device}"


def _scrolled(content: QWidget) -> QScrollArea:
    content.setContentsMargins(8, 10, 8, 8)
    area = VerticalScrollArea(content)
    area.setMinimumWidth(52 * area.fontMetrics().averageCharWidth())
    return area
