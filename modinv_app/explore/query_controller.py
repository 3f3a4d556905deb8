"""How a query travels: from pen, microphone, file or map to the model, and what is played in return."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from model.types import FloatArray, Modality
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.queries import (
    Drawing,
    GalleryItem,
    Picture,
    Query,
    QueryHistory,
    Recording,
    SoundFile,
    continues,
)
from modinv_app.explore.state import AppState, Reply

_GRACE_MS = 100  # what is answered sooner replaces the former answer at once, without a blank between


class QueryController(QObject):
    """Sets the one query of the state, has it answered, and keeps the history of queries.

    Whoever asks calls here; whoever shows follows the state. The reply of the state is always that to its query, or
    None, but for the tenth of a second in which the answer to a new query is awaited.

    Signals
    -------
    problem(Modality, str)
        The query could not be used and is gone: its modality, why, and what to do.
    history_changed()
        Another query is current, or none.
    """

    problem = Signal(object, str)
    history_changed = Signal()

    def __init__(
        self, state: AppState, model: ModelService, utterances: UtterancePlayer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._model = model
        self._utterances = utterances
        self._history = QueryHistory()
        self._first_ticket = 0  # of the present query: a drawing asks many times
        self._answered_ticket = 0
        self._play_from_ticket: int | None = None
        self._asked_to_sound: tuple[str, int] | None = None  # the utterance: its key, and its index in the gallery
        self._grace = QTimer(self, interval=_GRACE_MS, singleShot=True)
        self._grace.timeout.connect(lambda: state.set_reply(None))
        model.replied.connect(self._take_reply)
        model.refused.connect(self._refuse)
        utterances.playing_changed.connect(self._show_playing)

    # -- asking

    def ask_drawing(self, drawing: Drawing) -> None:
        """The drawing so far."""
        self._put(drawing)

    def ask_picture(self, pixels: np.ndarray, play: bool) -> None:
        """A finished picture, grey ``(h, w)`` of uint8; the nearest utterance is played if ``play``."""
        self._put(Picture(pixels))
        if play:
            self.play_nearest()

    def ask_sound(self, samples: FloatArray, rate: int) -> None:
        """A recording."""
        self._put(Recording(samples, rate))

    def ask_sound_file(self, path: str) -> None:
        """A sound file."""
        self._put(SoundFile(Path(path)))

    def ask_item(self, index: int, play: bool = False) -> None:
        """An item of the gallery becomes the query; an utterance sounds, and an image's nearest one if ``play``."""
        gallery = self._state.gallery
        assert gallery is not None
        self._put(GalleryItem(gallery.items[index], gallery.features(index)))
        if gallery.items[index].modality is Modality.SPEECH:
            self.play(index)
        elif play:
            self.play_nearest()

    def ask_again(self) -> None:
        """Ask the present query once more, without a sound: another model answers now."""
        if self._state.query is not None:
            self._ask(self._state.query)

    @property
    def can_go_back(self) -> bool:
        """Whether there is a former query."""
        return self._history.can_go_back

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a query to which one has not returned yet."""
        return self._history.can_go_forward

    def go_back(self) -> None:
        """Return to the former query; after `forget`, to the one that was."""
        self._return_to(self._history.back())

    def go_forward(self) -> None:
        """Take a going back back."""
        self._return_to(self._history.forward())

    def forget(self) -> None:
        """No query any more: nothing of it may show or sound. Going back returns to it."""
        self._history.rest()
        self._rest()

    def _put(self, query: Query) -> None:
        self._history.put(query)
        self._set(query)

    def _return_to(self, query: Query | None) -> None:
        if query is not None:
            self._set(query)

    def _set(self, query: Query) -> None:
        goes_on = continues(query, self._state.query)
        if not goes_on:
            self.be_silent()  # what sounds belongs to the former query
            self._grace.start()
        self._ask(query)
        if not goes_on:
            self._first_ticket = self._model.latest_ticket
        self._state.set_query(query)
        self.history_changed.emit()

    def _ask(self, query: Query) -> None:
        match query:
            case Drawing() | Picture():
                self._model.ask_picture(query.pixels)
            case Recording():
                self._model.ask_sound(query.samples, query.rate)
            case SoundFile():
                self._model.ask_sound_file(query.path)
            case GalleryItem():
                self._model.ask_item(query.item.index)

    def _rest(self) -> None:
        self._model.forget()
        self._answered_ticket = self._model.latest_ticket  # nothing is on its way any more
        self._grace.stop()
        self.be_silent()
        self._state.set_query(None)
        self._state.set_reply(None)
        self.history_changed.emit()

    # -- playing

    def play_nearest(self) -> None:
        """Play the nearest utterance, as soon as the question asked last is answered."""
        self._play_from_ticket = self._model.latest_ticket
        if self._answered_ticket >= self._play_from_ticket:
            self._play_best()

    def play(self, index: int) -> None:
        """Play an utterance of the gallery."""
        assert self._state.gallery is not None
        key = self._state.gallery.key(index)
        self._asked_to_sound = key, index
        self._utterances.play(key)

    def be_silent(self) -> None:
        """Stop what sounds, and what was about to."""
        self._play_from_ticket = None
        self._utterances.stop()

    def _play_best(self) -> None:
        self._play_from_ticket = None
        reply = self._state.reply
        if reply is not None and reply.answer.modality is Modality.IMAGE:
            self.play(reply.answer.matches[0].item.index)

    def _show_playing(self, key: str | None) -> None:
        """Mark the utterance of the gallery that sounds: another page may play another one."""
        asked, index = self._asked_to_sound or (None, None)
        self._state.set_playing(index if key == asked else None)

    # -- what the model says

    def _take_reply(self, ticket: int, reply: Reply) -> None:
        if ticket < self._first_ticket or self._state.query is None:
            return  # to a query that gave way to another
        self._answered_ticket = ticket
        self._grace.stop()
        self._state.set_reply(reply)
        if self._play_from_ticket is not None and ticket >= self._play_from_ticket:
            self._play_best()

    def _refuse(self, ticket: int, why: str) -> None:
        query = self._state.query
        if query is None or ticket < self._model.latest_ticket:
            return  # it gave way to another query, or to a further state of the drawing
        self._history.drop()
        self._rest()
        if why:
            self.problem.emit(query.modality, why)
