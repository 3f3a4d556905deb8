"""What the window's process does of training: estimate, train, judge quickly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from model.data.corpora import Stopped
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.estimate import estimate
from model.runs.session import TrainingSession
from model.runs.snapshots import quick_figures
from model.systems.model_io import best_device, load_model
from model.training.config import TrainingConfig
from model.training.loop import Stepped


class JobContext(Protocol):
    """How a job is heard, held and stopped."""

    def say(self, message: Mapping[str, Any]) -> None:
        """Tell a message."""

    def stopping(self, pausing: Callable[[], AbstractContextManager[None]] = nullcontext) -> bool:
        """Whether it should end now; waits, inside of ``pausing``, while it is paused."""


def train_plan(request: Mapping[str, Any], talk: JobContext, library: CorpusCache) -> None:
    """Train ``{"plan": {...}, "folder": path}``; says ``progress``, ``started`` and at the end ``ended``.

    Points, snapshots and the state go into the folder.
    """
    started = False
    with TrainingSession(Path(request["folder"]), TrainingConfig.from_dict(request["plan"])) as book:
        for event in book.train(library, lambda: talk.stopping(book.pause), lambda *so_far: _tell(talk, *so_far)):
            if isinstance(event, Stepped) and not started:
                started = True
                talk.say({"say": "started"})
    info = book.record.info()
    talk.say({"say": "ended", "complete": info.state == "complete", "step": info.step})


def estimate_plan(request: Mapping[str, Any], talk: JobContext, library: CorpusCache) -> None:
    """Estimate ``{"plan": {...}}``; says ``progress`` and at the end ``estimate`` or ``stopped``."""
    plan = TrainingConfig.from_dict(request["plan"])
    device = best_device(plan.device)

    def tell(share: float | None, text: str) -> None:
        if talk.stopping():
            raise Stopped
        _tell(talk, share, text)

    try:
        sampler, probe = library.sampler(plan, device, tell), library.probe(plan, tell)
        tell(None, "Trying some steps")
        found = estimate(plan, sampler, probe, device, talk.stopping)
    except Stopped:
        found = None
    talk.say({"say": "stopped"} if found is None else {"say": "estimate", **found.to_dict()})


def judge_quickly(request: Mapping[str, Any], talk: JobContext) -> None:
    """The quick estimates of ``{"checkpoint": path, "probe": path}``, a model and the items of some run's snapshots.

    Says ``quick`` (values).
    """
    system, _ = load_model(Path(request["checkpoint"]), best_device())
    talk.say({"say": "quick", "values": quick_figures(system, Gallery.load(Path(request["probe"])))})


def _tell(talk: JobContext, share: float | None, text: str) -> None:
    talk.say({"say": "progress", "share": share, "text": text})
