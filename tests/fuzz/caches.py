"""Damaged caches of filterbanks: whatever became of them, a corpus loads as if there were none."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from ._damage import damaged
from .corpora import packed, recordings

SAMPLE = 30

_SUFFIXES = (".f32", ".jsonl")


Cache = tuple[bytes, bytes]
"""The file of arrays and the journal."""


def cases(count: int, seed: int) -> Iterator[tuple[str, tuple[bytes, str, Cache, np.ndarray]]]:
    """A corpus, the name of its cache, what may lie there, and the filterbanks that the corpus has."""
    logging.disable()  # of thousands of warnings nobody reads one
    corpus = packed(recordings())
    with tempfile.TemporaryDirectory() as folder:
        features = _loaded(Path(folder), corpus)
        files = {file.suffix: file for file in (Path(folder) / "cache" / "filterbanks").iterdir()}
        name = files[".f32"].stem
        arrays, journal = (files[suffix].read_bytes() for suffix in _SUFFIXES)
    known = np.frombuffer(arrays, np.float32)
    spoilt = known.copy()
    spoilt[5000] = np.nan
    line = json.loads(journal)

    def journal_of(content: bytes, **changes: object) -> Cache:
        return content, json.dumps({**line, "crc32": zlib.crc32(content), **changes}).encode() + b"\n"

    others: dict[str, Cache] = {
        "of another shape": journal_of(arrays[: len(arrays) // 2]),
        "of another type": journal_of(known.astype(np.float16).tobytes()),
        "of too many": journal_of(arrays + arrays, rows=2 * line["rows"], count=2 * line["count"]),
        "not a number": journal_of(spoilt.tobytes()),
        "without arrays": (b"", journal),
        "without a journal": (arrays, b""),
        "of a long journal": (arrays, journal * 50),
        "deeply nested": (arrays, b"[" * 100_000 + b"\n"),
        "empty": (b"", b""),
    }
    rng = np.random.default_rng(seed)
    for number in range(count):
        if number < len(others):
            words, there = list(others.items())[number]
        elif number % 2:
            words, content = damaged(arrays, {"journal": journal}, rng)
            words, there = f"arrays: {words}", (content, journal)
        else:
            words, content = damaged(journal, {"arrays": arrays}, rng)
            words, there = f"journal: {words}", (arrays, content)
        yield words, (corpus, name, there, features)


def use(content: tuple[bytes, str, Cache, np.ndarray]) -> str:
    """Load a corpus whose cache holds this."""
    corpus, name, there, features = content
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache" / "filterbanks"
        cache.mkdir(parents=True)
        for suffix, part in zip(_SUFFIXES, there, strict=True):
            (cache / f"{name}{suffix}").write_bytes(part)
        np.testing.assert_array_equal(_loaded(Path(folder), corpus), features)
        assert {file.stem for file in cache.iterdir()} == {name}, "it was looked for elsewhere"
    return "the right data"


def _loaded(folder: Path, corpus: bytes) -> np.ndarray:
    """The filterbanks of a corpus, with the folder's cache."""
    from model import locations
    from model.data.corpora.fsdd import Fsdd

    (folder / "fsdd").mkdir()
    archive = folder / "fsdd" / "recordings.zip"
    archive.write_bytes(corpus)
    os.utime(archive, (0, 0))  # the time is a part of the cache's name
    with mock.patch.object(locations, "cache", return_value=folder / "cache"):
        return Fsdd(folder).load("train").features
