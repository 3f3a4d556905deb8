"""The whole evaluation of a model: the paper's protocol, repeated, and what it leaves out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model.evaluation.clusters import agreement, k_means, purity_of_assignment
from model.evaluation.confidence import ConfidenceMeasures, confidence_measures
from model.evaluation.invariance import PAPER_UTTERANCES, modality_gap, modality_svm
from model.evaluation.pair_recall import pair_recall
from model.evaluation.paper import PaperRow
from model.evaluation.posteriors import LabelArray, Posteriors
from model.evaluation.report import Interval, Report
from model.evaluation.retrieval import confusion, find_matches, precision_at_1, retrieval, shares
from model.evaluation.transfer import NEIGHBOURS, transfer
from model.evaluation.uncertainty import calibration, entropies, one_modality
from model.retrieval.confidence import Confidence, Margins
from model.types import FloatArray, Modality

SAMPLES_PER_INPUT = 16
"""Embeddings sampled from the posterior of one input."""


@dataclass(frozen=True, slots=True)
class Partial:
    """How far an evaluation has come.

    Attributes
    ----------
    share
        Of the work, in [0, 1].
    text
        What has just been done, for people.
    values
        Everything found so far, as in `Report.to_json_dict`; what is not known yet is missing. Intervals are those
        of the resamplings so far.
    """

    share: float
    text: str
    values: dict[str, Any]


def evaluate(
    images: Posteriors,
    speech: Posteriors,
    seed: int,
    setting: Mapping[str, Any],
    resamplings: int = 5,
    fitted: Mapping[Modality, Confidence] | None = None,
) -> Report:
    """`evaluating` in one go."""
    for event in evaluating(images, speech, seed, setting, resamplings, fitted):
        if isinstance(event, Report):
            return event
    raise AssertionError("an evaluation ends with its report")


def evaluating(
    images: Posteriors,
    speech: Posteriors,
    seed: int,
    setting: Mapping[str, Any],
    resamplings: int = 5,
    fitted: Mapping[Modality, Confidence] | None = None,
) -> Iterator[Partial | Report]:
    """Judge a model by the paper's protocol on the unseen test inputs of both modalities, part by part.

    - Retrieval: every image queries all utterances and every utterance all images, by means. With it come
      the interval of P@1, P@1 by one sample of each posterior on both sides, confusions, shares by digit and speaker,
      the calibration of the queries' posteriors, and what the confidence is worth; see `confidence_measures`.
    - Recall of one partner a query, as papers on captioned images count it; see `pair_recall`.
    - Modality gap of the means; see `modality_gap`.
    - Label transfer from each modality to the other, with all labels and with few; see `transfer`.
    - Purity: K-means with ten clusters on 16 embeddings an input. Both modalities count alike: as many inputs
      of either are drawn as the smaller one has, at most the paper's 1,076. With 10,000 images against 300
      utterances all but three in a hundred embeddings would be images, and a model that tears the modalities
      apart would still look pure. Of the same clusters V-measure, homogeneity and completeness; see `agreement`.
    - Modality SVM: on samples of up to 1,076 inputs of either modality; see `modality_svm`.

    Purity and SVM are repeated ``resamplings`` times: inputs are drawn anew, embeddings are sampled anew, and K-means
    and the SVM's split start anew. As often, the samples of P@1, the pairs of recall and the few labels are drawn. The
    intervals tell how far the protocol's own chance moves the figures. They do not tell how another training would come
    out, nor how other speakers would: of a corpus with fewer than 1,076 utterances all are drawn each time, so that the
    resamplings share them.

    Parameters
    ----------
    images, speech
        Posteriors of the test inputs.
    seed
        Fixes the draws of inputs, pairs and few labels, their samples, K-means and the SVM's splits.
    setting
        What the caller knows of data and model, ``lambda_ig`` at least; it is kept in the report beside the sizes
        found here.
    resamplings
        At least 1.
    fitted
        The model's calibration and rejection, by modality of the query; empty or ``None`` if it has none.

    Yields
    ------
    Partial
        After each part, retrieval first.
    Report
        At the end.
    """
    started = time.perf_counter()
    found: dict[str, Any] = {"paper": asdict(PaperRow.nearest(float(setting["lambda_ig"])))}
    parts, done = 2 + 3 * resamplings, 0

    def partial(text: str) -> Partial:
        nonlocal done
        done += 1
        return Partial(done / parts, text, dict(found))

    sources = np.random.SeedSequence(seed).spawn(resamplings)
    # Children of their own: measures that are added, or change, leave the draws of the others as they were.
    of_samples, of_pairs, of_labels = zip(
        *(map(np.random.default_rng, source.spawn(3)) for source in sources), strict=True
    )

    found["image"], found["speech"] = asdict(one_modality(images)), asdict(one_modality(speech))
    found["modality_gap"] = asdict(modality_gap(images, speech))
    recall = pair_recall(images, speech, of_pairs)
    found["pair_recall"] = None if recall is None else asdict(recall)
    directions = {"image_to_speech": (images, speech), "speech_to_image": (speech, images)}
    margins = _margins(images, speech)
    by_samples = _p_at_1_by_samples(images, speech, of_samples)
    for (name, (queries, gallery)), p_at_1_samples in zip(directions.items(), by_samples, strict=True):
        modality = Modality.IMAGE if queries is images else Modality.SPEECH
        nearest = find_matches(queries, gallery).nearest
        guesses = gallery.labels[nearest]
        found[name] = {
            **_retrieved(queries, gallery, nearest),
            "p_at_1_samples": asdict(p_at_1_samples),
            "confidence": asdict(_confidence(queries, guesses, modality, margins, (fitted or {}).get(modality))),
        }
    yield partial("Retrieval")
    for name, (queries, gallery) in directions.items():
        found[name] = {**found[name], "transfer": asdict(transfer(queries, gallery, of_labels))}
    yield partial("Label transfer")

    measured: dict[str, list[float]] = {}

    def measure(name: str, value: float) -> None:
        measured.setdefault(name, []).append(value)
        found[name] = asdict(Interval.of(measured[name]))

    for round_, source in enumerate(sources, 1):
        chance = int(source.generate_state(1)[0])
        of = f"{round_} of {resamplings}"
        image_embeddings, speech_embeddings, labels = _sampled(images, speech, np.random.default_rng(source))
        balanced = len(labels) // 2
        embeddings = np.concatenate([image_embeddings[:balanced], speech_embeddings[:balanced]])
        assignment = k_means(embeddings.reshape(-1, embeddings.shape[-1]), chance)
        digits = np.repeat(labels, SAMPLES_PER_INPUT)
        measure("purity", purity_of_assignment(assignment, digits))
        for name, value in agreement(assignment, digits)._asdict().items():
            measure(name, value)
        yield partial(f"Cluster purity, {of}")
        svm = modality_svm(image_embeddings, speech_embeddings, chance)
        measure("modality_svm", svm)
        yield partial(f"Modality SVM, {of}")
        if min(len(image_embeddings), len(speech_embeddings)) < PAPER_UTTERANCES:
            svm = modality_svm(image_embeddings, speech_embeddings, chance, unseen_inputs=True)
        # Otherwise every embedding has its own input, and both splits are one.
        measure("modality_svm_unseen_inputs", svm)
        yield partial(f"Modality SVM on unseen inputs, {of}")

    sizes = {
        "n_images": len(images),
        "n_utterances": len(speech),
        "inputs_per_modality": balanced,
        "samples_per_input": SAMPLES_PER_INPUT,
        "resamplings": resamplings,
        "neighbours": NEIGHBOURS,
        "seed": seed,
    }
    yield Report.from_json_dict(
        {**found, "seconds": time.perf_counter() - started, "setting": {**setting, **sizes}},
    )


def _retrieved(queries: Posteriors, gallery: Posteriors, nearest: npt.NDArray[np.int32]) -> dict[str, Any]:
    """Of a `Direction`, what follows from the ranking and the nearest items, ``(n,)``, as plain values."""
    match_labels = gallery.labels[nearest]
    right = match_labels == queries.labels
    speakers = queries.speakers or tuple(gallery.speakers[place] for place in nearest if gallery.speakers)
    return {
        "retrieval": asdict(retrieval(queries, gallery)),
        "calibration": asdict(calibration(entropies(queries), right)),
        "confusion": confusion(queries.labels, match_labels),
        "per_digit": shares(queries.labels.tolist(), right.tolist()),
        "per_speaker": shares(speakers, right.tolist()) if speakers else {},
    }


def _margins(images: Posteriors, speech: Posteriors) -> Margins:
    """Those of a gallery of both modalities."""
    sides = {Modality.IMAGE: images, Modality.SPEECH: speech}
    posteriors = {modality: side.gaussians for modality, side in sides.items()}
    return Margins(images.similarity, posteriors, {modality: side.labels for modality, side in sides.items()})


def _confidence(
    queries: Posteriors, guesses: LabelArray, modality: Modality, margins: Margins, fitted: Confidence | None
) -> ConfidenceMeasures:
    """What the confidence in guesses, ``(n,)``, is worth."""
    posteriors = queries.gaussians
    shares_of_typical, right = margins.shares(posteriors, modality, guesses), guesses == queries.labels
    if fitted is None:
        return confidence_measures(shares_of_typical, right)
    rejected = fitted.rejected(margins, posteriors, modality, guesses)
    return confidence_measures(shares_of_typical, right, fitted.calibration.probabilities(shares_of_typical), rejected)


def _sampled(
    images: Posteriors, speech: Posteriors, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, np.ndarray[tuple[int], np.dtype[np.integer]]]:
    """One resampling.

    Returns
    -------
    image_embeddings, speech_embeddings
        ``(inputs, samples, z)``, of up to 1,076 inputs each, drawn without replacement and in random order.
    labels
        Of as many inputs of each modality as the smaller one has, images first.
    """
    drawn = [side.take(rng.permutation(len(side))[:PAPER_UTTERANCES]) for side in (images, speech)]
    balanced = min(map(len, drawn))
    return (
        drawn[0].sample(SAMPLES_PER_INPUT, rng),
        drawn[1].sample(SAMPLES_PER_INPUT, rng),
        np.concatenate([side.labels[:balanced] for side in drawn]),
    )


def _p_at_1_by_samples(
    images: Posteriors, speech: Posteriors, draws: Sequence[np.random.Generator]
) -> tuple[Interval, Interval]:
    """P@1 where one sample of each posterior takes the place of its mean, image to speech and speech to image."""
    found = []
    for rng in draws:
        pictures, utterances = (side.points(side.sample(1, rng)[:, 0]) for side in (images, speech))
        found.append((precision_at_1(pictures, utterances), precision_at_1(utterances, pictures)))
    to_speech, to_image = zip(*found, strict=True)
    return Interval.of(to_speech), Interval.of(to_image)
