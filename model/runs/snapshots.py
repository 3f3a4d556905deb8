"""Snapshots of a model in training: posteriors of a few held-out items, quick estimates, and a map."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from model.data.samples import Samples
from model.evaluation import Posteriors, cluster_purity, precision_at_1
from model.networks.precision import autocast
from model.retrieval.gallery import Gallery
from model.retrieval.projection import PrincipalComponents, continued
from model.retrieval.retriever import encode_items, unencoded_gallery
from model.runs.values import Snapshot
from model.similarity import Gaussians, Similarity
from model.systems.base import System
from model.types import FloatArray

PROBE_ITEMS = 200
"""Items of either modality, as in the paper's Figure 2."""

SNAPSHOTS = 40
"""Number of snapshots of a run, spread evenly over its steps."""

_SEED = 0  # of the probe and of the noise: the same for all runs, so that they can be compared
_ITERATIONS = 100  # of t-SNE from one snapshot to the next; more do not improve the map
_SPREAD = 10.0  # standard deviation of a t-SNE map of this size
_FOLDS = 4


def snapshot_steps(steps: int) -> frozenset[int]:
    """The steps after which snapshots are taken: the first one, and 40 evenly spread."""
    return frozenset({1, *(max(1, round(steps * number / SNAPSHOTS)) for number in range(1, SNAPSHOTS + 1))})


def draw_probe(images: Samples, speech: Samples) -> Gallery:
    """The items of which snapshots are taken, equally many of each digit; fixed for given corpora."""
    return unencoded_gallery(*(samples.balanced(PROBE_ITEMS // 10, _SEED) for samples in (images, speech)))


def take(system: System, probe: Gallery, step: int, before: Snapshot | None) -> Snapshot:
    """Take a snapshot of a system, which is left unchanged.

    Parameters
    ----------
    system
        The system, in training or evaluation mode.
    probe
        The items to encode.
    step
        Number of batches trained so far.
    before
        The previous snapshot, whose map this one's starts from.

    Raises
    ------
    FloatingPointError
        If the posteriors are not finite.
    """
    training = system.modules.training
    posteriors = _encoded(system, probe)
    system.modules.train(training)
    means, log_variances = posteriors
    embeddings = _sampled(means, log_variances)
    if not np.isfinite(embeddings).all():
        raise FloatingPointError(f"The posteriors are not finite at step {step}.")
    if before is None:
        start = PrincipalComponents.fit(embeddings).coordinates
        start = start * np.float32(_SPREAD / max(float(start.std()), 1e-6))
    else:
        start = before.coordinates
    coordinates = continued(embeddings, start, _ITERATIONS)
    return Snapshot(
        step, means, log_variances, coordinates, _estimates(probe, posteriors, embeddings, system.similarity)
    )


def quick_estimates(system: System, probe: Gallery) -> dict[str, float]:
    """The quick estimates of a model, as in a snapshot."""
    posteriors = _encoded(system, probe)
    return _estimates(probe, posteriors, _sampled(*posteriors), system.similarity)


def _encoded(system: System, probe: Gallery) -> Gaussians:
    """Posteriors of the probe, in the precision in which the system trains."""
    with autocast(next(system.modules.parameters()).device, system.recipe.bfloat16):
        return encode_items(system, probe)


def _sampled(means: FloatArray, log_variances: FloatArray) -> FloatArray:
    """One embedding of each posterior, ``(n, 128)``; with fixed noise, so that the map does not flicker."""
    noise = np.random.default_rng(_SEED).standard_normal(means.shape, dtype=np.float32)
    return np.asarray(means + np.exp(log_variances / 2) * noise, np.float32)


def _estimates(
    probe: Gallery, posteriors: Gaussians, embeddings: FloatArray, similarity: Similarity
) -> dict[str, float]:
    labels = np.array([item.label for item in probe.items])
    images = len(probe.image_features)
    whole = Posteriors(*posteriors, labels, similarity=similarity)
    sides = whole.take(np.arange(images)), whole.take(np.arange(images, len(labels)))
    p_at_1 = [precision_at_1(*sides), precision_at_1(*sides[::-1])]
    return {
        "quick_purity": cluster_purity(embeddings, labels, _SEED),
        "quick_svm": _modality_svm(embeddings, images),
        "quick_p_at_1": sum(p_at_1) / 2,
    }


def _modality_svm(embeddings: FloatArray, images: int) -> float:
    """Cross-validated accuracy of a modality SVM without a search for C; each item is tested once."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score  # late: takes a second
    from sklearn.svm import SVC

    modality = (np.arange(len(embeddings)) >= images).astype(int)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    with threadpool_limits(limits=1):  # beside a training on all cores a second thread only waits
        return float(cross_val_score(SVC(kernel="rbf", gamma="scale"), embeddings, modality, cv=folds).mean())
