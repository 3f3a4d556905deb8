"""Clusters of embeddings: do those of both modalities fall into digits by themselves (Eq. 6 of the paper)?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from model.evaluation.posteriors import LabelArray
from model.types import FloatArray

_STARTS = 10  # of K-means; that of least inertia counts


class Agreement(NamedTuple):
    """How well clusters and digits agree, all in [0, 1]; see `agreement`."""

    v_measure: float
    homogeneity: float
    completeness: float


def cluster_purity(embeddings: FloatArray, labels: LabelArray, seed: int, clusters: int = 10) -> float:
    """Cluster embeddings by `k_means` and score the clusters by `purity_of_assignment`; in (0, 1]."""
    return purity_of_assignment(k_means(embeddings, seed, clusters), labels)


def k_means(embeddings: FloatArray, seed: int, clusters: int = 10) -> LabelArray:
    """Cluster embeddings by K-means.

    Parameters
    ----------
    embeddings
        ``(n, z)``, with ``n`` at least ``clusters``.
    seed
        Fixes the starting centres: ten k-means++ starts, of which the one of least inertia counts.
    clusters
        Number of clusters.

    Returns
    -------
    LabelArray
        The cluster of each embedding, ``(n,)``.
    """
    from sklearn.cluster import KMeans

    # Beside a training that keeps the cores busy, a second thread makes this 15 times slower instead of faster.
    with threadpool_limits(limits=1):
        assignment: LabelArray = KMeans(n_clusters=clusters, n_init=_STARTS, random_state=seed).fit_predict(embeddings)
    return assignment


def purity_of_assignment(assignment: LabelArray, labels: LabelArray) -> float:
    """Purity of clusters (Eq. 6).

    ``purity = 1/N sum_i max_j |c_i and y_j|``, where ``c_i`` are the embeddings in cluster ``i`` and ``y_j``
    those of digit ``j``: the accuracy of calling each embedding by the commonest digit of its cluster.

    Parameters
    ----------
    assignment, labels
        Cluster and digit of each embedding, ``(n,)``.

    Returns
    -------
    float
        In (0, 1].
    """
    _, cluster = np.unique(assignment, return_inverse=True)
    _, digit = np.unique(labels, return_inverse=True)
    counts = np.zeros((cluster.max() + 1, digit.max() + 1), dtype=np.int64)
    np.add.at(counts, (cluster, digit), 1)
    return float(counts.max(axis=1).sum() / len(labels))


def agreement(assignment: LabelArray, labels: LabelArray) -> Agreement:
    """Agreement of clusters and digits by entropy (Rosenberg and Hirschberg 2007).

    With the mutual information ``I`` of cluster and digit and their entropies ``H``:

    - homogeneity ``h = I / H(digit)``: 1 if every cluster holds one digit;
    - completeness ``c = I / H(cluster)``: 1 if every digit lies in one cluster;
    - V-measure, their harmonic mean: ``2 h c / (h + c) = 2 I / (H(digit) + H(cluster))``. That is the normalised mutual
      information with the arithmetic mean of the entropies, the same number by another name.

    Purity asks for homogeneity alone. Where each digit lies in two clusters, one a modality, completeness tells.

    Parameters
    ----------
    assignment, labels
        Cluster and digit of each embedding, ``(n,)``.
    """
    from sklearn.metrics import homogeneity_completeness_v_measure

    homogeneity, completeness, v_measure = map(float, homogeneity_completeness_v_measure(labels, assignment))
    return Agreement(v_measure, homogeneity, completeness)
