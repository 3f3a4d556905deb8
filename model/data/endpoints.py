"""Endpoints of a word by its energy, where a voice activity detector has found too much or nothing.

With other people in the background the detector hears speech from the first to the last moment; the word is where it
is much louder. The threshold adapts to the recording, after Rabiner and Sambur 1975
(doi:10.1002/j.1538-7305.1975.tb02840.x). What is no longer than a word is left as the detector found it, which in
steady noise is better at soft consonants. A word that is cut off before its vowel, or drowned in noise, is no speech to
the detector, but still stands out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.types import FloatArray

Levels = npt.NDArray[np.float64]

_WORD_SECONDS = 0.8  # hardly any spoken digit is longer
_FRAME_SECONDS, _SHIFT_SECONDS = 0.025, 0.010
_SMOOTH = 3  # frames
_PRE_EMPHASIS = 0.97  # so that hum does not count, and hiss of consonants does
_PEAK, _BACKGROUND = 0.95, 0.10  # quantiles of the frames' levels: in the word, and in the whole recording
_RANGE = 60.0  # dB: a background more than that below the peak, such as digital silence, counts as that far below
_THRESHOLD = 0.3  # of the way from background to peak
_GAP = 12  # frames: shorter gaps, such as the stop in "eight", don't separate
_MARGIN = 6  # frames kept at either end, for soft consonants
_CONTRAST = 5.0  # dB from background to peak, of which steady noise of any colour has two
_LONGER_THAN_A_CLICK = 10  # frames above the threshold


def loudest_part(samples: FloatArray, start: int, end: int, rate: int) -> tuple[int, int]:
    """The part of ``samples[start:end]`` with the most energy above the background; all of it, if it is short.

    Parameters
    ----------
    samples
        The recording, ``(n,)``, with as much of the background as there is.
    start, end
        Where speech was detected.
    rate
        Sampling rate in Hz.

    Returns
    -------
    tuple
        First sample, and the one after the last: within ``start`` and ``end``.
    """
    if end - start <= _WORD_SECONDS * rate:
        return start, end
    frame, shift = _frame_and_shift(rate)
    levels = _levels(samples, rate)
    first = start // shift
    found = levels[first : (end - frame) // shift + 1]
    part = _loudest(found, *_background_and_peak(levels, found))
    return (
        max(start, (first + int(part[0]) - _MARGIN) * shift),
        min(end, (first + int(part[-1]) + _MARGIN) * shift + frame),
    )


def outstanding_part(samples: FloatArray, rate: int) -> tuple[int, int] | None:
    """The part of a recording that stands out from the background, if it is longer than a click.

    Parameters
    ----------
    samples
        The recording, ``(n,)``.
    rate
        Sampling rate in Hz.

    Returns
    -------
    tuple or None
        First sample, and the one after the last; None if nothing stands out, as in steady noise.
    """
    frame, shift = _frame_and_shift(rate)
    if len(samples) < frame:
        return None
    levels = _levels(samples, rate)
    background, peak = _background_and_peak(levels, levels)
    if peak - background < _CONTRAST:
        return None
    part = _loudest(levels, background, peak)
    if len(part) < _LONGER_THAN_A_CLICK:
        return None
    start, end = (int(part[0]) - _MARGIN) * shift, (int(part[-1]) + _MARGIN) * shift + frame
    return max(0, start), min(end, len(samples))


def _frame_and_shift(rate: int) -> tuple[int, int]:
    """Samples of a frame, and from one to the next."""
    return round(_FRAME_SECONDS * rate), round(_SHIFT_SECONDS * rate)


def _levels(samples: FloatArray, rate: int) -> Levels:
    """The level of each frame in dB, without what is slower than a frame, such as rumble."""
    frame, shift = _frame_and_shift(rate)
    emphasised = samples.astype(np.float64)
    emphasised[1:] -= _PRE_EMPHASIS * samples[:-1].astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, frame)[::shift]
    levels = np.pad(10 * np.log10(frames.var(axis=1) + 1e-12), _SMOOTH // 2, mode="symmetric")
    return np.convolve(levels, np.full(_SMOOTH, 1 / _SMOOTH), mode="valid")


def _background_and_peak(levels: Levels, found: Levels) -> tuple[float, float]:
    """The background in a whole recording, and the peak in a part of it."""
    peak = float(np.quantile(found, _PEAK))
    return max(float(np.quantile(levels, _BACKGROUND)), peak - _RANGE), peak


def _loudest(levels: Levels, background: float, peak: float) -> npt.NDArray[np.intp]:
    """The frames above the threshold of the word with the most energy."""
    loud = np.flatnonzero(levels >= background + _THRESHOLD * (peak - background))
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > _GAP) + 1)
    return max(parts, key=lambda places: float((10 ** (levels[places] / 10)).sum()))
