"""Filterbanks of a corpus's recordings, kept between runs."""

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

_TELL_SECONDS = 0.1
_CACHED = "filterbanks"
_LARGEST_HEADER = 10_000  # bytes of a cache beside its array


def filterbanks(
    name: str,
    title: str,
    fingerprint: Iterable[object],
    keys: Sequence[str],
    clip: Clip,
    progress: ProgressCallback = no_progress,
) -> Tensor:
    """Filterbanks of a corpus's recordings, ``(n, 100, 80)``, kept in the cache between runs.

    Whatever ends it early, what it has heard so far is kept too, and the next time begins there.

    Parameters
    ----------
    name, title
        Of the corpus and split, for the cache; of the corpus, for people.
    fingerprint
        Whatever tells one state of the recordings from another.
    keys, clip
        The recordings and the function that reads one.
    progress
        Hears the share that is done, unless all are in the cache.

    Raises
    ------
    MissingData
        If a recording can't be read.
    """
    settings = FilterbankSettings()
    code = hashlib.sha256(Path(speech.__file__).read_bytes()).hexdigest()  # another front end hears other filterbanks
    state = json.dumps([settings.to_dict(), code, *map(str, fingerprint), *keys])
    kept = locations.cache() / "filterbanks" / f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:16]}.safetensors"
    known = _kept(kept, len(keys), (settings.frames, settings.bins))
    if len(known) == len(keys):
        return torch.from_numpy(known)
    log.info("Listening to %d recordings of %s", len(keys) - len(known), name)
    heard = [*known]
    try:
        with _one_thread():
            front_end = SpeechFrontEnd(settings)
            told = -math.inf
            for key in keys[len(known) :]:
                if (now := time.monotonic()) - told > _TELL_SECONDS:
                    progress(len(heard) / len(keys), f"Listening to {title} (the first time only)")
                    told = now
                heard.append(_filterbank(front_end, key, clip))
    finally:
        if len(heard) > len(known):
            _keep(kept, heard)
    return torch.from_numpy(np.stack(heard))


def _kept(file: Path, most: int, shape: tuple[int, int]) -> FloatArray:
    """What a file of the cache holds, ``(n, *shape)`` with ``n`` up to ``most``; nothing where it is not what it was.

    A cache is never an error: whatever became of it, it can be made anew.
    """
    nothing: FloatArray = np.zeros((0, *shape), np.float32)
    if not file.is_file():
        return nothing
    try:
        if file.stat().st_size > _LARGEST_HEADER + most * math.prod(shape) * nothing.itemsize:
            raise UnusableCheckpoint("it is too large")
        arrays, header = read(file)
        known: FloatArray = arrays[_CACHED]
        if known.dtype != nothing.dtype or known.shape[1:] != shape or len(known) > most:
            raise UnusableCheckpoint(f"{known.dtype} of the shape {known.shape}")
        if header["crc32"] != zlib.crc32(known.data) or not np.isfinite(known).all():
            raise UnusableCheckpoint("its content has changed")
    except (OSError, UnusableCheckpoint, KeyError) as error:
        log.warning("The cache %s is damaged and made anew: %s", file, error)
        return nothing
    return known


def _keep(file: Path, heard: Sequence[FloatArray]) -> None:
    try:
        filterbanks = np.stack(heard)
        write_atomically(file, {_CACHED: filterbanks}, {"format": FORMAT, "crc32": zlib.crc32(filterbanks.data)})
    except OSError as error:
        log.warning("%s can't be kept for next time: %s", file.stem, error)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Work this small only waits for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _filterbank(front_end: SpeechFrontEnd, key: str, clip: Clip) -> FloatArray:
    """As for live sound, but a corpus is known to be speech: where no voice activity is found all of it counts."""
    try:
        samples, rate = clip(key)
        try:
            utterance = front_end.trim(samples, rate)
        except UnusableAudio:
            utterance = resample(samples, rate, front_end.settings.sample_rate)
        filterbank = front_end.filterbank(utterance)
        if not np.isfinite(filterbank).all():
            raise UnusableAudio("It holds values that are not numbers, or far too large.")
        return filterbank
    except UnusableAudio as error:
        raise MissingData(f"The recording {key} can't be used: {error} Get it again, or delete it.") from error
