"""What is chosen before a run. Plain values: a window can hold a plan before torch is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from model.checkpoints import Header, read_header
from model.parsing import parse
from model.recipes.recipe import LARGEST, Recipe, lambda_text
from model.training.ancestry import has_heard

IMAGE_CORPORA = ("mnist",)
"""The corpora of images; all others speak."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a run.

    Attributes
    ----------
    recipe
        How it is trained.
    corpora
        What it learns from: one corpus of images, at least one of speech.
    seed
        Of every random choice, at least 0.
    device
        ``"auto"``, ``"cpu"``, ``"cuda:0"``, ``"mps"``.
    left_out
        A speaker not to learn from, or nothing.
    start
        A model's file whose weights to start from; ``None`` starts from scratch.
    """

    FORMER_NAMES: ClassVar[Mapping[str, str]] = {"left_out": "held_out_speaker"}

    recipe: Recipe
    corpora: tuple[str, ...] = ("mnist", "fsdd", "voices")
    seed: int = 0
    device: str = "auto"
    held_out_speaker: str = ""
    start: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST:
            raise ValueError(f"A seed is a whole number from 0 to {LARGEST:,}.")
        if len(self.images) != 1 or not self.speech:
            raise ValueError(
                f"Training needs one corpus of images and at least one of speech, not {','.join(self.corpora)!r}."
            )

    @property
    def images(self) -> tuple[str, ...]:
        """The corpora of images."""
        return tuple(name for name in self.corpora if name in IMAGE_CORPORA)

    @property
    def speech(self) -> tuple[str, ...]:
        """The corpora of speech."""
        return tuple(name for name in self.corpora if name not in IMAGE_CORPORA)

    @property
    def title(self) -> str:
        """What a run is called until somebody calls it otherwise."""
        return f"{self.recipe.name}, λ {lambda_text(self.recipe.lambda_ig)}"

    def data(self) -> dict[str, Any]:
        """What is learnt from, as a checkpoint's header has it, with all that the model to start from learnt from.

        Raises
        ------
        OSError
            If ``start`` can't be read.
        UnusableCheckpoint
            If it is no model.
        """
        described: dict[str, Any] = {"images": list(self.images), "speech": list(self.speech)}
        if self.held_out_speaker:
            described["left_out"] = self.held_out_speaker
        if self.start is not None:
            digest = hashlib.sha256(self.start.read_bytes()).hexdigest()
            before = Header.from_dict(read_header(self.start)).data
            described["started_from"] = {"name": self.start.name, "sha256": digest, "data": before}
        return described

    def leak(self) -> str:
        """Why the speaker who is left out may not count as unheard, for people; empty where they will.

        Reads the header of the model to start from where there is one; raises ``UnusableCheckpoint``.
        """
        if not self.held_out_speaker or self.start is None:
            return ""
        learnt = Header.from_dict(read_header(self.start)).data
        heard = {corpus: has_heard(learnt, corpus, self.held_out_speaker) for corpus in self.speech}
        if met := " and ".join(corpus for corpus, known in heard.items() if known):
            return (
                f"The model to start from learnt from {met} without leaving out {self.held_out_speaker}. If they speak "
                "there, they won't count as unheard when this model is judged. Start from scratch instead."
            )
        if None in heard.values():
            return (
                "It is not on record what all the models behind the one to start from learnt from. "
                f"So {self.held_out_speaker} won't count as unheard when this model is judged. Start from scratch "
                "instead."
            )
        return ""

    def trains_as(self, other: TrainingConfig) -> bool:
        """Whether a run of this plan goes on under another one.

        It does if both are one but for the device, which a run may change when it resumes, and for what their recipe's
        name meant in earlier versions.
        """
        return other.recipe.continues(self.recipe) and replace(self, device=other.device, recipe=other.recipe) == other

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **values,
            "recipe": self.recipe.to_dict(),
            "corpora": list(self.corpora),
            "start": str(self.start.absolute()) if self.start else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """The inverse of :meth:`to_dict`; a ``ValueError`` says what does not belong to a plan."""
        return parse(cls, values, "the plan")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost, measured by some steps of it on this machine.

    Attributes
    ----------
    step_seconds
        One batch.
    seconds
        The whole run, snapshots included.
    memory_bytes, free_bytes
        What it takes at its peak, and what there is: of the device's memory, or of the machine's on a CPU.
    device
        The device's name for people.
    """

    step_seconds: float
    seconds: float
    memory_bytes: int
    free_bytes: int
    device: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Estimate:
        """The inverse of :meth:`to_dict`; other entries are left alone."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})
