"""The configuration of a training run, and the estimate of its cost; without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from model.checkpoints import Header, read_header
from model.data.corpora import ALL_OF_TRAINING, Split, infos, trained_by_default
from model.data.takes import MY_DRAWINGS
from model.parsing import parse
from model.recipes.recipe import LARGEST, Recipe, objective_text
from model.training.ancestry import trained_on_speaker
from model.types import Modality

_NAMED = 3  # people in the name of a run


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that determines a training run.

    Attributes
    ----------
    recipe
        The recipe.
    corpora
        Training data: one corpus of images, which the user's own drawings may join, and at least one of speech.
    seed
        Seed of all random choices, at least 0.
    device
        ``"auto"``, ``"cpu"``, ``"cuda:0"``, ``"mps"``.
    held_out_speaker
        A speaker who is not trained on; may be empty.
    start
        File of a model whose weights to start from; ``None`` starts from scratch.
    split
        ``"train"``, or ``"train+validation"``: the published training sets, as in versions without validation splits.
    people
        Whose takes are trained on, if the user's takes are among the corpora; empty for everybody's.
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
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST:
            raise ValueError(f"A seed is a whole number from 0 to {LARGEST:,}.")
        if self.split not in ("train", ALL_OF_TRAINING):
            raise ValueError(f"Training takes the split train or {ALL_OF_TRAINING}, not {self.split}.")
        if not self.speech or len(set(self.images) - {MY_DRAWINGS} or self.images) != 1:
            raise ValueError(
                f"Training needs one corpus of images and at least one of speech, not {','.join(self.corpora)!r}."
            )

    @property
    def images(self) -> tuple[str, ...]:
        """The corpora of images, the user's own drawings last."""
        known = [info.name for info in infos(Modality.IMAGE)]
        return tuple(sorted((name for name in self.corpora if name in known), key=MY_DRAWINGS.__eq__))

    @property
    def speech(self) -> tuple[str, ...]:
        """The corpora of speech, and unknown ones."""
        return tuple(name for name in self.corpora if name not in self.images)

    @property
    def title(self) -> str:
        """The default name of a run."""
        shown = self.people if len(self.people) <= _NAMED else (*self.people[: _NAMED - 1], "others")
        people = f", {', '.join(shown[:-1])} and {shown[-1]}" if shown[1:] else "".join(f", {name}" for name in shown)
        return f"{self.recipe.name}, {objective_text(self.recipe.to_dict())}{people}"

    def data(self) -> dict[str, Any]:
        """The training data as in a checkpoint's header, including those of the model to start from.

        Raises ``OSError`` if ``start`` can't be read, and ``UnusableCheckpoint`` if it is not a model.
        """
        described: dict[str, Any] = {"images": list(self.images), "speech": list(self.speech)}
        if self.split != ALL_OF_TRAINING:
            described["split"] = self.split
        if self.people:
            described["people"] = list(self.people)
        if self.held_out_speaker:
            described["left_out"] = self.held_out_speaker
        if self.start is not None:
            digest = hashlib.sha256(self.start.read_bytes()).hexdigest()
            data = Header.from_dict(read_header(self.start)).data
            described["started_from"] = {"name": self.start.name, "sha256": digest, "data": data}
        return described

    def leak(self) -> str:
        """A warning if the model to start from was, or may have been, trained on the held-out speaker; else empty.

        Reads the header of that model; raises ``UnusableCheckpoint``.
        """
        if not self.held_out_speaker or self.start is None:
            return ""
        data, speaker = Header.from_dict(read_header(self.start)).data, self.held_out_speaker
        trained_on = {corpus: trained_on_speaker(data, corpus, speaker) for corpus in self.speech}
        if leaking := " and ".join(corpus for corpus, known in trained_on.items() if known):
            return (
                f"The model to start from was trained on {leaking} without holding out {speaker}. If they speak there, "
                "evaluations of the new model won't treat them as an unseen speaker. Start from scratch instead."
            )
        if None in trained_on.values():
            return (
                "The training data of the model to start from, or of its predecessors, are not recorded. Evaluations "
                f"of the new model won't treat {speaker} as an unseen speaker. Start from scratch instead."
            )
        return ""

    def trains_as(self, other: TrainingConfig) -> bool:
        """Whether a run of this configuration can be resumed with another one.

        It can if they differ at most in the device, in what the name of their recipe meant in earlier versions, and in
        the validation split, which earlier versions did not hold out.
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
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the plan")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a run, measured by some of its steps on this machine.

    Attributes
    ----------
    step_seconds
        Duration of one step.
    seconds
        Duration of the whole run, including snapshots.
    memory_bytes, free_bytes
        Peak use and available memory, of the device, or of the machine for a CPU.
    device
        Name of the device for people.
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
        """The inverse of :meth:`to_dict`; ignores other entries."""
        return cls(**{one.name: values[one.name] for one in fields(cls)})
