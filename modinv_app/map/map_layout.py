"""Where things lie in a map: scaled into its square, on the way from one map to the next, and in one cloud or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.types import FloatArray, Item, Modality

_APART = 2.0  # a digit lies in two clouds where the gap between its modalities is so many times their spread
_CLEAR, _LOST = 0.45, 0.7  # share of the whole map's spread up to which a cloud has a name, and from which it has none


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


def middle_of(points: FloatArray) -> FloatArray:
    """The median ``(2,)`` of points ``(n, 2)``, n >= 1."""
    return np.asarray(_median(points))


def spread(points: FloatArray, middle: FloatArray) -> float:
    """The median distance of points ``(n, 2)``, n >= 1, from their middle ``(2,)``."""
    away = points - middle
    return float(_median(np.sqrt((away * away).sum(axis=1))))


def _median(values: FloatArray) -> FloatArray:
    """Of each column: numpy's own spends most of its time on NaN, and a moving map needs forty medians a frame."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high), axis=0)
    return np.asarray((ordered[low] + ordered[high]) / 2)


def settle(clouds: Sequence[FloatArray]) -> tuple[list[FloatArray], float]:
    """Where a digit's clouds, each ``(n, 2)``, have their middles ``(2,)``, and the spread of the wider one.

    Two clouds that lie together have one middle; no clouds have none, and no spread.
    """
    middles = [middle_of(points) for points in clouds]
    spreads = [spread(points, middle) for points, middle in zip(clouds, middles, strict=True)]
    if len(clouds) == 2 and np.linalg.norm(middles[0] - middles[1]) <= _APART * sum(spreads):
        middles = [middle_of(np.concatenate(clouds))]
    return middles, max(spreads, default=0.0)


def distinctness(width: float, whole: float) -> float:
    """How far a cloud of that spread is one of its own in a map of that spread, 0 to 1.

    1 where it is clearly narrower than everything, 0 where it is as good as spread over everything.
    """
    return min(1.0, max(0.0, (_LOST - width / whole) / (_LOST - _CLEAR))) if whole else 1.0


def digits_apart(points: FloatArray, items: Sequence[Item]) -> int:
    """How many digits lie in two clouds, one a modality, in a map ``(n, 2)`` of the items."""
    labels = np.array([item.label for item in items])
    speech = np.array([item.modality is Modality.SPEECH for item in items])
    clouds = ([points[(labels == digit) & (speech == heard)] for heard in (False, True)] for digit in np.unique(labels))
    return sum(len(settle(pair)[0]) == 2 for pair in clouds if all(map(len, pair)))
