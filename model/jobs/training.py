"""The worker's jobs around training: train, estimate the cost, estimate the quality of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.progress import Cancelled, JobContext
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.estimate import estimate
from model.runs.session import TrainingSession
from model.runs.snapshots import quick_estimates
from model.systems.model_io import best_device, load_model
from model.training.config import TrainingConfig
from model.training.loop import Stepped


def train_run(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache) -> None:
    """Train ``{"plan": {...}, "folder": path}``; sends ``progress``, ``started`` and at the end ``ended``.

    Metrics, snapshots and status go into the folder.
    """
    started = False
    with TrainingSession(Path(request["folder"]), TrainingConfig.from_dict(request["plan"])) as session:
        for event in session.train(corpora, lambda: context.cancelled(session.pause), context.progress):
            if isinstance(event, Stepped) and not started:
                started = True
                context.send({"say": "started"})
    info = session.record.info()
    context.send({"say": "ended", "complete": info.state == "complete", "step": info.step})


def estimate_cost(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache) -> None:
    """Estimate the cost of ``{"plan": {...}}``; sends ``progress`` and at the end ``estimate`` or ``stopped``."""
    config = TrainingConfig.from_dict(request["plan"])
    device = best_device(config.device)

    try:
        sampler, probe = corpora.sampler(config, device, context.progress), corpora.probe(config, context.progress)
        context.progress(None, "Measuring some steps")
        found = estimate(config, sampler, probe, device, context.cancelled)
    except Cancelled:
        found = None
    context.send({"say": "stopped"} if found is None else {"say": "estimate", **found.to_dict()})


def estimate_quality(request: Mapping[str, Any], context: JobContext) -> None:
    """Compute the quick estimates of ``{"checkpoint": path, "probe": path}``: a model, and the probe of some run.

    Sends ``quick`` (values).
    """
    system, _ = load_model(Path(request["checkpoint"]), best_device())
    context.send({"say": "quick", "values": quick_estimates(system, Gallery.load(Path(request["probe"])))})
