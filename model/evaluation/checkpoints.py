"""From a model's file to its evaluation: what the command line and the window's worker both run."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from model.checkpoints import Header, UnusableCheckpoint
from model.data import curation
from model.data.samples import Samples
from model.evaluation.inputs import fingerprint, load_inputs, seen_in_training, speakers_of
from model.evaluation.judge import evaluating
from model.evaluation.posteriors import Posteriors
from model.evaluation.protocol import EvaluationProtocol
from model.evaluation.report import Report
from model.evaluation.retrieval import find_matches, retrieval
from model.evaluation.store import Evaluation, folder_of
from model.progress import Cancelled, JobContext
from model.retrieval.confidence import fitted_for
from model.retrieval.projection import NeighbourMap
from model.systems.base import System
from model.systems.model_io import best_device, load_model
from model.types import Modality

log = logging.getLogger(__name__)

FIGURE2_ITEMS = 200
"""Items of either modality in the paper's Figure 2."""

_SLICE = 1000  # images encoded between two looks at the stop predicate: about a second on one core
_ENCODED, _JUDGED = 0.35, 0.9  # shares of the work by then, where two cores encode 10,000 images


def evaluate(request: Mapping[str, Any], context: JobContext) -> None:
    """Evaluate for the window: ``{"checkpoint": path, "protocol": {...}}``.

    Says ``progress`` (share, text) and ``partial`` (report: see `Partial.values`) on its way, and at the end
    ``evaluated`` (folder: where :meth:`Evaluation.load` finds it) or ``stopped``.
    """
    protocol = EvaluationProtocol.from_dict(request["protocol"])
    evaluation = evaluate_checkpoint(Path(request["checkpoint"]), protocol, context)
    if evaluation is None:
        context.send({"say": "stopped"})
        return
    context.send({"say": "evaluated", "folder": str(kept(evaluation))})


def kept(evaluation: Evaluation) -> Path:
    """The folder of an evaluation, for another process; raises ``OSError`` if it couldn't be kept."""
    if evaluation.folder is None:
        raise OSError(
            "The model was evaluated, but the result can't be kept. Free some space on the disk and evaluate again."
        )
    return evaluation.folder


def evaluate_checkpoint(
    path: Path, protocol: EvaluationProtocol, context: JobContext, folder: Path | None = None
) -> Evaluation | None:
    """Judge a model's file by a protocol, or find what was found when that was done before.

    The first numbers, of a random 1,000 of the images, come after a second or two; they are marked as such by
    ``preliminary_images`` among the values.

    Parameters
    ----------
    path
        A model as ``modinv train`` writes it.
    protocol
        On what to judge it.
    context
        Is sent ``progress`` and ``partial``; is asked every second or two whether to stop.
    folder
        Where the corpora lie; by default the user's place for them.

    Returns
    -------
    Evaluation or None
        None if it was stopped. Its ``folder`` is None where it couldn't be kept, which is logged.

    Raises
    ------
    UnusableCheckpoint, MissingData, EvaluationError
        If the model, the data or both together can't be judged.
    ValueError
        If the protocol names a corpus that doesn't exist.
    """
    try:
        return _evaluation(path, protocol, context, folder)
    except Cancelled:
        return None


def _evaluation(path: Path, protocol: EvaluationProtocol, context: JobContext, folder: Path | None) -> Evaluation:
    """`evaluate_checkpoint`, which raises :class:`Cancelled` when it is stopped."""
    started = time.perf_counter()
    context.progress(0.0, f"Loading the model and the {protocol.split} data")
    system, header = load_model(path, best_device())
    progress, split = context.progress, protocol.split
    images = load_inputs(Modality.IMAGE, protocol.images, split, folder=folder, progress=progress)
    speech = load_inputs(Modality.SPEECH, protocol.speech, split, protocol.speaker, header.data, folder, progress)
    fingerprints = {"images": fingerprint(images), "speech": fingerprint(speech)}

    place = folder_of(path, protocol)
    with suppress(UnusableCheckpoint):
        known = Evaluation.load(place)
        if known.report.setting["inputs"] == fingerprints:
            return known.named(path.name)

    sides = _encoded(system, images, speech, protocol.seed, context)
    setting = {
        **_setting(path, header),
        **protocol.to_dict(),
        **speakers_of(speech, header.data, split),
        "seen_in_training": seen_in_training(protocol, header.data),
        "inputs": fingerprints,
        "curated": {one.corpus: curation.tally(one.changes) for one in (images, speech) if one.changes},
    }
    fitted = fitted_for(header)
    for event in evaluating(*sides, protocol.seed, setting, protocol.resamplings, fitted):
        if isinstance(event, Report):
            report = replace(event, seconds=time.perf_counter() - started)
        else:
            share = _ENCODED + event.share * (_JUDGED - _ENCODED)
            context.progress(share, event.text)
            if event.values:
                context.send({"say": "partial", "report": event.values})
    evaluation = Evaluation(
        report,
        {**_arrays(*sides), **_figure2(*sides, protocol.seed, context)},
        {
            "images": len(images),
            "sources": [*images.sources, *speech.sources],
            "speakers": [*[""] * len(images), *speech.speakers],
            "keys": [f"{speech.corpus}:{key}" for key in speech.keys],
        },
    )
    try:
        evaluation.save(place)
    except OSError as error:
        log.warning("The evaluation can't be kept for next time: %s", error)
    return evaluation


