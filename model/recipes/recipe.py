"""Recipes: the hyperparameters of a training run."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Literal

from model.parsing import parse
from model.recipes.fields import Group, fields_of, fixed_values

Impostors = Literal["pair", "one", "all"]
Schedule = Literal["staircase", "one-cycle"]
Initialisation = Literal["pytorch", "he"]
SpeechEncoder = Literal["hsu", "pretrained"]

PAPER_LAMBDAS = (0.0, 1e-5, 6.81e-5, 4.64e-4, 3.16e-3, 2.15e-2, 1.47e-1, 1.0)
"""The eight values of lambda_IG in Table 1."""

MNIST_IMAGES = 60_000
MNIST_BATCHES = 469
"""Batches of 128 in one pass over MNIST: the paper's epoch."""

DEFAULT_SYSTEM = "variational"
"""The default system, also of recipes without one: :class:`model.systems.variational.VariationalSystem`."""

LARGEST = 2**31 - 1
"""Maximum of integers: the limit of a progress bar."""


def lambda_text(value: float) -> str:
    """A lambda_IG in the notation of the paper: ``0``, ``6.81e-5``, ``1``."""
    if value == 0 or 1 <= value < 1000:
        return f"{value:g}"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def objective_text(recipe: Mapping[str, Any], lambda_is: str = "λ ") -> str:
    """A short description of a recipe's objective: ``"λ 2.15e-2"``, ``"deterministic"``, ``"divergence, λ 1"``.

    Parameters
    ----------
    recipe
        Its values, of any version.
    lambda_is
        Text before the value of lambda_IG.
    """
    system, lambda_ig = recipe.get("system", DEFAULT_SYSTEM), recipe["lambda_ig"]
    default = system == DEFAULT_SYSTEM
    weight = f"{lambda_is}{lambda_text(lambda_ig)}" if lambda_ig or default else ""
    return ", ".join(filter(None, ("" if default else system, weight)))


def encoder_text(recipe: Mapping[str, Any]) -> str:
    """``", pretrained speech encoder"`` if a recipe, of any version, has one; empty otherwise."""
    return ", pretrained speech encoder" if recipe.get("speech_encoder") == "pretrained" else ""


_SYSTEM = Group("System")
_OBJECTIVE = Group("Objective")
_BATCHES = Group("Batches")
_OPTIMISER = Group("Optimiser")
_POSTERIORS = Group("Posteriors")
_ENCODERS = Group("Encoders")
_AUGMENTATION = Group("Augmentation of speech")


