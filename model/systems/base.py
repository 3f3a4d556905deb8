"""The protocol of a system: networks with their loss, as training, checkpoints, evaluation and the window know them.

Without torch, as every module that declares a system should be: a window shows terms and forms before torch is loaded.
Torch, and whatever imports it, is imported where a system is built and computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from model.recipes.recipe import Recipe
from model.similarity import Gaussians, Similarity
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Term:
    """A quantity that is measured while a model trains, and how it is drawn.

    Attributes
    ----------
    name
        Its key in ``metrics.jsonl`` and in TensorBoard.
    title, help
        What people call it, and a sentence about it.
    unit
        Of its values; empty for plain numbers.
    span
        The values that are always in sight; ``None``: a logarithmic axis that fits the values.
    level
        A value that deserves a line.
    charted
        Whether it gets a chart of its own.
    """

    name: str
    title: str
    help: str
    unit: str = ""
    span: tuple[float, float] | None = None
    level: float | None = None
    charted: bool = True

    @property
    def label(self) -> str:
        """The title with the unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


TOTAL = Term("total", "Total loss", "What training minimises: the weighted sum of all terms.")
"""The term that every system has, :attr:`Loss.total`."""

SIMILARITY = Term("similarity", "Similarity loss", "0 when every pair lies nearer than its impostors.")
INFORMATION_GAIN = Term("information_gain", "Information gain", "How far posteriors are from the prior.", unit="nats")
WEIGHT_NORMS = Term("weight_norms", "Weight norms", "The sum of the norms of all weight matrices.", charted=False)


class Batch(NamedTuple):
    """Co-occurring pairs, on the device: row i of one tensor belongs to row i of the other.

    Attributes
    ----------
    images, filterbanks
        ``(n, 1, 28, 28)`` in [0, 1], and ``(n, 1, 100, 80)``, time x frequency, normalised.
    digits
        The digit that both of a pair show, ``(n,)``. Only a system that is said to be supervised may look at it.
    """

    images: Tensor
    filterbanks: Tensor
    digits: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What a system's loss comes to on a batch.

    Attributes
    ----------
    total
        A scalar, to be minimised.
    terms
        Scalars by the names of the system's terms, all but ``total``.
    weights
        Weights that change in the course of training, as they are in force at this step.
    """

    total: Tensor
    terms: Mapping[str, Tensor]
    weights: Mapping[str, float] = field(default_factory=dict)

    def values(self) -> dict[str, float]:
        """Total and terms as numbers; waits for the device."""
        return {"total": self.total.item(), **{name: term.item() for name, term in self.terms.items()}}

    def detached(self) -> Loss:
        """The same without the graph of its gradients."""
        return Loss(self.total.detach(), {name: term.detach() for name, term in self.terms.items()}, self.weights)


class Encoder(Protocol):
    """Embeds images and speech in one space; what answers queries, whether torch or something else computes it.

    Attributes
    ----------
    similarity
        What matches are ranked by.
    """

    @property
    def similarity(self) -> Similarity:
        """Of posteriors."""
        ...

    def encode(self, modality: Modality, features: npt.NDArray[np.floating[Any]]) -> Gaussians:
        """Posteriors of any number of inputs, ``(n, 128)`` each.

        Parameters
        ----------
        modality
            Of the inputs.
        features
            ``(n, 28, 28)`` images in [0, 1] or ``(n, 100, 80)`` filterbanks, of any floating type.
        """
        ...


@runtime_checkable
class Decoder(Encoder, Protocol):
    """An encoder that also turns embeddings into pictures and sound."""

    def decode(self, modality: Modality, embeddings: FloatArray) -> FloatArray:
        """What embeddings ``(n, 128)`` look or sound like.

        Returns
        -------
        ndarray
            ``(n, 28, 28)`` images in [0, 1], or ``(n, 100, 80)`` normalised filterbanks.
        """
        ...


class System(Encoder, Protocol):
    """Networks that embed images and speech in one space, and the loss that trains them.

    Attributes
    ----------
    name
        As recipes have it in ``system``.
    recipe_type
        :class:`~model.recipes.recipe.Recipe`, or a subclass with the fields that only this system has.
    terms
        What its loss consists of, :data:`TOTAL` among them, in the order in which people see them.
    similarity
        What its loss compares pairs by, and its matches are ranked by.

    :meth:`encode` computes without gradients, and leaves the modules in evaluation mode.
    """

    name: ClassVar[str]
    recipe_type: ClassVar[type[Recipe]]
    terms: ClassVar[tuple[Term, ...]]

    @property
    def recipe(self) -> Recipe:
        """What the system was built from."""
        ...

    def __init__(self, recipe: Recipe) -> None:
        """Build the modules, initialised from torch's global random state."""

    @property
    def modules(self) -> nn.Module:
        """Everything that is trained and kept in checkpoints: its parameters and buffers by name."""
        ...

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """The loss on a batch at a step, counted from 0; all its randomness comes from ``generator``."""
        ...
