"""Real MNIST digits as pen strokes, so that a test can draw them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

MetricPoint = tuple[float, float]
_FINER = 4
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from above


def mnist_to_strokes(image: npt.NDArray[np.generic]) -> list[list[MetricPoint]]:
    """Trace the middle of a digit's strokes.

    The ink is thinned to a skeleton of single pixels, and the skeleton is followed from end to end; where it
    branches, another stroke begins. Widths are lost, as they are when a person copies a digit with a pen.

    Parameters
    ----------
    image
        A digit ``(28, 28)``, ink light on 0, as uint8 or float.

    Returns
    -------
    list of list of (x, y)
        Strokes in the unit square, (0, 0) at the top left.
    """
    picture = Image.fromarray(np.asarray(image, np.float32) / np.float32(np.max(image)))
    side = _FINER * image.shape[0]
    fine = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))
    left = {(int(row), int(column)) for row, column in np.argwhere(_thin(fine > 0.5))}
    whole = frozenset(left)
    strokes = []
    while left:
        here = min(left, key=lambda pixel: (len(_near(pixel, left)) != 1, pixel))  # an end, if one is left
        before = [pixel for pixel in _near(here, whole) if pixel not in left]  # joins on to a stroke before
        stroke = [*before[:1], here]
        left.remove(here)
        while onward := _near(here, left):
            here = onward[0]
            left.remove(here)
            stroke.append(here)
        closing = [pixel for pixel in _near(here, whole) if pixel not in stroke[-3:]]
        stroke += closing[:1]
        if len(stroke) > 2 or not strokes:
            strokes.append([((column + 0.5) / side, (row + 0.5) / side) for row, column in _smooth(stroke)])
    return strokes


def _smooth(stroke: list[tuple[int, int]]) -> npt.NDArray[np.float64]:
    """Take the stairs of the pixels out of a stroke, but leave its ends where they are."""
    padded = np.concatenate([stroke[:1] * 2, stroke, stroke[-1:] * 2]).astype(float)
    smooth = np.mean([padded[k : k + len(stroke)] for k in range(5)], axis=0)
    smooth[[0, -1]] = stroke[0], stroke[-1]
    return smooth


def _near(pixel: tuple[int, int], of: set[tuple[int, int]] | frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours of a pixel, those beside it before those across a corner."""
    steps = sorted(_AROUND, key=lambda step: abs(step[0]) + abs(step[1]))
    return [near for step in steps if (near := (pixel[0] + step[0], pixel[1] + step[1])) in of]


def _thin(ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Peel ink off layer by layer until lines of one pixel are left (Zhang and Suen, 1984)."""
    ink = np.pad(ink, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            ring = np.array([np.roll(ink, (-row, -column), (0, 1)) for row, column in _AROUND])
            count = ring.sum(axis=0)
            turns = (~ring & np.roll(ring, -1, axis=0)).sum(axis=0)
            above, right, below, left = ring[0], ring[2], ring[4], ring[6]
            if first:
                edge = ~(above & right & below) & ~(right & below & left)
            else:
                edge = ~(above & right & left) & ~(above & below & left)
            peeled = ink & (count >= 2) & (count <= 6) & (turns == 1) & edge
            ink &= ~peeled
            changed |= bool(peeled.any())
    return ink[1:-1, 1:-1]
