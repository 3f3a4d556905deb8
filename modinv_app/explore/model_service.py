"""The model, which answers queries in a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal

from model import locations
from model.checkpoints import Header
from model.errors import ModinvError
from model.retrieval.curated import Decided, decided
from model.retrieval.gallery import Gallery
from model.retrieval.projection import NeighbourMap, PrincipalComponents
from model.types import FloatArray, Modality
from modinv_app.explore.loaded import MAPS, Loaded
from modinv_app.explore.state import Reply
from modinv_app.jobs.executor import SerialExecutor, describe_error

if TYPE_CHECKING:  # libraries of the model take time to import: that is done in the thread
    from model.retrieval.retriever import ItemEncoder, Retriever

log = logging.getLogger(__name__)
T = TypeVar("T")

MATCHES = 10
"""Number of matches of a query."""


class _NoGallery(Exception):
    """The gallery could not be loaded."""


class _NoRetriever(Exception):
    """No model is loaded."""


class ModelService(QObject):
    """Loads the shipped model and answers queries, one after the other, in its own thread.

    While one query is being answered, only the newest of those that wait is kept, because drawing is faster than the
    model. After ``forget``, no earlier query is answered.

    Attributes
    ----------
    file
        The file of the model in use.

    Signals
    -------
    gallery_loaded(Gallery, dict)
        The gallery, and the coordinates of its maps by kind; emitted before ``ready``.
    ready(Header)
        The model can answer now; earlier queries are answered next.
    started()
        The first model is ready and has answered these queries, or it could not be loaded.
    replied(int, Reply)
        The ticket of a query, and its reply. Tickets increase; some are never answered.
    refused(int, str)
        A query can't be answered: its ticket, why and what to do (empty if ``failed`` has reported it).
    not_loaded(Path)
        A model could not be loaded, for the reason that ``failed`` reports; the former one stays in use.
    items_changed()
        Items have joined or left the gallery, or have other labels, which ``gallery_loaded`` has announced.
    map_fitted(str, object)
        A map of the current gallery was fitted in the background: kind and coordinates.
    failed(str, str)
        An error that is not due to a query: what, and details to copy.
    """

    gallery_loaded = Signal(object, object)
    ready = Signal(object)
    started = Signal()
    replied = Signal(int, object)
    refused = Signal(int, str)
    not_loaded = Signal(object)
    items_changed = Signal()
    map_fitted = Signal(str, object)
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = SerialExecutor("model", self)
        self._map_executor = SerialExecutor("map", self)
        self._ticket = 0
        self._forgotten = 0
        self._closing = False
        self.file = locations.shipped_model()
        # These are replaced in the model's thread only.
        self._loaded: Loaded | None = None
        self._shared: Loaded | None = None  # the same without takes, and as it was published
        self._takes: Gallery | None = None
        self._only_takes = False
        self._encoder: ItemEncoder | None = None
        self._decided: Decided | None = None  # about the shared gallery, whichever model encodes it

    @property
    def latest_ticket(self) -> int:
        """The ticket of the latest query."""
        return self._ticket

    @property
    def retriever(self) -> Retriever | None:
        """The model in use, for jobs of other threads; ``None`` until it is loaded."""
        return None if self._loaded is None else self._loaded.retriever

    @property
    def loaded(self) -> Loaded | None:
        """What is in use, for jobs of other threads; ``None`` until the gallery is loaded."""
        return self._loaded

    def start(self) -> None:
        """Load the gallery, then the model."""

        def tell(result: Callable[[T], object]) -> Callable[[T], None]:
            def tell_and_start(value: T) -> None:
                result(value)
                self._executor.submit(lambda: None, lambda _: self.started.emit(), self._report_error)

            return tell_and_start

        self._executor.submit(self._load_gallery, self._gallery_loaded, self._report_error)
        self._executor.submit(lambda: self._load_model(self.file), tell(self.ready.emit), tell(self._not_loaded))

    def close(self) -> None:
        """End the threads without waiting; pending queries are dropped."""
        self.forget()
        self._closing = True
        self._executor.close(0)
        self._map_executor.close(0)

    def use_model(self, path: Path) -> None:
        """Use another model; if it can't be loaded, the current one stays in use.

        The gallery is encoded again. Its principal components are available at once, t-SNE once it is fitted.
        """
        self.forget()
        self._executor.submit(
            lambda: self._change_model(path), partial(self._model_changed, path), partial(self._not_changed, path)
        )

    def use_takes(self, takes: Gallery | None, only: bool) -> None:
        """Let takes join the gallery, in place of those that did before.

        Parameters
        ----------
        takes
            The user's takes, without posteriors; ``None`` for none.
        only
            Whether matches are takes only, in a modality in which there are takes of all ten digits.
        """
        self.forget()
        self._executor.submit(lambda: self._change_takes(takes, only), self._items_changed, self._report_error)

    def update_curation(self) -> None:
        """Look for what the user has decided meanwhile: items leave the gallery, return, or change labels."""

        def done(loaded: Loaded | None) -> None:
            if loaded is not None:
                self._items_changed(loaded)

        self._executor.submit(self._change_curation, done, self._report_error)

    def forget(self) -> None:
        """Drop all queries that are not answered yet."""
        self._ticket += 1
        self._forgotten = self._ticket

    def forget_earlier(self) -> None:
        """Drop all queries but the latest, even one that is being answered: it would delay the latest."""
        self._forgotten = max(self._forgotten, self._ticket - 1)

    def ask_picture(self, picture: np.ndarray[Any, Any]) -> None:
        """Find utterances for a grey picture ``(h, w)``."""
        self._ask(Modality.IMAGE, lambda retriever: retriever.picture_features(picture))

    def ask_drawing(self, ink: np.ndarray[Any, Any]) -> None:
        """Find utterances for strokes, ``(h, w)`` of uint8 with ink 255 on 0."""
        self._ask(Modality.IMAGE, lambda retriever: retriever.drawing_features(ink))

    def ask_sound(self, read: Callable[[], tuple[FloatArray, int]]) -> None:
        """Find images for a recording, ``(n,)`` and its rate in Hz, which is read in the model's thread."""
        self._ask(Modality.SPEECH, lambda retriever: retriever.sound_features(*read()))

    def ask_item(self, modality: Modality, features: FloatArray) -> None:
        """Find matches of an item by its features, ``(28, 28)`` or ``(100, 80)``."""
        self._ask(modality, lambda _: features)

    def consult(
        self, work: Callable[[Retriever], T], done: Callable[[T], object], refused: Callable[[str], object]
    ) -> None:
        """Have the retriever do something other than answer a query, in the model's thread.

        Parameters
        ----------
        work
            Called in the thread, with the retriever of the time.
        done
            Called in the GUI thread with the result; never, if no model is loaded.
        refused
            Called in the GUI thread if it can't be done: why and what to do. Other errors are reported by ``failed``.
        """

        def fail(error: Exception) -> None:
            if isinstance(error, ModinvError):
                refused(str(error))
            elif not isinstance(error, _NoRetriever):
                self._report_error(error)

        def with_retriever() -> T:
            if self._loaded is None or self._loaded.retriever is None:
                raise _NoRetriever  # which was reported, or is still being loaded
            return work(self._loaded.retriever)

        self._executor.submit(with_retriever, done, fail)

    def when_idle(self, work: Callable[[Loaded], T | None], done: Callable[[T], object]) -> None:
        """Have gallery, maps and model do something of less importance than queries, in the model's thread.

        It is not done if a query is asked before its turn.

        Parameters
        ----------
        work
            Called in the thread, with what is in use at the time.
        done
            Called in the GUI thread with the result, unless that is ``None`` or ``forget`` has been called. Errors are
            reported by ``failed``.
        """
        ticket = self._ticket

        def if_idle() -> T | None:
            loaded = self._loaded
            return None if ticket != self._ticket or loaded is None or loaded.retriever is None else work(loaded)

        def deliver(result: T | None) -> None:
            if result is not None and ticket >= self._forgotten:
                done(result)

        self._executor.submit(if_idle, deliver, self._report_error)

    def _ask(self, modality: Modality, read: Callable[[Retriever], FloatArray]) -> None:
        self._ticket += 1
        ticket = self._ticket

        def work() -> Reply | None:
            started, loaded = time.perf_counter(), self._loaded
            if ticket != self._ticket or loaded is None or loaded.retriever is None:
                return None  # a newer query waits, or there is no model, which was reported
            features = read(loaded.retriever)
            if ticket <= self._forgotten:
                return None  # forgotten while its input was read
            answer = loaded.retriever.ask_features(modality, features, MATCHES, started)
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
                self._report_error(error)
                self.refused.emit(ticket, "")

        self._executor.submit(work, done, refuse)

    def _load_gallery(self) -> Loaded:
        shipped = Loaded.shipped()
        self._decided = decided(shipped.gallery)
        return self._use(shipped)

    def _gallery_loaded(self, loaded: Loaded) -> None:
        self.gallery_loaded.emit(loaded.gallery, dict(loaded.coordinates))

    def _use(self, shared: Loaded) -> Loaded:
        """Use a gallery and model from now on, as the user has curated it, joined by the takes."""
        curated = shared if self._decided is None else shared.curated(self._decided)
        self._shared, self._loaded = shared, self._with_takes(curated)
        return self._loaded

    def _with_takes(self, shared: Loaded) -> Loaded:
        takes, retriever = self._takes, shared.retriever
        if takes is None or not takes.items or retriever is None:
            return shared
        from model.retrieval.retriever import ItemEncoder

        if self._encoder is None:
            self._encoder = ItemEncoder(retriever.encoder)
        encoded = takes.with_posteriors(self._encoder.encode(takes), shared.gallery.model, shared.gallery.similarity)
        gallery, order = shared.gallery.joined(encoded)
        coordinates = {
            kind: np.concatenate([shared.coordinates[kind], projection.place(encoded.means)])[order]
            for kind, projection in shared.maps.items()
        }
        own = order >= len(shared.gallery.items)
        matched = gallery.complete_among(own) if self._only_takes else None
        retriever = retriever.over(gallery, matched, takes=own)
        return replace(shared, gallery=gallery, coordinates=coordinates, retriever=retriever)

    def _change_takes(self, takes: Gallery | None, only: bool) -> Loaded:
        self._takes, self._only_takes = takes, only
        return self._use(self._current())

    def _change_curation(self) -> Loaded | None:
        """What is used from now on; ``None`` if nothing has changed."""
        shared = self._current()
        before, self._decided = self._decided, decided(shared.gallery)
        return None if before is not None and self._decided.same_as(before) else self._use(shared)

    def _items_changed(self, loaded: Loaded) -> None:
        self._gallery_loaded(loaded)
        self.items_changed.emit()

    def _load_model(self, path: Path) -> Header:
        from model.retrieval.retriever import Retriever
        from model.systems.encoder_io import load_encoder

        shared = self._current()
        retriever = Retriever(*load_encoder(path), shared.gallery)
        retriever.warm_up()
        self._use(replace(shared, retriever=retriever, file=path))
        return retriever.header

    def _change_model(self, path: Path) -> tuple[Header, Loaded]:
        from model.retrieval.retriever import Retriever, encode_gallery
        from model.systems.encoder_io import load_encoder

        encoders, header = load_encoder(path)
        if path == locations.shipped_model():  # its gallery and maps are shipped, too
            found = Loaded.shipped()
        else:
            gallery = encode_gallery(encoders, header, self._current().gallery)
            found = Loaded.of(gallery, {"PCA": PrincipalComponents.fit(gallery.means)})
        shared = replace(found, retriever=Retriever(encoders, header, found.gallery), file=path)
        self._encoder = None  # of the former model
        self._use(shared)
        return header, shared

    def _model_changed(self, path: Path, changed: tuple[Header, Loaded]) -> None:
        header, shared = changed
        self.file = path
        self._gallery_loaded(self._loaded or shared)
        self.ready.emit(header)
        if set(shared.maps) == set(MAPS):
            return

        def outdated() -> bool:
            return self._closing or self._shared is not shared

        def keep(fitted: NeighbourMap) -> FloatArray | None:
            if outdated():
                return None
            mapped = Loaded.of(shared.gallery, {**shared.maps, "t-SNE": fitted})
            return self._use(replace(mapped, retriever=shared.retriever, file=shared.file)).coordinates["t-SNE"]

        def show(coordinates: FloatArray | None) -> None:
            if coordinates is not None:
                self.map_fitted.emit("t-SNE", coordinates)

        def take(fitted: NeighbourMap | None) -> None:
            if fitted is not None:
                self._executor.submit(partial(keep, fitted), show, self._report_error)

        self._map_executor.submit(
            lambda: NeighbourMap.fit(shared.gallery.means, stop=outdated), take, self._report_error
        )

    def _not_changed(self, path: Path, error: Exception) -> None:
        self._report_error(error)
        self.not_loaded.emit(path)

    def _current(self) -> Loaded:
        """Gallery, maps and model without takes."""
        if self._shared is None:
            raise _NoGallery("The gallery of the application is missing. Install the application again.")
        return self._shared

    def _not_loaded(self, error: Exception) -> None:
        self.not_loaded.emit(self.file)
        if not isinstance(error, _NoGallery):  # which was reported
            self._report_error(error)

    def _report_error(self, error: Exception) -> None:
        log.error("The model's thread failed", exc_info=error)
        self.failed.emit(*describe_error(error))
