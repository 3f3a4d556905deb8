"""How a query travels: from pen, microphone, file or map to the model, and what is played in return."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from model.results import FloatArray, Modality
from modinv_app.audio.player import Player
from modinv_app.model_service import ModelService
from modinv_app.state import AppState, Reply


class Conversation(QObject):
    """One query at a time flows one way: whoever asks calls here, whoever shows follows the state.

    Signals
    -------
    problem(Modality, str)
        A query could not be used: why, and what to do.
    """

    problem = Signal(object, str)

    def __init__(self, state: AppState, model: ModelService, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._model = model
        self._player = player
        self._answered_ticket = 0
        self._play_from_ticket: int | None = None
        self._wanted_clip: int | None = None
        model.replied.connect(self._take_reply)
        model.refused.connect(self._refuse)
        model.clip_loaded.connect(self._play_clip)
        player.finished.connect(self._fell_silent)

    def ask_drawing(self, drawing: np.ndarray) -> None:
        """The drawing so far, ``(h, w)`` of uint8."""
        self._model.ask_picture(drawing)

    def ask_picture(self, picture: np.ndarray, play: bool) -> None:
        """A finished picture; the nearest utterance is played if ``play``."""
        self._model.ask_picture(picture)
        if play:
            self.play_nearest()

    def ask_sound(self, samples: FloatArray, rate: int) -> None:
        """A recording."""
        self.be_silent()
        self._model.ask_sound(samples, rate)

    def ask_sound_file(self, path: str) -> None:
        """A sound file."""
        self.be_silent()
        self._model.ask_sound_file(Path(path))

    def ask_item(self, index: int, play: bool = False) -> None:
        """An item of the gallery becomes the query; an utterance sounds, and an image's nearest one if ``play``."""
        gallery = self._state.gallery
        assert gallery is not None
        self._model.ask_item(index)
        if gallery.items[index].modality is Modality.SPEECH:
            self.play(index)
        elif play:
            self.play_nearest()

    def forget(self) -> None:
        """The query is taken back: nothing of it may show or sound any more."""
        self._model.forget()
        self._answered_ticket = self._model.latest_ticket  # nothing is on its way any more
        self.be_silent()
        self._state.set_reply(None)

    def play_nearest(self) -> None:
        """Play the nearest utterance, as soon as the question asked last is answered."""
        self._play_from_ticket = self._model.latest_ticket
        if self._answered_ticket >= self._play_from_ticket:
            self._play_best()

    def play(self, index: int) -> None:
        """Play an utterance of the gallery."""
        self._wanted_clip = index
        self._model.load_clip(index)

    def be_silent(self) -> None:
        """Stop what sounds, and what was about to."""
        self._play_from_ticket = None
        self._wanted_clip = None
        self._player.stop()

    def _take_reply(self, ticket: int, reply: Reply) -> None:
        self._answered_ticket = ticket
        self._state.set_reply(reply)
        if self._play_from_ticket is not None and ticket >= self._play_from_ticket:
            self._play_best()

    def _play_best(self) -> None:
        self._play_from_ticket = None
        reply = self._state.reply
        if reply is not None and reply.answer.modality is Modality.IMAGE:
            self.play(reply.answer.matches[0].item.index)

    def _refuse(self, modality: Modality, why: str) -> None:
        self._play_from_ticket = None
        self._state.set_reply(None)
        self.problem.emit(modality, why)

    def _play_clip(self, index: int, samples: FloatArray, rate: int) -> None:
        if index == self._wanted_clip:
            self._wanted_clip = None
            self._player.play(samples, rate)
            self._state.set_playing(index)

    def _fell_silent(self) -> None:
        if not self._player.playing:
            self._state.set_playing(None)
