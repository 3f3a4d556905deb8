"""Kaldi log mel energies of an utterance, and their normalisation.

:mod:`model.data.batched_log_mel` computes the same of batches with torch, where training distorts sound.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from kaldi_native_fbank import FbankOptions, OnlineFbank

from model.types import FloatArray

SAMPLE_RATE = 8000
"""Hz. The rate of the open human corpus, so that corpora and microphones don't differ above 4 kHz."""

FULL_SCALE = 32768
"""Kaldi expects samples on the scale of 16-bit integers."""

LEAST_DEVIATION = 1e-5
"""Of energies, so that an utterance without any contrast is not divided by zero."""


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
    def range_in_nats(self) -> float:
        """The range, in the units of log mel energies."""
        return self.range_decibels * math.log(10) / 10

    @property
    def window_samples(self) -> int:
        """Length of a window."""
        return math.ceil(self.window_milliseconds * self.sample_rate / 1000)

    @property
    def shift_samples(self) -> int:
        """From one window to the next."""
        return int(self.shift_milliseconds * self.sample_rate / 1000)


def log_mel(utterance: FloatArray, settings: FilterbankSettings) -> FloatArray:
    """Log mel energies of ``(samples,)`` in [-1, 1], ``(frames, bins)``; frames are whole windows."""
    filterbank = OnlineFbank(_options(settings))
    filterbank.accept_waveform(settings.sample_rate, utterance * FULL_SCALE)
    filterbank.input_finished()
    frames = [filterbank.get_frame(number) for number in range(filterbank.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, settings.bins), np.float32)


def normalise(energies: FloatArray, settings: FilterbankSettings) -> FloatArray:
    """A filterbank as the encoder takes it: with a floor, zero mean and unit variance, cropped or padded.

    Parameters
    ----------
    energies
        ``(frames, bins)``, at least one frame.
    settings
        The floor, and the number of frames.

    Returns
    -------
    ndarray
        ``(settings.frames, bins)``. A longer utterance is cropped to its centre, a shorter one padded with zeros at the
        end.
    """
    raised = np.maximum(energies, energies.max() - settings.range_in_nats)
    centred = raised - raised.mean()
    scaled = centred / max(float(np.sqrt(np.square(centred).mean())), LEAST_DEVIATION)
    surplus = max(0, len(scaled) - settings.frames)
    cropped = scaled[surplus // 2 : surplus // 2 + settings.frames]
    return np.pad(cropped, ((0, settings.frames - len(cropped)), (0, 0)))


@lru_cache(maxsize=4)
def _options(settings: FilterbankSettings) -> FbankOptions:
    options = FbankOptions()
    frames, mel = options.frame_opts, options.mel_opts
    frames.samp_freq = settings.sample_rate
    frames.frame_length_ms, frames.frame_shift_ms = settings.window_milliseconds, settings.shift_milliseconds
    frames.window_type, frames.dither = settings.window, 0.0
    mel.num_bins, mel.low_freq, mel.high_freq = settings.bins, 20.0, 0.0
    options.use_energy = False
    return options
