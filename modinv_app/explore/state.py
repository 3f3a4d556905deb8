"""The state that the parts of the Explore page share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from model.checkpoints import Header
from model.retrieval.gallery import Gallery
from model.types import Answer, FloatArray
from modinv_app.explore.queries import Query


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer, and the position of its query in each map.

    Attributes
    ----------
    answer
        The model's answer.
    places
        By kind of map: the query's mean, then its samples, ``(1 + 16, 2)``.
    """

    answer: Answer
    places: dict[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Imagined:
    """What the decoders make of an embedding.

    Attributes
    ----------
    picture, filterbank
        ``(28, 28)`` in [0, 1], and ``(100, 80)`` normalised log mel energies.
    places
        By kind of map: its position ``(2,)``; empty for the query itself, which is shown there already.
    ends
        By kind of map: the two ends of the straight line that it is on, ``(2, 2)``, where it is one in the map.
    """

    picture: FloatArray
    filterbank: FloatArray
    places: dict[str, FloatArray]
    ends: dict[str, FloatArray]


class AppState(QObject):
    """Gallery, model, query, reply, selection, and what is imagined.

    Signals are emitted only when something has changed.

    Signals
    -------
    gallery_changed(Gallery)
        There is a new gallery.
    maps_changed(dict)
        Coordinates ``(n, 2)`` of the gallery's items, by kind of map.
    model_changed(Header)
        A model is ready to answer.
    query_changed(Query or None)
        The current query, or the state of its drawing, has changed.
    reply_changed(Reply or None)
        The query was answered, or there is no answer.
    imagined_changed(Imagined or None)
        Something else is imagined, or nothing.
    playing_changed(int or None)
        The gallery index of the utterance that plays.
    selection_changed(tuple)
        The gallery indices of the selected items, ascending.
    """

    gallery_changed = Signal(object)
    maps_changed = Signal(object)
    model_changed = Signal(object)
    query_changed = Signal(object)
    reply_changed = Signal(object)
    imagined_changed = Signal(object)
    playing_changed = Signal(object)
    selection_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.gallery: Gallery | None = None
        self.maps: dict[str, FloatArray] = {}
        self.model: Header | None = None
        self.query: Query | None = None
        self.reply: Reply | None = None
        self.imagined: Imagined | None = None
        self.playing: int | None = None
        self.selection: tuple[int, ...] = ()

    def set_gallery(self, gallery: Gallery) -> None:
        """Set another gallery; the reply is removed, and selected items are deselected if they are not in it."""
        self.set_reply(None)
        selected = gallery.again(self.gallery, self.selection) if self.gallery is not None else ()
        self.select(())
        self.gallery = gallery
        self.gallery_changed.emit(gallery)
        self.select(selected)

    def set_maps(self, maps: dict[str, FloatArray]) -> None:
        """Set the coordinates of the gallery."""
        self.maps = maps
        self.maps_changed.emit(maps)

    def set_model(self, header: Header) -> None:
        """Set the model that answers."""
        self.model = header
        self.model_changed.emit(header)

    def set_query(self, query: Query | None) -> None:
        """Set the current query; its answer follows by `set_reply`."""
        if query is not self.query:
            self.query = query
            self.query_changed.emit(query)

    def set_reply(self, reply: Reply | None) -> None:
        """Set the reply to the query, or none."""
        if reply is not self.reply:
            self.reply = reply
            self.reply_changed.emit(reply)

    def set_imagined(self, imagined: Imagined | None) -> None:
        """Set what is imagined, or nothing."""
        if imagined is not self.imagined:
            self.imagined = imagined
            self.imagined_changed.emit(imagined)

    def select(self, indices: Iterable[int], add: bool = False) -> None:
        """Select these items instead of others, or in addition."""
        selection = tuple(sorted({*indices, *(self.selection if add else ())}))
        if selection != self.selection:
            self.selection = selection
            self.selection_changed.emit(selection)

    def set_playing(self, index: int | None) -> None:
        """Set which utterance plays, or none."""
        if index != self.playing:
            self.playing = index
            self.playing_changed.emit(index)
