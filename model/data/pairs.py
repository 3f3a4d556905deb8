"""Co-occurring pairs: an image meets an utterance of the same digit. The only place where training looks at labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from model.data.samples import Samples

_STEPS, _EPOCHS = range(2)


class PairSampler:
    """Draws batches of pairs; everything lies on one device.

    Every image comes once an epoch, in an order that the seed decides. Its utterance is drawn uniformly from a corpus
    that is drawn uniformly before: human and synthetic speech lie far apart, and the larger corpus must not win.

    Each step's randomness follows from the seed and the step's number alone, so that a run resumes anywhere without
    any state.

    Parameters
    ----------
    images
        Of one corpus.
    speech
        One entry a corpus.
    batch_size
        Pairs a batch; the last batch of an epoch is smaller.
    seed
        Of all random choices, at least 0.
    device
        Where batches come to lie.

    Raises
    ------
    ValueError
        If some digit has images but no utterance in some corpus.
    """

    def __init__(
        self, images: Samples, speech: Sequence[Samples], batch_size: int, seed: int, device: torch.device
    ) -> None:
        self.batch_size = batch_size
        self.steps_per_epoch = -(-len(images) // batch_size)
        self._seed = seed
        self._device = device
        self._images = images.features.unsqueeze(1).to(device)
        self._digits = images.labels.to(device)
        self._filterbanks = torch.cat([corpus.features for corpus in speech]).unsqueeze(1).to(device)
        labels = torch.cat([corpus.labels for corpus in speech])
        corpora = torch.cat([torch.full_like(corpus.labels, number) for number, corpus in enumerate(speech)])
        groups = corpora * 10 + labels
        counts = torch.bincount(groups, minlength=10 * len(speech))
        needed = torch.bincount(images.labels, minlength=10) > 0
        if not (counts.view(len(speech), 10)[:, needed] > 0).all():
            raise ValueError("Every digit that has images needs utterances in every speech corpus.")
        self._order = groups.argsort(stable=True).to(device)
        self._counts = counts.to(device)
        self._starts = (counts.cumsum(0) - counts).to(device)
        self._corpora = len(speech)

    def generator(self, step: int) -> torch.Generator:
        """The randomness of one step, on the device."""
        return self._stream(_STEPS, step)

    def _stream(self, kind: int, number: int) -> torch.Generator:
        # Hashed: torch's generator on the CPU takes no more than the lower 32 bits of its seed.
        seed = np.random.SeedSequence((self._seed, kind, number)).generate_state(1)
        return torch.Generator(self._device).manual_seed(int(seed[0]))

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """The pairs of a step, counted from 0.

        Returns
        -------
        images, filterbanks, digits
            ``(n, 1, 28, 28)``, ``(n, 1, 100, 80)`` and ``(n,)``; row i of one co-occurs with row i of the others.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        order = torch.randperm(len(self._digits), generator=self._stream(_EPOCHS, epoch), device=self._device)
        chosen = order[position * self.batch_size : (position + 1) * self.batch_size]
        corpus, place = torch.rand((2, len(chosen)), generator=generator, device=self._device)
        group = (corpus * self._corpora).long() * 10 + self._digits[chosen]
        partner = self._order[self._starts[group] + (place * self._counts[group]).long()]
        return self._images[chosen], self._filterbanks[partner], self._digits[chosen]
