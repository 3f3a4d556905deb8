"""The geometry of maps: scaling to the unit square, interpolation between maps, and cloud centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.types import FloatArray, Item, Modality

_APART = 2.0  # a digit has two clouds if the distance of its modalities is more than so many times their spread
_COMPACT, _SPREAD = 0.45, 0.7  # spread relative to the map's, between which labels fade out


@dataclass(frozen=True, eq=False)
class Fitted:
    """A projection's points, shifted and scaled into the square from -1 to 1.

    Attributes
    ----------
    points
        ``(n, 2)``, in units of the map.
    centre, scale
        What was subtracted from the coordinates, ``(2,)``, and the divisor.
    """

    points: FloatArray
    centre: FloatArray
    scale: float

    @classmethod
    def to_unit_square(cls, coordinates: FloatArray) -> Fitted:
        """Fit coordinates ``(n, 2)`` into the square."""
        low, high = coordinates.min(axis=0), coordinates.max(axis=0)
        centre, scale = (low + high) / 2, float((high - low).max()) / 2 or 1.0
        return cls((coordinates - centre) / scale, centre, scale)

    def place(self, coordinates: npt.ArrayLike) -> FloatArray:
        """Transform other coordinates ``(m, 2)`` of the same projection."""
        return (np.asarray(coordinates, np.float32) - self.centre) / self.scale

    def coordinates_of(self, points: npt.ArrayLike) -> FloatArray:
        """The inverse of `place`."""
        return np.asarray(points, np.float32) * self.scale + self.centre


class Morph:
    """Interpolates between several maps of the same items, each scaled to the square.

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
        """Add one more map."""
        self._maps.append(Fitted.to_unit_square(np.asarray(coordinates, np.float32)).points)

    def at(self, position: float) -> FloatArray:
        """The points ``(n, 2)`` at a position from 0, the first map, to ``len - 1``, the last; there must be a map.

        Points move in straight lines, slowest near the maps.
        """
        before = min(max(0, int(position)), len(self._maps) - 1)
        share = position - before
        if share <= 0 or before == len(self._maps) - 1:
            return self._maps[before]
        eased = np.float32(share * share * (3 - 2 * share))
        here, there = self._maps[before : before + 2]
        return here + eased * (there - here)


def median_point(points: FloatArray) -> FloatArray:
    """The median ``(2,)`` of points ``(n, 2)``, n >= 1."""
    return np.asarray(_median(points))


def spread(points: FloatArray, middle: FloatArray) -> float:
    """The median distance of points ``(n, 2)``, n >= 1, from their middle ``(2,)``."""
    away = points - middle
    return float(_median(np.sqrt((away * away).sum(axis=1))))


def _median(values: FloatArray) -> FloatArray:
    """Medians of columns, faster than numpy's, which checks for NaN: a moving map needs forty per frame."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high), axis=0)
    return np.asarray((ordered[low] + ordered[high]) / 2)


def cloud_centres(clouds: Sequence[FloatArray]) -> tuple[list[FloatArray], float]:
    """The centres ``(2,)`` of a digit's clouds, each ``(n, 2)``, and the spread of the wider one.

    Two clouds that overlap have one common centre; without clouds there are no centres, and the spread is 0.
    """
    middles = [median_point(points) for points in clouds]
    spreads = [spread(points, middle) for points, middle in zip(clouds, middles, strict=True)]
    if len(clouds) == 2 and np.linalg.norm(middles[0] - middles[1]) <= _APART * sum(spreads):
        middles = [median_point(np.concatenate(clouds))]
    return middles, max(spreads, default=0.0)


def distinctness(width: float, whole: float) -> float:
    """How compact a cloud of spread ``width`` is in a map of spread ``whole``, from 0 to 1.

    1 if it is clearly narrower than the map, 0 if it is spread over most of it.
    """
    return min(1.0, max(0.0, (_SPREAD - width / whole) / (_SPREAD - _COMPACT))) if whole else 1.0


def count_separated(points: FloatArray, items: Sequence[Item]) -> int:
    """The number of digits with separate clouds of images and speech in a map ``(n, 2)`` of the items."""
    labels = np.array([item.label for item in items])
    speech = np.array([item.modality is Modality.SPEECH for item in items])
    clouds = (
        [points[(labels == digit) & (speech == modality)] for modality in (False, True)] for digit in np.unique(labels)
    )
    return sum(len(cloud_centres(pair)[0]) == 2 for pair in clouds if all(map(len, pair)))
