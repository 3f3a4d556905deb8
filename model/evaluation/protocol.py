"""On which inputs a model is judged, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal, Self

from model.data.corpora import preferred
from model.types import Modality

HeldOut = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class EvaluationProtocol:
    """On what, and how often, a model is judged.

    Attributes
    ----------
    images, speech
        Names of the corpora.
    speaker
        Judge on this speaker's utterances alone; empty: on everybody's.
    seed
        Fixes samples, clusters and splits.
    resamplings
        How often purity and the modality SVM are repeated with other inputs and samples.
    split
        Of both corpora: ``"test"``, or ``"validation"``, on which choices are made.
    """

    images: str = field(default_factory=partial(preferred, Modality.IMAGE))
    speech: str = field(default_factory=partial(preferred, Modality.SPEECH))
    speaker: str = ""
    seed: int = 0
    resamplings: int = 5
    split: HeldOut = "test"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; raises ``TypeError`` where a name is unknown."""
        return cls(**values)