def _systems() -> Mapping[str, str]:
    from model import systems  # late: systems import recipes

    return {name: name for name in systems.names()}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines a training run apart from data, seed and device.

    The fields describe themselves; see :func:`model.recipes.fields.fields_of` and ``docs/recipes.md``. A system with
    further fields has a subclass, frozen and with slots, whose fields are declared in the same way; fields that it does
    not use are declared there as :func:`~model.recipes.fields.fixed`. Several recipes may have the same ``name``.
    """

    FORMER_NAMES: ClassVar[Mapping[str, str]] = {"batch_pairs": "batch_size", "ig_warm_up": "kl_warmup"}

    name: str
    lambda_ig: float = _OBJECTIVE.number(
        2.15e-2, "λ_IG", "Weight of the information gain, which merges the two modalities", shown=lambda_text
    )
    system: str = _SYSTEM.choice(
        DEFAULT_SYSTEM,
        "System",
        "Networks and loss: those of Leidal 2017, others to compare with, and any that other packages add",
        _systems,
    )
    steps: int = _BATCHES.number(
        100 * MNIST_BATCHES, "Steps", f"Batches in all; {MNIST_BATCHES} are one pass over MNIST", 1, LARGEST
    )
    batch_size: int = _BATCHES.number(128, "Pairs per batch", "Distinct pairs of an image and an utterance", 2, 4096)
    samples_per_input: int = _BATCHES.number(16, "Samples per input", "Embeddings drawn from each posterior", 1, 256)
    impostors: Impostors = _BATCHES.choice(  # noqa: RUF009 (a field)
        "one",
        "Impostors",
        "What a pair is compared with: one other pair of the batch, as in the paper; an image and an utterance, drawn "
        "independently; or all of them",
        {"pair": "One pair, as in the paper", "one": "One of each", "all": "All of the batch"},
    )
    learning_rate: float = _OPTIMISER.number(
        1e-5, "Learning rate", "Of Adam: the initial one, or the peak of the cycle", 1e-9, 1.0
    )
    schedule: Schedule = _OPTIMISER.choice(  # noqa: RUF009 (a field)
        "staircase",
        "Schedule",
        "Of the learning rate: times 0.9 every ten passes over MNIST, as in the paper, or a rise and a cosine decay to "
        "zero",
        {"staircase": "Staircase, as in the paper", "one-cycle": "One cycle"},
    )
    lr_warmup: float = _OPTIMISER.number(
        0.25, "Warm-up of the rate", "Share of the steps over which the learning rate rises in one cycle", 0, 1
    )
    betas: tuple[float, float] = _OPTIMISER.number(
        (0.95, 0.999), "Adam's β₁, β₂", "Decay rates of the averages of the gradient and of its square", 0, 0.999999,
        parts=("Adam's β₁", "Adam's β₂"),
    )  # fmt: skip
    epsilon: float = _OPTIMISER.number(1e-8, "Adam's ε", "Added to the denominator for numerical stability", 1e-16, 1.0)
    initialisation: Initialisation = _OPTIMISER.choice(  # noqa: RUF009 (a field)
        "pytorch",
        "Initialisation",
        "Of the weights before ReLUs: PyTorch's, with which activations lose five sixths of their variance in each "
        "layer, or that of He 2015, which keeps it and saves the first steps",
        {"pytorch": "PyTorch's own", "he": "He"},
    )
    lambda_wd: float = _OPTIMISER.number(1e-6, "λ_WD", "Weight of the weight norms", shown=lambda_text)
    kl_warmup: float = _POSTERIORS.number(
        0.0,
        "Warm-up of λ_IG",
        "Share of the steps over which λ_IG rises quadratically from 0; without it, at high learning rates, posteriors "
        "collapse onto the prior before the similarity has any effect",
        0,
        1,
    )
    initial_log_variance: float | None = _POSTERIORS.number(
        None,
        "Initial log variance",
        "Of the posteriors; by default PyTorch's initialisation, as in the paper",
        -20,
        5,
        empty="PyTorch's own",
    )
    speech_encoder: SpeechEncoder = _ENCODERS.choice(  # noqa: RUF009 (a field)
        "hsu",
        "Speech encoder",
        "That of Hsu 2017, as in the paper, or one whose convolutions have learnt keywords from many people before, "
        "which understands strangers better",
        {"hsu": "Hsu's", "pretrained": "Pretrained"},
    )
    batch_norm: bool = _ENCODERS.switch(
        False, "Batch norm", "In Hsu's speech encoder, as the released configuration has it"
    )
    bfloat16: bool = _ENCODERS.switch(
        False, "bfloat16", "Mixed precision in the networks, if the device supports it: faster, slightly less exact"
    )
    time_shift: int = _AUGMENTATION.number(0, "Time shift", "Maximum shift in either direction", 0, 50, unit="frames")
    time_stretch: float = _AUGMENTATION.number(0.0, "Time stretch", "Maximum relative change", 0, 0.9)
    frequency_warp: float = _AUGMENTATION.number(0.0, "Frequency warp", "Maximum relative change", 0, 0.9)
    channel: float = _AUGMENTATION.number(0.0, "Channel", "Strength of a random frequency response", 0, 5)
    noise: float = _AUGMENTATION.number(0.0, "Noise", "Share of the utterances with added noise", 0, 5)
    frequency_mask: int = _AUGMENTATION.number(0, "Frequency mask", "Maximum width", 0, 79, unit="bands")
    distorted: float = _AUGMENTATION.number(
        0.0,
        "Distorted sound",
        "Share of the utterances put into rooms, noise and babble, behind other microphones, clipped and quantised, "
        "before the filterbank",
        0,
        1,
    )
    distorted_at_end: float = _AUGMENTATION.number(
        0.0, "Distorted at the end", "The same share after the steps with augmentation", 0, 1
    )
    augmented_share: float = _AUGMENTATION.number(
        1.0,
        "Share of the steps",
        "With augmentation, from the first on; training ends without it, because what distinguishes augmented speech "
        "from real speech also distinguishes speech from images",
        0,
        1,
    )

    def __post_init__(self) -> None:
        for name, value in fixed_values(type(self)).items():
            object.__setattr__(self, name, value)
        for field in fields_of(type(self)):
            field.check(getattr(self, field.name))

    @classmethod
    def subclass_for(cls, values: Mapping[str, Any]) -> type[Recipe]:
        """The class of recipes of the system in some values, for :func:`model.parsing.parse`.

        Raises ``ValueError`` for an unknown system.
        """
        name = values.get("system", DEFAULT_SYSTEM)
        if cls is not Recipe or name == DEFAULT_SYSTEM or not isinstance(name, str):
            return cls
        from model import systems  # late: systems import recipes

        return systems.find(name).recipe_type

    def changed(self, **changes: Any) -> Recipe:
        """A copy with some fields changed, of the class for its system.

        If the system changes, fields that one of the two systems does not have get their defaults.
        """
        kind = Recipe.subclass_for({"system": self.system, **changes})
        own = {field.name for field in fields(kind)} & {field.name for field in fields(self)}
        own -= set(fixed_values(type(self)))
        return kind(**{**{name: getattr(self, name) for name in own}, **changes})

    def with_settings(self, settings: Sequence[str]) -> Recipe:
        """A copy with some fields changed by typed settings such as ``"steps=800"``; raises ``ValueError``."""
        texts = dict(_split(setting) for setting in settings)
        recipe = self.changed(system=texts["system"]) if "system" in texts else self
        known = {field.name: field for field in fields_of(type(recipe))}
        for name in texts:
            if name in fixed_values(type(recipe)):
                raise ValueError(f"The system {recipe.system} has no {name}.")
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
                raise ValueError(f"No field of a recipe is called {name!r}. {hint}")
        return recipe.changed(**{name: known[name].parse(text) for name, text in texts.items()})

    def has(self, name: str) -> bool:
        """Whether its system uses a field of this name."""
        return any(field.name == name for field in fields_of(type(self)))

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over MNIST."""
        return math.ceil(MNIST_IMAGES / self.batch_size)

    def continues(self, began: Recipe) -> bool:
        """Whether a run that began with a recipe can be resumed with this one.

        That is so if they are equal, or if the former is the one of this name in an earlier version.
        """
        return began in (self, replace(self, **_FORMERLY.get(self.name, {})))

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if self.schedule == "staircase":
            return self.learning_rate * 0.9 ** (step // (10 * self.steps_per_epoch))
        rise = max(1, int(self.lr_warmup * self.steps))
        if step < rise:
            return self.learning_rate * (0.04 + 0.96 * (step + 1) / rise)
        fall = (step - rise) / max(1, self.steps - rise)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fall))

    def lambda_ig_at(self, step: int) -> float:
        """lambda_IG at a step, counted from 0."""
        warm = self.kl_warmup * self.steps
        return self.lambda_ig if step >= warm else self.lambda_ig * (step / warm) ** 2

    def augments_at(self, step: int) -> bool:
        """Whether a step, counted from 0, uses augmentation."""
        return step < self.augmented_share * self.steps

    def distorted_at(self, step: int) -> float:
        """The share of distorted utterances at a step, counted from 0."""
        return self.distorted if self.augments_at(step) else self.distorted_at_end

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "betas": list(self.betas)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the recipe")


