"""What is loaded and what was found, in one place; whoever shows it follows its signals."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from model.checkpoints import Header
from model.retrieval.gallery import Gallery
from model.types import Answer, FloatArray
from modinv_app.explore.queries import Query


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer, and where its query lies in each map.

    Attributes
    ----------
    answer
        What the model says.
    places
        By kind of map: the query's mean, then its samples, ``(1 + 16, 2)``.
    """

    answer: Answer
    places: dict[str, FloatArray]


class AppState(QObject):
    """The application's only shared state. Its signals fire when something has really changed.

    Signals
    -------
    gallery_changed(Gallery)
        There is a (new) gallery to look at.
    maps_changed(dict)
        Coordinates ``(n, 2)`` of the gallery's items, by kind of map.
    model_changed(Header)
        A model is ready to answer.
    query_changed(Query or None)
        Another query, or another state of a drawing, is *the* query; or none is.
    reply_changed(Reply or None)
        The query was answered; or there is no answer, or none yet.
    playing_changed(int or None)
        The gallery index of the utterance that sounds.
    """

    gallery_changed = Signal(object)
    maps_changed = Signal(object)
    model_changed = Signal(object)
    query_changed = Signal(object)
    reply_changed = Signal(object)
    playing_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.gallery: Gallery | None = None
        self.maps: dict[str, FloatArray] = {}
        self.model: Header | None = None
        self.query: Query | None = None
        self.reply: Reply | None = None
        self.playing: int | None = None

    def set_gallery(self, gallery: Gallery) -> None:
        """Show another gallery; what was found in the former is gone."""
        self.set_reply(None)
        self.gallery = gallery
        self.gallery_changed.emit(gallery)

    def set_maps(self, maps: dict[str, FloatArray]) -> None:
        """Take coordinates for the present gallery."""
        self.maps = maps
        self.maps_changed.emit(maps)

    def set_model(self, header: Header) -> None:
        """From now on this model answers."""
        self.model = header
        self.model_changed.emit(header)

    def set_query(self, query: Query | None) -> None:
        """Let this be the query; what answers it follows by `set_reply`."""
        if query is not self.query:
            self.query = query
            self.query_changed.emit(query)

    def set_reply(self, reply: Reply | None) -> None:
        """Show what was found, or nothing."""
        if reply is not self.reply:
            self.reply = reply
            self.reply_changed.emit(reply)

    def set_playing(self, index: int | None) -> None:
        """Say which utterance sounds."""
        if index != self.playing:
            self.playing = index
            self.playing_changed.emit(index)
