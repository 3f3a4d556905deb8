"""Endpoints of a word by its energy, within what a voice activity detector has found.

With other people in the background the detector hears speech from the first to the last moment; the word is where it
is much louder. The threshold adapts to the recording, after Rabiner and Sambur 1975
(doi:10.1002/j.1538-7305.1975.tb02840.x). What is no longer than a word is left as the detector found it, which in
steady noise is better at soft consonants.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from model.types import FloatArray

_WORD_SECONDS = 0.8  # hardly any spoken digit is longer
_FRAME_SECONDS, _SHIFT_SECONDS = 0.025, 0.010
_SMOOTH = 3  # frames
_PRE_EMPHASIS = 0.97  # so that hum does not count, and hiss of consonants does
_PEAK, _BACKGROUND = 0.95, 0.10  # quantiles of the frames' levels: in the word, and in the whole recording
_RANGE = 60.0  # dB: a background more than that below the peak, such as digital silence, counts as that far below
_THRESHOLD = 0.3  # of the way from background to peak
_GAP = 12  # frames: shorter gaps, such as the stop in "eight", don't separate
_MARGIN = 6  # frames kept at either end, for soft consonants


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
    frame, shift = round(_FRAME_SECONDS * rate), round(_SHIFT_SECONDS * rate)
    emphasised = samples.astype(np.float64)
    emphasised[1:] -= _PRE_EMPHASIS * samples[:-1].astype(np.float64)  # scipy.signal takes half a second to import
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, frame)[::shift]
    levels = uniform_filter1d(10 * np.log10(np.square(frames).mean(1) + 1e-12), _SMOOTH)
    first = start // shift
    found = levels[first : (end - frame) // shift + 1]
    peak = np.quantile(found, _PEAK)
    background = max(np.quantile(levels, _BACKGROUND), peak - _RANGE)
    loud = np.flatnonzero(found >= background + _THRESHOLD * (peak - background))
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > _GAP) + 1)
    part = max(parts, key=lambda places: float((10 ** (found[places] / 10)).sum()))
    return (
        max(start, (first + int(part[0]) - _MARGIN) * shift),
        min(end, (first + int(part[-1]) + _MARGIN) * shift + frame),
    )
