"""How well utterances are recognised in noise, in rooms and by bad microphones.

Each recording of a corpus is distorted before the speech front end, which then has to find the word in it. The digit is
that of most of the ten nearest images, as in ``modinv query``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from model.checkpoints import Header
from model.data import distortions
from model.data.corpora import find
from model.data.samples import Samples
from model.data.speech import FilterbankSettings, SpeechFrontEnd
from model.evaluation.proportions import clopper_pearson
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import encode_gallery, majority
from model.similarity import Gaussians
from model.systems.base import System
from model.types import FloatArray, Modality

NOISE_LEVELS = (30.0, 20.0, 15.0, 10.0, 5.0, 0.0)
"""Signal-to-noise ratios in dB."""

_NEAREST = 10
_BATCH = 32
_SECOND = 1.0

Distortion = Callable[[torch.Tensor, int, torch.Tensor, torch.Generator], torch.Tensor]
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


@dataclass(frozen=True, slots=True)
class Recognition:
    """How many utterances are recognised in a condition.

    Attributes
    ----------
    name, title, kind, level
        Of the :class:`Condition`.
    right, count
        Utterances recognised, and all.
    undetected
        Those in which the front end found no speech; they count as wrong.
    low, high
        95 % interval of the share, by Clopper and Pearson.
    """

    name: str
    title: str
    kind: str
    level: float | None
    right: int
    count: int
    undetected: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share of utterances that are recognised."""
        return self.right / self.count


def recognise(
    system: System,
    header: Header,
    gallery: Gallery,
    speech: Samples,
    folder: Path | None = None,
    progress: ProgressCallback = no_progress,
    conditions: Sequence[Condition] | None = None,
) -> Iterator[Recognition]:
    """Recognise utterances in each condition.

    Parameters
    ----------
    system, header
        The model.
    gallery
        With the images that answer; it is encoded again by the model.
    speech
        Utterances of one corpus, with keys.
    folder
        Of the corpora; by default the user's.
    progress
        Called before each condition; it may raise to end the work.
    conditions
        By default :data:`CONDITIONS`.

    Yields
    ------
    Recognition
        Of each condition, in their order. Noise and rooms are the same in each call.
    """
    front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))
    encoded = encode_gallery(system, header, gallery)
    corpus = find(speech.corpus)(folder)
    recordings = [corpus.clip(key) for key in speech.keys]
    labels = speech.labels.numpy()
    chosen = CONDITIONS if conditions is None else conditions
    for number, condition in enumerate(chosen):
        progress(number / len(chosen), condition.title)
        guesses = _guesses(system, front_end, encoded, _distorted(condition, recordings))
        right, count = int((guesses == labels).sum()), len(labels)
        low, high = clopper_pearson(right, count)
        yield Recognition(
            condition.name, condition.title, condition.kind, condition.level, right, count,
            int((guesses < 0).sum()), low, high,
        )  # fmt: skip


def _distorted(condition: Condition, recordings: Sequence[tuple[FloatArray, int]]) -> Iterator[tuple[FloatArray, int]]:
    """Recordings in a condition, each with its own randomness. Babble is made of the other recordings."""
    for place, (samples, rate) in enumerate(recordings):
        generator = torch.Generator().manual_seed(place)
        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32)).unsqueeze(0)
        others = [other for other, its_rate in (*recordings[place + 1 :], *recordings[:place]) if its_rate == rate]
        speech = _same_length(others[:: max(1, len(others) // 12)], waveform.shape[1])
        yield condition.distort(waveform, rate, speech, generator)[0].numpy(), rate


def _same_length(recordings: Sequence[FloatArray], length: int) -> torch.Tensor:
    """Recordings repeated or cut to a length, ``(m, length)``."""
    return torch.from_numpy(np.stack([np.resize(samples, length) for samples in recordings]).astype(np.float32))


def _guesses(
    system: System, front_end: SpeechFrontEnd, gallery: Gallery, recordings: Iterator[tuple[FloatArray, int]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The digit of each recording; -1 where no speech is found."""
    found: list[int] = []
    while batch := list(islice(recordings, _BATCH)):
        utterances = dict(enumerate(front_end.trim_all(batch)))
        spoken = {place: one for place, one in utterances.items() if isinstance(one, np.ndarray)}
        filterbanks = dict(zip(spoken, front_end.filterbanks([*spoken.values()]), strict=True))
        kept = {place: one for place, one in filterbanks.items() if isinstance(one, np.ndarray)}
        digits = [-1] * len(batch)
        if kept:
            posteriors = system.encode(Modality.SPEECH, torch.from_numpy(np.stack([*kept.values()])))
            queries = zip(posteriors.mean.numpy(), posteriors.log_variance.numpy(), strict=True)
            for place, query in zip(kept, queries, strict=True):
                digits[place] = majority(gallery.nearest(Gaussians(*query), Modality.IMAGE, _NEAREST))
        found.extend(digits)
    return np.array(found)


def _noise(exponent: float, decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        noise = distortions.coloured_noise((1, speech.shape[1]), rate, exponent, generator)
        return distortions.add_noise(speech, noise, decibels, rate)

    return distort


def _babble(decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return distortions.add_noise(speech, distortions.babble(others, 1, 5, generator), decibels, rate)

    return distort


def _room(seconds: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        tail = torch.nn.functional.pad(speech, (0, round(seconds * rate)))
        return distortions.reverberate(tail, seconds, 0.0, rate, generator)

    return distort


def _hiss(decibels: float) -> Distortion:
    def distort(speech: torch.Tensor, rate: int, _others: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        longer = torch.nn.functional.pad(speech, (round(_SECOND * rate), round(_SECOND * rate)))
        return longer + torch.randn(longer.shape, generator=generator) * 10 ** (decibels / 20)

    return distort


def _clipped(decibels: float) -> Distortion:
    return lambda speech, _rate, _others, _generator: distortions.clip(speech, decibels)


def _clean(speech: torch.Tensor, _rate: int, _others: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
    return speech


def _quiet(speech: torch.Tensor, _rate: int, _others: torch.Tensor, _generator: torch.Generator) -> torch.Tensor:
    return distortions.quantise(distortions.at_peak(speech, -40), 16)


def _conditions() -> Iterator[Condition]:
    yield Condition("clean", "As recorded", "clean", None, _clean)
    noises: Mapping[str, Callable[[float], Distortion]] = {
        "white": lambda level: _noise(0.0, level),
        "pink": lambda level: _noise(1.0, level),
        "babble": _babble,
    }
    for kind, made in noises.items():
        title = "babble of five" if kind == "babble" else f"{kind} noise"
        for level in NOISE_LEVELS:
            yield Condition(f"{kind}-{level:g}", f"{title}, {level:g} dB".capitalize(), kind, level, made(level))
    for seconds in (0.3, 0.5, 0.8):
        yield Condition(f"room-{seconds:g}", f"Room of {seconds:g} s", "room", seconds, _room(seconds))
    for level in (6.0, 12.0, 18.0):
        yield Condition(f"clipped-{level:g}", f"Clipped by {level:g} dB", "clipped", level, _clipped(level))
    yield Condition("quiet", "Peak at -40 dBFS", "quiet", None, _quiet)
    yield Condition("hiss", "A second of hiss at -60 dBFS before and after", "hiss", None, _hiss(-60))


CONDITIONS = tuple(_conditions())
"""Clean; white and pink noise and the babble of five at :data:`NOISE_LEVELS`; rooms, clipping, a low level, hiss."""
