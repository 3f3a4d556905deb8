"""Kaldi log mel energies of batches of waveforms, and their normalisation, with torch on any device.

The same, within rounding, as :mod:`model.data.log_mel` computes of each.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional
from torchaudio.compliance import kaldi

from model.data.log_mel import FULL_SCALE, LEAST_DEVIATION, FilterbankSettings


def log_mel(waveforms: Tensor, settings: FilterbankSettings) -> Tensor:
    """Log mel energies, ``(n, samples)`` in [-1, 1] to ``(n, frames, bins)``; frames are whole windows."""
    window, shift = settings.window_samples, settings.shift_samples
    count, samples = waveforms.shape
    frames = 1 + (samples - window) // shift
    # Kaldi's function takes one waveform: all in a row, of a length such that frames begin at each one's beginning.
    # Frames that reach into the next waveform are dropped.
    length = -(-samples // shift) * shift
    row = functional.pad(waveforms, (0, length - samples)).reshape(1, -1)
    energies: Tensor = kaldi.fbank(
        functional.pad(row, (0, window)) * FULL_SCALE,
        num_mel_bins=settings.bins,
        frame_length=settings.window_milliseconds,
        frame_shift=settings.shift_milliseconds,
        window_type=settings.window,
        sample_frequency=settings.sample_rate,
        dither=0.0,
    )
    return energies[: count * (length // shift)].view(count, -1, settings.bins)[:, :frames]


def normalise(energies: Tensor, first: Tensor, count: Tensor, settings: FilterbankSettings) -> Tensor:
    """Filterbanks as the encoder takes them: with a floor, zero mean and unit variance, cropped or padded.

    Parameters
    ----------
    energies
        ``(n, frames, bins)``.
    first, count
        ``(n,)``: the first frame of each utterance, and how many it has, at least one. Only these count.
    settings
        The floor, and the number of frames.

    Returns
    -------
    Tensor
        ``(n, settings.frames, bins)``. Longer utterances are cropped to their centre, shorter ones padded with zeros at
        the end.
    """
    places = torch.arange(energies.shape[1], device=energies.device)
    spoken = ((places >= first[:, None]) & (places < (first + count)[:, None])).unsqueeze(-1)
    loudest = energies.masked_fill(~spoken, -math.inf).amax((1, 2), keepdim=True)
    raised = torch.maximum(energies, loudest - settings.range_in_nats)
    sizes = (count * energies.shape[2])[:, None, None]
    centred = (raised - (raised * spoken).sum((1, 2), keepdim=True) / sizes) * spoken
    deviation = (centred.square().sum((1, 2), keepdim=True) / sizes).sqrt()
    scaled = centred / deviation.clamp(min=LEAST_DEVIATION)
    wanted = torch.arange(settings.frames, device=energies.device)
    index = (first + (count - settings.frames).clamp(min=0) // 2)[:, None] + wanted
    kept = (wanted < count[:, None]).unsqueeze(-1)
    gathered = scaled.gather(1, index.clamp(max=energies.shape[1] - 1).unsqueeze(-1).expand(-1, -1, energies.shape[2]))
    return gathered * kept
