"""The sound of a filterbank: mel energies to a spectrum, and its phase by Griffin and Lim 1984."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
import torchaudio
from torch import Tensor
from torchaudio.compliance import kaldi

from model.data.speech import FilterbankSettings
from model.generation.utterances import utterance
from model.types import FloatArray

NATS = 3.0
"""Log energy that one standard deviation stands for: normalisation has removed it; typical of the corpora."""

PEAK = 0.7
"""Of the sound, full scale at 1."""

_PREEMPHASIS = 0.97  # Kaldi's
_ITERATIONS = 4  # with more, what is decoded is understood less, see docs/decisions/0036
_FADE_SECONDS = 0.01


def to_waveform(filterbank: FloatArray, settings: FilterbankSettings | None = None) -> FloatArray:
    """Sound that has about this filterbank, without padding, faded in and out.

    Parameters
    ----------
    filterbank
        ``(100, 80)`` normalised log mel energies, time x frequency, as the front end makes them or a decoder.
    settings
        Of the filterbank; by default those of this version.

    Returns
    -------
    ndarray
        ``(n,)`` float32 at the settings' rate, with the peak `PEAK`; silence where the filterbank is flat.
    """
    settings = settings or FilterbankSettings()
    energies = utterance(filterbank)
    if not len(energies):
        return np.zeros(settings.sample_rate // 10, np.float32)
    log_energies = NATS * torch.from_numpy(energies)
    floor = -settings.range_decibels * math.log(10) / 10
    log_energies = (log_energies - log_energies.max()).clamp(min=floor)
    log_energies = torch.where(log_energies > floor, log_energies, -torch.inf)  # the floor stands for silence
    with torch.inference_mode():
        window, padded = _window(settings), _padded(settings)
        power = (_inverse_mel(settings) @ log_energies.exp().T).clamp(min=0)
        samples = torchaudio.functional.griffinlim(
            power.sqrt(),
            window=window,
            n_fft=padded,
            hop_length=settings.shift_samples,
            win_length=len(window),
            power=1.0,
            n_iter=_ITERATIONS,
            momentum=0.0,
            length=None,
            rand_init=False,
        )
        samples = torchaudio.functional.deemphasis(samples, _PREEMPHASIS)
    return _finished(samples.numpy(), settings)


def _finished(samples: FloatArray, settings: FilterbankSettings) -> FloatArray:
    """Without offset, faded, and as loud as its peak allows."""
    samples = samples - samples.mean()
    fade = min(len(samples) // 2, int(_FADE_SECONDS * settings.sample_rate))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    samples[:fade] *= ramp
    samples[len(samples) - fade :] *= ramp[::-1]
    return np.asarray(samples * (PEAK / max(float(np.abs(samples).max()), 1e-9)), np.float32)


def _padded(settings: FilterbankSettings) -> int:
    """Kaldi rounds the window up to a power of two for the Fourier transform."""
    return 1 << (settings.window_samples - 1).bit_length()


def _window(settings: FilterbankSettings) -> Tensor:
    """Povey's: a Hann window to the power of .85."""
    return torch.hann_window(settings.window_samples, periodic=False).pow(0.85)


@lru_cache(maxsize=2)
def _inverse_mel(settings: FilterbankSettings) -> Tensor:
    """Pseudo-inverse of Kaldi's mel filters, ``(frequencies, bands)``."""
    filters, _ = kaldi.get_mel_banks(
        settings.bins, _padded(settings), float(settings.sample_rate), 20.0, 0.0, 100.0, -500.0, 1.0
    )
    filters = torch.nn.functional.pad(filters, (0, 1))  # Kaldi leaves out the highest frequency
    inverse: Tensor = torch.linalg.pinv(filters)
    return inverse
