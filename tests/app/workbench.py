"""What the pages share, without a window around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model.runs.store import RunStore
from model.sweeps.records import SweepStore
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import ModelCatalogue
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.settings import Settings
from modinv_app.evaluate.page import EvaluatePage
from modinv_app.evaluate.service import EvaluationService
from modinv_app.jobs.client import JobClient
from modinv_app.jobs.worker_process import COMMAND
from modinv_app.sweep.page import DialPage
from modinv_app.sweep.service import SweepService
from modinv_app.train.page import TrainPage
from modinv_app.train.service import TrainingService


class Workbench:
    """A client, runs and corpora, and pages over them.

    Parameters
    ----------
    runs
        Where the runs lie.
    command
        Starts the worker process.
    """

    def __init__(self, runs: Path, command: Sequence[str] = COMMAND) -> None:
        self.client = JobClient(command=command)
        self.store = RunStore(runs)
        self.library = RunLibrary(self.store)
        self.data = DataService()

    def train_page(self, settings: Settings) -> TrainPage:
        service = TrainingService(self.store, self.client, self.library)
        return TrainPage(service, self.client, self.library, self.data, settings)

    def dial_page(self, sweeps: Path) -> DialPage:
        return DialPage(SweepService(SweepStore(sweeps), self.client), self.client, self.data)

    def evaluate_page(self, catalogue: ModelCatalogue) -> EvaluatePage:
        return EvaluatePage(EvaluationService(self.client), catalogue)

    def close(self) -> None:
        """End everything; pages are released before."""
        self.client.close()
        self.library.close()
        self.data.close()
