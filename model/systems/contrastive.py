"""What one would take today: the contrastive loss of CLIP (Radford et al. 2021, arXiv 2103.00020), with or without KL.

CLIP trains an image and a text encoder by InfoNCE in both directions, with a learnt temperature, on embeddings of
length 1. Its networks, data and batches of 32,768 pairs are others; here the encoders and batches are those of Leidal,
Harwath and Glass 2017. Where ``lambda_ig`` is 0, embeddings are points, as CLIP's are. Above 0, the encoders return
posteriors, the loss compares their samples, and the KL term of Leidal et al. is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from model.recipes.fields import fixed
from model.recipes.recipe import Impostors, Recipe
from model.similarity import Similarity
from model.systems.base import INFORMATION_GAIN, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem

if TYPE_CHECKING:
    import torch

    from model.networks.encoders import Head


@dataclass(frozen=True, slots=True)
class ContrastiveRecipe(Recipe):
    """Recipes of the contrastive system: all pairs of the batch are impostors."""

    impostors: Impostors = fixed("all")  # noqa: RUF009 (a field)


class ContrastiveSystem(EncoderSystem[ContrastiveRecipe]):
    """InfoNCE on the cosine of embeddings, and the KL term where it has a weight."""

    name: ClassVar[str] = "contrastive"
    recipe_type: ClassVar[type[Recipe]] = ContrastiveRecipe
    similarity: Similarity = "cosine"
    terms: ClassVar[tuple[Term, ...]] = (
        TOTAL,
        Term("info_nce", "InfoNCE", "Cross-entropy of finding the partner among the batch.", unit="nats"),
        INFORMATION_GAIN,
        Term("temperature", "Temperature", "What cosines are divided by; it is learnt."),
        WEIGHT_NORMS,
    )

    def __init__(self, recipe: ContrastiveRecipe) -> None:
        import torch
        from torch import nn

        from model.objectives.contrastive import INITIAL_TEMPERATURE

        super().__init__(recipe)
        self.modules.log_scale = nn.Parameter(torch.tensor([-math.log(INITIAL_TEMPERATURE)]))

    def head(self) -> Head:
        """A last layer with variance only where variance has a price."""
        from model.networks.encoders import PointHead

        return super().head() if self.recipe.lambda_ig > 0 else PointHead()

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """L = L_InfoNCE + lambda_IG L_IG + lambda_WD L_WD."""
        import torch

        from model.objectives.contrastive import info_nce
        from model.objectives.information_gain import information_gain
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        images, speech = self.posteriors(batch)
        norms = weight_norms(self.modules)
        if recipe.lambda_ig > 0:
            seen, spoken = (side.sample(recipe.samples_per_input, generator) for side in (images, speech))
            gain = information_gain(images, speech)
        else:
            seen, spoken, gain = images.mean, speech.mean, torch.zeros((), device=images.mean.device)
        log_scale = cast(torch.Tensor, self.modules.log_scale)
        contrast, lambda_ig = info_nce(seen, spoken, log_scale), recipe.lambda_ig_at(step)
        return Loss(
            contrast + lambda_ig * gain + recipe.lambda_wd * norms,
            {
                "info_nce": contrast,
                "information_gain": gain,
                "temperature": (-log_scale).exp().squeeze(),
                "weight_norms": norms,
            },
            {"lambda_ig": lambda_ig},
        )
