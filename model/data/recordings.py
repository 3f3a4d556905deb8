"""Bounded reading of recordings from an untrusted folder or zip."""

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
from model.types import FloatArray

MAX_RECORDING = 64 << 20
"""Maximum size of a recording in bytes: a minute of stereo sound in 32 bits at 96 kHz has 46 MB."""

_MAX_DIRECTORY = 4 << 20  # bytes of a zip's directory, enough for 40,000 entries; read within a second
_PIECE = 1 << 20
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,  # includes NotImplementedError, for unsupported features of the format
    ValueError,
    OverflowError,
)
"""Exceptions that zipfile raises for a damaged zip."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file in a folder or a zip; valid within the context of :func:`opened`.

    Attributes
    ----------
    place, key
        The folder or zip, and the file's name or path in it.
    size
        Size in bytes according to the file system or the zip's directory.
    state
        A text that changes when the content changes.
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
            If it is larger than :data:`MAX_RECORDING`, or can't be read.
        """
        if self.size > MAX_RECORDING:
            raise MissingData(
                f"{self.key} in {self.place} has {self.size / 1e6:,.0f} MB, too much for a recording of a digit. "
                "Delete it, or get the corpus again."
            )
        try:
            with self._open() as file:
                return b"".join(iter(partial(file.read, _PIECE), b""))
        except MissingData:
            raise
        except (OSError, *_DAMAGE) as error:
            raise MissingData(f"{self.key} in {self.place} is damaged ({error}). Get the corpus again.") from error

    def decode(self) -> tuple[FloatArray, int]:
        """The sound, ``(n,)`` in [-1, 1], and its rate in Hz; raises as :meth:`read`, and ``UnusableAudio``."""
        from model.data.speech import read_audio  # late: it imports torch

        return read_audio(io.BytesIO(self.read()))


@contextmanager
def opened(place: Path) -> Iterator[Mapping[str, Recording]]:
    """The ``.wav`` files of a folder, or all files of a zip, sorted by key.

    A zip is opened only once, because reading its directory takes longer than reading a recording.

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
            if path.is_file():  # not a folder or a pipe
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
        # For these two methods zipfile bounds the unpacked size of a piece, for others it does not.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise MissingData(f"{place} is packed by an unusual method. Pack it again as an ordinary zip (Deflate).")
        return archive.open(entry)  # yields at most entry.file_size bytes

    return Recording(place, entry.filename, entry.file_size, f"{entry.file_size} {entry.CRC:08x}", open_)


class _BriefReader(io.BufferedReader):
    """A zip file with a bounded directory, which zipfile reads in one piece of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise MissingData(f"{self.name} holds far too many files. Get it again.")
        return super().read(size)


@contextmanager
def matching(place: Path, names: re.Pattern[str]) -> Iterator[Mapping[str, Recording]]:
    """The files of a folder or a zip whose paths match, by the pattern's group ``name``; raises as :func:`opened`."""
    with opened(place) as files:
        yield {match["name"]: file for key, file in files.items() if (match := names.search(key))}


def decode(files: Mapping[str, Recording], key: str) -> tuple[FloatArray, int]:
    """The sound of a recording by its name, without the folders in its key; raises as :meth:`Recording.decode`."""
    file = files.get(key.rpartition("/")[2])
    if file is None:
        raise MissingData(f"There is no recording {key} any more. Get the corpus again.")
    return file.decode()
