"""Inputs of one modality with their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from model.data.corpora.base import MissingData, Split
from model.data.curation import Change
from model.types import FloatArray, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Encoder inputs of one modality with their labels.

    Attributes
    ----------
    corpus
        Name of their corpus.
    modality
        Image or speech.
    features
        ``(n, 28, 28)`` in [0, 1], or ``(n, 100, 80)`` normalised filterbanks; float32.
    labels
        ``(n,)`` int64, 0 to 9; for pairing and evaluation only.
    sources
        Descriptions for people, ``n`` strings.
    speakers
        Names of speakers, ``n`` strings; empty for images.
    keys
        Keys for :meth:`~model.data.corpora.base.Corpus.clip`; empty for images.
    waveforms
        Trimmed utterances at the front end's rate, ``(n, samples)`` in [-1, 1], cropped to their centre or padded with
        zeros at the end; ``None`` for images, and for corpora that don't provide them.
    changes
        What the user has left out of these samples or relabelled in them; unknown, and empty, of those that
        :meth:`only` has chosen.
    """

    corpus: str
    modality: Modality
    features: FloatArray
    labels: npt.NDArray[np.int64]
    sources: tuple[str, ...]
    speakers: tuple[str, ...] = field(default=())
    keys: tuple[str, ...] = field(default=())
    waveforms: FloatArray | None = None
    changes: tuple[Change, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: Sequence[int]) -> Samples:
        """The samples at these positions."""
        index = np.asarray(chosen, np.int64)
        return Samples(
            self.corpus,
            self.modality,
            self.features[index],
            self.labels[index],
            tuple(self.sources[i] for i in chosen),
            tuple(self.speakers[i] for i in chosen) if self.speakers else (),
            tuple(self.keys[i] for i in chosen) if self.keys else (),
            None if self.waveforms is None else self.waveforms[index],
        )

    def balanced(self, per_digit: int, seed: int) -> Samples:
        """At most ``per_digit`` random samples of each digit, in the order of the digits."""
        random = np.random.default_rng(seed)
        chosen: list[int] = []
        for digit in range(10):
            drawn = random.permutation(np.flatnonzero(self.labels == digit))[:per_digit]
            chosen.extend(sorted(drawn.tolist()))
        return self.only(chosen)

    def part(self, split: Split, in_validation: Sequence[bool]) -> Samples:
        """A split of the published training set, by which samples are for validation.

        Raises :class:`~model.data.corpora.base.MissingData` if the split is empty.
        """
        if split not in ("train", "validation"):
            return self
        wanted = split == "validation"
        chosen = [place for place, held_out in enumerate(in_validation) if held_out == wanted]
        if not chosen:
            raise MissingData(f"The corpus {self.corpus} is incomplete: its {split} split is empty.")
        return self.only(chosen)

    def spoken_by(self, speaker: str) -> Samples:
        """The samples of one speaker; may be empty."""
        return self._by(lambda name: name == speaker)

    def without(self, speaker: str) -> Samples:
        """The samples of all other speakers."""
        return self._by(lambda name: name != speaker)

    def _by(self, wanted: Callable[[str], bool]) -> Samples:
        chosen = self.only([place for place, name in enumerate(self.speakers) if wanted(name)])
        return replace(chosen, changes=tuple(change for change in self.changes if wanted(change.speaker)))


def joined(parts: Sequence[Samples]) -> Samples:
    """Concatenate samples of one corpus."""
    waveforms = [part.waveforms for part in parts if part.waveforms is not None]
    return Samples(
        parts[0].corpus,
        parts[0].modality,
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
        sum((part.sources for part in parts), ()),
        sum((part.speakers for part in parts), ()),
        sum((part.keys for part in parts), ()),
        np.concatenate(waveforms) if len(waveforms) == len(parts) else None,
        sum((part.changes for part in parts), ()),
    )
