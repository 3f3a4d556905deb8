"""Types shared by the science, the command line and the window, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Rows(Protocol):
    """An array ``(n, ...)``, or what is made one by parts: when a row, or a slice of them, is read."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any, /) -> FloatArray: ...


WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""The digits as they are spoken."""


class Modality(StrEnum):
    """The modality of an input."""

    IMAGE = "image"
    SPEECH = "speech"

    @property
    def other(self) -> Modality:
        """The other modality, in which queries of this one are answered."""
        return Modality.SPEECH if self is Modality.IMAGE else Modality.IMAGE


class Certainty(StrEnum):
    """Confidence of a guess, in words: the first of :data:`LEAST_CONFIDENCE` that it reaches.

    A guess of the user's takes against the model has none: it is "by your takes".
    """

    SURE = "sure"
    LIKELY = "likely"
    NOT_SURE = "not sure"
    BY_TAKES = "by your takes"


LEAST_CONFIDENCE = {Certainty.SURE: 0.98, Certainty.LIKELY: 0.9}
"""Least confidence for a word: one guess in 50, or one in 10, may be wrong."""


@dataclass(frozen=True, slots=True)
class Item:
    """An image or utterance that can be retrieved.

    Attributes
    ----------
    index
        Position in its gallery; images and utterances share one numbering.
    modality
        Image or speech.
    label
        The digit, 0 to 9. Used for evaluation and colours, never for retrieval.
    source
        A description for people: ``"MNIST test 412"``, ``"Kokoro af_bella, slow"``.
    speaker
        Name of the speaker; empty for images.
    published
        The label that its corpus gives it, where the user has given it another one; ``None`` elsewhere.
    """

    index: int
    modality: Modality
    label: int
    source: str
    speaker: str = ""
    published: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery item found for a query; ``score`` is its similarity (:mod:`model.similarity`): higher is nearer."""

    item: Item
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The answer to a query.

    Attributes
    ----------
    modality
        The query's own modality.
    features
        Input of the encoder: ``(28, 28)`` in [0, 1], or ``(100, 80)`` normalised log mel energies (time x frequency).
    mean, log_variance
        The posterior, each ``(128,)``.
    samples
        Embeddings sampled from the posterior, ``(16, 128)``.
    matches
        Nearest items of the other modality, best first.
    nearest
        The most frequent digit of the nearest items (of the nearest one in a tie): of the matches, unless these are
        restricted to some items, or the user has added takes of the query's modality, which vote, too
        (:mod:`model.retrieval.vote`).
    runner_up
        The digit with the next greatest mean score; ``None`` if the gallery has no other.
    margin
        Mean score of the query with all items of the digit ``nearest``, minus that of ``runner_up``, in the units of
        :attr:`Match.score`; negative if matches and means disagree.
    confidence
        Estimated probability, in [0, 1], that ``nearest`` is right, given that the query is a digit
        (:mod:`model.retrieval.confidence`). It does not tell whether the query is a digit. It is the model's own: where
        takes overrule the model, it is no probability that they are right.
    milliseconds
        From raw input to matches.
    reason
        Why the query is rejected as not a digit; empty otherwise.
    overruled
        The digit that the model would have guessed, where the user's takes say ``nearest``; ``None`` elsewhere.
    """

    modality: Modality
    features: FloatArray
    mean: FloatArray
    log_variance: FloatArray
    samples: FloatArray
    matches: tuple[Match, ...]
    nearest: int
    runner_up: int | None
    margin: float
    confidence: float
    milliseconds: float
    reason: str = ""
    overruled: int | None = None

    @property
    def width(self) -> float:
        """Differential entropy of the posterior, in nats; minus infinity if it has no variance.

        It measures how much information the posterior holds of the input, not how likely the guess is right.
        """
        return float(0.5 * (np.log(2 * np.pi * np.e) + self.log_variance.astype(np.float64)).sum())

    @property
    def rejected(self) -> bool:
        """Whether the query is rejected as not a digit."""
        return bool(self.reason)

    @property
    def guess(self) -> int | None:
        """The guessed digit; ``None`` if the query is rejected."""
        return None if self.rejected else self.nearest

    @property
    def certainty(self) -> Certainty:
        """The confidence in words; "not sure" if the query is rejected, "by your takes" where these decide."""
        if self.rejected:
            return Certainty.NOT_SURE
        if self.overruled is not None:
            return Certainty.BY_TAKES
        return next((word for word, least in LEAST_CONFIDENCE.items() if self.confidence >= least), Certainty.NOT_SURE)

    @property
    def verdict(self) -> str:
        """Guess and certainty in words: ``"sure: 7"``, ``"likely 7, perhaps 1"``, ``"not sure: 7 or 1"``.

        Where takes overrule the model, ``"by your takes: 7; the model alone: 1"``.
        """
        if self.rejected:
            return f"not a digit that I know; nearest is {self.nearest}"
        if self.overruled is not None:
            return f"{self.certainty}: {self.nearest}; the model alone: {self.overruled}"
        if self.certainty is Certainty.LIKELY:
            return f"likely {self.nearest}" + ("" if self.runner_up is None else f", perhaps {self.runner_up}")
        if self.certainty is Certainty.SURE or self.runner_up is None:
            return f"{self.certainty}: {self.nearest}"
        return f"{self.certainty}: {self.nearest} or {self.runner_up}"
