"""What rooms, microphones and other people do to speech: noise, babble, reverberation, colour, clipping, few bits.

All functions take and return ``(n, samples)`` waveforms on one device; levels are one number or ``(n, 1)`` tensors, on
that device unless they say otherwise. None reads a value from the device, which would have to finish its work first.
Evaluation applies them one at a time at fixed levels (:mod:`model.data.conditions`), training in random
combinations (:mod:`model.data.waveform_augmentation`).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_SILENCE = 1e-6
_DIRECT_SECONDS = 0.003  # of a room's response, before the first reflection
_COLOUR_FROM = 50.0  # Hz: below, coloured noise has the power of this frequency, else most of it would be inaudible
_LOUD_SHARE = 3  # speech is measured in the loudest third of its frames: pauses don't count
_FRAME_SECONDS = 0.02


def coloured_noise(
    shape: tuple[int, int],
    rate: int,
    exponent: float | Tensor,
    generator: torch.Generator,
    device: torch.device | None = None,
) -> Tensor:
    """Stationary noise with unit power and a power spectrum of 1/f to the ``exponent``: 0 white, 1 pink, 2 brown."""
    white = torch.randn(shape, generator=generator, device=device)
    frequencies = torch.fft.rfftfreq(shape[1], 1 / rate, device=device).clamp(min=_COLOUR_FROM)
    return _unit_power(torch.fft.irfft(torch.fft.rfft(white) * frequencies ** (-exponent / 2), shape[1]))


def babble(
    speech: Tensor,
    count: int,
    talkers: int | Tensor,
    generator: torch.Generator,
    choices: torch.Generator | None = None,
) -> Tensor:
    """Several people at the same time, with unit power.

    Parameters
    ----------
    speech
        ``(m, samples)``: utterances to choose from, with silence around.
    count
        Number of mixtures.
    talkers
        Number of talkers, one number or ``(count, 1)`` in main memory; each says two words.
    generator
        On the device of the speech.
    choices
        Of delays, in main memory; by default ``generator``, if that is there.

    Returns
    -------
    Tensor
        ``(count, samples)``.
    """
    levelled, length = _unit_power(speech), speech.shape[1]
    talkers = torch.as_tensor(talkers)
    most, talkers = int(talkers.max()), to_device(talkers, speech.device)
    mixture = torch.zeros((count, length), device=speech.device)
    for talker in range(most):
        for _word in range(2):
            chosen = torch.randint(len(speech), (count,), generator=generator, device=speech.device)
            # One delay for all: a roll of the batch is much faster than a gather of each.
            delay = int(torch.randint(length, (1,), generator=choices or generator))
            mixture += (talkers > talker) * levelled[chosen].roll(delay, 1)
    return _unit_power(mixture)


def level(speech: Tensor, rate: int) -> Tensor:
    """RMS in the loudest third of the frames, ``(n, 1)``, so that pauses don't count."""
    size = round(_FRAME_SECONDS * rate)
    count = max(1, speech.shape[1] // size)
    powers = speech[:, : count * size].reshape(len(speech), count, -1).square().mean(-1)
    return powers.topk(max(1, count // _LOUD_SHARE), 1).values.mean(1, keepdim=True).sqrt().clamp(min=_SILENCE)


def add_noise(speech: Tensor, noise: Tensor, decibels: float | Tensor, rate: int) -> Tensor:
    """Add noise of unit power at a signal-to-noise ratio, by the :func:`level` of the speech."""
    return speech + noise * level(speech, rate) * _amplitude(-torch.as_tensor(decibels))


def reverberate(
    speech: Tensor, seconds: float | Tensor, direct_decibels: float | Tensor, rate: int, generator: torch.Generator
) -> Tensor:
    """Put speech into a simulated room; the tail is cut off at the end of the waveform.

    Parameters
    ----------
    speech
        ``(n, samples)``.
    seconds
        Reverberation time: until echoes have decayed by 60 dB; a tensor in main memory.
    direct_decibels
        Energy of the direct sound relative to all reflections.
    rate
        Sampling rate in Hz.
    generator
        Of the reflections: Gaussian noise with an exponential decay, as in a diffuse field (Polack 1988).
    """
    seconds = torch.as_tensor(seconds)
    length, seconds = round(float(seconds.max()) * rate), to_device(seconds, speech.device)
    time = torch.arange(length, device=speech.device) / rate
    echoes = torch.randn((len(speech), length), generator=generator, device=speech.device)
    echoes = echoes * torch.exp(-3 * math.log(10) * time / seconds) * (time >= _DIRECT_SECONDS)
    echoes = echoes / echoes.norm(dim=1, keepdim=True) * _amplitude(-torch.as_tensor(direct_decibels))
    echoes[:, 0] = 1
    size = _fast_size(speech.shape[1] + length)
    spectrum = torch.fft.rfft(speech, size) * torch.fft.rfft(echoes, size)
    reverberant: Tensor = torch.fft.irfft(spectrum, size)[:, : speech.shape[1]]
    return reverberant


def filtered(speech: Tensor, decibels: Tensor) -> Tensor:
    """Speech through a filter without delay: gains in dB at equal steps from 0 to half the rate, ``(n, steps)``."""
    bins = speech.shape[1] // 2 + 1
    gains = torch.nn.functional.interpolate(decibels.unsqueeze(1), bins, mode="linear", align_corners=True).squeeze(1)
    changed: Tensor = torch.fft.irfft(torch.fft.rfft(speech) * _amplitude(gains), speech.shape[1])
    return changed


def clip(speech: Tensor, decibels: float | Tensor) -> Tensor:
    """Amplify speech until its peak is that far beyond full scale, and cut it off at full scale."""
    return (at_peak(speech, 0.0) * _amplitude(torch.as_tensor(decibels))).clamp(-1, 1)


def quantise(speech: Tensor, bits: float | Tensor) -> Tensor:
    """Round to steps of ``2 ** -(bits - 1)``, as an integer of so many bits does; bits may be fractions."""
    steps = torch.exp2(torch.as_tensor(bits, device=speech.device) - 1)
    return (speech * steps).round() / steps


def at_peak(speech: Tensor, decibels: float | Tensor) -> Tensor:
    """Speech whose peak is at a level in dBFS."""
    peaks = speech.abs().amax(1, keepdim=True).clamp(min=_SILENCE)
    return speech / peaks * _amplitude(torch.as_tensor(decibels))


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """A small tensor of main memory on a device, without waiting for what the device does."""
    # CUDA has copied ordinary memory when the call returns; of other devices that is not documented.
    return values.to(device, non_blocking=device.type == "cuda")


def _amplitude(decibels: Tensor) -> Tensor:
    return torch.pow(10, decibels / 20)


def _unit_power(waveforms: Tensor) -> Tensor:
    return waveforms / waveforms.square().mean(1, keepdim=True).sqrt().clamp(min=_SILENCE)


def _fast_size(samples: int) -> int:
    """The smallest size of an FFT, at least ``samples``, without prime factors above 5."""
    from scipy.fft import next_fast_len

    return int(next_fast_len(samples, real=True))
