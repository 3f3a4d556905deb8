"""What the window and its pages know of each other."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from model.runs.store import RunStore
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import Model, ModelCatalogue
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.settings import Settings
from modinv_app.jobs.client import JobClient, Training


@dataclass(frozen=True, slots=True)
class Services:
    """What the pages share; ``app.py`` builds it.

    Attributes
    ----------
    settings
        What the user chose.
    client
        Does heavy jobs in another process.
    runs, library
        Where runs are kept; lists and follows them.
    data
        Knows which corpora there are, and fetches.
    catalogue
        The models there are.
    """

    settings: Settings
    client: JobClient
    runs: RunStore
    library: RunLibrary
    data: DataService
    catalogue: ModelCatalogue


@dataclass(frozen=True, slots=True)
class Trainer:
    """How a page's training is ended before the window closes.

    Attributes
    ----------
    kind
        What :attr:`JobClient.training <modinv_app.jobs.client.JobClient.training>` is meanwhile.
    what, where
        What trains ("run"), and where it can be resumed ("Train, Runs").
    stop
        Ends it and keeps what there is.
    discard
        Ends it and keeps nothing; ``None`` where that can't be chosen.
    """

    kind: Training
    what: str
    where: str
    stop: Callable[[], object]
    discard: Callable[[], object] | None = None


class Page(QWidget):
    """A page of the window, built when it is first turned to.

    A page emits what it has to say and does in the methods below what concerns it: by default, nothing.

    Attributes
    ----------
    trainer
        Of a page that trains.

    Signals
    -------
    informed(str)
        Something is done that one may have waited for.
    warned(str)
        Something that was asked could not be done: why, and what to do.
    failed(str, str)
        Something went wrong: what and what to do, and details to copy.
    model_chosen(str)
        Path of a model that shall answer from now on.
    turn_wanted(str, str)
        The name of another page, and the path of a file that it shall open.
    play_wanted(str)
        Key of an utterance that shall sound.
    run_changed(RunInfo or None)
        How the page's run stands; shown beside all pages while it trains.
    """

    informed = Signal(str)
    warned = Signal(str)
    failed = Signal(str, str)
    model_chosen = Signal(str)
    turn_wanted = Signal(str, str)
    play_wanted = Signal(str)
    run_changed = Signal(object)

    trainer: Trainer | None = None

    def show_loaded(self, model: Model) -> None:
        """Take note of the model that answers; called again when it is renamed."""

    def open(self, path: str) -> None:
        """Open a file, for which another page asked."""

    def show_playing(self, key: str | None) -> None:
        """Mark the utterance that sounds, by its key, or none."""

    def release(self) -> None:
        """Let go of everything that runs, for the window closes."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """A page before it is built.

    Attributes
    ----------
    name
        By which the window knows it.
    title
        Of its tab and its command; ``&`` marks the access key.
    module
        Has a function ``build(services: Services) -> Page``. Imported behind the window, or when it is turned to.
    """

    name: str
    title: str
    module: str

    def build(self, services: Services) -> Page:
        """The page."""
        return importlib.import_module(self.module).build(services)  # type: ignore[no-any-return]