def _split(setting: str) -> tuple[str, str]:
    name, sign, text = setting.partition("=")
    if not sign:
        raise ValueError(f"{setting!r} is not a setting: write FIELD=VALUE, such as steps=800.")
    return name.strip(), text


PAPER = Recipe(name="paper", impostors="pair", batch_norm=True)
"""The paper's recipe, as far as it is specified: 100 epochs, one impostor pair, Adam at 1e-5. Hours on a laptop.

- The speech encoder is "the same architecture as the encoder portion of Hsu et al."; batch norm is in their released
  configuration, not in the paper, which mentions only ReLU.
- "Negative sampling was performed by selecting one of the other 2,047 sample pairs": both impostors come from one pair.
- The initialisation is not specified; it is PyTorch's.
- The front end is that of all recipes (:mod:`model.data.speech`): 8 kHz, trimmed, with a floor of 45 dB, where the
  paper has 20 kHz and does neither. The corpus is another one, since TIDIGITS is not open.
"""

_FORMERLY: Mapping[str, Mapping[str, Any]] = {
    "paper": {"impostors": "one", "batch_norm": False},
    "robust": {"speech_encoder": "hsu"},
}
"""Values of the recipes of these names in earlier versions."""

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

It differs from the paper's in batch norm, initialisation, schedule, augmentation, the number of samples per input, and
the use of all impostors.
"""

ROBUST = FAST.changed(
    name="robust",
    speech_encoder="pretrained",
    steps=4400,
    channel=0.0,
    noise=0.0,
    time_stretch=0.2,
    frequency_warp=0.15,
    distorted=0.7,
    augmented_share=0.85,
)
"""FAST for other people, rooms and microphones: a pretrained speech encoder, and most sound is distorted.

