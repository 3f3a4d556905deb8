"""Bounded reading of files from users."""

from __future__ import annotations

import errno
import io
import stat
from pathlib import Path
from typing import BinaryIO

_MIN_COST = 2048  # bytes that each read counts for, so that millions of tiny reads are bounded, too


def open_file(path: Path) -> BinaryIO:
    """Open a regular file; pipes and devices, which could block or never end, are rejected.

    Raises
    ------
    OSError
        If it is missing, not a regular file, or not readable; ``strerror`` says why.
    """
    try:
        mode = path.stat().st_mode
    except ValueError as error:  # a null character in the name
        raise OSError(errno.EINVAL, "The name is not valid") from error
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "It is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "It is a pipe or a device, not a file")
    return path.open("rb")


def printable(path: object) -> str:
    """A path for display: characters that can't be printed, such as control codes of terminals, are escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)[1:-1]


class RationedFile:
    """A file that ends for a decoder after ``ration`` bytes were read, from any positions.

    This bounds the work of decoders on files with circular references, millions of empty parts, or gigabytes of zeros.
    Each read counts for at least 2,048 bytes.
    """

    def __init__(self, file: BinaryIO, ration: int) -> None:
        self._file = file
        self._left = ration

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, all of them if negative; empty at the end of file or ration."""
        if self._left <= 0:
            return b""
        data = self._file.read(size)
        self._left -= max(len(data), _MIN_COST)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Change the position; not counted."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()
