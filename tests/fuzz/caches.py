"""Damaged caches of filterbanks: whatever became of them, a corpus loads as if there were none."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from ._damage import damaged
from .corpora import packed, recordings

SAMPLE = 30


def cases(count: int, seed: int) -> Iterator[tuple[str, tuple[bytes, str, bytes, np.ndarray]]]:
    """A corpus, the name of its cache, what may lie there, and the filterbanks that the corpus has."""
    from safetensors.numpy import load, save

    logging.disable()  # of thousands of warnings nobody reads one
    corpus = packed(recordings())
    with tempfile.TemporaryDirectory() as folder:
        features = _loaded(Path(folder), corpus)
        (file,) = (Path(folder) / "cache" / "filterbanks").iterdir()
        content = file.read_bytes()
    known = load(content)["filterbanks"]
    spoilt = known.copy()
    spoilt[1, 50, 40] = np.nan
    others = {
        "of another shape": save({"filterbanks": np.ascontiguousarray(known[:, :50])}),
        "of another type": save({"filterbanks": known.astype(np.float16)}),
        "a number": save({"filterbanks": np.zeros((), np.float32)}),
        "of too many": save({"filterbanks": np.concatenate([known, known])}),
        "not a number": save({"filterbanks": spoilt}),
        "of another name": save({"x": known}),
        "without arrays": save({}),
        "empty": b"",
    }
    rng = np.random.default_rng(seed)
    for number in range(count):
        words, there = list(others.items())[number] if number < len(others) else damaged(content, others, rng)
        yield words, (corpus, file.name, there, features)


def use(content: tuple[bytes, str, bytes, np.ndarray]) -> str:
    """Load a corpus whose cache holds this."""
    corpus, name, there, features = content
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache" / "filterbanks"
        cache.mkdir(parents=True)
        (cache / name).write_bytes(there)
        np.testing.assert_array_equal(_loaded(Path(folder), corpus), features)
        assert [file.name for file in cache.iterdir()] == [name], "it was looked for elsewhere"
    return "the right data"


def _loaded(folder: Path, corpus: bytes) -> np.ndarray:
    """The filterbanks of a corpus, with the folder's cache."""
    from model import locations
    from model.data.corpora.fsdd import Fsdd

    (folder / "fsdd").mkdir()
    (folder / "fsdd" / "recordings.zip").write_bytes(corpus)
    with mock.patch.object(locations, "cache", return_value=folder / "cache"):
        return Fsdd(folder).load("train").features.numpy()
