"""The model in a thread of its own: questions in, replies out, the window never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from model import locations
from model.checkpoint import Header
from model.gallery import Gallery
from model.projection import NeighbourMap, PrincipalComponents, Projection
from model.results import Answer, FloatArray
from modinv_app.jobs import Lane, told
from modinv_app.state import Reply

if TYPE_CHECKING:  # importing torch takes seconds: it happens in the lane, behind a window that is already there
    from model.retrieval import Retriever

log = logging.getLogger(__name__)

MATCHES = 10
"""Items found for a query."""

MAPS: dict[str, type[PrincipalComponents] | type[NeighbourMap]] = {"PCA": PrincipalComponents, "t-SNE": NeighbourMap}
"""The kinds of map, by the names that the window shows."""


class _NoGallery(Exception):
    """The gallery could not be loaded."""


class ModelService(QObject):
    """Loads the shipped model and answers queries, one after the other, in its own thread.

    While one query is worked on only the newest of those that wait is kept: a pen moves faster than any model needs to
    answer. ``forget`` makes sure that nothing asked before is answered after.

    Attributes
    ----------
    file
        Where the model lies that answers.

    Signals
    -------
    gallery_loaded(Gallery, dict)
        There is something to look at, with the coordinates of its maps by kind; comes before the model.
    ready(Header)
        The model answers now; what was asked before is answered next.
    replied(int, Reply)
        The ticket of the question, and its reply. Tickets grow; some are never answered.
    refused(int, str)
        A question can't be answered: its ticket, why and what to do (empty if ``failed`` has said it).
    not_loaded(Path)
        A model could not be loaded: the one before goes on, if there is one, and ``failed`` says why.
    map_fitted(str, object)
        A map of the present gallery that took its time: kind and coordinates.
    clip_loaded(int, object, int)
        An utterance of the gallery: its index, ``(n,)`` float32 samples, and Hz.
    recording_loaded(object, int)
        A recording that was asked for by its key: ``(n,)`` float32 samples, and Hz.
    failed(str, str)
        Something went wrong that no query is to blame for: what, and details to copy.
    """

    gallery_loaded = Signal(object, object)
    ready = Signal(object)
    replied = Signal(int, object)
    refused = Signal(int, str)
    not_loaded = Signal(object)
    map_fitted = Signal(str, object)
    clip_loaded = Signal(int, object, int)
    recording_loaded = Signal(object, int)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = Lane("model", self)
        self._map_lane = Lane("map", self)
        self._ticket = 0
        self._forgotten = 0
        self._closing = False
        self.file = locations.shipped_model()
        # These are touched by the model's lane only.
        self._gallery: Gallery | None = None
        self._retriever: Retriever | None = None
        self._maps: dict[str, Projection] = {}

    @property
    def latest_ticket(self) -> int:
        """The ticket of the question asked last."""
        return self._ticket

    def start(self, prepare_map: Callable[[], object] = lambda: None) -> None:
        """Load gallery and model, the one that can be looked at first; before it, what it takes to look at it."""
        self._lane.submit(prepare_map, lambda _done: None, self._broken)
        self._lane.submit(self._load_gallery, self._gallery_loaded, self._broken)
        self._lane.submit(lambda: self._load_model(self.file), self.ready.emit, self._not_loaded)

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self.forget()
        self._closing = True
        self._lane.close()
        self._map_lane.close()

    def use_model(self, path: Path) -> None:
        """Let another model answer. If it can't be loaded the present one goes on, and ``failed`` says why.

        The gallery is encoded anew; its principal components show at once, t-SNE follows when it is fitted.
        """
        self.forget()
        self._lane.submit(
            lambda: self._change_model(path), partial(self._model_changed, path), partial(self._not_changed, path)
        )

    def forget(self) -> None:
        """Drop every question that is not answered yet."""
        self._ticket += 1
        self._forgotten = self._ticket

    def ask_picture(self, picture: np.ndarray[Any, Any]) -> None:
        """Utterances for a grey picture ``(h, w)``."""
        self._ask(lambda retriever: retriever.ask_picture(picture, MATCHES))

    def ask_sound(self, samples: FloatArray, rate: int) -> None:
        """Images for a recording ``(n,)`` at ``rate`` Hz."""
        self._ask(lambda retriever: retriever.ask_sound(samples, rate, MATCHES))

    def ask_sound_file(self, path: Path) -> None:
        """Images for a sound file."""
        self._ask(lambda retriever: retriever.ask_sound_file(path, MATCHES))

    def ask_item(self, index: int) -> None:
        """What matches an item of the gallery."""
        self._ask(lambda retriever: retriever.ask_item(index, MATCHES))

    def load_clip(self, index: int) -> None:
        """Fetch the sound of an utterance of the gallery."""

        def load() -> tuple[FloatArray, int]:
            from model.retrieval import clip

            assert self._gallery is not None
            return clip(self._gallery, index)

        self._lane.submit(load, lambda sound: self.clip_loaded.emit(index, *sound), self._broken)

    def load_recording(self, key: str) -> None:
        """Fetch a recording of a corpus, whether the gallery holds it or not."""

        def load() -> tuple[FloatArray, int]:
            from model.retrieval import recording

            return recording(key)

        self._lane.submit(load, lambda sound: self.recording_loaded.emit(*sound), self._broken)

    def _ask(self, question: Callable[[Retriever], Answer]) -> None:
        self._ticket += 1
        ticket = self._ticket

        def work() -> Reply | None:
            if ticket != self._ticket or self._retriever is None:
                return None  # a newer question waits, or there is no model: that has been said
            answer = question(self._retriever)
            query = np.vstack([answer.mean, answer.samples])
            places = {kind: projection.place(query) for kind, projection in self._maps.items()}
            return Reply(answer, places)

        def done(reply: Reply | None) -> None:
            if reply is not None and ticket > self._forgotten:
                self.replied.emit(ticket, reply)

        def refuse(error: Exception) -> None:
            if ticket <= self._forgotten:
                return
            if isinstance(error, ValueError):
                self.refused.emit(ticket, str(error))
            else:
                self._broken(error)
                self.refused.emit(ticket, "")

        self._lane.submit(work, done, refuse)

    def _load_gallery(self) -> Gallery:
        self._gallery = gallery = Gallery.load(locations.shipped_gallery())
        for kind, projection in MAPS.items():
            arrays = {
                name.removeprefix(f"{kind}/"): array
                for name, array in gallery.maps.items()
                if name.startswith(f"{kind}/")
            }
            self._maps[kind] = projection.from_arrays(arrays)
        return gallery

    def _gallery_loaded(self, gallery: Gallery) -> None:
        self.gallery_loaded.emit(gallery, {kind: projection.coordinates for kind, projection in self._maps.items()})

    def _load_model(self, path: Path) -> Header:
        import torch

        # One query is too little work to share, and a second thread that spins would slow the window down.
        torch.set_num_threads(1)
        from model.retrieval import Retriever
        from model.trained import load_model

        retriever = Retriever(*load_model(path), self._gallery_now())
        retriever.warm_up()
        self._retriever = retriever
        return retriever.header

    def _change_model(self, path: Path) -> tuple[Header, Gallery]:
        from model.retrieval import Retriever, encode_gallery
        from model.trained import load_model

        encoders, header = load_model(path)
        if path == locations.shipped_model():  # its gallery and maps ship with it
            gallery = self._load_gallery()
        else:
            gallery = encode_gallery(encoders, header, self._gallery_now())
            self._maps = {"PCA": PrincipalComponents.fit(gallery.means)}
        self._retriever = Retriever(encoders, header, gallery)
        self._gallery = gallery
        return header, gallery

    def _model_changed(self, path: Path, changed: tuple[Header, Gallery]) -> None:
        header, gallery = changed
        self.file = path
        self._gallery_loaded(gallery)
        self.ready.emit(header)
        if set(self._maps) == set(MAPS):
            return

        def outdated() -> bool:
            return self._closing or self._gallery is not gallery

        def keep(fitted: NeighbourMap | None) -> None:
            if fitted is not None and not outdated():
                self._maps["t-SNE"] = fitted
                self.map_fitted.emit("t-SNE", fitted.coordinates)

        self._map_lane.submit(lambda: NeighbourMap.fit(gallery.means, stop=outdated), keep, self._broken)

    def _not_changed(self, path: Path, error: Exception) -> None:
        self._broken(error)
        self.not_loaded.emit(path)

    def _gallery_now(self) -> Gallery:
        if self._gallery is None:
            raise _NoGallery("There is no gallery in which a model could find anything. Install the application again.")
        return self._gallery

    def _not_loaded(self, error: Exception) -> None:
        self.not_loaded.emit(self.file)
        if not isinstance(error, _NoGallery):  # why there is none has just been said
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        log.error("The model's thread failed", exc_info=error)
        self.failed.emit(*told(error))
