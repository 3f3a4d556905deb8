"""Where things lie in a map: scaled into its square, on the way from one map to the next, and in one cloud or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.results import FloatArray, Item, Modality

_APART = 2.0  # a digit lies in two clouds where the gap between its modalities is so many times their spread


@dataclass(frozen=True, eq=False)
class Fitted:
    """A projection's points, shifted and scaled into the square from -1 to 1.

    Attributes
    ----------
    points
        ``(n, 2)``, in units of the map.
    centre, scale
        What was subtracted from the projection's coordinates, ``(2,)``, and by what the rest was divided.
    """

    points: FloatArray
    centre: FloatArray
    scale: float

    @classmethod
    def to_unit_square(cls, coordinates: FloatArray) -> Fitted:
        """Fit coordinates ``(n, 2)`` in."""
        low, high = coordinates.min(axis=0), coordinates.max(axis=0)
        centre, scale = (low + high) / 2, float((high - low).max()) / 2 or 1.0
        return cls((coordinates - centre) / scale, centre, scale)

    def place(self, coordinates: npt.ArrayLike) -> FloatArray:
        """Where other coordinates ``(m, 2)`` of the same projection lie in the map."""
        return (np.asarray(coordinates, np.float32) - self.centre) / self.scale


class Morph:
    """A way through several maps of the same items, of which each fills the square.

    Parameters
    ----------
    maps
        Coordinates ``(n, 2)`` each, in order.
    """

    def __init__(self, maps: Sequence[FloatArray]) -> None:
        self._maps = [Fitted.to_unit_square(np.asarray(each, np.float32)).points for each in maps]

    def __len__(self) -> int:
        return len(self._maps)

    def append(self, coordinates: FloatArray) -> None:
        """Let the way go on to one more map."""
        self._maps.append(Fitted.to_unit_square(np.asarray(coordinates, np.float32)).points)

    def at(self, position: float) -> FloatArray:
        """The points ``(n, 2)`` at a position from 0, the first of at least one map, to ``len - 1``, the last.

        Every point goes straight from map to map, slowest near a map itself: what was computed stays longest in view.
        """
        before = min(max(0, int(position)), len(self._maps) - 1)
        share = position - before
        if share <= 0 or before == len(self._maps) - 1:
            return self._maps[before]
        eased = np.float32(share * share * (3 - 2 * share))
        here, there = self._maps[before : before + 2]
        return here + eased * (there - here)


def centres(clouds: Sequence[FloatArray]) -> list[FloatArray]:
    """The middles ``(2,)`` of a digit's clouds, each ``(n, 2)``: one for each, or one for two that lie together."""
    found = [np.median(points, axis=0) for points in clouds]
    if len(clouds) == 2:
        gap = np.linalg.norm(found[0] - found[1])
        spreads = [
            np.median(np.linalg.norm(points - centre, axis=1)) for points, centre in zip(clouds, found, strict=True)
        ]
        if gap <= _APART * sum(spreads):
            return [np.median(np.concatenate(clouds), axis=0)]
    return found


def digits_apart(points: FloatArray, items: Sequence[Item]) -> int:
    """How many digits lie in two clouds, one a modality, in a map ``(n, 2)`` of the items."""
    labels = np.array([item.label for item in items])
    speech = np.array([item.modality is Modality.SPEECH for item in items])
    clouds = ([points[(labels == digit) & (speech == heard)] for heard in (False, True)] for digit in np.unique(labels))
    return sum(len(centres(pair)) == 2 for pair in clouds if all(map(len, pair)))
