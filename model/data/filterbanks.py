"""Filterbanks and waveforms of a corpus's recordings, cached on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.data import endpoints, log_mel, speech, voice_activity
from model.data.array_cache import Piece
from model.data.corpora.base import MissingData
from model.data.prepared import prepare
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio, utterance_in
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray

Clip = Callable[[str], tuple[FloatArray, int]]
"""Reads a recording by its key: ``(n,)`` in [-1, 1] and its rate in Hz.

It raises :class:`UnusableAudio` or :class:`MissingData`. If it can be pickled, several processes read many recordings.
"""

FRONT_END = (speech, endpoints, log_mel, voice_activity)
"""The modules that decide what the filterbank of a recording is: caches depend on them."""

WAVEFORM_SAMPLES = 7_600
"""Of the waveforms: 0.95 s, which few words exceed."""


@dataclass(frozen=True, slots=True, eq=False)
class Filterbanks:
    """Filterbanks of recordings.

    Attributes
    ----------
    features
        Those of the usable recordings, in their order, ``(n, 100, 80)``.
    waveforms
        Their utterances, cropped to the centre or padded with zeros at the end, ``(n, WAVEFORM_SAMPLES)``.
    unusable
        Why the others can't be used, in words, by key.
    rates
        Number of usable recordings by sampling rate in Hz.
    """

    features: FloatArray
    waveforms: FloatArray
    unusable: Mapping[str, str]
    rates: Mapping[int, int]


def filterbanks(
    name: str,
    title: str,
    fingerprint: Iterable[object],
    keys: Sequence[str],
    clip: Clip,
    progress: ProgressCallback = no_progress,
) -> Filterbanks:
    """Filterbanks of recordings that must all be usable; parameters as of :func:`usable_filterbanks`.

    Raises
    ------
    MissingData
        If a recording can't be used.
    """
    found = usable_filterbanks(name, title, fingerprint, keys, clip, progress)
    for why in found.unusable.values():
        raise MissingData(why)
    return found


def usable_filterbanks(
    name: str,
    title: str,
    fingerprint: Iterable[object],
    keys: Sequence[str],
    clip: Clip,
    progress: ProgressCallback = no_progress,
) -> Filterbanks:
    """Compute filterbanks of those recordings that can be used, or read them from the cache.

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
    """
    settings = FilterbankSettings()
    cache = prepare(
        f"filterbanks/{name}",
        f"Computing filterbanks of {title}",
        [settings.to_dict(), *map(str, fingerprint)],
        keys,
        _shape(settings),
        Computer(settings, clip),
        FRONT_END,
        progress,
    )
    rows = cache.arrays()
    waveforms = rows[:, settings.frames :].reshape(len(rows), WAVEFORM_SAMPLES)
    return Filterbanks(rows[:, : settings.frames], waveforms, cache.unusable, cache.rates)


def _shape(settings: FilterbankSettings) -> tuple[int, int]:
    """What is cached of a recording: the filterbank, and below it the waveform in lines of the same length."""
    return settings.frames + WAVEFORM_SAMPLES // settings.bins, settings.bins


@dataclass(slots=True)
class Computer:
    """Computes the filterbanks of a piece of a corpus, given its keys."""

    settings: FilterbankSettings
    clip: Clip
    _front_end: SpeechFrontEnd | None = None

    def __call__(self, keys: Sequence[str]) -> Piece:
        """Read, trim and convert recordings."""
        if self._front_end is None:  # it can't be sent to another process
            self._front_end = SpeechFrontEnd(self.settings)
        made: dict[str, FloatArray] = {}
        errors: dict[str, str] = {}
        rates: dict[int, int] = {}
        for key in keys:
            try:
                samples, rate = self.clip(key)
                utterance = utterance_in(self._front_end, samples, rate)
                found = self._front_end.filterbank(utterance)
            except MissingData as error:
                errors[key] = str(error)
            except UnusableAudio as error:
                errors[key] = _unusable(key, error)
            else:
                made[key] = np.concatenate([found, _waveform(utterance).reshape(-1, found.shape[1])])
                rates[rate] = rates.get(rate, 0) + 1
        usable = np.array([*made.values()], np.float32).reshape(len(made), *_shape(self.settings))
        return Piece(len(keys), usable, errors, rates)


def _waveform(utterance: FloatArray) -> FloatArray:
    """Its centre, or padded with zeros at the end, ``(WAVEFORM_SAMPLES,)``."""
    surplus = max(0, len(utterance) - WAVEFORM_SAMPLES)
    cropped = utterance[surplus // 2 : surplus // 2 + WAVEFORM_SAMPLES]
    return np.pad(cropped, (0, WAVEFORM_SAMPLES - len(cropped)))


def _unusable(key: str, why: object) -> str:
    return f"The recording {key} can't be used: {why} Get it again, or delete it."
