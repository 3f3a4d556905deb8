"""The model in a thread of its own: questions in, replies out, the window never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from model import locations
from model.checkpoints import Header
from model.retrieval.gallery import Gallery
from model.retrieval.projection import NeighbourMap, PrincipalComponents, Projection
from model.types import Answer, FloatArray
from modinv_app.explore.state import Reply
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:  # importing torch takes seconds: it happens in the lane, behind a window that is already there
    from model.retrieval.retriever import Retriever

log = logging.getLogger(__name__)

MATCHES = 10
"""Items found for a query."""

MAPS: dict[str, type[PrincipalComponents] | type[NeighbourMap]] = {"PCA": PrincipalComponents, "t-SNE": NeighbourMap}
"""The kinds of map, by the names that the window shows."""


class _NoGallery(Exception):
    """The gallery could not be loaded."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What answers: replaced as a whole and never changed, so that whoever reads it, in any thread, sees what fits."""

    gallery: Gallery
    maps: Mapping[str, Projection]
    retriever: Retriever | None = None

    @property
    def coordinates(self) -> dict[str, FloatArray]:
        return {kind: projection.coordinates for kind, projection in self.maps.items()}


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
    failed(str, str)
        Something went wrong that no query is to blame for: what, and details to copy.
    """

    gallery_loaded = Signal(object, object)
    ready = Signal(object)
    replied = Signal(int, object)
    refused = Signal(int, str)
    not_loaded = Signal(object)
    map_fitted = Signal(str, object)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = SerialExecutor("model", self)
        self._map_lane = SerialExecutor("map", self)
        self._ticket = 0
        self._forgotten = 0
        self._closing = False
        self.file = locations.shipped_model()
        self._loaded: _Loaded | None = None  # replaced by the model's lane only

    @property
    def latest_ticket(self) -> int:
        """The ticket of the question asked last."""
        return self._ticket

    def start(self) -> None:
        """Load gallery and model, the one that can be looked at first."""
        self._lane.submit(self._load_gallery, self._gallery_loaded, self._broken)
        self._lane.submit(lambda: self._load_model(self.file), self.ready.emit, self._not_loaded)

    def close(self) -> None:
        """Let the threads end; what waits is dropped. Nobody waits for them: to load a model takes seconds."""
        self.forget()
        self._closing = True
        self._lane.close(0)
        self._map_lane.close(0)

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

    def _ask(self, question: Callable[[Retriever], Answer]) -> None:
        self._ticket += 1
        ticket = self._ticket

        def work() -> Reply | None:
            loaded = self._loaded
            if ticket != self._ticket or loaded is None or loaded.retriever is None:
                return None  # a newer question waits, or there is no model: that has been said
            answer = question(loaded.retriever)
            query = np.vstack([answer.mean, answer.samples])
            places = {kind: projection.place(query) for kind, projection in loaded.maps.items()}
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

    def _load_gallery(self) -> _Loaded:
        self._loaded = loaded = _shipped()
        return loaded

    def _gallery_loaded(self, loaded: _Loaded) -> None:
        self.gallery_loaded.emit(loaded.gallery, loaded.coordinates)

    def _load_model(self, path: Path) -> Header:
        import torch

        # One query is too little work to share, and a second thread that spins would slow the window down.
        torch.set_num_threads(1)
        from model.retrieval.retriever import Retriever
        from model.systems.model_io import load_model

        loaded = self._present()
        retriever = Retriever(*load_model(path), loaded.gallery)
        retriever.warm_up()
        self._loaded = replace(loaded, retriever=retriever)
        return retriever.header

    def _change_model(self, path: Path) -> tuple[Header, _Loaded]:
        from model.retrieval.retriever import Retriever, encode_gallery
        from model.systems.model_io import load_model

        encoders, header = load_model(path)
        if path == locations.shipped_model():  # its gallery and maps ship with it
            found = _shipped()
        else:
            gallery = encode_gallery(encoders, header, self._present().gallery)
            found = _Loaded(gallery, {"PCA": PrincipalComponents.fit(gallery.means)})
        self._loaded = loaded = replace(found, retriever=Retriever(encoders, header, found.gallery))
        return header, loaded

    def _model_changed(self, path: Path, changed: tuple[Header, _Loaded]) -> None:
        header, loaded = changed
        self.file = path
        self._gallery_loaded(loaded)
        self.ready.emit(header)
        if set(loaded.maps) == set(MAPS):
            return

        def outdated() -> bool:
            return self._closing or self._loaded is not loaded

        def keep(fitted: NeighbourMap) -> bool:
            if outdated():
                return False
            self._loaded = replace(loaded, maps={**loaded.maps, "t-SNE": fitted})
            return True

        def show(fitted: NeighbourMap, kept: bool) -> None:
            if kept:
                self.map_fitted.emit("t-SNE", fitted.coordinates)

        def take(fitted: NeighbourMap | None) -> None:
            if fitted is not None:
                self._lane.submit(partial(keep, fitted), partial(show, fitted), self._broken)

        self._map_lane.submit(lambda: NeighbourMap.fit(loaded.gallery.means, stop=outdated), take, self._broken)

    def _not_changed(self, path: Path, error: Exception) -> None:
        self._broken(error)
        self.not_loaded.emit(path)

    def _present(self) -> _Loaded:
        if self._loaded is None:
            raise _NoGallery("There is no gallery in which a model could find anything. Install the application again.")
        return self._loaded

    def _not_loaded(self, error: Exception) -> None:
        self.not_loaded.emit(self.file)
        if not isinstance(error, _NoGallery):  # why there is none has just been said
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        log.error("The model's thread failed", exc_info=error)
        self.failed.emit(*describe_error(error))


def _shipped() -> _Loaded:
    """The gallery and the maps of the model that ships."""
    gallery = Gallery.load(locations.shipped_gallery())
    maps = {}
    for kind, projection in MAPS.items():
        prefix = f"{kind}/"
        arrays = {name.removeprefix(prefix): array for name, array in gallery.maps.items() if name.startswith(prefix)}
        maps[kind] = projection.from_arrays(arrays)
    return _Loaded(gallery, maps)
