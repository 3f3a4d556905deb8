"""What is chosen before a run. Plain values: a window can hold a plan before torch is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from model.parsing import parse
from model.recipes import LARGEST, Recipe, lambda_text

IMAGE_CORPORA = ("mnist",)
"""The corpora of images; all others speak."""


@dataclass(frozen=True, slots=True)
class Plan:
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

    recipe: Recipe
    corpora: tuple[str, ...] = ("mnist", "fsdd", "voices")
    seed: int = 0
    device: str = "auto"
    left_out: str = ""
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
        """What is learnt from, as a checkpoint's header has it; raises ``OSError`` if ``start`` can't be read."""
        described: dict[str, Any] = {"images": list(self.images), "speech": list(self.speech)}
        if self.left_out:
            described["left_out"] = self.left_out
        if self.start is not None:
            digest = hashlib.sha256(self.start.read_bytes()).hexdigest()
            described["started_from"] = {"name": self.start.name, "sha256": digest}
        return described

    def trains_as(self, other: Plan) -> bool:
        """Whether both plans are one but for the device, which a run may change when it resumes."""
        return replace(self, device=other.device) == other

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
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
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
