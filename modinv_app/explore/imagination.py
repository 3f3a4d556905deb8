"""What the model imagines: the current query, what lies between it and the former one, and places of the map."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from model import locations
from model.errors import ModinvError, for_training
from model.retrieval.projection import PrincipalComponents
from model.types import FloatArray
from modinv_app.audio.utterances import UtterancePlayer
from modinv_app.explore.loaded import Loaded
from modinv_app.explore.model_service import ModelService
from modinv_app.explore.queries import Query, continues
from modinv_app.explore.state import AppState, Imagined, Reply
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:  # it imports torch
    from model.generation.generator import Generator

log = logging.getLogger(__name__)

T = TypeVar("T")

STEPS = 41
"""Number of embeddings of a walk, both ends included."""

_REST_MS = 40  # longer than between two states of a drawing in progress, whose answers would wait for the decoders


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """An embedding on the way from the mean of the former query, if there is one, to that of the current one."""

    start: FloatArray | None
    end: FloatArray
    step: int


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A place in the map of principal components, ``(2,)``."""

    coordinates: FloatArray


class Imagination(QObject):
    """Has embeddings decoded in the model's thread, and plays their voices.

    The state's `imagined` follows its reply. Decoders are loaded when they are first needed, in a thread of their own,
    so that queries don't wait for them. A newer wish replaces an older one. Queries go before both, and a drawing is
    imagined once the pen rests; its voice doesn't wait for that.

    Attributes
    ----------
    voice
        Whether answers to pictures sound by the imagined voice instead of the nearest recording.

    Signals
    -------
    walk_offered(bool)
        There is another end of the walk: the current query, or a new state of it; whether there is a former one.
    unable(str)
        Why nothing can be imagined by the model in use; empty when another model is used.
    voice_missing()
        A voice that was to sound can't be imagined.
    """

    walk_offered = Signal(bool)
    unable = Signal(str)
    voice_missing = Signal()

    def __init__(
        self, state: AppState, model: ModelService, utterances: UtterancePlayer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._model = model
        self._utterances = utterances
        self._loader = SerialExecutor("decoders", self)
        self.voice = False
        self._generator: Generator | None = None  # of the model in use, once it is needed
        self._loading = False
        self._why_not = ""
        self._query: Query | None = None  # answered last
        self._start: FloatArray | None = None
        self._end: FloatArray | None = None
        self._wish: _Walk | _Place | None = None
        self._number = 0  # of the latest wish; compared in the model's thread, too
        self._key = ""  # of the voice that was wanted last, for the player
        self._voice_due = False  # as soon as there are decoders
        self._rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._rest.timeout.connect(self._send)
        state.gallery_changed.connect(self._use_another_model)
        state.reply_changed.connect(self._follow)

    @property
    def able(self) -> bool:
        """Whether the model in use has decoders, as far as is known yet."""
        return not self._why_not

    def close(self) -> None:
        """End the loader's thread without waiting."""
        self._loader.close(0)

    def walk_to(self, step: int) -> None:
        """Imagine a step of the walk, 0 (the former query) to ``STEPS - 1`` (the current one)."""
        if self._end is not None:
            self._imagine(_Walk(self._start, self._end, step))

    def look_at(self, coordinates: FloatArray) -> None:
        """Imagine a place in the map of principal components, ``(2,)``, and play it if the voice is chosen."""
        self._imagine(_Place(coordinates))
        if self.voice:
            self.speak()

    def forget(self) -> None:
        """Imagine nothing until there is another reply or place."""
        self._rest.stop()
        self._number += 1
        self._wish, self._voice_due = None, False
        self._state.set_imagined(None)

    def speak(self) -> None:
        """Play the voice of what is imagined now or next."""
        if self._wish is None or self._why_not:
            return
        self._voice_due = True
        self._key = f"imagined {self._number}"
        self._utterances.expect(self._key)
        self._send_voice()

    def speak_instead(self) -> bool:
        """Play the voice of the query if it is chosen; false if there is none, and the recording is to be played."""
        if not self.voice or self._wish is None or self._why_not:
            return False
        self.speak()
        return True

    # Following the state

    def _use_another_model(self) -> None:
        """Forget what the former model imagined: its embeddings mean nothing to another."""
        self._generator, self._loading, self._why_not = None, False, ""
        self._query = self._start = self._end = None
        self.forget()
        self.unable.emit("")

    def _follow(self, reply: Reply | None) -> None:
        if reply is None:
            self.forget()
            return
        query = self._state.query
        if self._query is not None and query is not None and not _same(query, self._query):
            self._start = self._end
        self._query, self._end = query, reply.answer.mean
        self.walk_offered.emit(self._start is not None)
        self._wish_for(_Walk(self._start, self._end, STEPS - 1))
        self._rest.start()

    # Decoding

    def _imagine(self, wish: _Walk | _Place) -> None:
        self._wish_for(wish)
        self._send()

    def _wish_for(self, wish: _Walk | _Place) -> None:
        self._rest.stop()
        self._number += 1
        self._wish, self._voice_due = wish, False
        if self._generator is None and not self._loading and not self._why_not:
            self._load()

    def _send(self) -> None:
        self._rest.stop()
        generator, wish, number = self._generator, self._wish, self._number
        if generator is None or wish is None:
            return

        def show(imagined: Imagined) -> None:
            if number == self._number:
                self._state.set_imagined(imagined)

        self._model.when_idle(self._unless_newer(lambda loaded: _imagined(generator, loaded, wish)), show)

    def _send_voice(self) -> None:
        generator, wish, key = self._generator, self._wish, self._key
        if generator is None or wish is None or not self._voice_due:
            return
        self._voice_due = False

        def sound(loaded: Loaded) -> FloatArray:
            return generator.sounds(_embedding(loaded, wish)[None])[0]

        def deliver(samples: FloatArray) -> None:
            self._utterances.deliver(key, samples, generator.sample_rate)

        self._model.when_idle(self._unless_newer(sound), deliver)

    def _unless_newer(self, job: Callable[[Loaded], T]) -> Callable[[Loaded], T | None]:
        number = self._number
        return lambda loaded: job(loaded) if number == self._number else None

    def _load(self) -> None:
        loaded = self._model.loaded
        if loaded is None or loaded.retriever is None or loaded.file is None:
            return  # the reply is of a model that is just being replaced
        retriever, file = loaded.retriever, loaded.file
        self._loading = True

        def load() -> Generator:
            from model.generation.generator import Generator

            return Generator.of_model(file, locations.shipped_decoders())

        def take(generator: Generator) -> None:
            if retriever is not self._model.retriever:
                return
            self._generator, self._loading = generator, False
            self._send_voice()
            self._send()

        def refuse(error: Exception) -> None:
            if retriever is not self._model.retriever:
                return
            self._loading = False
            self._why_not, _ = describe_error(error)
            if not isinstance(error, ModinvError) and not for_training(error):
                log.error("The decoders can't be loaded", exc_info=error)
            self.unable.emit(self._why_not)
            if self._voice_due:
                self._voice_due = False
                self.voice_missing.emit()

        self._loader.submit(load, take, refuse)


def _same(query: Query, former: Query) -> bool:
    """Whether a query is the former one, asked again, or a later state of its drawing."""
    return query is former or continues(query, former)


def _imagined(generator: Generator, loaded: Loaded, wish: _Walk | _Place) -> Imagined:
    """In the model's thread."""
    embedding = _embedding(loaded, wish)[None]
    places, ends = {}, {}
    if isinstance(wish, _Place) or wish.step < STEPS - 1:
        places = {kind: projection.place(embedding)[0] for kind, projection in loaded.maps.items()}
    if isinstance(wish, _Walk) and wish.start is not None and wish.step < STEPS - 1:
        plane = _plane(loaded)  # elsewhere the line is bent, or torn
        ends = {"PCA": plane.place([wish.start, wish.end])}
    return Imagined(generator.pictures(embedding)[0], generator.filterbanks(embedding)[0], places, ends)


def _embedding(loaded: Loaded, wish: _Walk | _Place) -> FloatArray:
    """In the model's thread: ``(128,)``."""
    if isinstance(wish, _Place):
        at: FloatArray = _plane(loaded).embeddings_at(wish.coordinates[None])[0]
        return at
    if wish.start is None:
        return wish.end
    from model.generation.generator import walk

    step: FloatArray = walk(wish.start, wish.end, STEPS)[wish.step]
    return step


def _plane(loaded: Loaded) -> PrincipalComponents:
    plane = loaded.maps["PCA"]
    assert isinstance(plane, PrincipalComponents)
    return plane
