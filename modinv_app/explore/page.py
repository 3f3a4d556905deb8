"""The page for queries: draw and speak on the left, the map in the middle, matches on the right."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QWidget

from model.checkpoints import Header
from model.retrieval.gallery import Gallery
from model.types import FloatArray, Modality
from modinv_app.audio.hands_free import Detector
from modinv_app.audio.player import Player
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.common import settings as chosen
from modinv_app.common.layouts import column, side_by_side
from modinv_app.common.page import Page
from modinv_app.common.remembered import restore_sizes
from modinv_app.common.settings import MapKind, Settings
from modinv_app.common.take_library import TakeLibrary
from modinv_app.common.undo_strip import UndoStrip
from modinv_app.explore.draw import DrawPanel
from modinv_app.explore.explanations import Explanations, Pair
from modinv_app.explore.imagination import Imagination
from modinv_app.explore.imagined_panel import ImaginedPanel
from modinv_app.explore.matches import MatchesPanel
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.noise_panel import NoisePanel, understood
from modinv_app.explore.playlist import Playlist
from modinv_app.explore.projection import ProjectionPanel
from modinv_app.explore.queries import Query
from modinv_app.explore.query_bar import QueryBar
from modinv_app.explore.query_controller import QueryController
from modinv_app.explore.selection_controller import SelectionController
from modinv_app.explore.selection_panel import SelectionPanel
from modinv_app.explore.selection_service import SelectionService
from modinv_app.explore.speak import SpeakPanel
from modinv_app.explore.state import AppState, Imagined, Reply
from modinv_app.explore.why_panel import WhyPanel


def _make_detector() -> Detector:
    from model.data.speech import UtteranceDetector  # in the detector's thread: its libraries take time to import

    return UtteranceDetector()


class ExplorePage(Page):
    """Queries of both modalities and their answers.

    Signals
    -------
    status_changed(str)
        A text for the status bar about the current query.
    """

    status_changed = Signal(str)

    def __init__(
        self,
        settings: Settings,
        state: AppState,
        model: ModelService,
        sound: SoundSystem,
        recorder: Recorder,
        player: Player,
        utterances: UtterancePlayer,
        takes: TakeLibrary,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._state = state
        self._model = model
        self._sound = sound
        self._recorder = recorder
        self._player = player
        self.queries = QueryController(state, model, utterances, self)
        self.explanations = Explanations(state, model, utterances, self)
        self.imagination = Imagination(state, model, utterances, self)
        self.draw = DrawPanel()
        self.speak = SpeakPanel(recorder, _make_detector)
        self.bar = QueryBar()
        self.matches = MatchesPanel(self._features)
        self.why = WhyPanel()
        self.noise = NoisePanel()
        self.imagined = ImaginedPanel()
        self.map = ProjectionPanel(self._features)
        self.selection = SelectionPanel()
        self.undo = UndoStrip()
        self.playlist = Playlist(state, self.queries, self)
        self._service = SelectionService(model, takes, self)
        self.selecting = SelectionController(
            state, self.map, self.selection, self.undo, self.playlist, self._service, self
        )
        # Painting the map takes longer than an answer: at most 30 times a second, or it would delay the next matches.
        self._map_follows = QTimer(self, interval=33, singleShot=True)
        self._map_follows.timeout.connect(self._show_on_map)
        self._lay_out()
        self._wire_queries()
        self._wire_results()
        self._wire_explanations()
        self._wire_imagination()
        self._wire_selection()
        self._wire_sound()

    def restore(self) -> None:
        """Restore the settings of earlier sessions."""
        get = self._settings.get
        restore_sizes(self._columns, get(chosen.COLUMNS))
        self.draw.play_on_lift = get(chosen.PLAY_ON_LIFT)
        self.imagined.voice = get(chosen.IMAGINED_VOICE)
        self.imagined.open = get(chosen.IMAGINED_OPEN)
        self.map.choose(get(chosen.MAP_KIND))
        if device := get(chosen.INPUT_DEVICE):
            self._recorder.set_device(device)
        if device := get(chosen.OUTPUT_DEVICE):
            self._player.set_device(device)
        self.speak.hands_free = get(chosen.HANDS_FREE)

    def remember(self) -> None:
        columns: QByteArray = self._columns.saveState()
        self._settings.set(chosen.COLUMNS, columns)
        self._settings.set(chosen.PLAY_ON_LIFT, self.draw.play_on_lift)
        self._settings.set(chosen.IMAGINED_VOICE, self.imagined.voice)
        self._settings.set(chosen.IMAGINED_OPEN, self.imagined.open)
        self._settings.set(chosen.HANDS_FREE, self.speak.hands_free)
        self._settings.set(chosen.MAP_KIND, self.map.kind)

    def release(self) -> None:
        """End the threads of detector and decoders."""
        self.speak.close_detector()
        self.imagination.close()
        self._service.close()

    def play_chosen(self) -> None:
        """Play the selected match if it is an utterance, else the nearest."""
        index, gallery = self.matches.chosen, self._state.gallery
        if index is not None and gallery is not None and gallery.items[index].modality is Modality.SPEECH:
            self.queries.play(index)
        else:
            self.queries.play_nearest(always=True)

    def clear(self) -> None:
        """Clear drawing, query and what is imagined."""
        self.draw.clear()
        self.queries.forget()
        self.imagination.forget()  # a place of the map, without a query

    def toggle_hands_free(self) -> None:
        """Switch hands-free on or off."""
        self.speak.hands_free = not self.speak.hands_free

    def toggle_why(self) -> None:
        """Show or hide why the chosen or nearest match is one."""
        self.why.open = not self.why.open

    def toggle_lasso(self) -> None:
        """Take the lasso of the map, or put it away."""
        self.map.lasso = not self.map.lasso

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._state.gallery is not None:
            self._model.update_curation()  # another page may have left out or relabelled items

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape, unless a panel uses it."""
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.playlist.stop()

    def _lay_out(self) -> None:
        left, right = QWidget(), QWidget()
        column((self.draw, 1), self.speak, parent=left, spacing=0)  # draw is as high as its square canvas can use
        column(self.bar, (self.matches, 1), self.why, self.noise, self.imagined, parent=right, spacing=0)
        middle = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        upper = QWidget()
        column((self.map, 1), self.undo, parent=upper, spacing=4)
        middle.addWidget(upper)
        middle.addWidget(self.selection)
        middle.setStretchFactor(0, 1)
        self._columns = side_by_side((left, 300, 0), (middle, 660, 1), (right, 320, 0))
        column(self._columns, parent=self)

    def _wire_queries(self) -> None:
        ask = self.queries
        self.draw.drawing_changed.connect(ask.ask_drawing)
        self.draw.picture_opened.connect(lambda picture: ask.ask_picture(picture, self.draw.play_on_lift))
        self.draw.pen_lifted.connect(self._pen_lifted)
        self.draw.cleared.connect(ask.forget)
        self.speak.listening_started.connect(ask.stop_playing)
        self.speak.utterance.connect(ask.ask_sound)
        self.speak.file_opened.connect(ask.ask_sound_file)
        self.speak.rejected.connect(ask.forget)
        self.draw.failed.connect(ask.forget)
        self.matches.play_requested.connect(ask.play)
        self.matches.query_requested.connect(self._ask_item)
        self.map.clicked.connect(self._ask_item)
        self.noise.condition_chosen.connect(ask.set_condition)
        self.bar.back_clicked.connect(ask.go_back)
        self.bar.forward_clicked.connect(ask.go_forward)

    def _wire_results(self) -> None:
        self._state.gallery_changed.connect(self._show_gallery)
        self._state.maps_changed.connect(self._show_maps)
        self._state.model_changed.connect(self._show_ready)
        self._state.query_changed.connect(self._show_query)
        self._state.reply_changed.connect(self._show_reply)
        self._state.playing_changed.connect(self.matches.set_playing)
        self._model.map_fitted.connect(self.map.set_coordinates)
        self.map.kind_chosen.connect(self._show_on_map)
        self.map.kind_chosen.connect(self._show_imagined_on_map)
        self.queries.problem.connect(self._show_problem)
        self.queries.history_changed.connect(
            lambda: self.bar.enable(self.queries.history.can_go_back, self.queries.history.can_go_forward)
        )
        self.draw.failed.connect(self.warned)
        self.draw.paste_failed.connect(self.warned)

    def _wire_explanations(self) -> None:
        self.matches.chosen_changed.connect(self.explanations.choose)
        self.why.toggled.connect(self.explanations.set_wanted)
        self.why.hear_clicked.connect(self.explanations.hear)
        self.explanations.pair_changed.connect(self.why.show_pair)
        self.explanations.pair_changed.connect(self._show_heat)
        self.explanations.problem.connect(self.warned)

    def _wire_imagination(self) -> None:
        imagination, panel = self.imagination, self.imagined
        self.queries.speak_instead = imagination.speak_instead
        self._state.imagined_changed.connect(self._show_imagined)
        imagination.walk_offered.connect(panel.offer_walk)
        imagination.unable.connect(panel.show_unable)
        imagination.unable.connect(self._show_voice)
        imagination.voice_missing.connect(self.queries.play_nearest)
        panel.step_chosen.connect(imagination.walk_to)
        panel.voice_wanted.connect(imagination.speak)
        panel.voice_chosen.connect(self._show_voice)
        self.map.place_clicked.connect(self._place_clicked)

    def _wire_selection(self) -> None:
        self._state.playing_changed.connect(self.selection.set_playing)
        self.selection.play_requested.connect(self.queries.play)
        self.selection.query_requested.connect(self._ask_item)
        self.selection.stop_requested.connect(self.queries.stop_playing)
        self._player.failed.connect(self.playlist.stop)
        self._service.informed.connect(self.informed)
        self._service.warned.connect(self.warned)
        self._service.failed.connect(self.failed)

    def _wire_sound(self) -> None:
        self._sound.devices_changed.connect(self.speak.show_devices)
        self.speak.refresh_requested.connect(self._sound.refresh)
        self.speak.device_chosen.connect(self._choose_device)
        # The microphone must not record the loudspeaker.
        self._player.started.connect(self.speak.pause_hands_free)
        self._player.finished.connect(self.speak.resume_hands_free)
        self._recorder.device_changed.connect(lambda name: self._settings.set(chosen.INPUT_DEVICE, name or ""))
        self._player.device_changed.connect(lambda name: self._settings.set(chosen.OUTPUT_DEVICE, name or ""))
        self._player.device_changed.connect(lambda name: self.speak.set_device("output", name or ""))

    def _features(self, index: int) -> FloatArray:
        assert self._state.gallery is not None
        return self._state.gallery.features(index)

    def _pen_lifted(self) -> None:
        self.queries.finish_stroke()
        if self.draw.play_on_lift:
            self.queries.play_nearest()

    def _ask_item(self, index: int) -> None:
        self.queries.ask_item(index, self.draw.play_on_lift)

    def _show_gallery(self, gallery: Gallery) -> None:
        self.map.set_items(gallery.items)
        self.selection.set_gallery(gallery)

    def _show_maps(self, maps: dict[MapKind, FloatArray]) -> None:
        chosen = self.map.kind  # comes first, or the points would move to it from another map
        for kind in sorted(maps, key=lambda kind: kind != chosen):
            self.map.set_coordinates(kind, maps[kind])
        self._show_on_map()
        self._show_imagined_on_map()
        self.map.show_selection(self._state.selection)

    def _show_ready(self, header: Header) -> None:
        self.noise.show_measured(*understood(header))
        if self._state.reply is None:
            self.status_changed.emit("Ready: draw a digit, or say one")

    def _show_query(self, query: Query | None) -> None:
        """Show the query in every panel."""
        self.draw.show_query(query)
        self.speak.show_query(query)
        self.bar.show_query("" if query is None else query.name)

    def _show_reply(self, reply: Reply | None) -> None:
        answer = None if reply is None else reply.answer
        self.draw.show_answer(answer if answer is not None and answer.modality is Modality.IMAGE else None)
        self.speak.show_answer(answer if answer is not None and answer.modality is Modality.SPEECH else None)
        if answer is None:
            self.matches.clear()
            self._show_on_map()
            self.status_changed.emit("")
            return
        self.matches.show_answer(answer)
        if not self._map_follows.isActive():
            self._map_follows.start()
        name = "" if self._state.query is None else self._state.query.name
        self.status_changed.emit(f"{name}: answered in {answer.milliseconds:.0f} ms")

    def _show_heat(self, pair: Pair | None) -> None:
        """Show what the match is based on over the query."""
        heat = None if pair is None or pair.explanation is None else pair.explanation.query
        drawn = pair is not None and pair.answer.modality is Modality.IMAGE
        self.draw.show_heat(heat if drawn else None)
        self.speak.show_heat(None if drawn or heat is None else heat.shares)

    def _show_on_map(self) -> None:
        """Show the query in the current map."""
        reply = self._state.reply
        if reply is None or self.map.kind not in reply.places:
            self.map.clear_query()
            return
        place = reply.places[self.map.kind]
        matches = [match.item.index for match in reply.answer.matches]
        self.map.show_query(reply.answer.modality, place[0], place[1:], matches, reply.answer.guess)

    def _show_imagined(self, imagined: Imagined | None) -> None:
        self.imagined.show_imagined(imagined)
        self._show_imagined_on_map()

    def _show_imagined_on_map(self) -> None:
        """Show the imagined place in the current map, unless it is the query, which is shown there already."""
        imagined, kind = self._state.imagined, self.map.kind
        if imagined is None:
            self.map.show_imagined(None)
        else:
            self.map.show_imagined(imagined.places.get(kind), imagined.ends.get(kind))

    def _show_voice(self) -> None:
        """Say which voice answers a picture."""
        self.imagination.voice = self.imagined.voice
        imagined = self.imagined.voice and self.imagination.able
        self.draw.show_voice("imagined voice" if imagined else "nearest match")

    def _place_clicked(self, coordinates: FloatArray) -> None:
        if self.map.kind == "PCA":
            self.imagination.look_at(coordinates)
        else:
            self.status_changed.emit("Empty places can be imagined in the PCA map only")

    def _escape(self) -> None:
        """Stop what is being drawn or played in the map; if there is no such thing, select nothing."""
        if self.map.cancel_outline():
            return
        if self.playlist.running:
            self.queries.stop_playing()
        elif self._state.selection:
            self.selecting.deselect()
        else:
            self.map.lasso = False

    def _show_problem(self, modality: Modality, why: str) -> None:
        if modality is Modality.SPEECH:
            self.speak.show_problem(why)
        else:
            self.warned.emit(why)

    def _choose_device(self, kind: str, name: str) -> None:
        (self._recorder if kind == "input" else self._player).set_device(name or None)
