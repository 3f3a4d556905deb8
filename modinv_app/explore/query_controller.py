"""Passes queries to the model, and plays answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from model.types import FloatArray, Modality
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.queries import (
    Drawing,
    GalleryItem,
    Noisy,
    Picture,
    Query,
    QueryHistory,
    Recording,
    SoundFile,
    continues,
    in_condition,
)
from modinv_app.explore.sounds import sound_of
from modinv_app.explore.state import AppState, Reply

_GRACE_MS = 100  # an answer within this time replaces the former one directly


class QueryController(QObject):
    """Sets the current query, has it answered, and keeps the history of queries.

    The reply of the state belongs to its query, or is None, except for a tenth of a second after a new query.

    Signals
    -------
    problem(Modality, str)
        The query could not be used and was dropped: its modality, why, and what to do.
    history_changed()
        The current query has changed.
    stopped()
        Nothing is to play any more.
    """

    problem = Signal(object, str)
    history_changed = Signal()
    stopped = Signal()

    def __init__(
        self, state: AppState, model: ModelService, utterances: UtterancePlayer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._model = model
        self._utterances = utterances
        self.history = QueryHistory()
        self.speak_instead: Callable[[], bool] = lambda: False  # true if another voice answers a picture
        self._first_ticket = 0  # of the current query: a drawing asks many times
        self._answered_ticket = 0
        self._play_from_ticket: int | None = None
        self._requested: tuple[str, int] | None = None  # key and gallery index of the utterance to play
        self._play_rejected = False
        self._condition = ""
        self._grace = QTimer(self, interval=_GRACE_MS, singleShot=True)
        self._grace.timeout.connect(lambda: state.set_reply(None))
        model.replied.connect(self._take_reply)
        model.refused.connect(self._refuse)
        utterances.playing_changed.connect(self._show_playing)

    # Asking

    def ask_drawing(self, drawing: Drawing) -> None:
        self._put(drawing)

    def finish_stroke(self) -> None:
        """Want no more answers to earlier states of the drawing: they would only delay that to the whole stroke."""
        self._model.forget_earlier()

    def ask_picture(self, pixels: np.ndarray, play: bool) -> None:
        """Ask a picture, grey ``(h, w)`` of uint8; ``play`` the nearest utterance."""
        self._put(Picture(pixels))
        if play:
            self.play_nearest()

    def ask_sound(self, samples: FloatArray, rate: int) -> None:
        self._put(in_condition(Recording(samples, rate), self._condition))

    def ask_sound_file(self, path: str) -> None:
        self._put(in_condition(SoundFile(Path(path)), self._condition))

    def ask_item(self, index: int, play: bool = False) -> None:
        """Ask an item of the gallery and play it if it is an utterance; else ``play`` the nearest utterance."""
        gallery = self._state.gallery
        assert gallery is not None
        spoken = gallery.items[index].modality is Modality.SPEECH
        key = gallery.key(index) if spoken else ""
        self._put(in_condition(GalleryItem(gallery.items[index], gallery.features(index), key), self._condition))
        if spoken:
            self.play(index)
        elif play:
            self.play_nearest()

    def set_condition(self, condition: str) -> None:
        """Add noise to spoken queries from now on, to the current one too; none if the name is empty."""
        self._condition = condition
        query = self._state.query
        if query is not None and query.modality is Modality.SPEECH:
            self._put(in_condition(query, condition))

    def ask_again(self) -> None:
        """Ask the current query again, without playing, because another model answers."""
        if self._state.query is not None:
            self._ask(self._state.query)

    def go_back(self) -> None:
        """Return to the former query; after `forget`, to the last one."""
        self._return_to(self.history.back())

    def go_forward(self) -> None:
        """Return to the next query."""
        self._return_to(self.history.forward())

    def forget(self) -> None:
        """Have no current query, and stop playing; `go_back` returns to it."""
        self.history.deselect()
        self._clear()

    def _put(self, query: Query) -> None:
        self.history.put(query)
        self._set(query)

    def _return_to(self, query: Query | None) -> None:
        if query is not None:
            self._set(in_condition(query, self._condition))

    def _set(self, query: Query) -> None:
        goes_on = continues(query, self._state.query)
        if not goes_on:
            self.stop_playing()  # it belongs to the former query
            self._grace.start()
        self._ask(query)
        if not goes_on:
            self._first_ticket = self._model.latest_ticket
        self._state.set_query(query)
        self.history_changed.emit()

    def _ask(self, query: Query) -> None:
        match query:
            case Drawing():
                self._model.ask_drawing(query.pixels)
            case Picture():
                self._model.ask_picture(query.pixels)
            case Recording() | SoundFile() | Noisy():
                self._model.ask_sound(partial(sound_of, query))
            case GalleryItem():
                self._model.ask_item(query.modality, query.features)

    def _clear(self) -> None:
        self._model.forget()
        self._answered_ticket = self._model.latest_ticket  # nothing is pending
        self._grace.stop()
        self.stop_playing()
        self._state.set_query(None)
        self._state.set_reply(None)
        self.history_changed.emit()

    # Playing

    def play_nearest(self, always: bool = False) -> None:
        """Play the nearest utterance, or the voice that is chosen for it, as soon as the latest query is answered.

        ``always``, on request of the user, the utterance is played; otherwise nothing for a query that is rejected as
        not a digit.
        """
        self._play_rejected = always
        self._play_from_ticket = self._model.latest_ticket
        if self._answered_ticket >= self._play_from_ticket:
            self._play_best()

    def play(self, index: int) -> None:
        """Play an utterance of the gallery."""
        assert self._state.gallery is not None
        key = self._state.gallery.key(index)
        self._requested = key, index
        self._utterances.play(key)

    def stop_playing(self) -> None:
        """Stop playing, and cancel what was about to play."""
        self.stopped.emit()
        self._play_from_ticket = None
        self._utterances.stop()

    def _play_best(self) -> None:
        self._play_from_ticket = None
        reply = self._state.reply
        if reply is None or (reply.answer.rejected and not self._play_rejected):
            return
        if reply.answer.modality is Modality.IMAGE and (self._play_rejected or not self.speak_instead()):
            self.play(reply.answer.matches[0].item.index)

    def _show_playing(self, key: str | None) -> None:
        """Mark the utterance that plays, unless another page plays it."""
        key_played, index = self._requested or (None, None)
        self._state.set_playing(index if key == key_played else None)

    # Replies

    def _take_reply(self, ticket: int, reply: Reply) -> None:
        if ticket < self._first_ticket or self._state.query is None:
            return  # of a former query
        self._answered_ticket = ticket
        self._grace.stop()
        self._state.set_reply(reply)
        if self._play_from_ticket is not None and ticket >= self._play_from_ticket:
            self._play_best()

    def _refuse(self, ticket: int, why: str) -> None:
        query = self._state.query
        if query is None or ticket < self._model.latest_ticket:
            return  # of a former query, or of a former state of the drawing
        if isinstance(query, Noisy):  # with less noise it can be used
            self._grace.stop()
            self._state.set_reply(None)
        else:
            self.history.drop()
            self._clear()
        if why:
            self.problem.emit(query.modality, why)
