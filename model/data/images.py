"""Pictures from files, and the format of MNIST.

MNIST scaled each digit to 20 x 20 pixels, with its aspect ratio and smoothed edges, and put its centre of mass on the
centre of 28 x 28. In a photo, the digit has to be found first: :mod:`model.data.segmentation`.
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

from model.data.inputs import RationedFile, open_file
from model.errors import ModinvError

FloatArray = npt.NDArray[np.float32]
GreyPicture = npt.NDArray[np.uint8]

SIDE = 28
BOX = 20

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""Allowed formats, by Pillow's names. Others can be dangerous: EPS, for one, would start Ghostscript."""

WORKING_SIDE = 800
"""Pixels; more adds time and no detail to a digit that ends up 20 pixels tall."""

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 36_000_000
"""A sheet of A4 at 600 dots per inch, which takes some hundred megabytes while it is decoded."""

# JPEG is decoded at reduced size; the decoder of WebP holds four copies.
_MAX_PIXELS = {"JPEG": 100_000_000, "MPO": 100_000_000, "WEBP": 12_000_000}
_MAX_SCANNED = 1_200_000_000  # pixels times scans: each scan of a progressive JPEG visits all pixels
_MAX_TIFF_PIECES = 50_000  # strips or tiles; Pillow takes some microseconds for each
_STRIPS, _TILE_WIDTH, _TILE_LENGTH, _TILES = 273, 322, 323, 324  # tags of TIFF
_TIFFS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_FAINT = 0.1  # ink that does not count for the box around a digit


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
                picture.draft("L", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # lets JPEG decode at a fraction
                picture.thumbnail((2 * WORKING_SIDE, 2 * WORKING_SIDE), reducing_gap=2.0)
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
    return into_box(np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32))


def normalise_drawing(ink: GreyPicture) -> FloatArray:
    """Convert strokes on nothing, as wide as those of MNIST, to its format.

    Parameters
    ----------
    ink
        ``(h, w)`` of uint8: 255 in a stroke, 0 elsewhere. There must be some.

    Returns
    -------
    ndarray of float32, shape (28, 28)
        As :func:`model.data.segmentation.normalise_digit` returns it.
    """
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if any(np.diff(inked).max(initial=1) > 1 for inked in (rows, columns)):
        from model.data.segmentation import normalise_digit  # late: it imports SciPy, for which a drawing need not wait

        return normalise_digit(ink)  # without strokes that are far away from the digit
    return to_mnist_format(np.asarray(ink / 255, np.float32))


def into_box(ink: FloatArray) -> FloatArray:
    """Scale the longer side to 20 pixels, and put the centre of mass on pixel (14, 14) of 28 x 28.

    The centre is moved by whole pixels, as in MNIST.
    """
    height, width = (max(1, round(side * BOX / max(ink.shape))) for side in ink.shape)
    ink = np.clip(resize(ink, height, width), 0, 1)
    field = np.zeros((SIDE, SIDE), np.float32)
    top, left = (_start(ink.sum(axis=axis)) for axis in (1, 0))
    field[top : top + height, left : left + width] = ink
    return field


def _start(masses: FloatArray) -> int:
    """Where rows, or columns, of these masses begin so that their centre is that of the picture."""
    centre = np.average(np.arange(len(masses)), weights=masses)
    return int(np.clip(round(SIDE / 2 - centre), 0, SIDE - len(masses)))


def resize(grey: FloatArray, height: int, width: int) -> FloatArray:
    """Resize with antialiasing."""
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR), np.float32)
