"""Filterbanks and waveforms of a corpus's recordings, cached on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.data import endpoints, log_mel, speech, voice_activity
from model.data.array_cache import Piece
from model.data.corpora.base import MissingData
from model.data.prepared import prepare
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio, resample
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

_MAX_SAMPLES = 5_000_000  # processed at once: 128 recordings of 0.8 s at 48 kHz

_MAX_PADDED = 1_000_000  # samples at 8 kHz whose energies are computed at once: 125 utterances of a second


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

    features: Tensor
    waveforms: Tensor
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
    rows = torch.from_numpy(cache.arrays())
    waveforms = rows[:, settings.frames :].flatten(1)
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
        """Read, trim and convert recordings together."""
        if self._front_end is None:  # it can't be sent to another process
            self._front_end = SpeechFrontEnd(self.settings)
        made: dict[str, FloatArray] = {}
        errors: dict[str, str] = {}
        rates: dict[int, int] = {}
        for clips in self._read(keys, errors):
            utterances = _utterances(self._front_end, [*clips.values()])
            converted = _filterbanks(self._front_end, utterances)
            for (key, (_, rate)), utterance, found in zip(clips.items(), utterances, converted, strict=True):
                if isinstance(found, UnusableAudio):
                    errors[key] = _unusable(key, found)
                elif not np.isfinite(found).all():
                    errors[key] = _unusable(key, "It holds values that are not finite.")
                else:
                    made[key] = np.concatenate([found, _waveform(utterance).reshape(-1, found.shape[1])])
                    rates[rate] = rates.get(rate, 0) + 1
        usable = np.zeros((len(made), *_shape(self.settings)), np.float32)
        for row, key in zip(usable, (key for key in keys if key in made), strict=True):
            row[:] = made[key]
        return Piece(len(keys), usable, {key: errors[key] for key in keys if key in errors}, rates)

    def _read(self, keys: Sequence[str], errors: dict[str, str]) -> Iterator[dict[str, tuple[FloatArray, int]]]:
        """Recordings by key, in batches of bounded size; adds why others can't be used to ``errors``."""
        clips: dict[str, tuple[FloatArray, int]] = {}
        for key in keys:
            try:
                clips[key] = self.clip(key)
            except MissingData as error:
                errors[key] = str(error)
            except UnusableAudio as error:
                errors[key] = _unusable(key, error)
            if sum(len(samples) for samples, _ in clips.values()) > _MAX_SAMPLES:
                yield clips
                clips = {}
        yield clips


def utterance_in(front_end: SpeechFrontEnd, samples: FloatArray, rate: int) -> FloatArray:
    """The utterance in a recording of a corpus, at the front end's rate.

    As for live sound, but if no voice activity is detected, the whole recording is used, as a corpus is speech.
    """
    return _utterances(front_end, [(samples, rate)])[0]


def _utterances(front_end: SpeechFrontEnd, clips: Sequence[tuple[FloatArray, int]]) -> list[FloatArray]:
    """As :func:`utterance_in`, for many recordings."""
    return [
        resample(*clip, front_end.settings.sample_rate) if isinstance(utterance, UnusableAudio) else utterance
        for utterance, clip in zip(front_end.trim_all(clips), clips, strict=True)
    ]


def _waveform(utterance: FloatArray) -> FloatArray:
    """Its centre, or padded with zeros at the end, ``(WAVEFORM_SAMPLES,)``."""
    surplus = max(0, len(utterance) - WAVEFORM_SAMPLES)
    cropped = utterance[surplus // 2 : surplus // 2 + WAVEFORM_SAMPLES]
    return np.pad(cropped, (0, WAVEFORM_SAMPLES - len(cropped)))


def _filterbanks(front_end: SpeechFrontEnd, utterances: Sequence[FloatArray]) -> list[FloatArray | UnusableAudio]:
    """Filterbanks of utterances; those of similar length together, as shorter ones are padded to the longest."""
    order = sorted(range(len(utterances)), key=lambda place: len(utterances[place]))
    found: dict[int, FloatArray | UnusableAudio] = {}
    while order:
        count = 1
        while count < len(order) and (count + 1) * len(utterances[order[count]]) <= _MAX_PADDED:
            count += 1
        group, order = order[:count], order[count:]
        found |= zip(group, front_end.filterbanks([utterances[place] for place in group]), strict=True)
    return [found[place] for place in range(len(utterances))]


def _unusable(key: str, why: object) -> str:
    return f"The recording {key} can't be used: {why} Get it again, or delete it."
