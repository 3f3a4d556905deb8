"""Recordings in a folder or a zip that nobody has checked: read within limits, refused in words."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from model.data.corpora.base import MissingData

LARGEST_RECORDING = 64 << 20
"""Bytes of a recording at most: a minute of stereo sound in 32 bits at 96 kHz has 46 MB."""

_LARGEST_DIRECTORY = 4 << 20  # bytes of a zip's directory: 40,000 entries and more, read within a second
_PIECE = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,  # and with it NotImplementedError: of a version or feature of the format that zipfile lacks
    ValueError,
    OverflowError,
)
"""What zipfile raises of a damaged zip."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file in a folder or a zip, which is open as long as :func:`opened` says.

    Attributes
    ----------
    place, key
        The folder or zip, and the file's name or path in it.
    size
        In bytes, as the file system or the zip's directory has it.
    state
        Another one once the content is another one.
    """

    place: Path
    key: str
    size: int
    state: str
    _open: Callable[[], IO[bytes]]

    def read(self) -> bytes:
        """The content.

        Raises
        ------
        MissingData
            If it is larger than :data:`LARGEST_RECORDING`, or can't be read.
        """
        if self.size > LARGEST_RECORDING:
            raise MissingData(
                f"{self.key} in {self.place} has {self.size / 1e6:,.0f} MB: that is no recording of a digit. "
                "Delete it, or get the corpus again."
            )
        try:
            with self._open() as file:
                return b"".join(iter(partial(file.read, _PIECE), b""))
        except MissingData:
            raise
        except (OSError, *_DAMAGE) as error:
            raise MissingData(f"{self.key} in {self.place} is damaged ({error}). Get the corpus again.") from error


@contextmanager
def opened(place: Path) -> Iterator[Mapping[str, Recording]]:
    """The ``.wav`` files of a folder, or all files of a zip, by their keys and in the order of these.

    A zip is opened once for all of them: to find thousands of entries takes longer than to read one.

    Raises
    ------
    MissingData
        If the folder or the zip can't be read; the message says what to do.
    """
    if place.is_dir():
        yield _in_folder(place)
        return
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(_BriefReader(io.FileIO(place)))))
        except MissingData:
            raise
        except OSError as error:
            raise MissingData(f"{place} can't be read ({error.strerror or error}).") from error
        except _DAMAGE as error:
            raise MissingData(f"{place} is not a whole zip file. Get it again.") from error
        entries = {entry.filename: entry for entry in archive.infolist()}
        yield {key: _in_zip(place, archive, entries[key]) for key in sorted(entries)}


def _in_folder(place: Path) -> dict[str, Recording]:
    found = {}
    try:
        for path in sorted(place.glob("*.wav")):
            if path.is_file():  # no folder, and no pipe, which would be waited for
                status = path.stat()
                state = f"{status.st_size} {status.st_mtime_ns}"
                found[path.name] = Recording(place, path.name, status.st_size, state, partial(io.FileIO, path))
    except OSError as error:
        raise MissingData(f"{place} can't be read ({error.strerror or error}).") from error
    return found


def _in_zip(place: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Recording:
    def open_() -> IO[bytes]:
        if entry.flag_bits & 1:
            raise MissingData(f"{place} is encrypted. Pack it again without a password.")
        # Of these two methods zipfile unpacks piece by piece; of others what a piece holds, be it gigabytes.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise MissingData(f"{place} is packed by an unusual method. Pack it again as an ordinary zip (Deflate).")
        return archive.open(entry)  # it never gives more than entry.file_size bytes

    return Recording(place, entry.filename, entry.file_size, f"{entry.file_size} {entry.CRC:08x}", open_)


class _BriefReader(io.BufferedReader):
    """A zip file whose directory is no longer than it may be: zipfile reads it in one piece, whatever it claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_DIRECTORY:
            raise MissingData(f"{self.name} holds far too many files. Get it again.")
        return super().read(size)


@contextmanager
def matching(place: Path, names: re.Pattern[str]) -> Iterator[Mapping[str, Recording]]:
    """The files in a folder or a zip whose paths a pattern finds, by its group ``name``. Raises as :func:`opened`."""
    with opened(place) as files:
        yield {match["name"]: file for key, file in files.items() if (match := names.search(key))}
