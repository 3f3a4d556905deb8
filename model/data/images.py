"""Conversion of drawings, photos and scans of a digit to 28 x 28 pictures like those of MNIST.

MNIST scaled each digit to 20 x 20 pixels, with its aspect ratio and smoothed edges, and put its centre of mass on the
centre of 28 x 28. In a photo, ink is first separated from paper by a morphological estimate of the background, which is
robust to shadows and to the edge of the sheet.
"""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from model.data.inputs import RationedFile, open_file
from model.errors import ModinvError

FloatArray = npt.NDArray[np.float32]
GreyPicture = npt.NDArray[np.uint8]

SIDE = 28
BOX = 20

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""Allowed formats, by Pillow's names. Others can be dangerous: EPS, for one, would start Ghostscript."""

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 36_000_000
"""A sheet of A4 at 600 dots per inch, which takes some hundred megabytes while it is decoded."""

# JPEG is decoded at reduced size; the decoder of WebP holds four copies.
_MAX_PIXELS = {"JPEG": 100_000_000, "MPO": 100_000_000, "WEBP": 12_000_000}
_MAX_SCANNED = 1_200_000_000  # pixels times scans: each scan of a progressive JPEG visits all pixels
_MAX_TIFF_PIECES = 50_000  # strips or tiles; Pillow takes some microseconds for each
_STRIPS, _TILE_WIDTH, _TILE_LENGTH, _TILES = 273, 322, 323, 324  # tags of TIFF
_TIFFS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_WORKING_SIDE = 800  # pixels; more adds time and no detail to a digit that ends up 20 pixels tall
_BACKGROUND_SIDE = 64
_MIN_CONTRAST = 0.08
_FLAT = 0.03  # median distance from the level at the rim, below which the ground counts as even
_FAINT = 0.1  # ink that does not count for the box around a digit
_THIN, _USUAL = (
    1.3,
    2.2,
)  # widths of strokes in the 20 x 20 box: a thin and the most common one in MNIST


class UnusablePicture(ModinvError, ValueError):
    """A picture in which no digit can be found; the message says why and what to do."""


