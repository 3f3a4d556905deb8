"""Inputs of the encoders that are computed once, by several processes, and cached."""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import math
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType

from model import locations
from model.data.array_cache import ArrayCache
from model.data.piece_workers import Computer, compute_pieces, processes_for
from model.progress import ProgressCallback

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.1
_UNUSED_SECONDS = 60 * 24 * 3600
_PIECE = 128  # items computed at once


def prepare(
    name: str,
    activity: str,
    fingerprint: Sequence[object],
    keys: Sequence[str],
    shape: tuple[int, int],
    computer: Computer,
    code: Iterable[ModuleType],
    progress: ProgressCallback,
) -> ArrayCache:
    """The complete cache of a corpus's inputs, which are computed as far as they are not in it.

    If the computation ends early, the next call continues with the remaining items.

    Parameters
    ----------
    name, activity
        Name of the cache, with its folder; what is done, for people.
    fingerprint
        JSON-ready values that change when the items or the settings change.
    keys, shape
        Keys of the items; shape of an input.
    computer
        Computes a piece.
    code
        The modules that decide what is computed: if they change, everything is computed again.
    progress
        Called with the share done, unless all are in the cache.
    """
    hashes = [hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in code]
    state = json.dumps([*fingerprint, *hashes, *keys])
    file = locations.cache() / f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:16]}.f32"
    cache = ArrayCache(file, len(keys), shape)
    if not cache.complete:
        with cache.locked(progress):
            _complete(cache, keys, computer, activity, progress)
        _delete_unused(file)
    with suppress(OSError):
        os.utime(file)  # it is in use
    return cache


def _delete_unused(file: Path) -> None:
    """Delete other caches of the same name that nobody has read for two months: of former recordings or settings."""
    latest = time.time() - _UNUSED_SECONDS
    name = file.stem.rpartition("-")[0]
    for other in file.parent.glob(f"{glob.escape(name)}-{'[0-9a-f]' * 16}.f32"):
        with suppress(OSError):  # on some systems a file that is mapped can't be deleted
            if other != file and other.stat().st_mtime < latest:
                other.unlink()
                for suffix in (".jsonl", ".lock"):
                    other.with_suffix(suffix).unlink(missing_ok=True)
                log.info("Deleted %s, which was not used for two months.", other)


def _complete(
    cache: ArrayCache, keys: Sequence[str], computer: Computer, activity: str, progress: ProgressCallback
) -> None:
    """Compute what is not in the cache."""
    remaining = keys[cache.done :]
    log.info("%s: %d items", activity, len(remaining))
    pieces = [remaining[start : start + _PIECE] for start in range(0, len(remaining), _PIECE)]
    last_report = -math.inf
    with closing(compute_pieces(computer, pieces, processes_for(len(remaining)))) as computed:
        while not cache.complete:
            if (now := time.monotonic()) - last_report > _PROGRESS_SECONDS:
                progress(cache.done / len(keys), f"{activity} (only once)")
                last_report = now
            cache.append(next(computed))