The last steps are without distortion: distorted speech would keep the modalities apart.
"""

SPRINT = FAST.changed(
    name="sprint",
    steps=600,
    batch_size=64,
    samples_per_input=4,
    learning_rate=4e-3,
    lr_warmup=0.1,
    betas=(0.9, 0.99),
    initialisation="he",
    kl_warmup=0.2,
    channel=0.0,
    noise=0.0,
    frequency_mask=0,
    augmented_share=0.4,
)
"""FAST for the impatient: a fifth of its pairs, for about the quality that the paper reports.

``docs/performance.md`` says what else was tried.
"""

RECIPES = {recipe.name: recipe for recipe in (PAPER, FAST, ROBUST, SPRINT)}


def fine_tuning(recipe: Mapping[str, Any]) -> Recipe:
    """The recipe that fine-tunes a model, with a few takes among its old pairs; minutes on a laptop.

    Parameters
    ----------
    recipe
        That of the model, as in its header: its system and objective stay. Encoders that were frozen train.
    """
    base = Recipe.from_dict(recipe)
    thawed = {"frozen_encoders": False} if hasattr(base, "frozen_encoders") else {}
    return base.changed(
        **thawed,
        name="personal",
        steps=200,
        batch_size=64,
        samples_per_input=8,
        impostors="all",
        learning_rate=2e-4,
        schedule="one-cycle",
        kl_warmup=0.0,
        time_shift=12,
        time_stretch=0.1,
        frequency_warp=0.08,
        channel=0.0,
        noise=0.0,
        frequency_mask=10,
        distorted=0.5,
        distorted_at_end=0.0,
        augmented_share=0.6,
    )


def named(name: str, **changes: Any) -> Recipe:
    """A recipe by its name, with some fields changed; raises ``ValueError`` for an unknown name."""
    try:
        return RECIPES[name].changed(**changes)
    except KeyError:
        raise ValueError(f"No recipe is called {name!r}. There are: {', '.join(RECIPES)}.") from None
