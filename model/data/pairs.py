"""Training pairs: an image and an utterance of the same digit. Training uses labels only here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.data.distortions import to_device
from model.data.log_mel import FilterbankSettings
from model.data.samples import Samples
from model.data.waveform_augmentation import WaveformAugmentation, some

_STEPS, _EPOCHS, _CHOICES = range(3)


class PairSampler:
    """Draws batches of pairs from data on one device.

    Each image is used once per epoch, in random order. For its utterance, a corpus is drawn uniformly, and then an
    utterance of it: human and synthetic speech differ, and the larger corpus must not dominate.

    The randomness of a step depends only on the seed and the number of the step, so that a run can resume at any step
    without stored state.

    Parameters
    ----------
    images
        Images of one corpus.
    speech
        Utterances, one entry per corpus.
    batch_size
        Pairs per batch; the last batch of an epoch is smaller.
    seed
        Seed of all random choices, at least 0.
    device
        Device of the batches.

    Raises
    ------
    ValueError
        If a digit has images but no utterance in some corpus.
    """

    def __init__(
        self, images: Samples, speech: Sequence[Samples], batch_size: int, seed: int, device: torch.device
    ) -> None:
        self.batch_size = batch_size
        self.steps_per_epoch = -(-len(images) // batch_size)
        self._seed = seed
        self._speech = speech
        self._device = device
        self._images = _tensor([images.features]).unsqueeze(1).to(device)
        self._digits = _tensor([images.labels]).to(device)
        self._filterbanks = _tensor([corpus.features for corpus in speech]).unsqueeze(1).to(device)
        groups = _tensor([corpus.labels + 10 * number for number, corpus in enumerate(speech)])
        counts = torch.bincount(groups, minlength=10 * len(speech))
        needed = np.bincount(images.labels, minlength=10) > 0
        if not (counts.view(len(speech), 10)[:, needed] > 0).all():
            raise ValueError("Every digit that has images needs utterances in every speech corpus.")
        self._order = groups.argsort(stable=True).to(device)
        self._counts = counts.to(device)
        self._starts = (counts.cumsum(0) - counts).to(device)
        self._corpora = len(speech)

    def generator(self, step: int) -> torch.Generator:
        """The random generator of a step, on the device."""
        return self._stream(_STEPS, step, self._device)

    def _stream(self, kind: int, number: int, device: torch.device) -> torch.Generator:
        # Hashed, because torch's generator on the CPU uses only the lower 32 bits of its seed.
        seed = np.random.SeedSequence((self._seed, kind, number)).generate_state(1)
        return torch.Generator(device).manual_seed(int(seed[0]))

    def batch(self, step: int, generator: torch.Generator, distorted: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
        """The pairs of a step, counted from 0.

        Parameters
        ----------
        step, generator
            The step, and :meth:`generator` of it.
        distorted
            Share of the utterances that are distorted before the filterbank, which needs their waveforms.

        Returns
        -------
        images, filterbanks, digits
            ``(n, 1, 28, 28)``, ``(n, 1, 100, 80)`` and ``(n,)``; row i of one co-occurs with row i of the others.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        order = torch.randperm(
            len(self._digits), generator=self._stream(_EPOCHS, epoch, self._device), device=self._device
        )
        chosen = order[position * self.batch_size : (position + 1) * self.batch_size]
        corpus, place = torch.rand((2, len(chosen)), generator=generator, device=self._device)
        group = (corpus * self._corpora).long() * 10 + self._digits[chosen]
        partner = self._order[self._starts[group] + (place * self._counts[group]).long()]
        filterbanks = self._filterbanks[partner]
        if distorted:
            # What decides about sizes is drawn in main memory, or each batch would wait for the step before.
            in_memory = generator.device.type == "cpu"
            choices = generator if in_memory else self._stream(_CHOICES, step, torch.device("cpu"))
            rows = to_device(some(len(chosen), distorted, choices), self._device)
            filterbanks[rows] = self._augmentation.filterbanks(partner[rows], generator, choices)
        return self._images[chosen], filterbanks, self._digits[chosen]

    @cached_property
    def _augmentation(self) -> WaveformAugmentation:
        waveforms = [corpus.waveforms for corpus in self._speech]
        if any(each is None for each in waveforms):
            missing = ", ".join(corpus.corpus for corpus in self._speech if corpus.waveforms is None)
            raise ValueError(f"Utterances of {missing} can't be distorted: the corpus has no waveforms.")
        return WaveformAugmentation(
            _tensor([each for each in waveforms if each is not None]), FilterbankSettings(), self._device
        )


def _tensor(parts: Sequence[npt.NDArray[Any]]) -> Tensor:
    """Arrays one after the other, copied, as they may be mapped from files."""
    return torch.from_numpy(np.concatenate(parts))
