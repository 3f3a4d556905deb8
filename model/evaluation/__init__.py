"""The paper's evaluation: purity of clusters, invariance to modality, and retrieval across modalities.

Pure functions on numpy arrays: posteriors come in, figures come out; the same seed gives the same figures.
Labels are used here to score, never to learn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from model.evaluation.report import PAPER_TABLE as PAPER_TABLE
from model.results import FloatArray

LabelArray = npt.NDArray[np.integer]

SAMPLES_PER_INPUT = 16
"""Embeddings sampled from the posterior of one input."""

PAPER_UTTERANCES = 1076
"""Test utterances of the paper; its modality SVM takes as many embeddings of either modality."""

PAPER_TRAIN_SHARE = 1600 / (2 * PAPER_UTTERANCES)
"""Share of those embeddings on which the SVM is trained; it is tested on the rest."""

SVM_PENALTIES = [0.01, 0.1, 1.0, 10.0, 100.0]
"""The values of C that cross-validation chooses from (the paper does not say which ones it tried)."""


class EvaluationError(ValueError):
    """A model or test data that can't be judged; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Posteriors:
    """What an encoder says of the ``n`` test inputs of one modality, with the digits to score by.

    Attributes
    ----------
    means, log_variances
        Diagonal Gaussian posteriors, each ``(n, z)``.
    labels
        Digits 0 to 9, ``(n,)``.
    """

    means: FloatArray
    log_variances: FloatArray
    labels: LabelArray

    def __post_init__(self) -> None:
        n = len(self.labels)
        if n == 0:
            raise EvaluationError("There is nothing to evaluate: a modality has no inputs.")
        if self.means.ndim != 2 or self.means.shape != self.log_variances.shape or len(self.means) != n:
            raise EvaluationError(
                f"{n} labels do not match means {self.means.shape} and variances {self.log_variances.shape}."
            )
        if not (np.isfinite(self.means).all() and np.isfinite(self.log_variances).all()):
            raise EvaluationError("The posteriors hold values that are not finite: the model has diverged.")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, inputs: npt.NDArray[np.integer]) -> Posteriors:
        """Return the posteriors of the given inputs only."""
        return Posteriors(self.means[inputs], self.log_variances[inputs], self.labels[inputs])

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``n`` embeddings an input, ``mean + exp(log_variance / 2) * N(0, I)``: ``(inputs, n, z)``."""
        noise = rng.standard_normal((len(self), n, self.means.shape[1]), dtype=np.float32)
        deviations = np.exp(self.log_variances / 2)
        return (self.means[:, None] + deviations[:, None] * noise).astype(np.float32, copy=False)


@dataclass(frozen=True)
class CrossModal:
    """P@1 of either direction, in [0, 1]."""

    image_to_speech: float
    speech_to_image: float


@dataclass(frozen=True)
class Report:
    """One row of the paper's table, with retrieval beside it.

    Attributes
    ----------
    purity
        Cluster purity (Eq. 6), in [0, 1].
    modality_svm
        Test accuracy of an SVM that guesses the modality; 0.5 is perfectly modality-invariant.
    modality_svm_unseen_inputs
        The same, where the SVM is tested on inputs of which it has seen no other sample.
    p_at_1
        How often the nearest item of the other modality shows the same digit.
    seconds
        Time that the evaluation took.
    setting
        On what the figures were taken: plain values only, so that they can be written as JSON.
    """

    purity: float
    modality_svm: float
    modality_svm_unseen_inputs: float
    p_at_1: CrossModal
    seconds: float
    setting: Mapping[str, Any] = field(default_factory=dict)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries and numbers."""
        return asdict(self)


def cluster_purity(embeddings: FloatArray, labels: LabelArray, seed: int, clusters: int = 10) -> float:
    """Cluster embeddings by K-means and score the clusters (Eq. 6).

    ``purity = 1/N sum_i max_j |c_i and y_j|``, where ``c_i`` are the embeddings in cluster ``i`` and ``y_j``
    those of digit ``j``: the accuracy of calling each embedding by the commonest digit of its cluster.

    Parameters
    ----------
    embeddings
        ``(n, z)``, with ``n`` at least ``clusters``.
    labels
        Digit of each embedding, ``(n,)``.
    seed
        Fixes the starting centres: ten k-means++ starts, of which the one of least inertia counts.
    clusters
        Number of clusters.

    Returns
    -------
    float
        In (0, 1].
    """
    from sklearn.cluster import KMeans

    assignment = KMeans(n_clusters=clusters, n_init=10, random_state=seed).fit_predict(embeddings)
    return purity_of_assignment(assignment, labels)


def purity_of_assignment(assignment: LabelArray, labels: LabelArray) -> float:
    """Score clusters that are there already: Eq. 6, as in `cluster_purity`; both ``(n,)``."""
    _, cluster = np.unique(assignment, return_inverse=True)
    _, digit = np.unique(labels, return_inverse=True)
    counts = np.zeros((cluster.max() + 1, digit.max() + 1), dtype=np.int64)
    np.add.at(counts, (cluster, digit), 1)
    return float(counts.max(axis=1).sum() / len(labels))


