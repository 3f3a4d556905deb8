"""The one window: pages, commands and messages; layout and wiring, nothing else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMainWindow, QMessageBox, QVBoxLayout, QWidget

from model.checkpoint import Header
from modinv_app import settings as chosen
from modinv_app.actions import Callback, Commands
from modinv_app.audio.player import Player
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem
from modinv_app.model_service import ModelService
from modinv_app.pages.explore import ExplorePage
from modinv_app.push_to_talk import PushToTalk
from modinv_app.settings import Settings
from modinv_app.state import AppState
from modinv_app.theme import Scheme, apply_scheme
from modinv_app.widgets.message_bar import MessageBar
from modinv_app.widgets.pages import Pages
from modinv_app.widgets.shortcut_sheet import ShortcutSheet

_KEYS_WITHOUT_ACTION = (
    ("Listen", "Space", "Hold to speak"),
    ("Listen", "Up / Down", "Choose among the matches"),
    ("Listen", "Return", "Play the chosen utterance; let the chosen image be the query"),
    ("Map", "Ctrl+Wheel", "Zoom"),
)
_OF_EXPLORE = ("Draw", "Listen", "Map")
"""Groups of commands whose single keys mean something else on other pages."""


class MainWindow(QMainWindow):
    """Four pages: explore, the dial of lambda_IG, train, evaluate."""

    def __init__(
        self,
        settings: Settings,
        state: AppState,
        model: ModelService,
        sound: SoundSystem,
        recorder: Recorder,
        player: Player,
    ) -> None:
        super().__init__()
        self.setWindowTitle("modinv")
        self._settings = settings
        self._state = state
        self._model = model
        self._sound = sound
        self._recorder = recorder
        self._player = player
        self.explore = ExplorePage(settings, state, model, sound, recorder, player)
        self.pages = Pages()
        self.pages.add("explore", "Explore", lambda: self.explore)
        self._ground = QWidget()  # a layout would make room for the messages that float over it
        self._model_text = QLabel()
        self._status = QLabel("Loading the model…")
        self._lay_out()
        self.messages = MessageBar(self._ground)
        self.commands = Commands(self, self._callbacks())
        self._push_to_talk = PushToTalk(self, self.explore.speak.press, self.explore.speak.release)
        self._wire()
        self._restore()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(4, 0, 8, 0)
        top.addWidget(self.pages.bar)
        top.addStretch()
        whole = QVBoxLayout(self._ground)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self.pages, 1)
        self.setCentralWidget(self._ground)
        self.statusBar().addWidget(self._status, 1)
        self.statusBar().addPermanentWidget(self._model_text)
        self.resize(1280, 800)

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
            "hands_free": explore.toggle_hands_free,
            "play": explore.play_chosen,
            "next": explore.matches.select_next,
            "previous": explore.matches.select_previous,
            "silence": explore.conversation.be_silent,
            "pca": lambda: explore.map.choose("PCA"),
            "tsne": lambda: explore.map.choose("t-SNE"),
            "reset_view": explore.map.reset_view,
            **{scheme: partial(self._choose_scheme, scheme) for scheme in get_args(Scheme)},
            "full_screen": self._toggle_full_screen,
            "shortcuts": self._show_shortcuts,
            "about": self._show_about,
        }

    def _wire(self) -> None:
        self.pages.turned.connect(self._page_turned)
        self._state.model_changed.connect(self._show_model)
        self.explore.status_changed.connect(self._status.setText)
        self.explore.warned.connect(self._warn)
        self.explore.map.kind_chosen.connect(self._check_kind)
        self.explore.speak.hands_free_changed.connect(self.commands["hands_free"].setChecked)
        self._model.failed.connect(self._fail)
        self._player.failed.connect(self._warn)

    def _restore(self) -> None:
        """What the user chose in an earlier session."""
        self.restoreGeometry(self._settings.get(chosen.GEOMETRY))
        self.commands[self._settings.get(chosen.SCHEME)].setChecked(True)
        self.explore.restore()
        self._check_kind(self.explore.map.kind)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember how the window was left, and let go of everything that runs."""
        self._settings.set(chosen.GEOMETRY, self.saveGeometry())
        self.explore.remember()
        self.explore.speak.close_detector()
        self._recorder.stop()
        self._player.release()
        self._sound.close()
        self._model.close()
        super().closeEvent(event)

    def _page_turned(self, name: str) -> None:
        exploring = name == "explore"
        self._push_to_talk.enabled = exploring
        self.commands.set_enabled(_OF_EXPLORE, exploring)

    def _on_explore(self, action: Callback) -> None:
        self.pages.turn_to("explore")
        action()

    def _show_model(self, header: Header) -> None:
        corpora = ", ".join([*header.data["images"], *header.data["speech"]])
        self._model_text.setText(f"λ_IG {header.recipe['lambda_ig']:g} · trained on {corpora}")
        self._model_text.setToolTip(f"Recipe {header.recipe['name']}, seed {header.seed}, {header.step} steps")

    def _check_kind(self, kind: str) -> None:
        self.commands["pca" if kind == "PCA" else "tsne"].setChecked(True)

    def _warn(self, text: str) -> None:
        self.messages.show_message(text, "warning", timeout_ms=8000)

    def _fail(self, text: str, details: str) -> None:
        self._status.setText("")
        self.messages.show_message(text, "error", details)

    def _choose_scheme(self, scheme: Scheme) -> None:
        self._settings.set(chosen.SCHEME, scheme)
        apply_scheme(scheme)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _open_model(self) -> None:
        """Let the user choose a checkpoint that ``modinv train`` wrote."""
        dialog = QFileDialog(self, "Open a model")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Models (*.safetensors)", "All files (*)"])
        dialog.fileSelected.connect(self.use_model)
        dialog.open()

    def use_model(self, path: str) -> None:
        """Let the model of a file answer from now on."""
        self.explore.conversation.forget()
        self._status.setText(f"Loading {Path(path).name}…")
        self._model.use_model(Path(path))

    def _show_shortcuts(self) -> None:
        ShortcutSheet(self.commands.all(), _KEYS_WITHOUT_ACTION, self).open()

    def _show_about(self) -> None:
        QMessageBox.about(
            self,
            "About modinv",
            "<h3>modinv</h3><p>Images and spoken digits in one space of Gaussians, after Leidal, Harwath and Glass, "
            "<i>Learning Modality-Invariant Representations for Speech and Images</i>, 2017.</p>"
            "<p>Images: MNIST (CC BY-SA 3.0). Voices: Kokoro, Flite and Festival, generated for this application; "
            "their licences lie beside them.</p>",
        )
