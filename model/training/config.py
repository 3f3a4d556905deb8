"""What is chosen before a run. Plain values: a window can hold a plan before torch is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from model.checkpoints import Header, read_header
from model.data.corpora import ALL_OF_TRAINING, Split, infos, trained_by_default
from model.parsing import parse
from model.recipes.recipe import LARGEST, Recipe, objective_text
from model.training.ancestry import has_heard
from model.types import Modality


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
    split
        ``"train"``, or ``"train+validation"``: all that the corpora publish for training, as runs of versions did that
        knew no validation split.
    """

    FORMER_NAMES: ClassVar[Mapping[str, str]] = {"left_out": "held_out_speaker"}
    FORMER_DEFAULTS: ClassVar[Mapping[str, Any]] = {"split": ALL_OF_TRAINING}

    recipe: Recipe
    corpora: tuple[str, ...] = field(default_factory=trained_by_default)
    seed: int = 0
    device: str = "auto"
    held_out_speaker: str = ""
    start: Path | None = None
    split: Split = "train"

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST:
            raise ValueError(f"A seed is a whole number from 0 to {LARGEST:,}.")
        if self.split not in ("train", ALL_OF_TRAINING):
            raise ValueError(f"Training takes the split train or {ALL_OF_TRAINING}, not {self.split}.")
        if len(self.images) != 1 or not self.speech:
            raise ValueError(
                f"Training needs one corpus of images and at least one of speech, not {','.join(self.corpora)!r}."
            )

    @property
    def images(self) -> tuple[str, ...]:
        """The corpora of images."""
        known = [info.name for info in infos(Modality.IMAGE)]
        return tuple(name for name in self.corpora if name in known)

    @property
    def speech(self) -> tuple[str, ...]:
        """The corpora of speech, and any that are not known (any more)."""
        return tuple(name for name in self.corpora if name not in self.images)

    @property
    def title(self) -> str:
        """What a run is called until somebody calls it otherwise."""
        return f"{self.recipe.name}, {objective_text(self.recipe.to_dict())}"

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
        if self.split != ALL_OF_TRAINING:
            described["split"] = self.split
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

        It does if both are one but for the device, which a run may change when it resumes, for what their recipe's
        name meant in earlier versions, and for the validation split that these did not hold out.
        """
        split = other.split if self.split == ALL_OF_TRAINING else self.split
        same = replace(self, device=other.device, recipe=other.recipe, split=split)
        return other.recipe.continues(self.recipe) and same == other

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
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
        return cls(**{one.name: values[one.name] for one in fields(cls)})
