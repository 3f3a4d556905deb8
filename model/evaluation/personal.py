"""How well people are understood: by a model, with their takes in the gallery, and by a model that trained on them.

Only takes of the test split are counted, which no training sees. A take is understood if its digit is guessed, as on
the page Explore (:mod:`model.retrieval.vote`).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.checkpoints import Header
from model.data.samples import Samples, joined
from model.data.take_features import TakeFeatures
from model.data.takes import Take
from model.evaluation.personal_results import Counts, by_person
from model.progress import ProgressCallback, no_progress
from model.retrieval.confidence import Doubles, Margins, Rejection
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import encode_gallery, guess, unencoded_gallery
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
        self._system, self._header = system, header
        self._gallery = encode_gallery(system, header, gallery)
        self._voting: npt.NDArray[np.bool_] | None = None

    def with_takes(self, takes: Sequence[OwnTakes]) -> Examiner:
        """The same, with takes of the training split in the gallery, which vote as on the page Explore."""
        own = unencoded_gallery(*(_joined(takes, modality) for modality in Modality))
        other = copy.copy(self)
        other._gallery, order = self._gallery.joined(encode_gallery(self._system, self._header, own))
        other._voting = order >= len(self._gallery.items)
        return other

    def understood(self, own: OwnTakes) -> int:
        """How many of the test takes are understood."""
        if not len(own.test):
            return 0
        guesses = guess(self._system, self._gallery, own.modality, own.test.features, self._voting)
        return sum(digit == label for digit, label in zip(guesses, own.test.labels.tolist(), strict=True))

    def scores(self, rejection: Rejection, digits: Samples) -> Doubles:
        """What a rejection makes of those of some digits that are guessed rightly."""
        guesses = np.array(guess(self._system, self._gallery, digits.modality, digits.features, self._voting))
        queries = self._system.encode(digits.modality, digits.features)
        features = Margins.in_gallery(self._gallery).features(queries, digits.modality, guesses)
        right: Doubles = rejection.scores(features)[guesses == digits.labels]
        return right


def _joined(takes: Sequence[OwnTakes], modality: Modality) -> Samples:
    """All takes of the training split of a modality; perhaps none."""
    none = TakeFeatures().samples((), modality)
    return joined([none, *(own.train for own in takes if own.modality is modality)])
