"""The digit in a photo, a scan or a drawing.

Ink is separated from paper by a morphological estimate of the background, which is robust to shadows and to the edge of
the sheet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from model.data.images import BOX, WORKING_SIDE, FloatArray, UnusablePicture, into_box, resize

_BACKGROUND_SIDE = 64
_MIN_CONTRAST = 0.08
_FLAT = 0.03  # median distance from the level at the rim, below which the ground counts as even
_THIN, _USUAL = 1.3, 2.2  # widths of strokes in the 20 x 20 box: a thin and the most common one in MNIST


def normalise_digit(picture: npt.ArrayLike) -> FloatArray:
    """Convert a picture of one digit to the format of MNIST.

    Parameters
    ----------
    picture
        Grey levels, shape (h, w): integers in 0 .. 255 or floats in [0, 1]. Ink may be darker or lighter than
        the background, which may be unevenly lit.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        Ink in [0, 1], background 0.

    Raises
    ------
    UnusablePicture
        If no ink is found, or the array is not a picture.
    """
    grey = _working_copy(picture)
    ink = _only_the_digit(_ink(grey))
    return into_box(_thicken(ink))


def _working_copy(picture: npt.ArrayLike) -> FloatArray:
    """The picture as floats in [0, 1], scaled down if it is large."""
    grey = np.asarray(picture)
    if grey.ndim != 2 or min(grey.shape) < 2:
        raise UnusablePicture("A grey picture of at least 2 × 2 pixels is needed.")
    scale = 255.0 if np.issubdtype(grey.dtype, np.integer) else 1.0
    grey = np.asarray(grey, np.float32) / np.float32(scale)
    if not np.isfinite(grey).all():
        raise UnusablePicture("This picture holds values that are not numbers.")
    factor = WORKING_SIDE / max(grey.shape)
    if factor < 1:
        height, width = (max(2, round(side * factor)) for side in grey.shape)
        grey = resize(grey, height, width)
    return grey


def _ink(grey: FloatArray) -> FloatArray:
    """Contrast of each pixel with the background around it; 0 in the background."""
    edges = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    if grey.max() >= _MIN_CONTRAST and 2 * np.count_nonzero(grey) < grey.size and not any(edge.any() for edge in edges):
        return grey  # ink on nothing, as of a drawing: what follows would estimate zeros
    small = grey
    if max(grey.shape) > _BACKGROUND_SIDE:
        factor = _BACKGROUND_SIDE / max(grey.shape)
        small = resize(grey, *(max(2, round(side * factor)) for side in grey.shape))
    window = max(3, round(0.45 * max(small.shape)))
    dark = _ink_is_dark(small, window)
    rim = np.median(np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]))
    if np.median(np.abs(small - rim)) < _FLAT:
        ground = np.full_like(grey, rim)
    else:
        close = ndimage.grey_closing if dark else ndimage.grey_opening
        ground = close(small, size=(window, window), mode="reflect")
        if ground.shape != grey.shape:  # coarse: where light changes abruptly, rather underestimate the contrast
            ground = (ndimage.minimum_filter if dark else ndimage.maximum_filter)(ground, 3)
            ground = resize(ground, *grey.shape)
    # Dark ink reflects a share of the light on the sheet, so that in a shadow its contrast is lower.
    ink = 1 - grey / np.maximum(ground, 0.125) if dark else grey - ground
    level = np.median(ink)
    noise = 1.4826 * np.median(np.abs(ink - level))
    ink = np.asarray(np.clip(ink - (level + 4 * noise), 0, None), np.float32)
    if ink.max() < max(_MIN_CONTRAST, 2 * noise):
        raise UnusablePicture(
            "No digit stands out in this picture. Leave a margin around it, and use a darker pen or more light."
        )
    return ink


def _ink_is_dark(grey: FloatArray, window: int) -> bool:
    """Whether the ink is darker than the background, which is the greater part of any neighbourhood."""
    low = ndimage.minimum_filter(grey, window)
    high = ndimage.maximum_filter(grey, window)
    mean = ndimage.uniform_filter(grey, window)
    return bool(np.sum((mean - (low + high) / 2) * (high - low)) > 0)


def _only_the_digit(ink: FloatArray) -> FloatArray:
    """The ink without specks, objects at the margin and faint lines; its strongest pixels are 1."""
    core = ink > 0.35 * np.quantile(ink[ink > 0], 0.98)
    labels, count = ndimage.label(core, structure=np.ones((3, 3)))
    mass = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    margin = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    margin = margin[margin > 0] - 1
    if np.delete(mass, margin).max(initial=0) > 0.03 * mass.max():
        mass[margin] = 0  # such as a table beside the sheet, a finger, the edge of a scan
    boxes = ndimage.find_objects(labels)
    strokes = (mass > 0.02 * mass.max()) & _close_to(boxes, int(mass.argmax()))
    digit = _around([box for box, is_stroke in zip(boxes, strokes, strict=True) if is_stroke])
    smooth_edge = max(1, round(max(side.stop - side.start for side in digit) / BOX))
    digit = tuple(slice(max(0, side.start - smooth_edge), side.stop + smooth_edge) for side in digit)
    kept, ink = np.concatenate([[False], strokes])[labels[digit]], ink[digit]
    distance = ndimage.distance_transform_cdt(~kept, metric="chessboard")
    ink = np.where(distance <= smooth_edge, ink, np.float32(0))
    ink = np.minimum(ink / np.quantile(ink[kept], 0.7), 1).astype(np.float32)
    rows, columns = (np.flatnonzero(((distance <= 1) & (ink > 0)).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _around(boxes: list[tuple[slice, slice]]) -> tuple[slice, ...]:
    """The box around some boxes."""
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides)) for sides in zip(*boxes, strict=True)
    )


def _close_to(boxes: list[tuple[slice, slice]], chosen: int) -> npt.NDArray[np.bool_]:
    """Which boxes are near the chosen one, within half its size, as separate strokes of a digit are."""
    edges = np.array([[(side.start, side.stop) for side in box] for box in boxes])
    reach = 0.5 * np.max(edges[chosen, :, 1] - edges[chosen, :, 0])
    gap = np.maximum(edges[:, :, 0] - edges[chosen, :, 1], edges[chosen, :, 0] - edges[:, :, 1])
    return np.asarray((gap <= reach).all(axis=1))


def _thicken(ink: FloatArray) -> FloatArray:
    """Widen thin strokes, which would fade when they are scaled to 20 x 20 pixels."""
    pixel = max(ink.shape) / BOX
    if pixel < 2:
        return ink
    # Across a stroke the distance to its edge averages a quarter of its width.
    depth = ndimage.distance_transform_edt(np.pad(ink > 0.5, 1))
    width = 4 * float(depth[depth > 0].mean()) - 1
    if width >= _THIN * pixel:
        return ink
    missing = max(1, round((_USUAL * pixel - width) / 2))
    # Each pixel near the core takes the value of the nearest pixel of the core: faster than a dilation by a disc, which
    # would take seconds.
    wide = np.pad(ink, missing)
    away, nearest = ndimage.distance_transform_edt(wide <= 0.5, return_indices=True)
    return np.where(away <= missing + 0.5, np.maximum(wide, wide[tuple(nearest)]), wide)
