"""One run as the window lists it, and the words that describe it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QLocale

from model.recipes.recipe import objective_text
from model.runs.store import RunInfo, RunRecord
from model.training.config import Estimate

_ALMOST_DONE = 1.5  # seconds
_WORTHWHILE = 0.05  # share of a memory that an estimate may be off

STATES = {
    "waiting": "Waiting",
    "running": "Training",
    "paused": "Paused",
    "stopped": "Stopped",
    "complete": "Complete",
    "failed": "Failed",
    "interrupted": "Interrupted",
    "damaged": "Damaged",
}
ACTIVE = ("running", "paused")
"""The states of a run that a process works at."""


@dataclass(frozen=True, slots=True, eq=False)
class RunEntry:
    """One run of the list.

    Attributes
    ----------
    record
        Its folder.
    info
        What is known of it.
    estimates
        The latest quick estimates, by name.
    has_model
        Whether there are weights to use and to evaluate.
    elsewhere
        Whether it was opened from a folder outside of the library.
    """

    record: RunRecord
    info: RunInfo
    estimates: dict[str, float]
    has_model: bool
    elsewhere: bool = False

    @property
    def folder(self) -> Path:
        """By which it is told from others."""
        return self.record.folder

    @property
    def name(self) -> str:
        """What people call it."""
        return self.info.name

    @property
    def note(self) -> str:
        """What somebody wrote of it."""
        return self.info.note

    @property
    def message(self) -> str:
        """What went wrong, and what to do; empty where nothing did."""
        return self.info.message

    @property
    def state(self) -> str:
        """How it stands, one of `STATES`."""
        return self.info.state

    @property
    def created(self) -> str:
        """When, in ISO 8601."""
        return self.info.created

    @property
    def resumable(self) -> bool:
        """Whether it can go on."""
        return self.info.resumable

    @property
    def share(self) -> float:
        """How much of it is done, in [0, 1]."""
        return self.info.step / max(1, self.info.steps)

    @property
    def setting(self) -> str:
        """What was chosen, in a line."""
        plan = self.info.plan
        return f"{objective_text(plan.recipe.to_dict())} · {plan.recipe.name} · seed {plan.seed}"

    @property
    def brief(self) -> str:
        """How it stands, in as few words as tell it."""
        word = STATES[self.info.state]
        if self.info.state == "complete":
            return f"{word}, {duration(self.info.seconds)}" if self.info.seconds else word
        return f"{word} {self.share:.0%}" if self.info.step else word

    @property
    def progress(self) -> str:
        """How far it is, in a line."""
        time = f", {duration(self.info.seconds)}" if self.info.seconds else ""
        return f"{STATES[self.info.state]}: {self.info.step:,} of {self.info.steps:,} steps{time}"

    @property
    def figures(self) -> str:
        """Purity and SVM accuracy by their quick estimates, as far as there are any."""
        names = {"quick_purity": "purity", "quick_svm": "SVM"}
        return " ".join(f"{names[name]} {self.estimates[name]:.2f}" for name in names if name in self.estimates)

    def matches(self, words: str) -> bool:
        """Whether all words occur in what is shown or known of it."""
        plan, info = self.info.plan, self.info
        known = [
            info.name,
            info.note,
            self.setting,
            STATES[info.state],
            info.device,
            plan.held_out_speaker,
            *plan.corpora,
        ]
        text = " ".join(known).casefold()
        return all(word in text for word in words.casefold().split())


@dataclass(frozen=True, slots=True, eq=False)
class DamagedEntry:
    """A run whose folder can't be read; it is listed, can be looked at in its folder, and deleted.

    Attributes
    ----------
    record, has_model, elsewhere
        As of :class:`RunEntry`.
    message
        What is wrong with it.
    created
        When its files changed last, in ISO 8601.
    """

    record: RunRecord
    message: str
    created: str
    has_model: bool
    elsewhere: bool = False

    note: ClassVar[str] = ""
    state: ClassVar[str] = "damaged"
    resumable: ClassVar[bool] = False
    share: ClassVar[float] = 0.0
    brief: ClassVar[str] = STATES["damaged"]
    progress: ClassVar[str] = STATES["damaged"]
    figures: ClassVar[str] = ""

    @property
    def folder(self) -> Path:
        """By which it is told from others."""
        return self.record.folder

    @property
    def name(self) -> str:
        """That of its folder: what people call it may be lost."""
        return self.record.folder.name

    @property
    def setting(self) -> str:
        """What there is to say in place of what was chosen."""
        return "Its folder can't be read"

    def matches(self, words: str) -> bool:
        """Whether all words occur in what is shown of it."""
        text = f"{self.name} {self.brief}".casefold()
        return all(word in text for word in words.casefold().split())


Entry = RunEntry | DamagedEntry


def memory_shortage(estimate: Estimate) -> str:
    """What to do where a training may need more memory than there is; empty where it fits."""
    if estimate.memory_bytes <= (1 - _WORTHWHILE) * estimate.free_bytes:
        return ""
    return (
        f"That may be too much: {estimate.free_bytes / 1e9:.1f} GB of memory are free. Choose fewer pairs a batch or "
        "fewer samples an input under “Advanced”, or close other programs."
    )


def duration(seconds: float) -> str:
    """A span of time in words, in one unit."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def time_left(seconds: float) -> str:
    """How long something will still take, as far as anybody can know."""
    return f"about {duration(seconds)} left" if seconds >= _ALMOST_DONE else "almost done"


def date(created: str) -> str:
    """When a run was started: the time today, the day before today, the year before this one."""
    at = datetime.fromisoformat(created).astimezone()
    now = datetime.now().astimezone()
    if at.date() == now.date():
        return f"{at:%H:%M}"
    if at.year != now.year:
        return f"{at:%Y-%m-%d}"
    month = QLocale.c().monthName(at.month, QLocale.FormatType.ShortFormat)  # in English, as all of the window
    return f"{at.day} {month}"
