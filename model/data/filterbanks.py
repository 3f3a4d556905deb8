"""Filterbanks of a corpus's recordings, cached on disk."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model import locations
from model.checkpoints import FORMAT, UnusableCheckpoint, read, write_atomically
from model.data import speech
from model.data.corpora.base import MissingData
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio, resample
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray

log = logging.getLogger(__name__)

Clip = Callable[[str], tuple[FloatArray, int]]
"""Reads a recording by its key: ``(n,)`` in [-1, 1] and its rate in Hz."""

_PROGRESS_SECONDS = 0.1
_CACHED = "filterbanks"
_MAX_HEADER = 10_000  # bytes of a cache file without its array


def filterbanks(
    name: str,
    title: str,
    fingerprint: Iterable[object],
    keys: Sequence[str],
    clip: Clip,
    progress: ProgressCallback = no_progress,
) -> Tensor:
    """Compute filterbanks of recordings, ``(n, 100, 80)``, or read them from the cache.

    If the computation ends early, the next call continues with the remaining recordings.

    Parameters
    ----------
    name, title
        Name of corpus and split for the cache; title of the corpus for people.
    fingerprint
        Values that change when the recordings change.
    keys, clip
        Keys of the recordings, and the function that reads one.
    progress
        Called with the share done, unless all are in the cache.

    Raises
    ------
    MissingData
        If a recording can't be read.
    """
    settings = FilterbankSettings()
    code = hashlib.sha256(Path(speech.__file__).read_bytes()).hexdigest()  # a changed front end makes other filterbanks
    state = json.dumps([settings.to_dict(), code, *map(str, fingerprint), *keys])
    file = locations.cache() / "filterbanks" / f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:16]}.safetensors"
    known = _read_cache(file, len(keys), (settings.frames, settings.bins))
    if len(known) == len(keys):
        return torch.from_numpy(known)
    log.info("Computing filterbanks of %d recordings of %s", len(keys) - len(known), name)
    computed = [*known]
    try:
        with _one_thread():
            front_end = SpeechFrontEnd(settings)
            last_report = -math.inf
            for key in keys[len(known) :]:
                if (now := time.monotonic()) - last_report > _PROGRESS_SECONDS:
                    progress(len(computed) / len(keys), f"Computing filterbanks of {title} (only once)")
                    last_report = now
                computed.append(_filterbank(front_end, key, clip))
    finally:
        if len(computed) > len(known):
            _write_cache(file, computed)
    return torch.from_numpy(np.stack(computed))


def _read_cache(file: Path, most: int, shape: tuple[int, int]) -> FloatArray:
    """The filterbanks in a cache file, ``(n, *shape)`` with ``n`` up to ``most``; none if it is missing or damaged."""
    nothing: FloatArray = np.zeros((0, *shape), np.float32)
    if not file.is_file():
        return nothing
    try:
        if file.stat().st_size > _MAX_HEADER + most * math.prod(shape) * nothing.itemsize:
            raise UnusableCheckpoint("it is too large")
        arrays, header = read(file)
        known: FloatArray = arrays[_CACHED]
        if known.dtype != nothing.dtype or known.shape[1:] != shape or len(known) > most:
            raise UnusableCheckpoint(f"{known.dtype} of the shape {known.shape}")
        if header["crc32"] != zlib.crc32(known.data) or not np.isfinite(known).all():
            raise UnusableCheckpoint("its content has changed")
    except (OSError, UnusableCheckpoint, KeyError) as error:
        log.warning("The cache %s is damaged and will be computed again: %s", file, error)
        return nothing
    return known


def _write_cache(file: Path, computed: Sequence[FloatArray]) -> None:
    try:
        filterbanks = np.stack(computed)
        write_atomically(file, {_CACHED: filterbanks}, {"format": FORMAT, "crc32": zlib.crc32(filterbanks.data)})
    except OSError as error:
        log.warning("%s can't be cached: %s", file.stem, error)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: for small work a second one costs more than it saves."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def utterance_in(front_end: SpeechFrontEnd, samples: FloatArray, rate: int) -> FloatArray:
    """The utterance in a recording of a corpus, at the front end's rate.

    As for live sound, but if no voice activity is detected, the whole recording is used, as a corpus is speech.
    """
    try:
        return front_end.trim(samples, rate)
    except UnusableAudio:
        return resample(samples, rate, front_end.settings.sample_rate)


def _filterbank(front_end: SpeechFrontEnd, key: str, clip: Clip) -> FloatArray:
    try:
        filterbank = front_end.filterbank(utterance_in(front_end, *clip(key)))
        if not np.isfinite(filterbank).all():
            raise UnusableAudio("It holds values that are not finite.")
        return filterbank
    except UnusableAudio as error:
        raise MissingData(f"The recording {key} can't be used: {error} Get it again, or delete it.") from error
