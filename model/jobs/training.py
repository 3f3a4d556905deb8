"""The worker's jobs around training: train, do a trial, estimate the cost, estimate the quality of a model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from model.cores import limited_threads
from model.evaluation.checkpoints import kept
from model.progress import Cancelled, JobContext
from model.retrieval.gallery import Gallery
from model.runs.corpus_cache import CorpusCache
from model.runs.estimate import estimate
from model.runs.session import TrainingSession
from model.runs.snapshots import quick_estimates
from model.sweeps.trials import Done, Evaluating, Step, Trial, failure, run_trial
from model.systems.model_io import best_device, load_model
from model.training.config import TrainingConfig
from model.training.loop import Stepped

_STEP_SECONDS = 0.1


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


def do_trial(request: Mapping[str, Any], context: JobContext, corpora: Callable[[Path | None], CorpusCache]) -> None:
    """Train and evaluate ``{"trial": {...}}``, for :class:`model.sweeps.trials.Trial`.

    Sends ``step`` (step), ten times a second at most, ``evaluating``, and at the end ``evaluated`` (folder: where
    :meth:`Evaluation.load` finds it), ``trial_failed`` (message) or ``stopped``.
    """
    trial = Trial.from_dict(request["trial"])
    told = -math.inf
    try:
        for event in run_trial(trial, corpora(trial.data), context):
            match event:
                case Step(step=step):
                    if (now := time.monotonic()) - told >= _STEP_SECONDS:
                        told = now
                        context.send({"say": "step", "step": step})
                case Evaluating():
                    context.send({"say": "evaluating"})
                case Done(evaluation=evaluation):
                    context.send({"say": "evaluated", "folder": str(kept(evaluation))})
                    return
    except Exception as error:  # any error: what to say of it is known here
        context.send({"say": "trial_failed", "message": failure(trial.name, error)})
    else:
        context.send({"say": "stopped"})


def estimate_cost(request: Mapping[str, Any], context: JobContext, corpora: CorpusCache) -> None:
    """Estimate the cost of ``{"plan": {...}}``; sends ``progress`` and at the end ``estimate`` or ``stopped``.

    With ``"threads"`` in the request, the run computes with so many threads, otherwise with as many as there are cores.
    """
    config = TrainingConfig.from_dict(request["plan"])
    device = best_device(config.device)

    try:
        sampler, probe = corpora.sampler(config, device, context.progress), corpora.probe(config, context.progress)
        context.progress(None, "Measuring some steps")
        with limited_threads(request["threads"]) if "threads" in request else nullcontext():
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
