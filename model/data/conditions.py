"""Conditions of recordings: noise, babble, rooms and bad microphones at fixed levels; without torch until applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.types import FloatArray

if TYPE_CHECKING:
    import torch

NOISES = {"white": "White noise", "pink": "Pink noise", "babble": "Babble of five"}
"""Titles of the kinds of noise."""

NOISE_LEVELS = (30.0, 20.0, 15.0, 10.0, 5.0, 0.0)
"""Signal-to-noise ratios in dB."""

_SECOND = 1.0

Distortion = Callable[["torch.Tensor", int, "torch.Tensor", "torch.Generator"], "torch.Tensor"]
"""From a recording ``(1, n)``, its rate in Hz, other people's utterances ``(m, n)`` at this rate, and randomness."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What recordings go through.

    Attributes
    ----------
    name, title
        Identifier, and title for people.
    kind, level
        Conditions of one kind are a curve over their levels, such as dB; ``None`` if there is only one.
    distort
        What is done.
    """

    name: str
    title: str
    kind: str
    level: float | None
    distort: Distortion

    def apply(self, samples: FloatArray, rate: int, others: Sequence[FloatArray], seed: int) -> FloatArray:
        """A recording in this condition.

        Parameters
        ----------
        samples, rate
            The recording ``(n,)`` in [-1, 1] and its rate in Hz.
        others
            Other people's utterances at the same rate, at least one, of which babble is made.
        seed
            Of the randomness.

        Returns
        -------
        ndarray
            ``(m,)`` float32, in rooms and with hiss around longer than the recording.
        """
        import torch

        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32)).unsqueeze(0)
        babbling = np.stack([np.resize(other, len(samples)) for other in others]).astype(np.float32)
        generator = torch.Generator().manual_seed(seed)
        distorted: FloatArray = self.distort(waveform, rate, torch.from_numpy(babbling), generator)[0].numpy()
        return distorted


def _noise(exponent: float, decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        from model.data.distortions import add_noise, coloured_noise

        return add_noise(speech, coloured_noise((1, speech.shape[1]), rate, exponent, generator), decibels, rate)

    return distort


def _babble(decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        from model.data.distortions import add_noise, babble

        return add_noise(speech, babble(others, 1, 5, generator), decibels, rate)

    return distort


def _room(seconds: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        from torch.nn.functional import pad

        from model.data.distortions import reverberate

        return reverberate(pad(speech, (0, round(seconds * rate))), seconds, 0.0, rate, generator)

    return distort


def _hiss(decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        from torch import randn
        from torch.nn.functional import pad

        longer = pad(speech, (round(_SECOND * rate), round(_SECOND * rate)))
        return longer + randn(longer.shape, generator=generator) * 10 ** (decibels / 20)

    return distort


def _clipped(decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, _rate: int, _others: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
        from model.data.distortions import clip

        return clip(speech, decibels)

    return distort


def _clean(speech: torch.Tensor, _rate: int, _others: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
    return speech


def _quiet(speech: torch.Tensor, _rate: int, _others: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
    from model.data.distortions import at_peak, quantise

    return quantise(at_peak(speech, -40), 16)


def _conditions() -> Iterator[Condition]:
    yield Condition("clean", "As recorded", "clean", None, _clean)
    noises: Mapping[str, Callable[[float], Distortion]] = {
        "white": lambda level: _noise(0.0, level),
        "pink": lambda level: _noise(1.0, level),
        "babble": _babble,
    }
    for kind, made in noises.items():
        for level in NOISE_LEVELS:
            yield Condition(f"{kind}-{level:g}", f"{NOISES[kind]}, {level:g} dB", kind, level, made(level))
    for seconds in (0.3, 0.5, 0.8):
        yield Condition(f"room-{seconds:g}", f"Room of {seconds:g} s", "room", seconds, _room(seconds))
    for level in (6.0, 12.0, 18.0):
        yield Condition(f"clipped-{level:g}", f"Clipped by {level:g} dB", "clipped", level, _clipped(level))
    yield Condition("quiet", "Peak at -40 dBFS", "quiet", None, _quiet)
    yield Condition("hiss", "A second of hiss at -60 dBFS before and after", "hiss", None, _hiss(-60))


CONDITIONS = {condition.name: condition for condition in _conditions()}
"""By name: clean; all noises at all levels; rooms; clipping; a low level; hiss."""
