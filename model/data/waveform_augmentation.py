"""Augmentation of speech before the filterbank: the same word in another room, with noise, by another microphone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from model.data import distortions
from model.data.batched_log_mel import log_mel, normalise
from model.data.log_mel import FilterbankSettings

_LEAD, _TAIL = 0.35, 0.40  # seconds of silence before and after
_RESPONSE_STEPS = 12  # points of a microphone's frequency response


class WaveformAugmentation:
    """Distorts utterances at random, and computes their filterbanks.

    A distorted utterance is in a room with a probability of 0.4, in noise or babble with 0.65, behind a coloured,
    band-limited microphone with 0.6, clipped with 0.3 and coarsely quantised with 0.2. Its endpoints are moved as noise
    moves those that are detected: in one of six cases by up to a third of a second. One in ten
    ends before the word does, like recordings of a fixed length.

    Parameters
    ----------
    waveforms
        Trimmed utterances in [-1, 1], ``(n, samples)``, padded with zeros at the end.
    settings
        Of the filterbank.
    device
        Where batches are computed.
    """

    def __init__(self, waveforms: Tensor, settings: FilterbankSettings, device: torch.device) -> None:
        self._settings, self._device = settings, device
        self._waveforms = waveforms.to(device)
        places = torch.arange(1, waveforms.shape[1] + 1, device=device)
        self._lengths = torch.stack([((one != 0) * places).max() for one in self._waveforms])
        self._rate = settings.sample_rate

    def filterbanks(self, chosen: Tensor, generator: torch.Generator, choices: torch.Generator | None = None) -> Tensor:
        """Distorted filterbanks of some utterances.

        Parameters
        ----------
        chosen
            Their places, ``(n,)``.
        generator
            On the device.
        choices
            Of what decides about the sizes of tensors, in main memory: so nothing waits for the device. By default
            ``generator``, if that is there.

        Returns
        -------
        Tensor
            ``(n, 1, 100, 80)``.
        """
        before, after = (round(seconds * self._rate) for seconds in (_LEAD, _TAIL))
        speech = functional.pad(self._waveforms[chosen], (before, after))
        energies = log_mel(self._distorted(speech, generator, choices or generator), self._settings)
        first, count = self._endpoints(self._lengths[chosen], energies.shape[1], generator)
        return normalise(energies, first, count, self._settings).unsqueeze(1)

    def _endpoints(self, lengths: Tensor, frames: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """First frame and number of frames of each utterance, as a detector finds them in noise."""
        settings = self._settings
        begin = round(_LEAD * self._rate) // settings.shift_samples
        end = begin + (lengths - settings.window_samples) // settings.shift_samples + 1
        far = self._uniform(lengths.shape, 0, 1, generator) < 1 / 6
        early = self._uniform(lengths.shape, -5, 10, generator)
        late = self._uniform(lengths.shape, -5, 15, generator)
        early = torch.where(far, self._uniform(lengths.shape, 0, 35, generator), early)
        late = torch.where(far, self._uniform(lengths.shape, 0, 38, generator), late)
        cut = self._uniform(lengths.shape, 0, 1, generator) < 1 / 10
        late = torch.where(cut, -self._uniform(lengths.shape, 0, 0.5, generator) * (end - begin), late)
        first = (begin - early).round().long().clamp(min=0)
        last = (end + late).round().long().clamp(max=frames)
        return first, (last - first).clamp(min=10)

    def _distorted(self, speech: Tensor, generator: torch.Generator, choices: torch.Generator) -> Tensor:
        """Each distortion is applied to the utterances that it befalls only, since it costs more than all the rest."""
        dry, rate = speech, self._rate
        speech = speech.clone()

        def befallen(probability: float) -> Tensor:
            return distortions.to_device(some(len(speech), probability, choices), self._device)

        def uniform(rows: Tensor, low: float, high: float) -> Tensor:
            return self._uniform((len(rows), 1), low, high, generator)

        if len(rows := befallen(0.4)):
            seconds = 0.1 + 0.7 * torch.rand((len(rows), 1), generator=choices)
            direct = uniform(rows, -3, 15)
            speech[rows] = distortions.reverberate(speech[rows], seconds, direct, rate, generator)
        if len(rows := befallen(0.65)):
            in_babble = len(rows) * 4 // 10
            talkers = torch.randint(3, 7, (in_babble, 1), generator=choices)
            exponents = uniform(rows[in_babble:], -0.2, 2.2)
            shape = len(exponents), speech.shape[1]
            noise = [distortions.coloured_noise(shape, rate, exponents, generator, self._device)]
            if in_babble:
                noise.append(distortions.babble(dry, in_babble, talkers, generator, choices))
            ratio = uniform(rows, 0, 25)
            speech[rows] = distortions.add_noise(speech[rows], torch.cat(noise), ratio, rate)
        if len(rows := befallen(0.6)):
            speech[rows] = distortions.filtered(speech[rows], self._response(len(rows), generator))
        speech = distortions.at_peak(speech, 0.0)
        if len(rows := befallen(0.3)):
            speech[rows] = distortions.clip(speech[rows], uniform(rows, 0, 24))
        if len(rows := befallen(0.2)):
            speech[rows] = distortions.quantise(speech[rows], uniform(rows, 6, 13))
        return speech

    def _response(self, count: int, generator: torch.Generator) -> Tensor:
        """Random frequency responses of microphones in dB, ``(count, steps)``: slope, ripples, limits of the band."""
        frequencies = torch.linspace(0, 1, _RESPONSE_STEPS, device=self._device)
        ripples = 4 * torch.randn((count, _RESPONSE_STEPS), generator=generator, device=self._device)
        slope = 12 * torch.randn((count, 1), generator=generator, device=self._device) * (frequencies - 0.5)
        high = self._uniform((count, 1), 0.55, 1.5, generator)
        low = self._uniform((count, 1), 0, 0.1, generator)
        outside = (frequencies - high).clamp(min=0) + (low - frequencies).clamp(min=0)
        return ripples + slope - 120 * outside

    def _uniform(self, shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=self._device)


def some(count: int, probability: float, choices: torch.Generator) -> Tensor:
    """Which of ``count`` things a chance befalls: their places, ascending, in main memory."""
    return torch.nonzero(torch.rand(count, generator=choices) < probability).flatten()
