"""Invariance to modality: whether the modality of an embedding can be told (the paper's SVM), and the modality gap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from model.evaluation.posteriors import EvaluationError, Posteriors
from model.evaluation.report import ModalityGap
from model.types import FloatArray

PAPER_UTTERANCES = 1076
"""Test utterances of the paper; its modality SVM takes as many embeddings of either modality."""

PAPER_TRAIN_SHARE = 1600 / (2 * PAPER_UTTERANCES)
"""Share of those embeddings on which the SVM is trained; it is tested on the rest."""

SVM_PENALTIES = [0.01, 0.1, 1.0, 10.0, 100.0]
"""The values of C that cross-validation chooses from (the paper does not say which ones it tried)."""


def modality_svm(
    image_embeddings: FloatArray, speech_embeddings: FloatArray, seed: int, *, unseen_inputs: bool = False
) -> float:
    """Train an SVM with an RBF kernel to tell the modality of an embedding; return its test accuracy.

    As in the paper 1,076 embeddings of either modality are taken; 1,600 of these 2,152 train the SVM and the
    rest test it. C is chosen from `SVM_PENALTIES` by 3-fold cross-validation on the training part, and the
    kernel's width is scikit-learn's ``gamma="scale"``. Smaller sets keep the paper's proportions.

    The paper had as many test utterances as it took embeddings; whether each gave one, it does not say. Where a
    corpus has fewer inputs (FSDD: 300 test utterances) they are gone through again and each gives several of its
    samples. Split by embedding, samples of one utterance then lie on both sides, and an SVM that merely knows the
    utterances beats 0.5 even where both modalities have one distribution: the figure is an upper bound. With
    ``unseen_inputs``, the stricter split, all samples of an input stay on one side of the split and of the folds.

    Parameters
    ----------
    image_embeddings, speech_embeddings
        Sampled embeddings by input, ``(inputs, samples, z)``; the two may differ in their number of inputs.
    seed
        Fixes which embeddings are taken, the split and the folds.
    unseen_inputs
        Split by input instead of by embedding. No difference where every embedding has its own input.

    Returns
    -------
    float
        In [0, 1]; 0.5 is perfectly modality-invariant.

    Raises
    ------
    EvaluationError
        If a modality has too few embeddings or, with ``unseen_inputs``, inputs: at least 12.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.svm import SVC

    rng = np.random.default_rng(seed)
    sides = (image_embeddings, speech_embeddings)
    size = min(PAPER_UTTERANCES, *(side.shape[0] * side.shape[1] for side in sides))
    embeddings, groups, in_train = [], [], []
    for offset, side in zip((0, size), sides, strict=True):
        taken, place = _cycle_inputs(side, size, rng)
        group = place if unseen_inputs else np.arange(size)
        members = rng.permutation(np.unique(group))
        if len(members) < 12:
            raise EvaluationError(f"The modality SVM needs at least 12 test inputs of a modality, not {len(members)}.")
        embeddings.append(taken)
        groups.append(group + offset)
        in_train.append(np.isin(group, members[: round(PAPER_TRAIN_SHARE * len(members))]))

    x, train = np.concatenate(embeddings), np.concatenate(in_train)
    modality = np.repeat([0, 1], size)
    search = GridSearchCV(
        SVC(kernel="rbf", gamma="scale"),
        {"C": SVM_PENALTIES},
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=seed),
    )
    with threadpool_limits(limits=1):  # see k_means
        search.fit(x[train], modality[train], groups=np.concatenate(groups)[train])
        return float(search.score(x[~train], modality[~train]))


def _cycle_inputs(
    embeddings: FloatArray, size: int, rng: np.random.Generator
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Take ``size`` embeddings: the first sample of every input, then the second, and so on.

    Inputs come in random order, so that the last, partial round is fair to all of them.

    Returns
    -------
    embeddings
        ``(size, z)``.
    places
        Which input each belongs to, as a place in that random order: ``(size,)``.
    """
    rounds, places = np.divmod(np.arange(size), len(embeddings))
    return embeddings[rng.permutation(len(embeddings))[places], rounds], places


def modality_gap(images: Posteriors, speech: Posteriors) -> ModalityGap:
    """How far the posterior means of the two modalities lie apart as wholes.

    The gap is the distance of their centroids, ``||c_i - c_s||`` (Liang et al. 2022, arXiv 2203.02053). Embeddings here
    are not normalised to length 1 as theirs are, so that the distance grows with the scale of the space. Its share
    does not::

        share = B / (B + W),    B = ||c_i - c_s||^2 / 4,    W = (V_i + V_s) / 2,

    where ``V`` is the total variance of a modality's means, ``1/n sum ||x - c||^2``. ``B`` is what lies between the
    modalities: the variance of the two centroids around their middle. ``B + W`` is the total variance where both
    modalities weigh alike, however many inputs each has.

    Two samples of one distribution have centroids a little apart: of ``n`` and ``m`` inputs, ``E ||c_i - c_s||^2`` is
    ``V (1/n + 1/m)``, and the share about ``(1/n + 1/m) / 4``.

    Parameters
    ----------
    images, speech
        The two modalities.

    Returns
    -------
    ModalityGap
        The share is ``None`` if all means of both modalities are one point.
    """
    return gap_between(images.means, speech.means)


def gap_between(images: npt.NDArray[np.floating], speech: npt.NDArray[np.floating]) -> ModalityGap:
    """`modality_gap` of any points, ``(n, z)`` and ``(m, z)``."""
    sides = [side.astype(np.float64) for side in (images, speech)]
    distance = float(np.linalg.norm(sides[0].mean(axis=0) - sides[1].mean(axis=0)))
    between = distance**2 / 4
    total = between + float(np.mean([side.var(axis=0).sum() for side in sides]))
    return ModalityGap(distance, between / total if total > 0 else None)
