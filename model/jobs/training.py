"""What the window's process does of training: estimate, train, judge quickly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.progress import Cancelled, JobContext
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.estimate import estimate
from model.runs.session import TrainingSession
from model.runs.snapshots import quick_figures
from model.systems.model_io import best_device, load_model
from model.training.config import TrainingConfig
from model.training.loop import Stepped


def train_plan(request: Mapping[str, Any], context: JobContext, library: CorpusCache) -> None:
    """Train ``{"plan": {...}, "folder": path}``; says ``progress``, ``started`` and at the end ``ended``.

    Points, snapshots and the state go into the folder.
    """
    started = False
    with TrainingSession(Path(request["folder"]), TrainingConfig.from_dict(request["plan"])) as book:
        for event in book.train(library, lambda: context.cancelled(book.pause), context.progress):
            if isinstance(event, Stepped) and not started:
                started = True
                context.send({"say": "started"})
    info = book.record.info()
    context.send({"say": "ended", "complete": info.state == "complete", "step": info.step})


def estimate_plan(request: Mapping[str, Any], context: JobContext, library: CorpusCache) -> None:
    """Estimate ``{"plan": {...}}``; says ``progress`` and at the end ``estimate`` or ``stopped``."""
    plan = TrainingConfig.from_dict(request["plan"])
    device = best_device(plan.device)

    try:
        sampler, probe = library.sampler(plan, device, context.progress), library.probe(plan, context.progress)
        context.progress(None, "Trying some steps")
        found = estimate(plan, sampler, probe, device, context.cancelled)
    except Cancelled:
        found = None
    context.send({"say": "stopped"} if found is None else {"say": "estimate", **found.to_dict()})


def judge_quickly(request: Mapping[str, Any], context: JobContext) -> None:
    """The quick estimates of ``{"checkpoint": path, "probe": path}``, a model and the items of some run's snapshots.

    Says ``quick`` (values).
    """
    system, _ = load_model(Path(request["checkpoint"]), best_device())
    context.send({"say": "quick", "values": quick_figures(system, Gallery.load(Path(request["probe"])))})
