"""The main window: layout and signals of pages, commands and messages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMessageBox,
    QWidget,
)

from model.checkpoints import Header
from model.recipes.recipe import encoder_text, objective_text
from modinv_app.audio.player import Player
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.common import settings as chosen
from modinv_app.common.card import with_subscripts
from modinv_app.common.dialogs import ask_for_file
from modinv_app.common.layouts import column, row
from modinv_app.common.model_catalogue import Model
from modinv_app.common.page import Page, PageInfo, Services, Trainer
from modinv_app.common.remembered import restore_geometry
from modinv_app.common.theme import Scheme, apply_scheme
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.page import ExplorePage
from modinv_app.explore.push_to_talk import PushToTalk
from modinv_app.explore.state import AppState
from modinv_app.shell.actions import Callback, Commands
from modinv_app.shell.leave_question import LeaveQuestion
from modinv_app.shell.message_bar import MessageBar
from modinv_app.shell.model_switcher import ModelSwitcher
from modinv_app.shell.page_bar import Pages
from modinv_app.shell.shortcut_sheet import ShortcutSheet
from modinv_app.shell.training_strip import TrainingStrip

_KEYS_WITHOUT_ACTION = (
    ("Listen", "Space", "Hold to speak"),
    ("Listen", "Up / Down", "Choose among the matches"),
    ("Listen", "Return", "Play the chosen utterance, or make the chosen image the query"),
    ("Map", "Wheel / + / -", "Zoom"),
    ("Map", "Left / Right / Up / Down", "Move the map, after a click on it"),
    ("Map", "Home", "Show the whole map"),
    ("Map", "Shift+Drag", "Draw around points to select them, too"),
    ("Map", "Escape", "Stop playing all, or select nothing"),
    ("Selection", "Left / Right / Up / Down", "Show and play the next item"),
    ("Selection", "Return", "Play the item, or make the image the query"),
    ("Selection", "Ctrl+Return", "Make the item the query"),
    ("Selection", "X", "Leave the marked items out"),
)
_FRAME = QSize(8, 48)
"""Estimated size of the window frame, which is unknown before the window is shown."""

_REMEMBER_EVERY_MS = 20_000
_TELL_AGAIN_AFTER = 60.0  # seconds, that the loudspeaker still does not work

_OF_EXPLORE = ("Draw", "Listen", "Map")
"""Groups of commands that work on the Explore page only."""


class MainWindow(QMainWindow):
    """The main window, with the Explore page from the start and other pages built on demand.

    Parameters
    ----------
    services, state, model, player, utterances
        The services that the window uses.
    explore
        The Explore page.
    pages
        All pages; the others are built when they are first shown.
    log_file
        The log of this process; ``None`` if it can't be written.

    Signals
    -------
    closed()
        The window and its pages don't use the services any more.
    """

    closed = Signal()

    def __init__(
        self,
        services: Services,
        state: AppState,
        model: ModelService,
        player: Player,
        utterances: UtterancePlayer,
        explore: ExplorePage,
        pages: Sequence[PageInfo],
        log_file: Path | None = None,
    ) -> None:
        super().__init__()
        self._log_file = log_file
        self.setWindowTitle("modinv")
        self._services = services
        self._settings, self._client, self._catalogue = services.settings, services.client, services.catalogue
        self._state = state
        self._model = model
        self._player = player
        self._utterances = utterances
        self._leaving = False
        self._silent = ("", 0.0)  # why the loudspeaker does not work, and when that was said
        self._strip = TrainingStrip()
        self.explore = explore
        self.pages = Pages(pages, self._build)
        self._switcher = ModelSwitcher()
        self._switcher.show_models(self._catalogue.models)
        self._switcher.show_loading(self._loaded)
        self._strip.page_wanted.connect(self.pages.turn_to)
        self._central = QWidget()  # without a layout for the messages, which float over it
        self._model_text = QLabel()
        self._status = QLabel("Loading the model…")
        self._lay_out()
        self.messages = MessageBar(self._central)
        self.commands = Commands(self, pages, self._callbacks())
        self._push_to_talk = PushToTalk(self, self.explore.speak.button)
        self._wire()
        self._restore()
        # A window that crashes or is killed stores nothing any more.
        remembering = QTimer(self, interval=_REMEMBER_EVERY_MS)
        remembering.timeout.connect(self._remember)
        remembering.start()

    def _lay_out(self) -> None:
        top = row(self.pages.bar, None, self._strip, self._switcher, margins=(4, 0, 8, 0))
        column(top, (self.pages, 1), parent=self._central, spacing=0)
        self.setCentralWidget(self._central)
        self.statusBar().addWidget(self._status, 1)
        self.statusBar().addPermanentWidget(self._model_text)
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize() - _FRAME))

    def _callbacks(self) -> dict[str, Callback]:
        explore = self.explore
        return {
            "open_picture": partial(self._on_explore, explore.draw.open_file),
            "open_sound": partial(self._on_explore, explore.speak.open_file),
            "open_model": self._open_model,
            "paste": partial(self._on_explore, explore.draw.paste),
            "quit": self.close,
            "undo": explore.draw.undo,
            "redo": explore.draw.redo,
            "clear": explore.clear,
            "back": explore.queries.go_back,
            "forward": explore.queries.go_forward,
            "hands_free": explore.toggle_hands_free,
            "play": explore.play_chosen,
            "next": explore.matches.select_next,
            "previous": explore.matches.select_previous,
            "why": explore.toggle_why,
            "hear": explore.explanations.hear,
            "stop_playing": explore.queries.stop_playing,
            "pca": lambda: explore.map.choose("PCA"),
            "tsne": lambda: explore.map.choose("t-SNE"),
            "reset_view": explore.map.reset_view,
            "lasso": explore.toggle_lasso,
            "select_shown": explore.map.select_shown,
            **{scheme: partial(self._choose_scheme, scheme) for scheme in get_args(Scheme)},
            **{f"page_{name}": partial(self.pages.turn_to, name) for name in self.pages.names},
            "full_screen": self._toggle_full_screen,
            "shortcuts": self._show_shortcuts,
            "open_log": self._open_log,
            "about": self._show_about,
        }

    def _build(self, info: PageInfo) -> Page:
        """Build a page and connect its signals."""
        page = self.explore if info.name == "explore" else info.build(self._services)
        page.informed.connect(self._inform)
        page.warned.connect(self._warn)
        page.failed.connect(self._fail)
        page.model_chosen.connect(self.use_model)
        page.turn_wanted.connect(lambda name, path: self.pages.turn_to(name).open(path))
        page.play_wanted.connect(self._utterances.play)
        page.training_changed.connect(partial(self._strip.show_training, info.name))
        self._utterances.playing_changed.connect(page.show_playing)
        if self._state.model is not None:
            page.show_loaded(self._loaded)
        return page

    def _wire(self) -> None:
        self.pages.turned.connect(self._page_turned)
        self._client.training_changed.connect(self._close_if_free)
        self._catalogue.changed.connect(self._models_changed)
        self._switcher.opening.connect(self._catalogue.refresh)
        self._switcher.model_wanted.connect(lambda model: self.use_model(str(model.file)))
        self._switcher.file_wanted.connect(self._open_model)
        self._model.not_loaded.connect(lambda file: self._switcher.end_loading(self._catalogue.of(file)))
        self._state.model_changed.connect(self._show_model)
        self.explore.queries.history_changed.connect(self._offer_queries)
        self._offer_queries()
        self.explore.status_changed.connect(self._status.setText)
        self.explore.map.kind_chosen.connect(self._check_kind)
        self.explore.speak.hands_free_changed.connect(self.commands["hands_free"].setChecked)
        self.explore.map.lasso_toggled.connect(self.commands["lasso"].setChecked)
        self.explore.why.toggled.connect(self.commands["why"].setChecked)
        self._model.failed.connect(self._fail)
        self._utterances.failed.connect(self._fail)
        self._player.failed.connect(self._warn_of_silence)

    def _restore(self) -> None:
        """Restore the settings of earlier sessions."""
        restore_geometry(self, self._settings.get(chosen.GEOMETRY))
        self.commands[self._settings.get(chosen.SCHEME)].setChecked(True)
        self.explore.restore()
        self._check_kind(self.explore.map.kind)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Store the geometry and stop everything; ask first if something trains."""
        if (trainer := self.trainer) is not None and not self._leaving:
            event.ignore()
            question = LeaveQuestion(self, trainer)
            question.end_wanted.connect(self._leave)
            question.open()
            return
        self._remember()
        for page in self.pages.built.values():
            page.release()
        self.closed.emit()
        super().closeEvent(event)

    def _remember(self) -> None:
        """Store what the next session begins with."""
        self._settings.set(chosen.GEOMETRY, self.saveGeometry())
        for page in self.pages.built.values():
            page.remember()

    def keep_and_close(self) -> None:
        """Close without a question; what trains is stopped and kept."""
        if (trainer := self.trainer) is None:
            self.close()
        else:
            self._leave(trainer.stop)

    @property
    def trainer(self) -> Trainer | None:
        """The trainer of the page whose run or sweep trains."""
        trainers = (page.trainer for page in self.pages.built.values() if page.trainer is not None)
        return next((trainer for trainer in trainers if trainer.kind == self._client.training), None)

    def _close_if_free(self) -> None:
        """Close the window if it was waiting for a training to end."""
        if self._leaving and self._client.training is None:
            self.close()

    def _leave(self, end_training: Callback) -> None:
        self._leaving = True
        self.messages.show_message("Stopping: the window closes as soon as the training has ended…")
        end_training()
        self._close_if_free()  # it may have ended while the question was open

    def _page_turned(self, name: str) -> None:
        self.messages.keep_clear()
        exploring = name == "explore"
        self._push_to_talk.enabled = exploring
        # Words that are said on another page are no queries.
        (self.explore.speak.resume_hands_free if exploring else self.explore.speak.pause_hands_free)()
        self._status.setVisible(exploring)  # it is about the query
        self.commands.set_enabled(_OF_EXPLORE, exploring)
        self._offer_queries()

    def _offer_queries(self) -> None:
        """Enable Back and Forward on the Explore page if there is such a query."""
        exploring, queries = self.pages.current == "explore", self.explore.queries
        self.commands["back"].setEnabled(exploring and queries.history.can_go_back)
        self.commands["forward"].setEnabled(exploring and queries.history.can_go_forward)

    @property
    def _loaded(self) -> Model:
        """The model that is in use, or is being loaded at the start."""
        return self._catalogue.of(self._model.file)

    def _on_explore(self, action: Callback) -> None:
        self.pages.turn_to("explore")
        action()

    def _show_model(self, header: Header) -> None:
        corpora = ", ".join([*header.data["images"], *header.data["speech"]])
        another = bool(self._model_text.text())
        self._switcher.show_loaded(self._loaded)
        if another:
            self.explore.queries.ask_again()  # of the new model
        self._model_text.setText(with_subscripts(f"{objective_text(header.recipe, 'λ_IG ')} · trained on {corpora}"))
        recipe = f"Recipe {header.recipe['name']}{encoder_text(header.recipe)}"
        self._model_text.setToolTip(f"{recipe}, seed {header.seed}, {header.step} steps")
        if another and self.pages.current != "explore":
            self._inform(f"“{self._loaded.title}” answers now, under Explore.")
        self._show_title()

    def _models_changed(self, models: list[Model]) -> None:
        self._switcher.show_models(models)
        self._show_title()

    def _show_title(self) -> None:
        """Show the name of the model in the title and on all pages."""
        if self._state.model is None:
            return
        self.setWindowTitle(f"{self._loaded.title} – modinv")
        for page in self.pages.built.values():
            page.show_loaded(self._loaded)

    def _check_kind(self, kind: str) -> None:
        self.commands["pca" if kind == "PCA" else "tsne"].setChecked(True)

    def _inform(self, text: str) -> None:
        self.messages.show_message(text, timeout_ms=6000)

    def _warn(self, text: str) -> None:
        self.messages.show_message(text, "warning", timeout_ms=8000)

    def _warn_of_silence(self, text: str) -> None:
        """Warn that the loudspeaker does not work, but not at each drawing."""
        now = time.monotonic()
        if text != self._silent[0] or now > self._silent[1] + _TELL_AGAIN_AFTER:
            self._silent = (text, now)
            self._warn(text)

    def _fail(self, text: str, details: str) -> None:
        self._status.setText("")
        self.messages.show_message(text, "error", details)

    def _choose_scheme(self, scheme: Scheme) -> None:
        self._settings.set(chosen.SCHEME, scheme)
        apply_scheme(scheme)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _open_model(self) -> None:
        ask_for_file(self, "Open a model", "Models (*.safetensors)", self.use_model)

    def use_model(self, path: str) -> None:
        """Use the model of a file from now on."""
        model = self._catalogue.of(Path(path))
        self.explore.queries.stop_playing()
        self._status.setText(f"Loading “{model.title}”…")
        self._switcher.show_loading(model)
        self._model.use_model(model.file)

    def _show_shortcuts(self) -> None:
        ShortcutSheet(self.commands.all(), _KEYS_WITHOUT_ACTION, self).open()

    def _open_log(self) -> None:
        if self._log_file is None:
            self._warn("There is no log: its folder can't be written. Free some space, or check its permissions.")
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_file))):
            self._inform(f"The log is {self._log_file}. No program on this computer is set to open it.")

    def _show_about(self) -> None:
        QMessageBox.about(
            self,
            "About modinv",
            "<h3>modinv</h3><p>Images and spoken digits in one space of Gaussians, after Leidal, Harwath and Glass, "
            "<i>Learning Modality-Invariant Representations for Speech and Images</i>, 2017.</p>"
            "<p>Images: MNIST (CC BY-SA 3.0). Voices: Kokoro, Flite and Festival, generated for this application; "
            "their licences are included.</p>",
        )
