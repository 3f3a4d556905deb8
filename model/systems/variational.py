"""The system of Leidal, Harwath and Glass 2017 (arXiv 1712.03897): variational encoders and a margin loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from model.recipes.recipe import Recipe
from model.systems.base import TOTAL, Batch, Loss, Term
from model.types import Modality

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from model.networks.posterior import DiagonalGaussian


class VariationalSystem:
    """Two encoders to diagonal Gaussians, trained by Equation 5 of the paper."""

    name: ClassVar[str] = "variational"
    recipe_type: ClassVar[type[Recipe]] = Recipe
    terms: ClassVar[tuple[Term, ...]] = (
        TOTAL,
        Term("similarity", "Similarity loss", "0 when every pair lies nearer than its impostors."),
        Term("information_gain", "Information gain", "How far posteriors are from the prior.", unit="nats"),
        Term("weight_norms", "Weight norms", "The sum of the norms of all weight matrices.", charted=False),
    )

    def __init__(self, recipe: Recipe) -> None:
        import torch

        from model.networks.encoders import Encoders

        self.recipe = recipe
        self.modules = Encoders(recipe.batch_norm, recipe.initial_log_variance).to(memory_format=torch.channels_last)

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """Equation 5, with lambda_IG as the recipe has it at this step."""
        from model.networks.precision import autocast
        from model.objectives.information_gain import information_gain
        from model.objectives.margin import margin_similarity
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        with autocast(batch.images.device, recipe.bfloat16):
            images = self.modules.image(batch.images)
            speech = self.modules.speech(batch.filterbanks)
        image_embeddings = images.sample(recipe.samples_per_input, generator).flatten(0, 1)
        speech_embeddings = speech.sample(recipe.samples_per_input, generator).flatten(0, 1)
        return objective(
            margin_similarity(image_embeddings, speech_embeddings, recipe.impostors, generator=generator),
            information_gain(images, speech),
            weight_norms(self.modules),
            recipe.lambda_ig_at(step),
            recipe.lambda_wd,
        )

    def encode(self, modality: Modality, features: Tensor) -> DiagonalGaussian:
        """See :meth:`model.systems.base.System.encode`."""
        return self.modules.encode(modality, features)


def objective(similarity: Tensor, gain: Tensor, norms: Tensor, lambda_ig: float, lambda_wd: float) -> Loss:
    """L = L_Sim + lambda_IG L_IG + lambda_WD L_WD (Eq. 5)."""
    return Loss(
        similarity + lambda_ig * gain + lambda_wd * norms,
        {"similarity": similarity, "information_gain": gain, "weight_norms": norms},
        {"lambda_ig": lambda_ig},
    )
