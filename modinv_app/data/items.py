"""The items of one split of a corpus, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.data.corpora import Split
from model.types import WORDS, FloatArray, Modality

if TYPE_CHECKING:  # it imports torch
    from model.data.samples import Samples

Places = npt.NDArray[np.int64]
"""Positions of items in their split, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A split of a corpus, ready to be shown.

    Attributes
    ----------
    corpus, split, modality
        Name of the corpus; which split; image or speech.
    features
        What an encoder sees, ``(n, 28, 28)`` or ``(n, 100, 80)``; perhaps mapped from a file.
    labels
        Digits, ``(n,)``.
    sources, keys
        Descriptions for people; keys of recordings, empty for images.
    speakers
        Names of the speakers, sorted; empty for images.
    spoken_by
        The speaker of each item as a position in ``speakers``, ``(n,)``; empty for images.
    """

    corpus: str
    split: Split
    modality: Modality
    features: FloatArray
    labels: Places
    sources: tuple[str, ...]
    keys: tuple[str, ...]
    speakers: tuple[str, ...]
    spoken_by: npt.NDArray[Any]

    @classmethod
    def of(cls, samples: Samples, split: Split) -> Items:
        """Those of samples, whose arrays are shared."""
        speakers, spoken_by = np.unique(np.array(samples.speakers, dtype=object), return_inverse=True)
        return cls(
            samples.corpus,
            split,
            samples.modality,
            samples.features.numpy(),
            samples.labels.numpy(),
            samples.sources,
            samples.keys,
            tuple(speakers.tolist()),
            spoken_by,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, digit: int | None, speaker: str | None) -> Places:
        """The places of the items of a digit by a speaker; ``None`` stands for all of them."""
        wanted = np.ones(len(self), bool) if digit is None else self.labels == digit
        return np.flatnonzero(wanted & self._by(speaker))

    def counts(self, speaker: str | None) -> list[int]:
        """The number of items of each digit by a speaker, or by all."""
        return [int(count) for count in np.bincount(self.labels[self._by(speaker)], minlength=10)]

    def speaker_of(self, place: int) -> str:
        """Who speaks; empty for images."""
        return self.speakers[self.spoken_by[place]] if self.speakers else ""

    def key_of(self, place: int) -> str:
        """The key under which a recording plays; empty for images."""
        return f"{self.corpus}:{self.keys[place]}" if self.keys else ""

    def described(self, place: int) -> str:
        """An item in words."""
        return f"{WORDS[self.labels[place]]}, {self.sources[place]}"

    def _by(self, speaker: str | None) -> npt.NDArray[np.bool_]:
        if speaker is None or not self.speakers:
            return np.ones(len(self), bool)
        return np.asarray(self.spoken_by == self.speakers.index(speaker))
