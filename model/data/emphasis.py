"""An utterance in which some moments stay as loud as they are, and the rest is faded."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.data.speech import FilterbankSettings
from model.types import FloatArray

FADED_DECIBELS = -20.0
"""Gain where nothing matters."""

_FULL = 0.5  # share of the greatest heat from which on nothing is faded
_SMOOTH = 5  # frames: the gain changes by at most a fifth of its range from one frame to the next, without clicks


def emphasise(utterance: FloatArray, shares: FloatArray, settings: FilterbankSettings | None = None) -> FloatArray:
    """Fade what does not matter.

    Parameters
    ----------
    utterance
        As :meth:`model.data.speech.SpeechFrontEnd.trim` returns it, ``(n,)``, at least one window long.
    shares
        How much each frame of its filterbank matters, ``(100,)`` in [0, 1]. From a half on a frame stays as loud as it
        is.
    settings
        Of the filterbank; by default those of this version.

    Returns
    -------
    ndarray
        ``(n,)`` float32: the utterance times a smooth gain, from :data:`FADED_DECIBELS` to 0 dB. What the filterbank
        has cropped is faded.
    """
    settings = settings or FilterbankSettings()
    window, shift = settings.window_samples, settings.shift_samples
    count = 1 + (len(utterance) - window) // shift  # Kaldi's frames are whole windows, the first at the first sample
    first = max(0, (count - len(shares)) // 2)  # a longer utterance was cropped to its centre
    heat = np.zeros(count)
    heat[first : first + len(shares)] = shares[: count - first]
    level = np.minimum(heat / _FULL, 1)
    # The mean of maxima is nowhere below the level itself: what stays loud does so entirely.
    for reduce in (np.max, np.mean):
        level = reduce(sliding_window_view(np.pad(level, _SMOOTH // 2, mode="edge"), _SMOOTH), axis=1)
    centres = shift * np.arange(count) + window / 2
    decibels = np.interp(np.arange(len(utterance)), centres, FADED_DECIBELS * (1 - level))
    return np.asarray(utterance * 10 ** (decibels / 20), np.float32)
