"""The interface between the window and its pages."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from model.runs.store import RunStore
from modinv_app.audio.player import Player
from modinv_app.audio.recorder import Recorder
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import Model, ModelCatalogue
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.settings import Settings
from modinv_app.common.take_library import TakeLibrary
from modinv_app.jobs.client import JobClient, Training

if TYPE_CHECKING:  # its libraries take time to import
    from model.retrieval.retriever import Retriever

T = TypeVar("T")


class Consult(Protocol):
    """Has the model in use do something in its thread; see `ModelService.consult` of the Explore page."""

    def __call__(
        self, work: Callable[[Retriever], T], done: Callable[[T], object], refused: Callable[[str], object]
    ) -> None:
        """Call ``done`` with the result, or ``refused`` with why it can't be done; neither without a model."""


@dataclass(frozen=True, slots=True)
class Services:
    """Services that the pages share; ``app.py`` creates them.

    Attributes
    ----------
    settings
        The user's settings.
    client
        Does jobs in another process.
    runs, library
        Where runs are stored; lists and follows them.
    data
        Finds and downloads corpora.
    catalogue
        All models.
    takes
        The user's own recordings and drawings.
    recorder, player
        Microphone and loudspeaker.
    consult
        Asks the model in use.
    """

    settings: Settings
    client: JobClient
    runs: RunStore
    library: RunLibrary
    data: DataService
    catalogue: ModelCatalogue
    takes: TakeLibrary
    recorder: Recorder
    player: Player
    consult: Consult


@dataclass(frozen=True, slots=True)
class Trainer:
    """How a page's training is ended before the window closes.

    Attributes
    ----------
    kind
        The value of :attr:`JobClient.training <modinv_app.jobs.client.JobClient.training>` meanwhile.
    what, where
        What trains ("run"), and where it can be resumed ("Train, Runs").
    stop
        Stops it and keeps what there is.
    discard
        Stops it and discards everything; ``None`` if that can't be chosen.
    """

    kind: Training
    what: str
    where: str
    stop: Callable[[], object]
    discard: Callable[[], object] | None = None


class Page(QWidget):
    """A page of the window, built when it is first shown.

    The methods below do nothing by default; a page overrides those that concern it.

    Attributes
    ----------
    trainer
        Set by a page that trains.

    Signals
    -------
    informed(str)
        Something is done that the user may have waited for.
    warned(str)
        A request could not be met: why, and what to do.
    failed(str, str)
        Something went wrong: what and what to do, and details to copy.
    model_chosen(str)
        Path of the model to use from now on.
    turn_wanted(str, str)
        Show the page of this name, and let it open the file of this path.
    play_wanted(str)
        Play the utterance with this key.
    training_changed(str, float)
        What the page trains, in words, and the share that is done, in [0, 1], which are shown above all pages; no words
        once nothing trains any more.
    """

    informed = Signal(str)
    warned = Signal(str)
    failed = Signal(str, str)
    model_chosen = Signal(str)
    turn_wanted = Signal(str, str)
    play_wanted = Signal(str)
    training_changed = Signal(str, float)

    trainer: Trainer | None = None

    def show_loaded(self, model: Model) -> None:
        """Show which model is in use; called again when it is renamed."""

    def open(self, path: str) -> None:
        """Open a file on behalf of another page."""

    def show_playing(self, key: str | None) -> None:
        """Mark the utterance with this key as playing, or none."""

    def remember(self) -> None:
        """Store what the next session begins with: now and then, and before `release`."""

    def release(self) -> None:
        """Stop everything that runs, because the window closes."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """How to build a page.

    Attributes
    ----------
    name
        Identifies the page.
    title
        Of its tab and menu entry; ``&`` marks the access key.
    module
        Has a function ``build(services: Services) -> Page``. Imported in the background, or when the page is shown.
    """

    name: str
    title: str
    module: str

    def build(self, services: Services) -> Page:
        """Build the page."""
        return importlib.import_module(self.module).build(services)  # type: ignore[no-any-return]
