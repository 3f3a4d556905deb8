"""Train on the left, the map as it forms in the middle, the curves on the right."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout

from model.checkpoints import UnusableCheckpoint
from model.parsing import loads
from model.retrieval.gallery import Gallery
from model.runs.store import RunInfo, RunRecord, RunUpdate, Snapshot
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app.common import settings as chosen
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import Model
from modinv_app.common.page import Page, Services, Trainer
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.settings import Settings
from modinv_app.jobs.client import JobClient
from modinv_app.jobs.executor import SerialExecutor
from modinv_app.train.curves import Curves
from modinv_app.train.runs import RunsPanel
from modinv_app.train.service import TrainingService
from modinv_app.train.snapshot_map import SnapshotMap
from modinv_app.train.training import TrainingPanel

log = logging.getLogger(__name__)


class TrainPage(Page):
    """Training, and every run there is: those that are chosen show in the curves, the first of them in the map.

    Parameters
    ----------
    service
        Trains.
    client
        Measures what a training will cost.
    library
        Lists and follows the runs.
    data
        Knows which corpora there are, and fetches.
    settings
        Remembers what was chosen in the form.
    """

    def __init__(
        self, service: TrainingService, client: JobClient, library: RunLibrary, data: DataService, settings: Settings
    ) -> None:
        super().__init__()
        self._settings = settings
        self.service = service
        self.trainer = Trainer("train", "run", "Train, Runs", service.stop, service.cancel)
        self._client = client
        self._library = library
        self.panel = TrainingPanel(service, client, data)
        self.runs = RunsPanel(library)
        self.map = SnapshotMap()
        self.curves = Curves()
        self._lane = SerialExecutor("snapshots", self)
        self._followed: set[Path] = set()
        self._mapped: RunRecord | None = None  # the run in the map, and its items once they are read
        self._probe: Gallery | None = None
        self._at_hand: Path | None = None  # the run of the service that was shown
        self.tabs = QTabWidget(documentMode=True)
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._wire()
        self._restore_plan()

    def _lay_out(self) -> None:
        self.tabs.addTab(self.panel, "Train")
        self.tabs.addTab(self.runs, "Runs")
        self.runs.setContentsMargins(8, 8, 8, 8)
        for widget, stretch in ((self.tabs, 0), (self.map, 1), (self.curves, 0)):
            self._columns.addWidget(widget)
            self._columns.setStretchFactor(self._columns.count() - 1, stretch)
            self._columns.setCollapsible(self._columns.count() - 1, False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._columns)
        self._columns.setSizes([330, 570, 380])

    def _wire(self) -> None:
        service, runs = self.service, self.runs
        service.state_changed.connect(self._state_changed)
        service.state_changed.connect(self.run_changed)
        service.finished.connect(self._finished)
        service.failed.connect(self.failed)
        for panel in (self.panel, runs):
            panel.model_chosen.connect(self.model_chosen)
            panel.evaluation_wanted.connect(partial(self.turn_wanted.emit, "evaluate"))
        runs.failed.connect(self.failed)
        runs.resume_wanted.connect(self._resume)
        runs.comparison_changed.connect(self._show_runs)
        self._library.grown.connect(self._take_growth)
        self._client.training_changed.connect(runs.refresh)
        self.map.clicked.connect(self._play)

    # What the window asks and tells

    @property
    def busy(self) -> bool:
        """Whether a run trains, is paused, or is on its way or its way out."""
        return self.service.busy

    def show_loaded(self, model: Model) -> None:
        """Say which model is loaded: runs may start from it, and are compared with it."""
        self.panel.show_loaded(model)

    def release(self) -> None:
        """Let go of everything that runs; a training that is still on is the client's to keep."""
        self._remember_plan()
        self.service.close()
        self._lane.close()

    # The form, from one session to the next

    def _restore_plan(self) -> None:
        try:
            plan = TrainingConfig.from_dict(loads(self._settings.get(chosen.TRAINING_PLAN).encode()))
        except ValueError:  # there is none, or it is from another version
            return
        self.panel.form.set_plan(replace(plan, start=None))  # the model that it started from need not be loaded again

    def _remember_plan(self) -> None:
        with suppress(ValueError):  # what can't be trained is not worth remembering
            self._settings.set(chosen.TRAINING_PLAN, json.dumps(self.panel.form.plan().to_dict()))

    # Showing runs

    def _state_changed(self, info: RunInfo | None) -> None:
        record = self.service.record
        folder = record.folder if record is not None and info is not None else None
        if folder != self._at_hand:
            self._at_hand = folder
            if folder is None:
                self.runs.refresh()
            else:
                self.runs.choose(folder)

    def _finished(self, info: RunInfo) -> None:
        self.informed.emit(f"“{info.name}” is trained.")

    def _resume(self, record: RunRecord) -> None:
        if self.busy:
            self.failed.emit("Another run is training. Stop it first, or wait until it is done.", "")
            return
        self.service.resume(record)
        self.tabs.setCurrentWidget(self.panel)

    def _show_runs(self, records: Sequence[RunRecord]) -> None:
        self._followed = {record.folder for record in records}
        self._library.follow(self, records)
        self.curves.keep([str(record.folder) for record in records])
        first = records[0] if records else None
        if first != self._mapped:
            self._mapped = first
            self._load_map()

    def _take_growth(self, record: RunRecord, growth: RunUpdate) -> None:
        if record.folder not in self._followed:
            return  # the service follows the run at hand, whether it is chosen or not
        self.curves.grow(str(record.folder), growth)
        if record != self._mapped or not (growth.snapshots or growth.restarted):
            return
        if growth.restarted or self._probe is None:
            self._load_map()
        else:
            self.map.show_snapshots(_fitting(growth.snapshots, self._probe))

    def _load_map(self) -> None:
        """Show all snapshots of the first run that is chosen."""
        record, self._probe = self._mapped, None
        self.map.clear()
        if record is None:
            return

        def show(found: tuple[Gallery, list[Snapshot]] | None) -> None:
            if found is not None and record == self._mapped:
                self._probe, snapshots = found
                self.map.set_probe(self._probe)
                self.map.show_snapshots(snapshots)

        self._lane.submit(partial(_read_map, record), show, partial(_not_read, record))

    def _play(self, index: int) -> None:
        if self._probe is not None and self._probe.items[index].modality is Modality.SPEECH:
            self.play_wanted.emit(self._probe.key(index))


def build(services: Services) -> TrainPage:
    """The page."""
    service = TrainingService(services.runs, services.client, services.library)
    return TrainPage(service, services.client, services.library, services.data, services.settings)


def _read_map(record: RunRecord) -> tuple[Gallery, list[Snapshot]] | None:
    """The items and all snapshots of a run that can be read; None before there are any."""
    steps = record.snapshots()
    if not steps:
        return None
    probe, found = record.probe(), []
    for step in steps:
        try:
            found.append(record.snapshot(step))
        except UnusableCheckpoint as error:
            log.warning("A snapshot of %s is left out: %s", record.folder, error)
    return probe, _fitting(found, probe)


def _fitting(snapshots: Sequence[Snapshot], probe: Gallery) -> list[Snapshot]:
    """The snapshots that are of these items; a damaged folder may hold others."""
    return [snapshot for snapshot in snapshots if len(snapshot.coordinates) == len(probe.items)]


def _not_read(record: RunRecord, error: Exception) -> None:
    log.warning("The snapshots of %s can't be read: %s", record.folder, error)
