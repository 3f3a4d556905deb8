"""The items of one split of a corpus, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.data import curation
from model.data.corpora import Split
from model.data.curation import Decision
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.types import WORDS, FloatArray, Modality
from modinv_app.common.item_table import Places

if TYPE_CHECKING:  # its libraries take time to import
    from model.data.samples import Samples

_NONE = np.zeros(0, np.int64)
_COMPACTED_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class BytePictures:
    """Pictures of unsigned bytes, ``(n, 28, 28)``, which are read as floats in [0, 1]: in a quarter of their memory."""

    pixels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, places: int | slice) -> FloatArray:
        return self.pixels[places].astype(np.float32) / np.float32(255)


def _compact(pictures: FloatArray) -> FloatArray | BytePictures:
    """The same pictures in bytes, if these are all that they hold."""
    pixels = np.empty(pictures.shape, np.uint8)
    found = BytePictures(pixels)
    for start in range(0, len(pictures), _COMPACTED_AT_ONCE):
        part = slice(start, start + _COMPACTED_AT_ONCE)
        pixels[part] = np.rint(255 * pictures[part])
        if not np.array_equal(found[part], pictures[part]):
            return pictures
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A split of a corpus as it was published, with what the user has decided about it, ready to be shown.

    Attributes
    ----------
    corpus, split, modality
        Name of the corpus; which split; image or speech.
    features
        What an encoder sees, ``(n, 28, 28)`` or ``(n, 100, 80)``; perhaps mapped from a file, or in bytes.
    labels
        Published digits, ``(n,)``.
    sources, keys
        Descriptions for people; keys of recordings, empty for images.
    speakers
        Names of the speakers, sorted; empty for images.
    spoken_by
        The speaker of each item as a position in ``speakers``, ``(n,)``; empty for images.
    decisions
        What is decided about items of the corpus, by their names.
    digits, excluded
        The digits that count, and which items are left out, ``(n,)``.
    outdated
        The number of decisions about items of this split that have changed since, which are ignored.
    guesses
        The digits that the model takes the items for, ``(n,)``; empty as long as it was not asked.
    """

    corpus: str
    split: Split
    modality: Modality
    features: FloatArray | BytePictures
    labels: Places
    sources: tuple[str, ...]
    keys: tuple[str, ...]
    speakers: tuple[str, ...]
    spoken_by: npt.NDArray[Any]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    digits: Places = field(default_factory=lambda: _NONE)
    excluded: npt.NDArray[np.bool_] = field(default_factory=lambda: _NONE.astype(bool))
    outdated: int = 0
    guesses: Places = field(default_factory=lambda: _NONE)

    @classmethod
    def of(cls, samples: Samples, split: Split, decisions: Mapping[str, Decision]) -> Items:
        """Those of samples as they were published, whose arrays are shared."""
        speakers, spoken_by = np.unique(np.array(samples.speakers, dtype=object), return_inverse=True)
        published = cls(
            samples.corpus,
            split,
            samples.modality,
            _compact(samples.features) if samples.modality is Modality.IMAGE else samples.features,
            samples.labels,
            samples.sources,
            samples.keys,
            tuple(speakers.tolist()),
            spoken_by,
        )
        return published.with_decisions(decisions)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def content(self) -> memoryview:
        """The bytes of all features, which identify them."""
        features = self.features.pixels if isinstance(self.features, BytePictures) else self.features
        return np.ascontiguousarray(features).data.cast("B")

    @property
    def names(self) -> tuple[str, ...]:
        """What identifies the items in decisions."""
        return self.keys or self.sources

    @property
    def changeable(self) -> bool:
        """Whether items can be left out and relabelled here; the user's takes can't."""
        return self.corpus not in (MY_SPEECH, MY_DRAWINGS)

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Which items are left out or relabelled, ``(n,)``."""
        changed: npt.NDArray[np.bool_] = self.excluded | (self.digits != self.labels)
        return changed

    def decision(self, place: int) -> Decision:
        """What is decided about an item."""
        found = self.decisions.get(self.names[place])
        changed = self.excluded[place] or self.digits[place] != self.labels[place]
        return found if found is not None and changed else self._undecided(place)

    def with_decisions(self, decisions: Mapping[str, Decision]) -> Items:
        """The same items with other decisions about the corpus."""
        pictures = self.features if self.modality is Modality.IMAGE else None
        found = curation.in_force(self.names, self.labels, pictures, decisions)
        digits, excluded = self.labels.copy(), np.zeros(len(self), bool)
        for place, one in found.items():
            digits[place], excluded[place] = one.digit, one.excluded
        outdated = sum(name in decisions for name in self.names) - len(found) if decisions else 0
        return replace(self, decisions=decisions, digits=digits, excluded=excluded, outdated=outdated)

    def chosen(self, digit: int | None, speaker: str | None, changed: bool = False) -> npt.NDArray[np.bool_]:
        """Which items are of a digit and by a speaker, ``None`` for any, and perhaps changed, ``(n,)``."""
        wanted = self._by(speaker) if digit is None else self._by(speaker) & (self.digits == digit)
        return wanted & self.changed if changed else wanted

    def counts(self, speaker: str | None) -> list[int]:
        """The number of items of each digit by a speaker, or by all, that are not left out."""
        return [int(count) for count in np.bincount(self.digits[self._by(speaker) & ~self.excluded], minlength=10)]

    def guess_at(self, place: int) -> int | None:
        """The digit that the model takes an item for; None if it is the label that counts, or not known."""
        if not len(self.guesses) or self.guesses[place] == self.digits[place]:
            return None
        return int(self.guesses[place])

    @property
    def modalities(self) -> frozenset[Modality]:
        """The only one."""
        return frozenset({self.modality})

    def modality_of(self, _place: int) -> Modality:
        """That of all items."""
        return self.modality

    def features_of(self, place: int) -> FloatArray:
        """What an encoder sees of an item."""
        return np.asarray(self.features[place])

    def speaker_of(self, place: int) -> str:
        """Who speaks; empty for images."""
        return self.speakers[self.spoken_by[place]] if self.speakers else ""

    def key_of(self, place: int) -> str:
        """The key under which a recording plays; empty for images."""
        return f"{self.corpus}:{self.keys[place]}" if self.keys else ""

    def caption(self, place: int) -> str:
        """The digit, after the published one if that is another; the model's guess, if that is another; the speaker."""
        published, digit = self.labels[place], self.digits[place]
        label = str(digit) if published == digit else f"{published} → {digit}"
        guess = self.guess_at(place)
        return "  ".join(filter(None, (label if guess is None else f"{label} ({guess}?)", self.speaker_of(place))))

    def described(self, place: int) -> str:
        """An item in words."""
        words = [self.labelled(place), self.sources[place]]
        if self.excluded[place]:
            words.insert(1, "left out")
        if (guess := self.guess_at(place)) is not None:
            words.append(f"which the model takes for {WORDS[guess]}")
        return ", ".join(words)

    def labelled(self, place: int) -> str:
        """The label of an item in words, with the published one if it is another."""
        digit, published = WORDS[self.digits[place]], WORDS[self.labels[place]]
        return digit if digit == published else f"{digit} (published as {published})"

    def _undecided(self, place: int) -> Decision:
        picture = self.features[place] if self.modality is Modality.IMAGE else None
        return Decision.about(int(self.labels[place]), picture)

    def _by(self, speaker: str | None) -> npt.NDArray[np.bool_]:
        if speaker is None or not self.speakers:
            return np.ones(len(self), bool)
        return np.asarray(self.spoken_by == self.speakers.index(speaker))
