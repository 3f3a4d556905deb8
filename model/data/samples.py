"""Inputs of one modality, ready for an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from model.data.corpora.base import MissingData, Split
from model.types import Modality


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Inputs of one modality, ready for an encoder.

    Attributes
    ----------
    corpus
        Where they come from.
    modality
        Image or speech.
    features
        ``(n, 28, 28)`` in [0, 1], or ``(n, 100, 80)`` normalised filterbanks; float32.
    labels
        ``(n,)`` int64, 0 to 9; for pairing and scoring alone.
    sources
        What a person reads of each, ``n`` strings.
    speakers
        Who speaks, ``n`` strings, empty for images.
    keys
        What :meth:`~model.data.corpora.base.Corpus.clip` takes to play each; empty for images.
    """

    corpus: str
    modality: Modality
    features: Tensor
    labels: Tensor
    sources: tuple[str, ...]
    speakers: tuple[str, ...] = field(default=())
    keys: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: Sequence[int]) -> Samples:
        """The samples at these positions."""
        index = torch.as_tensor(chosen, dtype=torch.long)
        return Samples(
            self.corpus,
            self.modality,
            self.features[index],
            self.labels[index],
            tuple(self.sources[i] for i in chosen),
            tuple(self.speakers[i] for i in chosen) if self.speakers else (),
            tuple(self.keys[i] for i in chosen) if self.keys else (),
        )

    def balanced(self, per_digit: int, seed: int) -> Samples:
        """At most ``per_digit`` random samples of each digit, in the order of the digits."""
        generator = torch.Generator().manual_seed(seed)
        chosen: list[int] = []
        for digit in range(10):
            places = torch.nonzero(self.labels == digit).flatten()
            drawn = places[torch.randperm(len(places), generator=generator)[:per_digit]]
            chosen.extend(sorted(drawn.tolist()))
        return self.only(chosen)

    def part(self, split: Split, in_validation: Sequence[bool]) -> Samples:
        """A split of all that is published for training, by which of them are for validation.

        Raises :class:`~model.data.corpora.base.MissingData` where nothing is left.
        """
        if split not in ("train", "validation"):
            return self
        wanted = split == "validation"
        chosen = [place for place, held_out in enumerate(in_validation) if held_out == wanted]
        if not chosen:
            raise MissingData(f"The corpus {self.corpus} is incomplete: nothing is there of its {split} split.")
        return self.only(chosen)

    def spoken_by(self, speaker: str) -> Samples:
        """The samples of one speaker; none where the corpus does not know them."""
        return self.only([place for place, name in enumerate(self.speakers) if name == speaker])

    def without(self, speaker: str) -> Samples:
        """The samples of all other speakers."""
        return self.only([place for place, name in enumerate(self.speakers) if name != speaker])


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples of one corpus in one piece."""
    return Samples(
        parts[0].corpus,
        parts[0].modality,
        torch.cat([part.features for part in parts]),
        torch.cat([part.labels for part in parts]),
        sum((part.sources for part in parts), ()),
        sum((part.speakers for part in parts), ()),
        sum((part.keys for part in parts), ()),
    )
