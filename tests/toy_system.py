"""A system as another package would add it: an objective, a recipe with a field of its own, and the networks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model import systems
from model.networks.posterior import DiagonalGaussian
from model.recipes.fields import Group
from model.recipes.recipe import Recipe
from model.similarity import Gaussians
from model.systems.base import TOTAL, Batch, Loss, Term
from model.types import FloatArray, Modality

SIZE = 8


def distance(images: Tensor, speech: Tensor, temperature: float) -> Tensor:
    """Mean squared distance of matched embeddings, less what impostors are away, softly: a toy."""
    logits = -torch.cdist(images, speech).square() / temperature
    return nn.functional.cross_entropy(logits, torch.arange(len(images), device=images.device))


@dataclass(frozen=True, slots=True)
class ToyRecipe(Recipe):
    """Recipes of the toy."""

    temperature: float = Group("Toy").number(0.5, "Temperature", "How soft the contrast is", 0.01, 10)


class ToySystem:
    """One linear layer a modality; how wide posteriors are is learnt as a parameter of its own."""

    name = "toy"
    similarity = "dot"
    recipe_type = ToyRecipe
    terms = (
        TOTAL,
        Term("distance", "Distance of pairs", "How far pairs are apart, against impostors.", unit="nats"),
        Term("width", "Width of posteriors", "The mean deviation.", charted=False),
    )

    def __init__(self, recipe: ToyRecipe) -> None:
        self.recipe = recipe
        self.modules = nn.ModuleDict({"image": nn.Linear(28 * 28, SIZE), "speech": nn.Linear(100 * 80, SIZE)})
        self.modules.register_parameter("log_variance", nn.Parameter(torch.full((SIZE,), -4.0)))

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:
        images, speech = (
            self._posterior(modality, inputs).sample(1, generator)[:, 0]
            for modality, inputs in zip(Modality, batch[:2], strict=True)
        )
        width = (self.modules.log_variance / 2).exp().mean()
        away = distance(images, speech, self.recipe.temperature)
        return Loss(away + 0.1 * width, {"distance": away, "width": width}, {"share": step / self.recipe.steps})

    @torch.inference_mode()
    def encode(self, modality: Modality, features: FloatArray) -> Gaussians:
        self.modules.eval()
        posterior = self._posterior(modality, torch.from_numpy(np.array(features, np.float32)))
        return Gaussians(posterior.mean.numpy(), posterior.log_variance.numpy())

    def _posterior(self, modality: Modality, inputs: Tensor) -> DiagonalGaussian:
        mean = self.modules[modality.value](inputs.flatten(1))
        return DiagonalGaussian(mean, self.modules.log_variance + torch.zeros_like(mean))


@contextmanager
def installed() -> Iterator[None]:
    """As if a package with this entry point was installed."""
    found = metadata.EntryPoints([metadata.EntryPoint("toy", f"{__name__}:ToySystem", "modinv.systems")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "entry_points", lambda **chosen: found.select(**chosen))
        systems.entry_points.cache_clear()
        yield
    systems.entry_points.cache_clear()
