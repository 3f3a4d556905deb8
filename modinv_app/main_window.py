"""The one window: layout and wiring, nothing else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QMainWindow, QMessageBox, QSplitter, QVBoxLayout, QWidget

from model.checkpoint import Header
from model.gallery import Gallery
from model.results import FloatArray, Modality
from modinv_app import settings as chosen
from modinv_app.actions import Callback, Commands
from modinv_app.audio.hands_free import Detector
from modinv_app.audio.player import Player
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem
from modinv_app.conversation import Conversation
from modinv_app.model_service import ModelService
from modinv_app.panels.draw import DrawPanel
from modinv_app.panels.matches import MatchesPanel
from modinv_app.panels.projection import Kind, ProjectionPanel
from modinv_app.panels.speak import SpeakPanel
from modinv_app.push_to_talk import PushToTalk
from modinv_app.settings import Settings
from modinv_app.state import AppState, Reply
from modinv_app.theme import Scheme, apply_scheme
from modinv_app.widgets.message_bar import MessageBar
from modinv_app.widgets.shortcut_sheet import ShortcutSheet

_KEYS_WITHOUT_ACTION = (
    ("Listen", "Space", "Hold to speak"),
    ("Listen", "Up / Down", "Choose among the matches"),
    ("Listen", "Return", "Play the chosen utterance; let the chosen image be the query"),
    ("Map", "Ctrl+Wheel", "Zoom"),
)


def _make_detector() -> Detector:
    from model.speech import UtteranceDetector  # in the detector's thread: it imports torch

    return UtteranceDetector()


class MainWindow(QMainWindow):
    """Draw and speak on the left, the map in the middle, what was found on the right."""

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
        self.conversation = Conversation(state, model, player, self)
        self.draw = DrawPanel()
        self.speak = SpeakPanel(recorder, _make_detector)
        self.matches = MatchesPanel(self._features)
        self.map = ProjectionPanel(self._features)
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._ground = QWidget()  # a splitter would make a column of the messages that float over it
        self._model_text = QLabel()
        self._status = QLabel("Loading the model…")
        # Painting the map takes longer than an answer: at most 30 times a second, or the next matches wait for it.
        self._map_follows = QTimer(self, interval=33, singleShot=True)
        self._map_follows.timeout.connect(self._show_query)
        self.statusBar().addWidget(self._status, 1)
        self.statusBar().addPermanentWidget(self._model_text)
        self._lay_out()
        self.messages = MessageBar(self._ground)
        self.commands = Commands(self, self._callbacks())
        PushToTalk(self, self.speak.press, self.speak.release)
        self._wire_queries()
        self._wire_results()
        self._wire_sound()
        self._restore()

    def _lay_out(self) -> None:
        ask = QWidget()
        rows = QVBoxLayout(ask)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.draw, 1)  # as high as its square canvas can use; speaking gets the rest
        rows.addWidget(self.speak)
        for panel, stretch in ((ask, 0), (self.map, 1), (self.matches, 0)):
            self._columns.addWidget(panel)
            self._columns.setStretchFactor(self._columns.count() - 1, stretch)
            self._columns.setCollapsible(self._columns.count() - 1, False)
        whole = QVBoxLayout(self._ground)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._columns)
        self.setCentralWidget(self._ground)
        self.resize(1280, 800)
        self._columns.setSizes([300, 660, 320])

    def _callbacks(self) -> dict[str, Callback]:
        return {
            "open_picture": self.draw.open_file,
            "open_sound": self.speak.open_file,
            "open_model": self._open_model,
            "paste": self.draw.paste,
            "quit": self.close,
            "undo": self.draw.undo,
            "redo": self.draw.redo,
            "clear": self._clear,
            "hands_free": self._toggle_hands_free,
            "play": self._play_chosen,
            "next": self.matches.select_next,
            "previous": self.matches.select_previous,
            "silence": self.conversation.be_silent,
            "pca": lambda: self.map.choose("PCA"),
            "tsne": lambda: self.map.choose("t-SNE"),
            "reset_view": self.map.reset_view,
            **{scheme: partial(self._choose_scheme, scheme) for scheme in get_args(Scheme)},
            "full_screen": self._toggle_full_screen,
            "shortcuts": self._show_shortcuts,
            "about": self._show_about,
        }

    def _wire_queries(self) -> None:
        """Everything that asks."""
        talk = self.conversation
        self.draw.drawing_changed.connect(talk.ask_drawing)
        self.draw.picture_opened.connect(lambda picture: talk.ask_picture(picture, self.draw.play_on_lift))
        self.draw.pen_lifted.connect(self._pen_lifted)
        self.draw.cleared.connect(talk.forget)
        self.speak.listening_started.connect(talk.be_silent)
        self.speak.utterance.connect(talk.ask_sound)
        self.speak.file_opened.connect(talk.ask_sound_file)
        self.matches.play_requested.connect(talk.play)
        self.matches.query_requested.connect(self._ask_item)
        self.map.clicked.connect(self._ask_item)

    def _wire_results(self) -> None:
        """Everything that shows."""
        self._state.gallery_changed.connect(self._show_gallery)
        self._state.maps_changed.connect(self._show_maps)
        self._state.model_changed.connect(self._show_model)
        self._state.reply_changed.connect(self._show_reply)
        self._state.playing_changed.connect(self.matches.set_playing)
        self._model.map_fitted.connect(self.map.set_coordinates)
        self.map.kind_chosen.connect(self._kind_chosen)
        self.conversation.problem.connect(self._show_problem)
        self.draw.failed.connect(self._warn)
        self._model.failed.connect(self._fail)
        self._player.failed.connect(self._warn)

    def _wire_sound(self) -> None:
        self._sound.devices_changed.connect(self.speak.show_devices)
        self.speak.refresh_requested.connect(self._sound.refresh)
        self.speak.device_chosen.connect(self._choose_device)
        self.speak.hands_free_changed.connect(self.commands["hands_free"].setChecked)
        # The loudspeaker must not talk to the microphone.
        self._player.started.connect(self.speak.pause_hands_free)
        self._player.finished.connect(self.speak.resume_hands_free)
        self._recorder.device_changed.connect(lambda name: self._settings.set(chosen.INPUT_DEVICE, name or ""))
        self._player.device_changed.connect(lambda name: self._settings.set(chosen.OUTPUT_DEVICE, name or ""))
        self._player.device_changed.connect(lambda name: self.speak.set_device("output", name or ""))

    def _restore(self) -> None:
        """What the user chose in an earlier session."""
        get = self._settings.get
        self.restoreGeometry(get(chosen.GEOMETRY))
        self._columns.restoreState(get(chosen.COLUMNS))
        self.draw.play_on_lift = get(chosen.PLAY_ON_LIFT)
        self.commands[get(chosen.SCHEME)].setChecked(True)
        self.map.choose(get(chosen.MAP_KIND))
        self._kind_chosen(self.map.kind)
        if device := get(chosen.INPUT_DEVICE):
            self._recorder.set_device(device)
        if device := get(chosen.OUTPUT_DEVICE):
            self._player.set_device(device)
        self.speak.hands_free = get(chosen.HANDS_FREE)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember how the window was left, and let go of everything that runs."""
        for setting, value in (
            (chosen.GEOMETRY, self.saveGeometry()),
            (chosen.COLUMNS, self._columns.saveState()),
        ):
            self._settings.set(setting, value)
        self._settings.set(chosen.PLAY_ON_LIFT, self.draw.play_on_lift)
        self._settings.set(chosen.HANDS_FREE, self.speak.hands_free)
        self._settings.set(chosen.MAP_KIND, self.map.kind)
        self.speak.close_detector()
        self._recorder.stop()
        self._player.release()
        self._sound.close()
        self._model.close()
        super().closeEvent(event)

    def _features(self, index: int) -> FloatArray:
        assert self._state.gallery is not None
        return self._state.gallery.features(index)

    def _play_chosen(self) -> None:
        """The chosen match, if it sounds, else the nearest."""
        index, gallery = self.matches.chosen, self._state.gallery
        if index is not None and gallery is not None and gallery.items[index].modality is Modality.SPEECH:
            self.conversation.play(index)
        else:
            self.conversation.play_nearest()

    def _pen_lifted(self) -> None:
        if self.draw.play_on_lift:
            self.conversation.play_nearest()

    def _ask_item(self, index: int) -> None:
        self.conversation.ask_item(index, self.draw.play_on_lift)

    def _clear(self) -> None:
        self.draw.clear()
        self.conversation.forget()

    def _show_gallery(self, gallery: Gallery) -> None:
        self.map.set_items(gallery.items)

    def _show_maps(self, maps: dict[Kind, FloatArray]) -> None:
        for kind, coordinates in maps.items():
            self.map.set_coordinates(kind, coordinates)

    def _show_model(self, header: Header) -> None:
        corpora = ", ".join([*header.data["images"], *header.data["speech"]])
        self._model_text.setText(f"λ_IG {header.recipe['lambda_ig']:g} · trained on {corpora}")
        self._model_text.setToolTip(f"Recipe {header.recipe['name']}, seed {header.seed}, {header.step} steps")
        if self._state.reply is None:
            self._status.setText("Ready: draw a digit, or say one")

    def _show_reply(self, reply: Reply | None) -> None:
        """One query shows at a time: the panel that did not ask is emptied."""
        if reply is None:
            self.draw.show_guess(None, 0.0)
            self.speak.clear()
            self.matches.clear()
            self._show_query()
            self._status.setText("")
            return
        answer = reply.answer
        if answer.modality is Modality.IMAGE:
            self.draw.show_seen(answer.features)
            self.draw.show_guess(answer.guess, answer.agreement)
            self.speak.clear()
        else:
            self.speak.show_spectrogram(answer.features)
            self.speak.show_guess(answer.guess, answer.agreement)
            self.draw.show_guess(None, 0.0)
        self.matches.show_answer(answer)
        if not self._map_follows.isActive():
            self._map_follows.start()
        what = "Your query" if reply.item is None else reply.item.source
        self._status.setText(f"{what}: answered in {answer.milliseconds:.0f} ms")

    def _show_query(self) -> None:
        """Place the query in the map that shows."""
        reply = self._state.reply
        if reply is None or self.map.kind not in reply.places:
            self.map.clear_query()
            return
        place = reply.places[self.map.kind]
        matches = [match.item.index for match in reply.answer.matches]
        self.map.show_query(reply.answer.modality, place[0], place[1:], matches, reply.answer.guess)

    def _kind_chosen(self, kind: str) -> None:
        self.commands["pca" if kind == "PCA" else "tsne"].setChecked(True)
        self._show_query()

    def _show_problem(self, modality: Modality, why: str) -> None:
        if modality is Modality.SPEECH:
            self.speak.show_problem(why)
        else:
            self._warn(why)

    def _warn(self, text: str) -> None:
        self.messages.show_message(text, "warning", timeout_ms=8000)

    def _fail(self, text: str, details: str) -> None:
        self._status.setText("")
        self.messages.show_message(text, "error", details)

    def _choose_device(self, kind: str, name: str) -> None:
        (self._recorder if kind == "input" else self._player).set_device(name or None)

    def _choose_scheme(self, scheme: Scheme) -> None:
        self._settings.set(chosen.SCHEME, scheme)
        apply_scheme(scheme)

    def _toggle_hands_free(self) -> None:
        self.speak.hands_free = not self.speak.hands_free

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
        self.conversation.forget()
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
