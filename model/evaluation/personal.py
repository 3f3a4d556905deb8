"""How well people are understood: by a model, with their takes in the gallery, and by a model that trained on them.

Only takes of the test split are counted, which no training sees. A take is understood if most of the ten nearest items
of the other modality are of its digit, as on the page Explore.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from model.checkpoints import Header
from model.data.samples import Samples
from model.data.take_features import TakeFeatures
from model.data.takes import Take
from model.evaluation.personal_results import Counts, by_person
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import encode_gallery, encode_items, guess, unencoded_gallery
from model.systems.base import System
from model.types import Modality


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
    chosen = [take for take in takes if not people or take.person in people]
    return [
        OwnTakes(person, modality, features.samples(train, modality), features.samples(test, modality))
        for person, modality, train, test in by_person(chosen)
    ]


def counts_of(takes: Iterable[OwnTakes]) -> Counts:
    """How many usable takes there are to train on, of whom there are any."""
    return {(own.person, own.modality): len(own.train) for own in takes if len(own.train)}


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
        guesses = guess(self._system, gallery, samples.modality, samples.features)
        return sum(digit == label for digit, label in zip(guesses, samples.labels.tolist(), strict=True))
