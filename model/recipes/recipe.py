"""How a model is trained: frozen, typed, serialisable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, get_args

from model.parsing import parse

Impostors = Literal["pair", "one", "all"]
Schedule = Literal["staircase", "one-cycle"]

PAPER_LAMBDAS = (0.0, 1e-5, 6.81e-5, 4.64e-4, 3.16e-3, 2.15e-2, 1.47e-1, 1.0)
"""The eight values of lambda_IG in Table 1."""

MNIST_IMAGES = 60_000
MNIST_BATCHES = 469
"""Batches of 128 in one pass over MNIST: the paper's epoch."""

LARGEST = 2**31 - 1
"""Of whole numbers: more than anybody waits for, and as much as a progress bar can count."""


def lambda_text(value: float) -> str:
    """A lambda_IG as the paper writes it: ``0``, ``6.81e-5``, ``1``."""
    if value == 0 or 1 <= value < 1000:
        return f"{value:g}"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run but its data, its seed and its device.

    Attributes
    ----------
    lambda_ig, lambda_wd
        Weights of the information gain and of the weight norms, at least 0.
    steps
        Batches in all.
    batch_size
        Distinct image-utterance pairs a batch.
    samples_per_input
        Embeddings sampled from each posterior.
    impostors
        See :func:`model.objectives.margin_similarity`.
    learning_rate
        Adam's: the initial one for ``"staircase"``, the peak for ``"one-cycle"``.
    schedule
        ``"staircase"``: times 0.9 every ten passes over MNIST, counted in batches of this recipe's size.
        ``"one-cycle"``: up over the first quarter, down to zero by a cosine.
    kl_warmup
        Share of the steps over which lambda_IG rises quadratically from 0. Without it, at high learning rates, the
        posterior collapses onto the prior before the similarity has taught it anything.
    initial_log_variance
        See :class:`model.networks.encoders.GaussianHead`.
    batch_norm
        In the speech encoder, as Hsu's released configuration has it.
    time_shift, time_stretch, frequency_warp, channel, noise, frequency_mask
        Augmentation of filterbanks (:mod:`model.data.augmentation`); 0 turns each off.
    augmented_share
        Share of the steps that are augmented, from the first. The rest sees speech as it is: what tells augmented
        speech from real speech tells speech from images too, and the modalities only merge where it is gone.
    bfloat16
        Convolutions and matrix products in bfloat16 where the device has them; the last layer, posteriors and losses
        stay in float32.
    """

    FORMER_NAMES: ClassVar[Mapping[str, str]] = {"batch_pairs": "batch_size", "ig_warm_up": "kl_warmup"}

    name: str
    lambda_ig: float = 2.15e-2
    lambda_wd: float = 1e-6
    steps: int = 100 * MNIST_BATCHES
    batch_size: int = 128
    samples_per_input: int = 16
    impostors: Impostors = "one"
    learning_rate: float = 1e-5
    schedule: Schedule = "staircase"
    betas: tuple[float, float] = (0.95, 0.999)
    epsilon: float = 1e-8
    kl_warmup: float = 0.0
    initial_log_variance: float | None = None
    batch_norm: bool = False
    time_shift: int = 0
    time_stretch: float = 0.0
    frequency_warp: float = 0.0
    channel: float = 0.0
    noise: float = 0.0
    frequency_mask: int = 0
    augmented_share: float = 1.0
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if not self.lambda_ig >= 0 or not self.lambda_wd >= 0:
            raise ValueError("lambda_IG and lambda_WD must be numbers of at least 0.")
        if self.steps < 1 or self.samples_per_input < 1 or self.batch_size < 2:
            raise ValueError("A recipe needs at least one step, one sample an input and two pairs a batch.")
        sizes = self.steps, self.batch_size, self.samples_per_input, self.time_shift, self.frequency_mask
        if max(sizes) > LARGEST:
            raise ValueError(f"No number of a recipe is larger than {LARGEST:,}.")
        if self.impostors not in get_args(Impostors) or self.schedule not in get_args(Schedule):
            raise ValueError(f"No recipe has {self.impostors!r} impostors or the schedule {self.schedule!r}.")

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over MNIST."""
        return math.ceil(MNIST_IMAGES / self.batch_size)

    def continues(self, began: Recipe) -> bool:
        """Whether a run that began with another recipe is one of this recipe.

        So is one of the same, and one of this name as it was in earlier versions, which goes on as it began.
        """
        return began in (self, replace(self, **_FORMERLY.get(self.name, {})))

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if self.schedule == "staircase":
            return self.learning_rate * 0.9 ** (step // (10 * self.steps_per_epoch))
        rise = max(1, self.steps // 4)
        if step < rise:
            return self.learning_rate * (0.04 + 0.96 * (step + 1) / rise)
        fall = (step - rise) / max(1, self.steps - rise)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fall))

    def lambda_ig_at(self, step: int) -> float:
        """lambda_IG in force at a step, counted from 0."""
        warm = self.kl_warmup * self.steps
        return self.lambda_ig if step >= warm else self.lambda_ig * (step / warm) ** 2

    def augments_at(self, step: int) -> bool:
        """Whether a step, counted from 0, augments its filterbanks."""
        return step < self.augmented_share * self.steps

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "betas": list(self.betas)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The inverse of :meth:`to_dict`; a ``ValueError`` names what does not belong to a recipe."""
        return parse(cls, values, "the recipe")


PAPER = Recipe(name="paper", impostors="pair", batch_norm=True)
"""The paper's, as far as it says: 100 epochs, one impostor pair, Adam at 1e-5. Hours on a laptop.

- Its speech encoder is "the same architecture as the encoder portion of Hsu et al."; batch norm stands in the
  configuration that they released, not in the paper, which names ReLU alone.
- "Negative sampling was performed by selecting one of the other 2,047 sample pairs": both impostors come from one pair.
- What it does not say is the initialisation: PyTorch's.
- The sound is ours, as for any recipe: 8 kHz, trimmed by a detector of voice, no deeper than 45 dB
  (:mod:`model.data.speech`), where the paper has 20 kHz and does neither. So is the corpus: TIDIGITS is not open.
"""

_FORMERLY: Mapping[str, Mapping[str, Any]] = {"paper": {"impostors": "one", "batch_norm": False}}
"""What recipes of these names had in earlier versions."""

FAST = Recipe(
    name="fast",
    steps=1600,
    samples_per_input=8,
    impostors="all",
    learning_rate=1e-3,
    schedule="one-cycle",
    kl_warmup=0.4,
    initial_log_variance=-4.0,
    time_shift=12,
    time_stretch=0.15,
    frequency_warp=0.08,
    channel=0.4,
    noise=0.5,
    frequency_mask=10,
    augmented_share=0.6,
    bfloat16=True,
)
"""The paper's objective in minutes on a laptop.

The encoders are the same but for batch norm; initialisation, schedule, augmentation, half the samples an input, and all
impostors instead of one pair are not the paper's.
"""

RECIPES = {recipe.name: recipe for recipe in (PAPER, FAST)}


def named(name: str, **changes: Any) -> Recipe:
    """A recipe by its name, with some fields changed; a ``ValueError`` lists the names there are."""
    try:
        return replace(RECIPES[name], **changes)
    except KeyError:
        raise ValueError(f"No recipe is called {name!r}. There are: {', '.join(RECIPES)}.") from None
