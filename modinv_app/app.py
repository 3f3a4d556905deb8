"""The composition root: creates all services and the window, and connects them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSettings
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from model import locations
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
from modinv_app.shell.heap import return_large_blocks
from modinv_app.shell.imports import Imports
from modinv_app.shell.main_window import MainWindow
from modinv_app.shell.own_gallery import OwnGallery
from modinv_app.shell.pages import PAGES
from modinv_app.shell.process_log import ProcessLog


def make_application(arguments: list[str]) -> QApplication:
    """The Qt application: the names under which settings are stored, and what the desktop shows for its windows.

    From now on the process returns memory as soon as it is freed.
    """
    return_large_blocks()
    QCoreApplication.setApplicationName("modinv")
    QCoreApplication.setOrganizationName("modinv")
    QGuiApplication.setDesktopFileName("modinv")  # packaging/modinv.desktop: a window under Wayland has its icon
    application = QApplication(arguments)
    application.setWindowIcon(QIcon(str(locations.icon())))
    return application


class Application:
    """The window and its services.

    Parameters
    ----------
    store
        Where settings are stored.
    make_backend
        Creates the sound backend, in the sound thread.
    process_log
        The log of this process; ``None`` if it can't be written, or if no user has opened the window.
    """

    def __init__(
        self,
        store: QSettings,
        make_backend: Callable[[], Backend] = PortAudio,
        process_log: ProcessLog | None = None,
    ) -> None:
        self._process_log = process_log
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
        log_file = None if process_log is None else process_log.file
        self.window = MainWindow(
            self.services, self.state, self.model, self.player, self.utterances, explore, PAGES, log_file
        )
        self.window.closed.connect(self._close)
        self.client.training_changed.connect(self._note_training)
        self.own_gallery = OwnGallery(self.settings, self.services.takes, self.model, self.window.pages, self.window)
        self.model.ready.connect(self.own_gallery.start)
        self.model.items_changed.connect(explore.queries.ask_again)
        self.imports = Imports(self.window, PAGES)
        self._map_imported = False
        self.model.gallery_loaded.connect(self._set_gallery)
        self.model.ready.connect(self.state.set_model)
        self.model.started.connect(self.imports.prepare_map)
        self.imports.map_imported.connect(self._show_map)
        self.imports.map_imported.connect(self.imports.prepare_pages)
        self.garbage = GarbageCollection(self.window)
        self.model.ready.connect(self.garbage.start)
        self.model.failed.connect(self.garbage.start)

    def start(self) -> None:
        """Show the window, then load the model and open the sound devices in the background."""
        self.window.show()
        self._tell_of_crashes()
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
        if self._process_log is not None:
            self._process_log.end()

    def _tell_of_crashes(self) -> None:
        for crash in self._process_log.begin() if self._process_log is not None else ():
            self.window.messages.show_message(crash.words, "warning", crash.details)

    def _note_training(self) -> None:
        if self._process_log is not None:
            trainer = self.window.trainer
            self._process_log.note_training(*(("", "") if trainer is None else (trainer.what, trainer.where)))

    def _set_gallery(self, gallery: object, maps: object) -> None:
        self.state.set_gallery(gallery)  # type: ignore[arg-type]
        if self._map_imported:
            self.state.set_maps(maps)  # type: ignore[arg-type]

    def _show_map(self) -> None:
        self._map_imported = True
        if self.model.loaded is not None:
            self.state.set_maps(dict(self.model.loaded.coordinates))
