"""Files that a user gives: opened if they are files at all, and read only so far."""

from __future__ import annotations

import errno
import io
import stat
from pathlib import Path
from typing import BinaryIO

_LEAST_COST = 2048  # bytes that a read costs, so that a million tiny ones are as dear as a large one


def open_file(path: Path) -> BinaryIO:
    """Open a regular file; a pipe or device could block for ever, or never end.

    Raises
    ------
    OSError
        If it is missing, no regular file, or may not be read; ``strerror`` says so.
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
    """A file that seems to end once a decoder has read ``ration`` bytes of it, wherever they lie.

    So no file keeps a decoder busy for ever, by references in a circle, millions of empty parts, or a hole of
    gigabytes. A read costs 2,048 bytes at least.
    """

    def __init__(self, file: BinaryIO, ration: int) -> None:
        self._file = file
        self._left = ration

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, all of them if negative; empty at the end of file or ration."""
        if self._left <= 0:
            return b""
        data = self._file.read(size)
        self._left -= max(len(data), _LEAST_COST)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Free of charge."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()
