"""The system of Leidal, Harwath and Glass 2017 (arXiv 1712.03897): variational encoders and a margin loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from model.recipes.recipe import Recipe
from model.systems.base import INFORMATION_GAIN, SIMILARITY, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class VariationalSystem(EncoderSystem[Recipe]):
    """Two encoders to diagonal Gaussians, trained by Equation 5 of the paper."""

    name: ClassVar[str] = "variational"
    terms: ClassVar[tuple[Term, ...]] = (TOTAL, SIMILARITY, INFORMATION_GAIN, WEIGHT_NORMS)

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """Equation 5, with lambda_IG as the recipe has it at this step."""
        from model.objectives.information_gain import information_gain
        from model.objectives.margin import margin_similarity
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        images, speech = self.posteriors(batch)
        image_embeddings = images.sample(recipe.samples_per_input, generator).flatten(0, 1)
        speech_embeddings = speech.sample(recipe.samples_per_input, generator).flatten(0, 1)
        return objective(
            margin_similarity(image_embeddings, speech_embeddings, recipe.impostors, generator=generator),
            information_gain(images, speech),
            weight_norms(self.modules),
            recipe.lambda_ig_at(step),
            recipe.lambda_wd,
        )


def objective(similarity: Tensor, gain: Tensor, norms: Tensor, lambda_ig: float, lambda_wd: float) -> Loss:
    """L = L_Sim + lambda_IG L_IG + lambda_WD L_WD (Eq. 5)."""
    return Loss(
        similarity + lambda_ig * gain + lambda_wd * norms,
        {"similarity": similarity, "information_gain": gain, "weight_norms": norms},
        {"lambda_ig": lambda_ig},
    )
