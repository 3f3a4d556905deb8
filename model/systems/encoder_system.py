"""What systems have in common whose networks are the two encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from model.recipes.recipe import Recipe
from model.similarity import Similarity
from model.systems.base import Batch
from model.types import Modality

if TYPE_CHECKING:
    from torch import Tensor

    from model.networks.encoders import Head
    from model.networks.posterior import DiagonalGaussian

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)


class EncoderSystem(Generic[AnyRecipe]):
    """The paper's two encoders; what is missing of a :class:`~model.systems.base.System` is its name, terms and loss.

    Attributes
    ----------
    modules
        The encoders; a subclass may add further modules to them.
    similarity
        The dot product of means, unless a subclass has another.
    """

    recipe_type: ClassVar[type[Recipe]] = Recipe
    similarity: Similarity = "dot"

    def __init__(self, recipe: AnyRecipe) -> None:
        import torch

        from model.networks.encoders import Encoders

        self.recipe = recipe
        self.modules = Encoders(recipe.batch_norm, self.head).to(memory_format=torch.channels_last)

    def head(self) -> Head:
        """A last layer for an encoder: that of Gaussian posteriors."""
        from model.networks.encoders import GaussianHead

        return GaussianHead(self.recipe.initial_log_variance)

    def posteriors(self, batch: Batch) -> tuple[DiagonalGaussian, DiagonalGaussian]:
        """Those of a batch's images and utterances, in the precision that the recipe asks for."""
        from model.networks.precision import autocast

        with autocast(batch.images.device, self.recipe.bfloat16):
            return self.modules.image(batch.images), self.modules.speech(batch.filterbanks)

    def encode(self, modality: Modality, features: Tensor) -> DiagonalGaussian:
        """See :meth:`model.systems.base.System.encode`."""
        return self.modules.encode(modality, features)