def modality_svm(
    image_embeddings: FloatArray, speech_embeddings: FloatArray, seed: int, *, unseen_inputs: bool = False
) -> float:
    """Train an SVM with an RBF kernel to tell the modality of an embedding; return its test accuracy.

    As in the paper 1,076 embeddings of either modality are taken; 1,600 of these 2,152 train the SVM and the
    rest test it. C is chosen from `SVM_PENALTIES` by 3-fold cross-validation on the training part, and the
    kernel's width is scikit-learn's ``gamma="scale"``. Smaller sets keep the paper's proportions.

    The paper had a test utterance for every embedding. Where a corpus has fewer inputs (FSDD: 300 test
    utterances) they are gone through again and each gives several of its samples. Split by embedding, samples
    of one utterance then lie on both sides, and an SVM that merely knows the utterances beats 0.5 even where
    both modalities have one distribution: the figure is an upper bound. With ``unseen_inputs`` all samples
    of an input stay on one side of the split and of the folds, as in the paper, where it has but one.

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
    search.fit(x[train], modality[train], groups=np.concatenate(groups)[train])
    return float(search.score(x[~train], modality[~train]))


def precision_at_1(
    query_means: FloatArray,
    gallery_means: FloatArray,
    query_labels: LabelArray,
    gallery_labels: LabelArray,
    *,
    chunk: int = 2048,
) -> float:
    """Return how often the gallery item nearest to a query carries the query's digit.

    ``nearest(q) = argmax_g q . g``: the similarity that training used, between means of posteriors.

    Parameters
    ----------
    query_means, gallery_means
        ``(n, z)`` and ``(m, z)``.
    query_labels, gallery_labels
        Digits, ``(n,)`` and ``(m,)``.
    chunk
        Queries compared at once: bounds the memory to ``chunk * m`` floats.

    Returns
    -------
    float
        In [0, 1].
    """
    hits = 0
    for start in range(0, len(query_means), chunk):
        nearest = (query_means[start : start + chunk] @ gallery_means.T).argmax(axis=1)
        hits += int(np.count_nonzero(gallery_labels[nearest] == query_labels[start : start + chunk]))
    return hits / len(query_means)


def evaluate(images: Posteriors, speech: Posteriors, seed: int, setting: Mapping[str, Any] | None = None) -> Report:
    """Judge a model by the paper's protocol on the unseen test inputs of both modalities.

    - Retrieval: every image queries all utterances and every utterance all images, by means.
    - Purity: K-means with ten clusters on 16 embeddings an input. Both modalities count alike: as many inputs
      of either are drawn as the smaller one has, at most the paper's 1,076. With 10,000 images against 300
      utterances all but three in a hundred embeddings would be images, and a model that tears the modalities
      apart would still look pure.
    - Modality SVM: on samples of up to 1,076 inputs of either modality; see `modality_svm`.

    Parameters
    ----------
    images, speech
        Posteriors of the test inputs.
    seed
        Fixes the draw of inputs, their samples, K-means and the SVM's split.
    setting
        What the caller knows of data and model; it is kept in the report beside the sizes found here.

    Returns
    -------
    Report
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    images_drawn, speech_drawn = (_draw_inputs(side, PAPER_UTTERANCES, rng) for side in (images, speech))
    image_embeddings = images_drawn.sample(SAMPLES_PER_INPUT, rng)
    speech_embeddings = speech_drawn.sample(SAMPLES_PER_INPUT, rng)
    balanced = min(len(images_drawn), len(speech_drawn))

    z = images.means.shape[1]
    purity = cluster_purity(
        np.concatenate([image_embeddings[:balanced], speech_embeddings[:balanced]]).reshape(-1, z),
        np.repeat(
            np.concatenate([images_drawn.labels[:balanced], speech_drawn.labels[:balanced]]),
            SAMPLES_PER_INPUT,
        ),
        seed,
    )
    retrieval = CrossModal(
        image_to_speech=precision_at_1(images.means, speech.means, images.labels, speech.labels),
        speech_to_image=precision_at_1(speech.means, images.means, speech.labels, images.labels),
    )
    return Report(
        purity=purity,
        modality_svm=modality_svm(image_embeddings, speech_embeddings, seed),
        modality_svm_unseen_inputs=modality_svm(image_embeddings, speech_embeddings, seed, unseen_inputs=True),
        p_at_1=retrieval,
        seconds=time.perf_counter() - started,
        setting={
            **(setting or {}),
            "n_images": len(images),
            "n_utterances": len(speech),
            "inputs_per_modality": balanced,
            "samples_per_input": SAMPLES_PER_INPUT,
            "seed": seed,
        },
    )


def _draw_inputs(side: Posteriors, at_most: int, rng: np.random.Generator) -> Posteriors:
    """Draw up to ``at_most`` inputs without replacement, in random order."""
    return side.take(rng.permutation(len(side))[:at_most])


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
