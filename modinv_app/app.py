"""The composition root: creates all services and the window, and connects them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSettings
from PySide6.QtWidgets import QApplication

from model.runs.store import RunStore
from modinv_app.audio.backend import Backend
from modinv_app.audio.player import Player
from modinv_app.audio.portaudio import PortAudio
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.common import settings as chosen
from modinv_app.common.data_service import DataService
from modinv_app.common.model_catalogue import ModelCatalogue
from modinv_app.common.page import Services
from modinv_app.common.run_library import RunLibrary
from modinv_app.common.settings import Settings
from modinv_app.common.take_library import TakeLibrary
from modinv_app.common.theme import apply_scheme
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.page import ExplorePage
from modinv_app.explore.state import AppState
from modinv_app.jobs.client import JobClient
from modinv_app.shell.garbage import GarbageCollection
from modinv_app.shell.imports import Imports
from modinv_app.shell.main_window import MainWindow
from modinv_app.shell.own_gallery import OwnGallery
from modinv_app.shell.pages import PAGES


def make_application(arguments: list[str]) -> QApplication:
    """The Qt application, with the names under which settings are stored."""
    QCoreApplication.setApplicationName("modinv")
    QCoreApplication.setOrganizationName("modinv")
    return QApplication(arguments)


class Application:
    """The window and its services.

    Parameters
    ----------
    store
        Where settings are stored.
    make_backend
        Creates the sound backend, in the sound thread.
    """

    def __init__(self, store: QSettings, make_backend: Callable[[], Backend] = PortAudio) -> None:
        self.settings = Settings(store)
        apply_scheme(self.settings.get(chosen.SCHEME))
        self.state = AppState()
        self.model = ModelService()
        self.sound = SoundSystem(make_backend)
        self.recorder = Recorder(self.sound)
        self.player = Player(self.sound)
        self.utterances = UtterancePlayer(self.player)
        self.client = JobClient()
        runs = RunStore()
        self.services = Services(
            self.settings,
            self.client,
            runs,
            RunLibrary(runs),
            DataService(),
            ModelCatalogue(runs, self.settings),
            TakeLibrary(),
            self.recorder,
            self.player,
            self.model.consult,
        )
        explore = ExplorePage(
            self.settings,
            self.state,
            self.model,
            self.sound,
            self.recorder,
            self.player,
            self.utterances,
            self.services.takes,
        )
        self.window = MainWindow(self.services, self.state, self.model, self.player, self.utterances, explore, PAGES)
        self.window.closed.connect(self._close)
        self.own_gallery = OwnGallery(self.settings, self.services.takes, self.model, self.window.pages, self.window)
        self.model.ready.connect(self.own_gallery.start)
        self.model.items_changed.connect(explore.queries.ask_again)
        self.model.gallery_loaded.connect(self._set_gallery)
        self.model.ready.connect(self.state.set_model)
        self.imports = Imports(self.window, PAGES)
        self.model.ready.connect(self.imports.prepare_pages)
        self.garbage = GarbageCollection(self.window)
        self.model.ready.connect(self.garbage.start)
        self.model.failed.connect(self.garbage.start)

    def start(self) -> None:
        """Show the window, then load the model and open the sound devices in the background."""
        self.window.show()
        self.imports.prepare_map()
        self.model.start()
        self.sound.refresh()
        self.recorder.start()

    def _close(self) -> None:
        """Close all services; a training saves what there is."""
        self.recorder.stop()
        self.utterances.close()
        self.player.release()
        shared = self.services
        for service in (self.sound, self.model, self.client, shared.library, shared.data, shared.takes):
            service.close()
        self.services.catalogue.close()

    def _set_gallery(self, gallery: object, maps: object) -> None:
        self.state.set_gallery(gallery)  # type: ignore[arg-type]
        self.state.set_maps(maps)  # type: ignore[arg-type]
