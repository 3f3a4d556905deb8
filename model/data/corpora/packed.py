"""Bounded reading of packed files (gzip, xz, bzip2), and of arrays in the IDX format of MNIST."""

from __future__ import annotations

import bz2
import lzma
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DAMAGE = (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError)
"""Exceptions that are raised here for missing, damaged and other files."""

_MAX_FILE = 320 << 20  # bytes, packed or not: the largest file, that of all NIST digits, has 316 MB unpacked
_UNPACKERS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16),
    ".xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20),
    ".bz2": bz2.BZ2Decompressor,
}
_CUT_OFF = "it is cut off"
_FOLLOWED = "it is followed by something else"
_TYPES: dict[int, tuple[str, np.dtype[Any]]] = {
    8: ("unsigned bytes", np.dtype(np.uint8)),
    12: ("32-bit integers", np.dtype(">i4")),
}


def find(folders: Iterable[Path], name: str) -> Path | None:
    """The file of that name, packed or not, in the first folder that has it."""
    places = (folder / f"{name}{suffix}" for folder in folders for suffix in (*_UNPACKERS, ""))
    return next((path for path in places if path.exists()), None)


def content_of(path: Path) -> bytes:
    """The bytes of a regular file, as they are."""
    if path.exists() and not path.is_file():  # reading a pipe would block
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_FILE:
            raise ValueError("it is far too large")
        return file.read()


def unpack(content: bytes, suffix: str, most: int) -> tuple[bytes, str]:
    """Unpack at most ``most + 1`` bytes.

    Parameters
    ----------
    content
        The packed bytes.
    suffix
        Of the file's name; an unknown one means that it isn't packed.
    most
        Expected size in bytes.

    Returns
    -------
    bytes, str
        The content, and what is wrong with its end; empty if nothing is, or if the content is too long.
    """
    if suffix not in _UNPACKERS:
        return content, ""
    unpacker = _UNPACKERS[suffix]()
    unpacked: bytes = unpacker.decompress(content, most + 1)
    if unpacker.unused_data:
        return unpacked, _FOLLOWED
    return unpacked, "" if unpacker.eof or len(unpacked) > most else _CUT_OFF


def read_text(path: Path, most: int) -> bytes:
    """The unpacked content of a file of at most ``most`` bytes; raises one of :data:`DAMAGE`."""
    text, fault = unpack(content_of(path), path.suffix, most)
    if len(text) > most:
        raise ValueError("it is far too large")
    if fault:
        raise ValueError(fault)
    return text


def parse_idx(
    content: bytes, suffix: str, shape: tuple[int, ...], most: int, title: str, code: int = 8
) -> npt.NDArray[Any]:
    """The array in an IDX file.

    Parameters
    ----------
    content, suffix
        As of :func:`unpack`.
    shape
        Of an item.
    most, title
        Maximum number of items, and the title of the corpus for messages.
    code
        Type of the values: 8 for unsigned bytes, 12 for 32-bit integers.

    Returns
    -------
    ndarray, shape (n, *shape)
        With at least one item.

    Raises
    ------
    OSError, ValueError, EOFError, zlib.error, lzma.LZMAError
        If it is damaged, or something else (:data:`DAMAGE`).
    """
    words, kind = _TYPES[code]
    size = math.prod(shape) * kind.itemsize  # bytes of an item
    head = struct.pack(">BBBB", 0, 0, code, 1 + len(shape))
    after = struct.pack(f">{len(shape)}I", *shape)
    start = len(head) + 4 + len(after)
    raw, fault = unpack(content, suffix, start + most * size)
    if not raw.startswith(head) or raw[len(head) + 4 : start] != after:
        raise ValueError(f"it is no IDX file of {words}, {' x '.join(map(str, ('n', *shape)))}")
    count = int.from_bytes(raw[len(head) : len(head) + 4], "big")
    if not 0 < count <= most:
        raise ValueError(f"it claims to hold {count:,} items, where {title} has {most:,} at most")
    if len(raw) != start + count * size or fault == _FOLLOWED:
        raise ValueError(f"it holds more or less than the {count:,} items that it claims")
    if fault:
        raise ValueError(fault)
    array: npt.NDArray[Any] = np.frombuffer(raw, kind, offset=start).reshape(count, *shape)
    return array
