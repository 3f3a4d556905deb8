"""The system of Aytar, Vondrick and Torralba 2017 (arXiv 1706.00932): one modality's classifier teaches the other's.

"See, Hear, and Read: Deep Aligned Representations" trains networks of sound and text to predict what an image
classifier predicts for co-occurring inputs; the upper layers are shared, which aligns the representations below them.
Here the teacher classifies digits in one modality with the encoder of Leidal, Harwath and Glass 2017, and learns from
labels while its student learns from it. The student sees no labels: it minimises the KL divergence from the teacher's
prediction for its partner, through the teacher's last layer, which it does not change. Aytar et al. add a ranking
loss; that is what ``deterministic`` has, and it is left out here so that distillation is measured by itself.

This is the only system that is given digits. The others get pairs and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from model.recipes.fields import Group, fixed
from model.recipes.recipe import Impostors, Recipe
from model.systems.base import TOTAL, WEIGHT_NORMS, Batch, Loss, Term
from model.systems.deterministic import PointRecipe
from model.systems.encoder_system import EncoderSystem
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    import torch

    from model.networks.encoders import Head

_DIGITS = 10
_DISTILLATION = Group("Distillation")


@dataclass(frozen=True, slots=True)
class DistilledRecipe(PointRecipe):
    """Recipes of a teacher and its student, whose embeddings are points."""

    impostors: Impostors = fixed("all")  # noqa: RUF009 (a field)
    teacher: Literal["image", "speech"] = _DISTILLATION.choice(
        "image", "Teacher", "The modality whose classifier learns with labels", {"image": "Images", "speech": "Speech"}
    )


class DistilledSystem(EncoderSystem[DistilledRecipe]):
    """A classifier of digits in one modality, and one in the other that follows its predictions."""

    name: ClassVar[str] = "distilled"
    recipe_type: ClassVar[type[Recipe]] = DistilledRecipe
    terms: ClassVar[tuple[Term, ...]] = (
        TOTAL,
        Term("teacher", "Teacher loss", "Its cross-entropy with the digits.", unit="nats"),
        Term("student", "Student loss", "KL divergence of its predictions from the teacher's.", unit="nats"),
        Term("student_accuracy", "Student accuracy", "How often it names the digit of a batch.", span=(0, 1)),
        WEIGHT_NORMS,
    )

    def __init__(self, recipe: DistilledRecipe) -> None:
        from torch import nn

        from model.networks.architecture import EMBEDDING_SIZE

        super().__init__(recipe)
        self.classifier = self.modules.classifier = nn.Linear(EMBEDDING_SIZE, _DIGITS)

    def head(self) -> Head:
        """A last layer without variance."""
        from model.networks.encoders import PointHead

        return PointHead()

    def classify(self, modality: Modality, features: npt.NDArray[np.floating[Any]]) -> FloatArray:
        """Probabilities of digits, ``(n, 10)``; parameters as of :meth:`encode`."""
        import torch
        from torch.nn.functional import linear, softmax

        weight, bias = (value.detach().cpu() for value in (self.classifier.weight, self.classifier.bias))
        means = torch.from_numpy(self.encode(modality, features).means)
        probabilities: FloatArray = softmax(linear(means, weight, bias), -1).numpy()
        return probabilities

    def loss(self, batch: Batch, step: int, generator: torch.Generator) -> Loss:  # noqa: ARG002 (of the protocol)
        """L = CE(teacher, digits) + KL(teacher, student) + lambda_WD L_WD."""
        from torch.nn.functional import cross_entropy, linear

        from model.objectives.distillation import distillation
        from model.objectives.weight_norms import weight_norms

        recipe, classifier = self.recipe, self.classifier
        teacher, student = (side.mean for side in self.posteriors(batch))
        if recipe.teacher == Modality.SPEECH.value:
            teacher, student = student, teacher
        taught = classifier(teacher)
        followed = linear(student, classifier.weight.detach(), classifier.bias.detach())
        classification, difference = cross_entropy(taught, batch.digits), distillation(followed, taught)
        norms = weight_norms(self.modules)
        return Loss(
            classification + difference + recipe.lambda_wd * norms,
            {
                "teacher": classification,
                "student": difference,
                "student_accuracy": (followed.argmax(1) == batch.digits).float().mean(),
                "weight_norms": norms,
            },
        )
