"""The system of Harwath, Torralba and Glass 2016: embeddings without variance and a margin loss.

"Unsupervised Learning of Spoken Language with Visual Context" (NIPS 2016) embeds an image and a spoken caption in one
point each, and asks that their dot product exceed, by a margin of 1, that with an impostor image and an impostor
caption of the batch. Its networks are others (VGG-16, and convolutions over longer speech). Here they are the encoders
of Leidal, Harwath and Glass 2017, so that nothing but the variance and its price sets it apart from ``variational``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from model.recipes.fields import fixed
from model.recipes.recipe import Recipe
from model.systems.base import SIMILARITY, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem

if TYPE_CHECKING:
    import torch

    from model.networks.encoders import Head


@dataclass(frozen=True, slots=True)
class PointRecipe(Recipe):
    """Recipes of systems whose posteriors have no variance: one sample says all, and there is no KL divergence."""

    lambda_ig: float = fixed(0.0)
    samples_per_input: int = fixed(1)
    kl_warmup: float = fixed(0.0)
    initial_log_variance: float | None = fixed(None)


class DeterministicSystem(EncoderSystem[PointRecipe]):
    """The margin loss on embeddings that are points."""

    name: ClassVar[str] = "deterministic"
    recipe_type: ClassVar[type[Recipe]] = PointRecipe
    terms: ClassVar[tuple[Term, ...]] = (TOTAL, SIMILARITY, WEIGHT_NORMS)

    def head(self) -> Head:
        """A last layer without variance."""
        from model.networks.encoders import PointHead

        return PointHead()

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:  # noqa: ARG002 (of the protocol)
        """L = L_Sim + lambda_WD L_WD: Equation 5 of Leidal et al. where no variance is left to be priced."""
        from model.objectives.margin import margin_similarity
        from model.objectives.weight_norms import weight_norms

        images, speech = self.posteriors(batch)
        similarity = margin_similarity(images.mean, speech.mean, self.recipe.impostors, generator=generator)
        norms = weight_norms(self.modules)
        return Loss(similarity + self.recipe.lambda_wd * norms, {"similarity": similarity, "weight_norms": norms})
