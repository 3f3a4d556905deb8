"""Runs as the window lists them, and texts about runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLocale

from model.recipes.recipe import objective_text
from model.runs.store import RunInfo, RunRecord
from model.training.config import Estimate

_ALMOST_DONE = 1.5  # seconds
_MEMORY_MARGIN = 0.05  # relative error of a memory estimate

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
"""The states of a run that a process is working on."""


@dataclass(frozen=True, slots=True, eq=False)
class RunEntry:
    """One run of the list; one whose folder can't be read can be shown in its folder, and deleted.

    Attributes
    ----------
    record
        Its folder.
    has_model
        Whether there are weights to use and to evaluate.
    elsewhere
        Whether it was opened from a folder outside of the library.
    name
        Its name; of a damaged run, that of its folder.
    state
        One of `STATES`.
    created
        When it was created, in ISO 8601; of a damaged run, when its files were changed last.
    setting
        The choices that matter most, in one line.
    brief, progress
        State and progress, in a few words and in one line.
    note
        The user's note.
    message
        What went wrong, and what to do; empty if nothing did.
    figures
        Quick estimates of purity and SVM accuracy, as far as there are any.
    share
        Fraction of the steps that are done, in [0, 1].
    resumable
        Whether it can be resumed.
    info
        The contents of ``run.json``; None if damaged.
    estimates
        The latest quick estimates, by name.
    """

    record: RunRecord
    has_model: bool
    elsewhere: bool
    name: str
    state: str
    created: str
    setting: str
    brief: str
    progress: str
    note: str = ""
    message: str = ""
    figures: str = ""
    share: float = 0.0
    resumable: bool = False
    info: RunInfo | None = None
    estimates: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, record: RunRecord, info: RunInfo, estimates: dict[str, float], elsewhere: bool = False) -> RunEntry:
        """The entry of a run that could be read."""
        state, share = STATES[info.state], info.step / max(1, info.steps)
        time = f", {duration(info.seconds)}" if info.seconds else ""
        quick = {"quick_purity": "purity", "quick_svm": "SVM"}
        return cls(
            record,
            record.model_file.is_file(),
            elsewhere,
            name=info.name,
            state=info.state,
            created=info.created,
            setting=f"{objective_text(info.plan.recipe.to_dict())} · {info.plan.recipe.name} · seed {info.plan.seed}",
            brief=f"{state}{time}" if info.state == "complete" else f"{state} {share:.0%}" if info.step else state,
            progress=f"{state}: {info.step:,} of {info.steps:,} steps{time}",
            note=info.note,
            message=info.message,
            figures=" ".join(f"{title} {estimates[name]:.2f}" for name, title in quick.items() if name in estimates),
            share=share,
            resumable=info.resumable,
            info=info,
            estimates=estimates,
        )

    @classmethod
    def damaged(cls, record: RunRecord, message: str, elsewhere: bool = False) -> RunEntry:
        """The entry of a run whose folder can't be read: ``message`` says why."""
        return cls(
            record,
            record.model_file.is_file(),
            elsewhere,
            name=record.folder.name,
            state="damaged",
            created=record.changed.isoformat(timespec="seconds"),
            setting="Its folder can't be read",
            brief=STATES["damaged"],
            progress=STATES["damaged"],
            message=message,
        )

    @property
    def folder(self) -> Path:
        """Its folder, by which it is identified."""
        return self.record.folder

    def matches(self, words: str) -> bool:
        """Whether all words occur in what is shown or known of it, whatever their case."""
        known = [self.name, STATES[self.state]]
        if self.info is not None:
            plan = self.info.plan
            known += [self.note, self.setting, self.info.device, plan.held_out_speaker, *plan.corpora]
        text = " ".join(known).casefold()
        return all(word in text for word in words.casefold().split())


def memory_shortage(estimate: Estimate) -> str:
    """What to do if a training may need more memory than there is; empty if it fits."""
    if estimate.memory_bytes <= (1 - _MEMORY_MARGIN) * estimate.free_bytes:
        return ""
    return (
        f"That may be too much: {estimate.free_bytes / 1e9:.1f} GB of memory are free. Choose fewer pairs a batch or "
        "fewer samples an input under “Advanced”, or close other programs."
    )


def duration(seconds: float) -> str:
    """A duration in one unit, such as ``"5 min"``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def time_left(seconds: float) -> str:
    """The remaining time in words."""
    return f"about {duration(seconds)} left" if seconds >= _ALMOST_DONE else "almost done"


def date(created: str) -> str:
    """A date as briefly as possible: the time if today, day and month if this year, else the whole date."""
    at = datetime.fromisoformat(created).astimezone()
    now = datetime.now().astimezone()
    if at.date() == now.date():
        return f"{at:%H:%M}"
    if at.year != now.year:
        return f"{at:%Y-%m-%d}"
    month = QLocale.c().monthName(at.month, QLocale.FormatType.ShortFormat)  # in English, like the whole window
    return f"{at.day} {month}"
