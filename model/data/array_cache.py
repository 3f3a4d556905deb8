"""Inputs of the encoders on the disk: a file of arrays that only grows, and a journal of its pieces.

The journal has a JSON line for each finished piece, with the checksum of its arrays, and is written after them. What a
crash, a full disk or another program left behind the last valid piece is overwritten. One process writes at a time.
"""

from __future__ import annotations

import json
import logging
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from model.progress import ProgressCallback
from model.types import FloatArray

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_MAX_LINE = 1_000  # bytes of the journal for each item


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive recordings or pictures.

    Attributes
    ----------
    count
        Their number.
    arrays
        Inputs made of the usable ones, ``(n, *shape)``.
    unusable
        Why the others can't be used, by key.
    rates
        Number of usable recordings by sampling rate in Hz.
    """

    count: int
    arrays: FloatArray
    unusable: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the journal: a piece without its arrays."""

    count: int
    rows: int
    crc32: int
    unusable: dict[str, str]
    rates: dict[str, int]

    @classmethod
    def parse(cls, line: bytes) -> _Entry:
        """Raises ``ValueError``, ``TypeError`` or ``RecursionError`` for anything else."""
        entry = cls(**json.loads(line))
        numbers = (entry.count, entry.rows, entry.crc32, *entry.rates.values())
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("a number is none")
        if entry.rows + len(entry.unusable) != entry.count or not entry.count:
            raise ValueError("its numbers don't agree")
        if not all(isinstance(why, str) for why in entry.unusable.values()) or not all(map(str.isdigit, entry.rates)):
            raise ValueError("a text is none")
        return entry


class ArrayCache:
    """The arrays of a list of recordings or pictures, in the order of the list.

    Parameters
    ----------
    file
        The file of arrays; the journal is beside it.
    count
        Number of items in the list.
    shape
        Shape of an array.
    """

    def __init__(self, file: Path, count: int, shape: tuple[int, int]) -> None:
        self._file = file
        self._journal = file.with_suffix(".jsonl")
        self._count = count
        self._shape = shape
        self._bytes = math.prod(shape) * np.dtype(np.float32).itemsize
        self._entries: list[_Entry] = []
        self._journal_end = 0  # bytes of its valid lines
        self._unwritten: list[FloatArray] = []  # pieces that could not be written
        self.read()

    @property
    def done(self) -> int:
        """Number of items, from the first, that are processed."""
        return sum(entry.count for entry in self._entries)

    @property
    def complete(self) -> bool:
        """Whether all are."""
        return self.done == self._count

    @property
    def unusable(self) -> dict[str, str]:
        """Why items can't be used, by key."""
        return {key: why for entry in self._entries for key, why in entry.unusable.items()}

    @property
    def rates(self) -> dict[int, int]:
        """Number of usable recordings by sampling rate in Hz, ascending."""
        rates: dict[int, int] = {}
        for entry in self._entries:
            for rate, count in entry.rates.items():
                rates[int(rate)] = rates.get(int(rate), 0) + count
        return dict(sorted(rates.items()))

    def read(self) -> None:
        """Find the valid pieces in the files."""
        self._entries, self._journal_end = [], 0
        if not self._journal.is_file() or not self._file.is_file():
            return
        try:
            if self._journal.stat().st_size > 10_000 + _MAX_LINE * self._count:
                raise ValueError("its journal is too large")
            with self._file.open("rb") as arrays, self._journal.open("rb") as journal:
                for line in journal:
                    if not line.endswith(b"\n"):
                        return  # interrupted
                    entry = _Entry.parse(line)
                    if self.done + entry.count > self._count:
                        raise ValueError("it has too many pieces")
                    self._check(entry, arrays.read(entry.rows * self._bytes))
                    self._entries.append(entry)
                    self._journal_end += len(line)
                if self.complete and arrays.read(1):
                    self._entries, self._journal_end = [], 0
                    raise ValueError("it is too long")
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            log.warning("The cache %s is damaged and will be computed again: %s", self._file, error)

    def _check(self, entry: _Entry, content: bytes) -> None:
        if len(content) != entry.rows * self._bytes or zlib.crc32(content) != entry.crc32:
            raise ValueError("its content has changed")
        if not np.isfinite(np.frombuffer(content, np.float32)).all():
            raise ValueError("it holds values that are not finite")

    @contextmanager
    def locked(self, progress: ProgressCallback) -> Iterator[None]:
        """Wait until no other process computes these arrays, and take what it has computed.

        Without a folder that can be written there is nothing to wait for.
        """
        lock = FileLock(self._file.with_suffix(".lock"))
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    lock.acquire(timeout=_POLL_SECONDS)
                    break
                except Timeout:
                    progress(None, "Waiting for another process that prepares the same data")
            self.read()
        try:
            yield
        finally:
            lock.release()

    def append(self, piece: Piece) -> None:
        """Add the next piece; if it can't be written, it is kept in memory."""
        arrays = np.ascontiguousarray(piece.arrays, np.float32).reshape(-1, *self._shape)
        rates = {str(rate): count for rate, count in piece.rates.items()}
        entry = _Entry(piece.count, len(arrays), zlib.crc32(arrays.data), dict(piece.unusable), rates)
        if not self._unwritten:
            try:
                self._write(entry, arrays)
            except OSError as error:
                log.warning("%s can't be cached: %s", self._file.stem, error)
                self._unwritten.append(arrays)
        else:
            self._unwritten.append(arrays)
        self._entries.append(entry)

    def _write(self, entry: _Entry, arrays: FloatArray) -> None:
        _write_at(self._file, sum(line.rows for line in self._entries) * self._bytes, arrays.tobytes())
        line = json.dumps(asdict(entry)).encode() + b"\n"
        _write_at(self._journal, self._journal_end, line)
        self._journal_end += len(line)

    def arrays(self) -> FloatArray:
        """Those of the usable items, ``(n, *shape)``; mapped from the file, which does not change with them."""
        rows = sum(entry.rows for entry in self._entries)
        written = rows - sum(map(len, self._unwritten))
        arrays: FloatArray = np.zeros((0, *self._shape), np.float32)
        if written:
            arrays = np.memmap(self._file, np.float32, "c", shape=(written, *self._shape))
        if self._unwritten:
            arrays = np.concatenate([arrays, *self._unwritten])
        return np.asarray(arrays)


def _write_at(file: Path, place: int, content: bytes) -> None:
    """Write the end of a file, from a place in it."""
    with file.open("r+b" if file.exists() else "wb") as open_file:
        open_file.seek(place)
        open_file.write(content)
        open_file.truncate()
