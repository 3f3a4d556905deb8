"""Queries, and their history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from model.data.conditions import CONDITIONS
from model.types import FloatArray, Item, Modality
from modinv_app.common.strokes import Stroke

LONGEST_HISTORY = 50


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Strokes on the canvas.

    Attributes
    ----------
    number
        Identifies the drawing, from its first stroke on.
    strokes
        All strokes, to show them on the canvas again.
    pixels
        The input of the model, ``(h, w)`` of uint8 with ink 255 on 0.
    """

    number: int
    strokes: tuple[Stroke, ...]
    pixels: npt.NDArray[np.uint8]

    modality: ClassVar = Modality.IMAGE
    name: ClassVar = "Your drawing"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that was opened, pasted or dropped: grey, ``(h, w)`` of uint8."""

    pixels: npt.NDArray[np.uint8]

    modality: ClassVar = Modality.IMAGE
    name: ClassVar = "Your picture"


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A recording of the microphone: ``(n,)`` float32 in [-1, 1] at ``rate`` Hz."""

    samples: FloatArray
    rate: int

    modality: ClassVar = Modality.SPEECH
    name: ClassVar = "What you said"


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A sound file that was opened or dropped; it is read again for each answer."""

    path: Path

    modality: ClassVar = Modality.SPEECH

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True, eq=False)
class GalleryItem:
    """An item of the gallery, chosen in the map or among the matches.

    Attributes
    ----------
    item
        The item.
    features
        Its features, ``(28, 28)`` in [0, 1] or ``(100, 80)``.
    key
        Key of its recording; empty for an image.
    """

    item: Item
    features: FloatArray
    key: str = ""

    @property
    def modality(self) -> Modality:
        return self.item.modality

    @property
    def name(self) -> str:
        return self.item.source


@dataclass(frozen=True, slots=True, eq=False)
class Noisy:
    """A spoken query with noise.

    Attributes
    ----------
    original
        The query without noise.
    condition
        Name of the noise and its level, of :data:`model.data.conditions.CONDITIONS`.
    """

    original: Recording | SoundFile | GalleryItem
    condition: str

    modality: ClassVar = Modality.SPEECH

    @property
    def name(self) -> str:
        return f"{self.original.name} + noise, {CONDITIONS[self.condition].level:g} dB"


# Each has a ``modality``, and a ``name`` for the user.
Query = Drawing | Picture | Recording | SoundFile | GalleryItem | Noisy


def without_noise(query: Query) -> Query:
    """The query itself, or what noise was added to."""
    return query.original if isinstance(query, Noisy) else query


def in_condition(query: Query, condition: str) -> Query:
    """A spoken query with noise, or without if the condition is empty; any other query itself."""
    original = without_noise(query)
    if condition and original.modality is Modality.SPEECH and isinstance(original, Recording | SoundFile | GalleryItem):
        return Noisy(original, condition)
    return original


def continues(query: Query, former: Query | None) -> bool:
    """Whether a query is a later state of the same drawing, or the same utterance with other noise."""
    if former is None:
        return False
    if isinstance(query, Drawing) and isinstance(former, Drawing):
        return query.number == former.number
    return without_noise(query) is without_noise(former)


class QueryHistory:
    """Queries in their order, and a position among them, as in a browser.

    After `deselect` no query is current, but the position is kept: `back` returns to the former query.
    """

    def __init__(self) -> None:
        self._queries: list[Query] = []
        self._place = -1
        self._none_current = True

    @property
    def can_go_back(self) -> bool:
        """Whether there is a former query."""
        return self._place > 0 or (self._none_current and self._place == 0)

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a later query."""
        return self._place + 1 < len(self._queries)

    def put(self, query: Query) -> None:
        """Add a query after the current one and drop later ones; a state of the current drawing replaces it."""
        if self._place >= 0 and continues(query, self._queries[self._place]):
            self._queries[self._place] = query
        else:
            self._queries = [*self._queries[: self._place + 1], query][-LONGEST_HISTORY:]
            self._place = len(self._queries) - 1
        self._none_current = False

    def deselect(self) -> None:
        """No query is current."""
        self._none_current = True

    def drop(self) -> None:
        """Remove the current query, which is unusable; none is current then."""
        if not self._none_current:
            del self._queries[self._place]
            self._place -= 1
            self._none_current = True

    def back(self) -> Query | None:
        """Return to the former query, if there is one."""
        if not self.can_go_back:
            return None
        self._place -= not self._none_current
        self._none_current = False
        return self._queries[self._place]

    def forward(self) -> Query | None:
        """Return to the next query, if there is one."""
        if not self.can_go_forward:
            return None
        self._place += 1
        self._none_current = False
        return self._queries[self._place]
