"""The system of Saito et al. 2016 (DeMIAN, arXiv 1612.07976): encoders that deceive a discriminator of modalities.

As Leidal, Harwath and Glass 2017 describe it, a discriminator is given the embedding of an image or of an utterance,
or a sample of the unit Gaussian, and has to say which; the encoders are trained against it by gradient reversal.
Saito's networks read images and sentences; here they are the encoders of Leidal et al. Chosen here: the
discriminator's size (two hidden layers of 512), the schedule of the reversal's weight (that of Ganin and Lempitsky
2015, from whom the reversal comes), and that weight: with 0.1 and 1, training with the recipe ``fast`` diverged.

The discriminator says nothing of digits. With ``lambda_similarity`` 0 the system is the adversarial term alone, which
makes the two clouds one, but pairs nothing; with it, the margin loss of Harwath et al. 2016 pairs them; with
``lambda_ig`` as well, it is what Leidal et al. suggest as further work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from model.recipes.fields import Group
from model.recipes.recipe import Recipe, lambda_text
from model.systems.base import INFORMATION_GAIN, SIMILARITY, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem

if TYPE_CHECKING:
    import torch

_SOURCES = 3  # image, speech, prior
_ADVERSARY = Group("Adversary")


@dataclass(frozen=True, slots=True)
class AdversarialRecipe(Recipe):
    """Recipes of systems with a discriminator."""

    lambda_similarity: float = _ADVERSARY.number(
        1.0, "λ_Sim", "Weight of the similarity loss; 0 leaves the discriminator alone", 0, 100, shown=lambda_text
    )
    lambda_adversarial: float = _ADVERSARY.number(
        0.02,
        "λ_Adv",
        "Weight of the discriminator's reversed gradient, which rises to this value within half of the steps",
        0,
        100,
        shown=lambda_text,
    )


class AdversarialSystem(EncoderSystem[AdversarialRecipe]):
    """Gaussian encoders against a discriminator of image, speech and prior."""

    name: ClassVar[str] = "adversarial"
    recipe_type: ClassVar[type[Recipe]] = AdversarialRecipe
    terms: ClassVar[tuple[Term, ...]] = (
        TOTAL,
        SIMILARITY,
        INFORMATION_GAIN,
        Term(
            "discriminator",
            "Discriminator loss",
            "Its cross-entropy: the line is that of guessing, at which image, speech and prior look alike.",
            unit="nats",
            level=math.log(_SOURCES),
        ),
        Term(
            "discriminator_accuracy",
            "Discriminator accuracy",
            "How often it tells image, speech and prior apart; the line is chance.",
            span=(0, 1),
            level=1 / _SOURCES,
        ),
        WEIGHT_NORMS,
    )

    def __init__(self, recipe: AdversarialRecipe) -> None:
        from model.networks.discriminator import Discriminator

        super().__init__(recipe)
        self.discriminator = self.modules.discriminator = Discriminator(_SOURCES)

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """L = lambda_Sim L_Sim + lambda_IG L_IG + L_D + lambda_WD L_WD.

        L_D is the discriminator's cross-entropy. The encoders get its gradient times minus lambda_Adv: they ascend
        where the discriminator descends, so that the total is not a quantity that falls.
        """
        import torch
        from torch.nn.functional import cross_entropy

        from model.objectives.gradient_reversal import reversal_schedule, reverse_gradient
        from model.objectives.information_gain import information_gain
        from model.objectives.margin import margin_similarity
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        images, speech = self.posteriors(batch)
        seen, spoken = (side.sample(recipe.samples_per_input, generator).flatten(0, 1) for side in (images, speech))
        similarity = margin_similarity(seen, spoken, recipe.impostors, generator=generator)
        gain, norms = information_gain(images, speech), weight_norms(self.modules)

        weight = recipe.lambda_adversarial * reversal_schedule(step / recipe.steps)
        prior = torch.randn(seen.shape, generator=generator, device=seen.device)
        embeddings = torch.cat([reverse_gradient(torch.cat([seen, spoken]), weight), prior])
        logits = self.discriminator(embeddings)
        sources = torch.arange(_SOURCES, device=logits.device).repeat_interleave(len(prior))
        discriminator = cross_entropy(logits, sources)

        lambda_ig = recipe.lambda_ig_at(step)
        return Loss(
            recipe.lambda_similarity * similarity + lambda_ig * gain + discriminator + recipe.lambda_wd * norms,
            {
                "similarity": similarity,
                "information_gain": gain,
                "discriminator": discriminator,
                "discriminator_accuracy": (logits.argmax(1) == sources).float().mean(),
                "weight_norms": norms,
            },
            {"lambda_ig": lambda_ig, "lambda_adversarial": weight},
        )
