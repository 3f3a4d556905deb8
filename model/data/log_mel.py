"""Kaldi log mel energies of waveforms, and their normalisation: for one live utterance and for batches in training."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchaudio.compliance import kaldi

SAMPLE_RATE = 8000
"""Hz. The rate of the open human corpus, so that corpora and microphones don't differ above 4 kHz."""


@dataclass(frozen=True, slots=True)
class FilterbankSettings:
    """Settings of the filterbanks (Section 4 of the paper); stored in every checkpoint.

    Energies more than ``range_decibels`` below an utterance's maximum are raised to that floor. Otherwise the digital
    silence of a gated microphone, a hundred decibels down, would dominate the normalisation.
    """

    sample_rate: int = SAMPLE_RATE
    bins: int = 80
    window_milliseconds: float = 25.0
    shift_milliseconds: float = 10.0
    window: Literal["povey"] = "povey"
    frames: int = 100
    range_decibels: float = 45.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @property
    def window_samples(self) -> int:
        """Length of a window."""
        return math.ceil(self.window_milliseconds * self.sample_rate / 1000)

    @property
    def shift_samples(self) -> int:
        """From one window to the next."""
        return int(self.shift_milliseconds * self.sample_rate / 1000)


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
        functional.pad(row, (0, window)) * 32768,  # Kaldi expects samples on the scale of 16-bit integers
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
    raised = torch.maximum(energies, loudest - settings.range_decibels * math.log(10) / 10)
    sizes = (count * energies.shape[2])[:, None, None]
    centred = (raised - (raised * spoken).sum((1, 2), keepdim=True) / sizes) * spoken
    deviation = (centred.square().sum((1, 2), keepdim=True) / sizes).sqrt()
    scaled = centred / deviation.clamp(min=1e-5)
    wanted = torch.arange(settings.frames, device=energies.device)
    index = (first + (count - settings.frames).clamp(min=0) // 2)[:, None] + wanted
    kept = (wanted < count[:, None]).unsqueeze(-1)
    gathered = scaled.gather(1, index.clamp(max=energies.shape[1] - 1).unsqueeze(-1).expand(-1, -1, energies.shape[2]))
    return gathered * kept