def _setting(path: Path, header: Header) -> dict[str, Any]:
    """What a report says of the model, and of what it was judged with."""
    return {
        "checkpoint": path.name,
        "recipe": header.recipe["name"],
        "recipe_values": header.recipe,
        "lambda_ig": header.recipe["lambda_ig"],
        "steps": header.step,
        "trained_on": header.data,
        "trained_with_seed": header.seed,
        "trained_versions": header.versions,
        "versions": {name: version(name) for name in ("torch", "numpy", "scikit-learn", "openTSNE")},
    }


def _encoded(
    system: System, images: Samples, speech: Samples, seed: int, context: JobContext
) -> tuple[Posteriors, Posteriors]:
    """Posteriors of all inputs; some numbers as soon as there are enough of them."""
    spoken = system.encode(Modality.SPEECH, speech.features)
    utterances = Posteriors(*spoken, speech.labels, speech.speakers, system.similarity)
    # In random order, so that the first are like the rest: MNIST's second half was written by others than its first.
    order = np.random.default_rng(seed).permutation(len(images))
    means, log_variances = [], []
    for start in range(0, len(order), _SLICE):
        part = order[start : start + _SLICE]
        encoded = system.encode(Modality.IMAGE, images.features[part])
        means.append(encoded.means)
        log_variances.append(encoded.log_variances)
        done = min(len(images), len(means) * _SLICE)
        context.progress(_ENCODED * done / len(images), f"Encoded {done:,} of {len(images):,} images")
        if len(means) == 1 and len(part) < len(images):
            first = Posteriors(means[0], log_variances[0], images.labels[part], similarity=system.similarity)
            values: dict[str, Any] = {
                "preliminary_images": len(first),
                "image_to_speech": {"retrieval": asdict(retrieval(first, utterances))},
                "speech_to_image": {"retrieval": asdict(retrieval(utterances, first))},
            }
            context.send({"say": "partial", "report": values})
    back = order.argsort()
    mean, log_variance = (np.concatenate(parts)[back] for parts in (means, log_variances))
    return Posteriors(mean, log_variance, images.labels, similarity=system.similarity), utterances


def _arrays(images: Posteriors, speech: Posteriors) -> dict[str, np.ndarray[Any, Any]]:
    """What an :class:`Evaluation` keeps of both modalities, but for the map."""
    sides = (images, speech)
    answers, questions = find_matches(images, speech), find_matches(speech, images)
    return {
        "means": np.concatenate([side.means for side in sides]).astype(np.float16),
        "log_variances": np.concatenate([side.log_variances for side in sides]).astype(np.float16),
        "labels": np.concatenate([side.labels for side in sides]).astype(np.uint8),
        "nearest": np.concatenate([answers.nearest + np.int32(len(images)), questions.nearest]),
        "margins": np.concatenate([answers.margins, questions.margins]),
    }


def _figure2(images: Posteriors, speech: Posteriors, seed: int, context: JobContext) -> dict[str, np.ndarray[Any, Any]]:
    """The paper's Figure 2: one embedding of each of 200 inputs a modality, all in one t-SNE map."""
    rng = np.random.default_rng(seed)
    places = [np.sort(rng.permutation(len(side))[:FIGURE2_ITEMS]) for side in (images, speech)]
    embeddings = [side.take(at).sample(1, rng)[:, 0] for side, at in zip((images, speech), places, strict=True)]

    def progress(share: float, _coordinates: object) -> None:
        context.progress(_JUDGED + share * (1 - _JUDGED), "Figure 2 (t-SNE)")

    fitted = NeighbourMap.fit(np.concatenate(embeddings), seed=seed, progress=progress, stop=context.cancelled)
    if fitted is None:
        raise Cancelled
    return {
        "figure2/items": np.concatenate([places[0], places[1] + len(images)]).astype(np.int32),
        "figure2/coordinates": fitted.coordinates,
    }
