"""The page for training: form and runs on the left, the map in the middle, the curves on the right."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QTabWidget

from model.checkpoints import UnusableCheckpoint
from model.parsing import loads
from model.recipes.recipe import objective_text
from model.retrieval.gallery import Gallery
from model.runs.store import RunInfo, RunRecord, RunUpdate, Snapshot
from model.training.config import TrainingConfig
from model.types import Modality
from modinv_app.common import settings as chosen
from modinv_app.common.data_service import DataService
from modinv_app.common.layouts import column, side_by_side
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

_WORDS = {"waiting": "Preparing", "running": "Training", "paused": "Paused"}


class TrainPage(Page):
    """Training, and all runs: the chosen ones are shown in the curves, the first of them in the map.

    Parameters
    ----------
    service
        Trains.
    client
        Estimates the cost of a training.
    library
        Lists and follows the runs.
    data
        Finds and downloads corpora.
    settings
        Stores the configuration in the form.
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
        self._executor = SerialExecutor("snapshots", self)
        self._followed: set[Path] = set()
        self._mapped: RunRecord | None = None  # the run in the map; its items follow once they are loaded
        self._probe: Gallery | None = None
        self._current: Path | None = None  # the run of the service that was shown
        self.tabs = QTabWidget(documentMode=True)
        self._lay_out()
        self._wire()
        self._restore_form()

    def _lay_out(self) -> None:
        self.tabs.addTab(self.panel, "Train")
        self.tabs.addTab(self.runs, "Runs")
        self.runs.setContentsMargins(8, 8, 8, 8)
        column(side_by_side((self.tabs, 330, 0), (self.map, 570, 1), (self.curves, 380, 0)), parent=self)

    def _wire(self) -> None:
        service, runs = self.service, self.runs
        service.state_changed.connect(self._state_changed)
        service.state_changed.connect(self._tell_state)
        service.finished.connect(self._finished)
        service.failed.connect(self.failed)
        for panel in (self.panel, runs):
            panel.model_chosen.connect(self.model_chosen)
            panel.evaluation_wanted.connect(partial(self.turn_wanted.emit, "evaluate"))
        runs.failed.connect(self.failed)
        runs.resume_wanted.connect(self._resume)
        runs.comparison_changed.connect(self._show_runs)
        self._library.updated.connect(self._show_run_update)
        self._client.training_changed.connect(runs.refresh)
        self.map.clicked.connect(self._play)

    # The interface to the window

    @property
    def busy(self) -> bool:
        """Whether a run trains, is paused, starts or stops."""
        return self.service.busy

    def show_loaded(self, model: Model) -> None:
        self.panel.show_loaded(model)

    def release(self) -> None:
        self.service.close()
        self._executor.close()

    # The form, from one session to the next

    def _restore_form(self) -> None:
        try:
            config = TrainingConfig.from_dict(loads(self._settings.get(chosen.TRAINING_PLAN).encode()))
        except ValueError:  # there is none, or it is of another version
            return
        self.panel.form.set_config(replace(config, start=None))  # that model need not be loaded

    def remember(self) -> None:
        with suppress(ValueError):  # don't store what can't be trained
            self._settings.set(chosen.TRAINING_PLAN, json.dumps(self.panel.form.config().to_dict()))

    # Showing runs

    def _state_changed(self, info: RunInfo | None) -> None:
        record = self.service.record
        folder = record.folder if record is not None and info is not None else None
        if folder != self._current:
            self._current = folder
            if folder is None:
                self.runs.refresh()
            else:
                self.runs.choose(folder)

    def _tell_state(self, info: RunInfo | None) -> None:
        """Tell the other pages how the run stands."""
        if info is None or info.state not in _WORDS:
            self.training_changed.emit("", 0.0)
        else:
            words = f"{_WORDS[info.state]}, {objective_text(info.plan.recipe.to_dict())}"
            self.training_changed.emit(words, info.step / max(1, info.steps))

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

    def _show_run_update(self, record: RunRecord, update: RunUpdate) -> None:
        if record.folder not in self._followed:
            return  # followed by the service only
        self.curves.update_run(str(record.folder), update)
        if record != self._mapped or not (update.snapshots or update.restarted):
            return
        if update.restarted or self._probe is None:
            self._load_map()
        else:
            self.map.show_snapshots(_fitting(update.snapshots, self._probe))

    def _load_map(self) -> None:
        """Show all snapshots of the first chosen run."""
        record, self._probe = self._mapped, None
        self.map.clear()
        if record is None:
            return

        def show(found: tuple[Gallery, list[Snapshot]] | None) -> None:
            if found is not None and record == self._mapped:
                self._probe, snapshots = found
                self.map.set_probe(self._probe)
                self.map.show_snapshots(snapshots)

        self._executor.submit(partial(_read_map, record), show, partial(_not_read, record))

    def _play(self, index: int) -> None:
        if self._probe is not None and self._probe.items[index].modality is Modality.SPEECH:
            self.play_wanted.emit(self._probe.key(index))


def build(services: Services) -> TrainPage:
    service = TrainingService(services.runs, services.client, services.library)
    return TrainPage(service, services.client, services.library, services.data, services.settings)


def _read_map(record: RunRecord) -> tuple[Gallery, list[Snapshot]] | None:
    """The items and all readable snapshots of a run; None before the first."""
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
    """The snapshots of these items; a damaged folder may contain others."""
    return [snapshot for snapshot in snapshots if len(snapshot.coordinates) == len(probe.items)]


def _not_read(record: RunRecord, error: Exception) -> None:
    log.warning("The snapshots of %s can't be read: %s", record.folder, error)
