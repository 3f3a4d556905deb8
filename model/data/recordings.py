"""Bounded reading of recordings from an untrusted folder or zip."""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from model.data.corpora.base import MissingData
from model.types import FloatArray

MAX_RECORDING = 64 << 20
"""Maximum size of a recording in bytes: a minute of stereo sound in 32 bits at 96 kHz has 46 MB."""

_MAX_DEPTH = 5  # folders below that of a corpus
_MAX_FILES = 200_000  # in a folder; Speech Commands has 106,000
_ANY = re.compile("")
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
        from model.data.sound_files import read_whole  # late: its libraries take time to import

        return read_whole(self.read())


@contextmanager
def opened(place: Path, names: re.Pattern[str] = _ANY) -> Iterator[Mapping[str, Recording]]:
    """The files of a folder, up to some folders deep, or of a zip, whose paths match, sorted by path.

    A zip is opened only once, because reading its directory takes longer than reading a recording.

    Raises
    ------
    MissingData
        If the folder or the zip can't be read; the message says what to do.
    """
    if place.is_dir():
        yield _in_folder(place, names)
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
        # A damaged zip can have the directory of a whole one.
        modified = place.stat().st_mtime_ns
        yield {key: _in_zip(place, archive, entries[key], modified) for key in sorted(entries) if names.search(key)}


def _in_folder(place: Path, names: re.Pattern[str]) -> dict[str, Recording]:
    found = {}
    try:
        for path, key in _files_below(place):
            if names.search(key) and path.is_file():  # not a pipe
                found[key] = _in_file(place, path, key)
    except OSError as error:
        raise MissingData(f"{place} can't be read ({error.strerror or error}).") from error
    return dict(sorted(found.items()))


def _files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Paths and keys of everything but folders in a folder and those in it; links to folders are not followed."""
    count = 0
    for parent, folders, files in os.walk(folder):
        below = Path(parent).relative_to(folder)
        if len(below.parts) == _MAX_DEPTH:
            folders.clear()
        count += len(files)
        if count > _MAX_FILES:
            raise MissingData(f"{folder} holds far too many files. Is it the folder of the corpus?")
        for name in files:
            yield Path(parent) / name, (below / name).as_posix()


def _in_file(place: Path, path: Path, key: str) -> Recording:
    status = path.stat()
    state = f"{status.st_size} {status.st_mtime_ns}" + ("" if os.access(path, os.R_OK) else " unreadable")
    return Recording(place, key, status.st_size, state, partial(io.FileIO, path))


def _in_zip(place: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, modified: int) -> Recording:
    def open_() -> IO[bytes]:
        if entry.flag_bits & 1:
            raise MissingData(f"{place} is encrypted. Pack it again without a password.")
        # For these two methods zipfile bounds the unpacked size of a piece, for others it does not.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise MissingData(f"{place} is packed by an unusual method. Pack it again as an ordinary zip (Deflate).")
        return archive.open(entry)  # yields at most entry.file_size bytes

    state = f"{entry.file_size} {entry.CRC:08x} {modified}"
    return Recording(place, entry.filename, entry.file_size, state, open_)


class _BriefReader(io.BufferedReader):
    """A zip file with a bounded directory, which zipfile reads in one piece of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise MissingData(f"{self.name} holds far too many files. Get it again.")
        return super().read(size)


@contextmanager
def matching(place: Path, names: re.Pattern[str]) -> Iterator[Mapping[str, Recording]]:
    """The files of a folder or a zip whose paths match, by the pattern's group ``name``; raises as :func:`opened`."""
    with opened(place, names) as files:
        yield {match["name"]: file for key, file in files.items() if (match := names.search(key))}


def decode(files: Mapping[str, Recording], key: str) -> tuple[FloatArray, int]:
    """The sound of a recording by its key, or the last part of it; raises as :meth:`Recording.decode`."""
    file = files.get(key) or files.get(key.rpartition("/")[2])
    if file is None:
        raise _gone(key)
    return file.decode()


class Reader:
    """Reads recordings of a folder or a zip by their paths in it, again and again.

    It can be sent to another process, which opens the zip anew. A context manager, which closes the zip.

    Parameters
    ----------
    place
        The folder or zip.
    files
        Its recordings, if it is open.
    """

    def __init__(self, place: Path, files: Mapping[str, Recording] | None = None) -> None:
        self._place = place
        self._stack = ExitStack()
        self._files = files

    def __reduce__(self) -> tuple[type[Reader], tuple[Path]]:
        return Reader, (self._place,)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._files = None

    def __call__(self, key: str) -> tuple[FloatArray, int]:
        """The sound, ``(n,)`` in [-1, 1], and its rate in Hz; raises as :meth:`Recording.decode`."""
        return self.recording(key).decode()

    def has(self, key: str) -> bool:
        """Whether there is a recording of that path in the folder."""
        inside = PurePosixPath(key)
        return not inside.is_absolute() and ".." not in inside.parts and (self._place / key).is_file()

    def recording(self, key: str) -> Recording:
        """A recording; raises :class:`MissingData` if there is none of that path."""
        if self._files is None and self._place.is_dir():  # which need not be listed
            if self.has(key):
                return _in_file(self._place, self._place / key, key)
        elif self._files is None:
            self._files = self._stack.enter_context(opened(self._place))
        if self._files is None or key not in self._files:
            raise _gone(key)
        return self._files[key]


def _gone(key: str) -> MissingData:
    return MissingData(f"There is no recording {key} any more. Get the corpus again.")
