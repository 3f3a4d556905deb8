"""Damaged pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ._damage import each_in_turn

_FORMATS: dict[str, tuple[str, str, dict[str, object]]] = {
    "png": ("PNG", "L", {}),
    "png of a palette": ("PNG", "P", {}),
    "png with transparency": ("PNG", "RGBA", {}),
    "png of 16 bits": ("PNG", "I;16", {}),
    "jpeg": ("JPEG", "RGB", {}),
    "progressive jpeg": ("JPEG", "L", {"progressive": True}),
    "gif": ("GIF", "P", {}),
    "webp": ("WEBP", "RGB", {}),
    "lossless webp": ("WEBP", "RGBA", {"lossless": True}),
    "bmp": ("BMP", "L", {}),
    "tiff": ("TIFF", "L", {}),
    "lzw tiff": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "deflated tiff": ("TIFF", "L", {"compression": "tiff_adobe_deflate"}),
}


def valid() -> dict[str, bytes]:
    """One small picture of a one in each format."""
    pictures = {}
    for name, (form, mode, options) in _FORMATS.items():
        picture = Image.new("L", (60, 80), 255)
        ImageDraw.Draw(picture).line([(30, 15), (30, 65)], fill=0, width=7)
        picture = Image.fromarray(np.asarray(picture, np.uint16) * 257) if mode == "I;16" else picture.convert(mode)
        file = io.BytesIO()
        picture.save(file, form, **options)
        pictures[name] = file.getvalue()
    return pictures


def cases(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Each format in turn, damaged."""
    yield from each_in_turn(valid(), count, seed)


def use(content: bytes | Path) -> str:
    """Read a picture and find the digit in it."""
    from model.data.images import UnusablePicture, read_picture
    from model.data.segmentation import normalise_digit

    try:
        seen = normalise_digit(read_picture(content))
    except UnusablePicture:
        return "refused"
    assert np.isfinite(seen).all()
    return "answer"