def read_picture(source: Path | str | bytes | BinaryIO) -> GreyPicture:
    """Read a PNG, JPEG, GIF, WebP, BMP or TIFF, by its content; of several frames the first.

    Parameters
    ----------
    source
        A path, the bytes of a file, or a binary file object.

    Returns
    -------
    ndarray of uint8, shape (h, w)
        Grey levels, 0 black to 255 white; transparent parts are white, EXIF orientation is applied, and a
        large picture is scaled down.

    Raises
    ------
    UnusablePicture
        If the file is missing, empty, too large, damaged, or not a picture.
    """
    data = _bytes_of(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata does not matter; size is checked below
            _check_tiff(data)
            file = RationedFile(io.BytesIO(data), 2 * len(data) + MAX_BYTES // 2)
            with Image.open(file, formats=FORMATS) as picture:  # type: ignore[arg-type]
                _check(picture, data)
                picture.draft("L", (2 * _WORKING_SIDE, 2 * _WORKING_SIDE))  # lets JPEG decode at a fraction
                picture.thumbnail((2 * _WORKING_SIDE, 2 * _WORKING_SIDE), reducing_gap=2.0)
                ImageOps.exif_transpose(picture, in_place=True)
                return _grey(picture)
    except UnidentifiedImageError:
        raise UnusablePicture(
            "This file is not a picture that can be read. Use PNG, JPEG, WebP, GIF, BMP or TIFF."
        ) from None
    except Image.DecompressionBombError:
        raise _too_large("too many pixels") from None
    except UnusablePicture:
        raise
    except Exception as error:  # Pillow's decoders raise almost anything on a damaged file
        raise UnusablePicture(f"This picture is damaged and cannot be read ({error}).") from error


def _check(picture: Image.Image, data: bytes) -> None:
    """Reject, before decoding, pictures that would take too much memory or time."""
    pixels = picture.width * picture.height
    deeper = max(1.0, len(picture.getbands()) / 3)  # a fourth channel takes its memory, too
    if deeper * pixels > _MAX_PIXELS.get(str(picture.format), MAX_PIXELS):
        raise _too_large(f"{picture.width} × {picture.height} pixels, which is too many")
    if picture.format in ("JPEG", "MPO") and pixels * data.count(b"\xff\xda") > _MAX_SCANNED:
        raise _too_large("more scans than a picture of its size needs")
    if picture.format == "TIFF" and _TILE_WIDTH in picture.tag_v2:  # type: ignore[attr-defined]
        wide, high = (int(picture.tag_v2[tag]) for tag in (_TILE_WIDTH, _TILE_LENGTH))  # type: ignore[attr-defined]
        if -(-picture.width // wide) * wide * -(-picture.height // high) * high > 2 * MAX_PIXELS:
            raise _too_large(f"tiles of {wide} × {high} pixels")


def _check_tiff(data: bytes) -> None:
    """Reject a TIFF of millions of strips or tiles, which Pillow would take minutes to open."""
    order = _TIFFS.get(data[:4])
    if order is None:
        return
    big = b"+" in data[2:4]
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    entry = struct.Struct(order + ("HHQ8x" if big else "HHI4x"))
    first = start + (8 if big else 2)
    entries = data[first : first + count * entry.size]
    for tag, _, length in entry.iter_unpack(entries[: len(entries) // entry.size * entry.size]):
        if tag in (_STRIPS, _TILES) and length > _MAX_TIFF_PIECES:
            raise _too_large(f"{length} strips or tiles")


def _too_large(what: str) -> UnusablePicture:
    return UnusablePicture(f"This picture has {what}. Scale it down, save it as PNG or JPEG, and try again.")


def _bytes_of(source: Path | str | bytes | BinaryIO) -> bytes:
    """The content of a file, at most ``MAX_BYTES``."""
    try:
        if isinstance(source, bytes):
            data = source
        elif isinstance(source, (str, Path)):
            with open_file(Path(source)) as file:
                data = file.read(MAX_BYTES + 1)
        else:
            data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusablePicture(f"This picture cannot be opened: {error.strerror or error}.") from error
    if not data:
        raise UnusablePicture("This picture file is empty. Choose another one.")
    if len(data) > MAX_BYTES:
        raise UnusablePicture(f"This file is larger than {MAX_BYTES // 2**20} MB. Scale the picture down.")
    return data


def _grey(picture: Image.Image) -> GreyPicture:
    """Grey levels of a picture on a white background."""
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits deep: Pillow would clip instead of scale
        deep = np.asarray(picture, np.float64)
        top = 65535.0 if picture.mode.startswith("I;16") or deep.max() > 255 else max(1.0, float(deep.max()))
        return np.clip(deep * (255.0 / top), 0, 255).astype(np.uint8)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return np.asarray(picture.convert("L"), np.uint8)


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
    return _centre(_fit(_thicken(ink)))


def to_mnist_format(ink: FloatArray) -> FloatArray:
    """Scale the ink of a digit to the box of MNIST, and centre it by mass, without other changes.

    Parameters
    ----------
    ink
        ``(h, w)`` in [0, 1], 0 where there is none.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        Zeros if there is no ink.
    """
    rows, columns = (np.flatnonzero((ink > _FAINT).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((SIDE, SIDE), np.float32)
    return _centre(_fit(np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32)))


def _working_copy(picture: npt.ArrayLike) -> FloatArray:
    """The picture as floats in [0, 1], scaled down if it is large."""
    grey = np.asarray(picture)
    if grey.ndim != 2 or min(grey.shape) < 2:
        raise UnusablePicture("A grey picture of at least 2 × 2 pixels is needed.")
    scale = 255.0 if np.issubdtype(grey.dtype, np.integer) else 1.0
    grey = np.asarray(grey, np.float32) / np.float32(scale)
    if not np.isfinite(grey).all():
        raise UnusablePicture("This picture holds values that are not numbers.")
    factor = _WORKING_SIDE / max(grey.shape)
    if factor < 1:
        height, width = (max(2, round(side * factor)) for side in grey.shape)
        grey = _resize(grey, height, width)
    return grey


def _ink(grey: FloatArray) -> FloatArray:
    """Contrast of each pixel with the background around it; 0 in the background."""
    edges = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    if grey.max() >= _MIN_CONTRAST and 2 * np.count_nonzero(grey) < grey.size and not any(edge.any() for edge in edges):
        return grey  # ink on nothing, as of a drawing: what follows would estimate zeros
    small = grey
    if max(grey.shape) > _BACKGROUND_SIDE:
        factor = _BACKGROUND_SIDE / max(grey.shape)
        small = _resize(grey, *(max(2, round(side * factor)) for side in grey.shape))
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
            ground = _resize(ground, *grey.shape)
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


def _fit(ink: FloatArray) -> FloatArray:
    """Scale the longer side to 20 pixels."""
    height, width = (max(1, round(side * BOX / max(ink.shape))) for side in ink.shape)
    return np.clip(_resize(ink, height, width), 0, 1)


def _centre(ink: FloatArray) -> FloatArray:
    """Put the centre of mass on pixel (14, 14) of 28 x 28, by whole pixels as in MNIST."""
    field = np.zeros((SIDE, SIDE), np.float32)
    corner = []
    for mass_at, side in zip(ndimage.center_of_mass(ink), ink.shape, strict=True):
        corner.append(int(np.clip(round(SIDE / 2 - mass_at), 0, SIDE - side)))
    top, left = corner
    field[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return field


def _resize(grey: FloatArray, height: int, width: int) -> FloatArray:
    """Resize with antialiasing."""
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR), np.float32)
