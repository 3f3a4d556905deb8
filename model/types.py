"""What the model says of a query, in plain numpy: the words that science, command line and window share.

Nothing here needs torch, so that a window can show results before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Modality(StrEnum):
    """The two ways in which a digit reaches the model."""

    IMAGE = "image"
    SPEECH = "speech"

    @property
    def other(self) -> Modality:
        """The modality in which a query of this one is answered."""
        return Modality.SPEECH if self is Modality.IMAGE else Modality.IMAGE


class Certainty(StrEnum):
    """How clearly a query is taken for one digit, in words; see :mod:`model.retrieval.certainty`."""

    SURE = "sure"
    LIKELY = "likely"
    NOT_SURE = "not sure"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be retrieved.

    Attributes
    ----------
    index
        Position in its gallery; images and utterances share one numbering.
    modality
        Image or speech.
    label
        The digit, 0 to 9. Used to score and to colour, never to retrieve.
    source
        What a person reads: ``"MNIST test 412"``, ``"Kokoro af_bella, slow"``.
    speaker
        Who speaks (empty for an image).
    """

    index: int
    modality: Modality
    label: int
    source: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery item found for a query; ``score`` is its similarity (:mod:`model.similarity`): higher is nearer."""

    item: Item
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Everything that one query brings to light.

    Attributes
    ----------
    modality
        The query's own modality.
    features
        What the encoder saw: ``(28, 28)`` in [0, 1], or ``(100, 80)`` normalised log mel energies (time x frequency).
    mean, log_variance
        The posterior, each ``(128,)``.
    samples
        Embeddings sampled from the posterior, ``(16, 128)``.
    matches
        Nearest items of the other modality, best first.
    guess
        The digit that most of the matches carry (the nearest one's among equals).
    runner_up
        The digit that comes next; ``None`` if the gallery has no other.
    margin
        Mean score of the query with all items that carry ``guess``, less the same of ``runner_up``, in the units of
        :attr:`Match.score`; negative where the matches and the means disagree. It is no probability.
    certainty
        A word for the margin. It says how far apart two digits are, and not whether the query is a digit at all:
        a letter may well be "sure".
    milliseconds
        From raw input to matches.
    """

    modality: Modality
    features: FloatArray
    mean: FloatArray
    log_variance: FloatArray
    samples: FloatArray
    matches: tuple[Match, ...]
    guess: int
    runner_up: int | None
    margin: float
    certainty: Certainty
    milliseconds: float

    @property
    def verdict(self) -> str:
        """Guess and certainty as one says them: ``"sure: 7"``, ``"likely 7, perhaps 1"``, ``"not sure: 7 or 1"``."""
        if self.certainty is Certainty.LIKELY:
            return f"likely {self.guess}" + ("" if self.runner_up is None else f", perhaps {self.runner_up}")
        if self.certainty is Certainty.SURE or self.runner_up is None:
            return f"{self.certainty}: {self.guess}"
        return f"{self.certainty}: {self.guess} or {self.runner_up}"
