"""What systems have in common whose networks are the two encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from model.recipes.recipe import Recipe
from model.similarity import Gaussians, Similarity
from model.systems.base import Batch
from model.types import Modality

if TYPE_CHECKING:
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
    data_parallel
        Whether several processes that train together divide its work: all but the loss of the posteriors.
    """

    data_parallel: ClassVar[bool] = True

    recipe_type: ClassVar[type[Recipe]] = Recipe
    similarity: Similarity = "dot"

    def __init__(self, recipe: AnyRecipe) -> None:
        import torch

        from model.networks.encoders import Encoders

        self.recipe = recipe
        self.similarity = self.similarity_of(recipe)
        encoders = Encoders(recipe.batch_norm, self.head, recipe.speech_encoder == "pretrained")
        if recipe.initialisation == "he":
            encoders.initialise_by_he()
        self.modules = encoders.to(memory_format=torch.channels_last)

    @classmethod
    def similarity_of(cls, recipe: Recipe) -> Similarity:  # noqa: ARG003 (of systems that let the recipe choose)
        """The similarity of a system built from a recipe."""
        return cls.similarity

    def head(self) -> Head:
        """A last layer for an encoder: that of Gaussian posteriors."""
        from model.networks.encoders import GaussianHead

        return GaussianHead(self.recipe.initial_log_variance)

    def posteriors(self, batch: Batch) -> tuple[DiagonalGaussian, DiagonalGaussian]:
        """Those of a batch's images and utterances, in the precision that the recipe asks for.

        In data-parallel training each process encodes its part of the batch, and all get the posteriors of all parts.
        """
        from model.networks import data_parallel
        from model.networks.posterior import DiagonalGaussian
        from model.networks.precision import autocast

        with autocast(batch.images.device, self.recipe.bfloat16):
            parts = (
                self.modules.image(data_parallel.own_part(batch.images)),
                self.modules.speech(data_parallel.own_part(batch.filterbanks)),
            )
        if data_parallel.size() == 1:
            return parts
        count = len(batch.images)
        images, speech = (
            DiagonalGaussian(data_parallel.gathered(part.mean, count), data_parallel.gathered(part.log_variance, count))
            for part in parts
        )
        return images, speech

    def encode(self, modality: Modality, features: npt.NDArray[np.floating[Any]]) -> Gaussians:
        """See :meth:`model.systems.base.Encoder.encode`."""
        import torch

        posterior = self.modules.encode(modality, torch.from_numpy(np.require(features, requirements=["C", "W"])))
        return Gaussians(posterior.mean.numpy(), posterior.log_variance.numpy())
