"""The further work that Leidal, Harwath and Glass 2017 propose: a divergence of posteriors in place of the dot product.

"Replace the dot product similarity with a symmetric divergence of the variational distributions of matched and
mismatched inputs", they write. The similarity of a pair is minus the divergence of its two posteriors
(:mod:`model.similarity`); the margin loss, the KL term and the networks are as in ``variational``. They leave open
which divergence (three are here) and the margin (1, as before, in the unit of the divergence). The divergences are in
closed form, so nothing is sampled. Log variances start at 0: divided by the small variances that suit dot products,
the first differences of means are large, and the fastest way to lower the loss is to make all inputs alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from model.recipes.fields import Group, fixed
from model.recipes.recipe import Recipe
from model.similarity import Divergence, Gaussians, Similarity, similarity_matrix
from model.systems.base import INFORMATION_GAIN, SIMILARITY, TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.encoder_system import EncoderSystem
from model.systems.variational import objective

if TYPE_CHECKING:
    import torch

_SIMILARITY = Group("Similarity")


@dataclass(frozen=True, slots=True)
class DivergenceRecipe(Recipe):
    """Recipes of the system that compares posteriors."""

    samples_per_input: int = fixed(1)
    initial_log_variance: float | None = fixed(0.0)
    divergence: Divergence = _SIMILARITY.choice(  # noqa: RUF009 (a field)
        "bhattacharyya",
        "Divergence",
        "Of two posteriors; the smaller, the more similar they are",
        {"jeffreys": "Jeffreys", "bhattacharyya": "Bhattacharyya", "wasserstein": "Squared 2-Wasserstein"},
    )


class DivergenceSystem(EncoderSystem[DivergenceRecipe]):
    """The margin loss on a divergence of posteriors, with the KL term."""

    name: ClassVar[str] = "divergence"
    recipe_type: ClassVar[type[Recipe]] = DivergenceRecipe
    terms: ClassVar[tuple[Term, ...]] = (TOTAL, SIMILARITY, INFORMATION_GAIN, WEIGHT_NORMS)

    @classmethod
    def similarity_of(cls, recipe: Recipe) -> Similarity:
        """The divergence that the recipe names."""
        assert isinstance(recipe, DivergenceRecipe)
        return recipe.divergence

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        """Equation 5 with minus the divergence in place of the dot product."""
        import torch

        from model.objectives.information_gain import information_gain
        from model.objectives.margin import margin_ranking
        from model.objectives.weight_norms import weight_norms

        recipe = self.recipe
        images, speech = self.posteriors(batch)
        seen, spoken = (Gaussians(side.mean, side.log_variance) for side in (images, speech))
        similarity = similarity_matrix(self.similarity, seen, spoken, torch)
        return objective(
            margin_ranking(similarity, recipe.impostors, generator=generator),
            information_gain(images, speech),
            weight_norms(self.modules),
            recipe.lambda_ig_at(step),
            recipe.lambda_wd,
        )
