"""What can be asked, as values, and the history of what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from model.types import FloatArray, Item, Modality
from modinv_app.explore.strokes import Stroke

LONGEST_HISTORY = 50


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Strokes on the canvas.

    Attributes
    ----------
    number
        The same for every state of one drawing, from its first stroke on.
    strokes
        All of them, to lay on the canvas again.
    pixels
        As the model gets them, ``(h, w)`` of uint8 with ink 255 on 0.
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
    """What was said into the microphone: ``(n,)`` float32 in [-1, 1] at ``rate`` Hz."""

    samples: FloatArray
    rate: int

    modality: ClassVar = Modality.SPEECH
    name: ClassVar = "What you said"


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A recording that was opened or dropped; it is read each time it is asked."""

    path: Path

    modality: ClassVar = Modality.SPEECH

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.path.name


@dataclass(frozen=True, slots=True, eq=False)
class GalleryItem:
    """An item of the gallery, chosen in the map or among the matches.

    Attributes
    ----------
    item
        Which one.
    features
        What the encoder sees of it, ``(28, 28)`` in [0, 1] or ``(100, 80)``.
    """

    item: Item
    features: FloatArray

    @property
    def modality(self) -> Modality:
        return self.item.modality

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.item.source


# Each has its ``modality``, and a ``name`` by which a person calls it.
Query = Drawing | Picture | Recording | SoundFile | GalleryItem


def continues(query: Query, former: Query | None) -> bool:
    """Whether a query is a further state of the same drawing, and no query of its own."""
    return isinstance(query, Drawing) and isinstance(former, Drawing) and query.number == former.number


class QueryHistory:
    """Queries in the order in which they were asked, and a place among them, as in a browser.

    After `rest` no query is current, though the place is kept: `back` returns to the query that was.
    """

    def __init__(self) -> None:
        self._queries: list[Query] = []
        self._place = -1
        self._resting = True

    @property
    def can_go_back(self) -> bool:
        """Whether there is a former query."""
        return self._place > 0 or (self._resting and self._place == 0)

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a query to which one has not returned yet."""
        return self._place + 1 < len(self._queries)

    def put(self, query: Query) -> None:
        """Add a query after the current one, in place of all that followed; a drawing that goes on is one query."""
        if self._place >= 0 and continues(query, self._queries[self._place]):
            self._queries[self._place] = query
        else:
            self._queries = [*self._queries[: self._place + 1], query][-LONGEST_HISTORY:]
            self._place = len(self._queries) - 1
        self._resting = False

    def rest(self) -> None:
        """No query is current."""
        self._resting = True

    def drop(self) -> None:
        """Remove the current query, which turned out to be unusable, and rest."""
        if not self._resting:
            del self._queries[self._place]
            self._place -= 1
            self._resting = True

    def back(self) -> Query | None:
        """Return to the former query, if there is one."""
        if not self.can_go_back:
            return None
        self._place -= not self._resting
        self._resting = False
        return self._queries[self._place]

    def forward(self) -> Query | None:
        """Go on to the next query, if there is one."""
        if not self.can_go_forward:
            return None
        self._place += 1
        self._resting = False
        return self._queries[self._place]
