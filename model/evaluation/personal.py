"""How well people are understood: by a model, with their takes in the gallery, and by a model that trained on them.

Only takes of the test split are counted, which no training sees. A take is understood if most of the ten nearest items of
the other modality are of its digit, as on the page Explore.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, Literal

import torch

from model.checkpoints import Header
from model.data.corpora.my_digits import is_for_test
from model.data.samples import Samples
from model.data.take_features import TakeFeatures
from model.data.takes import Take
from model.parsing import parse
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import encode_gallery, encode_items, majority, unencoded_gallery
from model.similarity import Gaussians
from model.systems.base import System
from model.types import Modality

FEWEST = 3
"""Takes of each digit to train on below which little can be expected."""

_NEAREST = 10

Condition = Literal["before", "gallery", "after", "left_out"]


@dataclass(frozen=True, slots=True, eq=False)
class OwnTakes:
    """What one person has said, or drawn.

    Attributes
    ----------
    person, modality
        Who, and how.
    train, test
        Takes of either split; perhaps none.
    """

    person: str
    modality: Modality
    train: Samples
    test: Samples


@dataclass(frozen=True, slots=True)
class Understood:
    """How many test takes of a person in one modality are understood.

    Attributes
    ----------
    person, modality
        Who, and how.
    trained, tested
        Number of takes of the training split, and of the test split.
    before
        Understood by the model that training started from.
    gallery
        The same with the person's other takes, those of the training split, in the gallery; ``None`` if that changes
        nothing, as there are none in the other modality.
    after
        Understood by the model that trained on the others; ``None`` if there is none yet.
    left_out
        Understood by a model that trained on all other people's takes only; ``None`` if there is none.
    """

    person: str
    modality: Modality
    trained: int
    tested: int
    before: int | None = None
    gallery: int | None = None
    after: int | None = None
    left_out: int | None = None


@dataclass(frozen=True, slots=True)
class PersonalResults:
    """What came of training with takes.

    Attributes
    ----------
    rows
        Of each person and modality.
    setting
        The data, the recipe and the seed, JSON-ready.
    """

    rows: tuple[Understood, ...]
    setting: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"rows": [asdict(row) for row in self.rows], "setting": dict(self.setting)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PersonalResults:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the results")


def own_takes(
    takes: Sequence[Take], people: Collection[str] = (), progress: ProgressCallback = no_progress
) -> list[OwnTakes]:
    """The takes of each person in each modality in which there are some, by name; unusable ones are passed over.

    Parameters
    ----------
    takes
        All takes: filterbanks of all of them are cached together.
    people
        Whose; by default everybody's.
    """
    features = TakeFeatures()
    for modality in Modality:
        features.samples(takes, modality, progress)
    chosen = [take for take in takes if not take.excluded and (not people or take.person in people)]
    chosen.sort(key=lambda take: (take.person.casefold(), take.person, take.modality, take.when))
    found = []
    for (person, modality), group in groupby(chosen, key=lambda take: (take.person, take.modality)):
        parts: dict[bool, list[Take]] = {False: [], True: []}
        for take in group:
            parts[is_for_test(take)].append(take)
        found.append(
            OwnTakes(person, modality, features.samples(parts[False], modality), features.samples(parts[True], modality))
        )
    return found


def too_few(takes: Sequence[OwnTakes]) -> str:
    """What there is too little of to expect much, in words; empty if there is enough."""
    words = []
    for own in takes:
        verb = "said" if own.modality is Modality.SPEECH else "drawn"
        counts = torch.bincount(own.train.labels, minlength=10)
        few = [str(digit) for digit in range(10) if counts[digit] < FEWEST]
        if few:
            digits = "each digit" if len(few) == 10 else f"{', '.join(few[:-1])}{' and ' if few[1:] else ''}{few[-1]}"
            words.append(f"{own.person} has {verb} too few takes of {digits} to train on")
        elif not len(own.test):
            words.append(f"{own.person} has {verb} no takes to test")
    return f"{'; '.join(words)}. One take in four is for testing: make some more." if words else ""


class Examiner:
    """Counts how many takes a model understands.

    Parameters
    ----------
    system, header
        The model.
    gallery
        The items that answer, without takes; they are encoded by the model.
    """

    def __init__(self, system: System, header: Header, gallery: Gallery) -> None:
        self._system = system
        self._gallery = encode_gallery(system, header, gallery)

    def understood(self, own: OwnTakes) -> int:
        """How many of the test takes are understood."""
        return self._count(own.test, self._gallery)

    def with_takes(self, own: OwnTakes, others: Samples) -> int:
        """The same, with takes of the other modality in the gallery."""
        images, speech = (others, own.test.only([])) if own.modality is Modality.SPEECH else (own.test.only([]), others)
        takes = unencoded_gallery(images, speech)
        takes = takes.with_posteriors(encode_items(self._system, takes), self._gallery.model, self._gallery.similarity)
        return self._count(own.test, self._gallery.joined(takes)[0])

    def _count(self, samples: Samples, gallery: Gallery) -> int:
        if not len(samples):
            return 0
        posteriors = self._system.encode(samples.modality, samples.features)
        queries = zip(posteriors.mean.numpy(), posteriors.log_variance.numpy(), strict=True)
        other = samples.modality.other
        guesses = [majority(gallery.nearest(Gaussians(*query), other, _NEAREST)) for query in queries]
        return sum(guess == label for guess, label in zip(guesses, samples.labels.tolist(), strict=True))
