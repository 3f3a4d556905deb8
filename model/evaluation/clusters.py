"""Cluster purity (Eq. 6 of the paper): do the embeddings of both modalities fall into digits by themselves?"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from model.evaluation.posteriors import LabelArray
from model.types import FloatArray


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

    # Beside a training that keeps the cores busy, a second thread makes this 15 times slower instead of faster.
    with threadpool_limits(limits=1):
        assignment = KMeans(n_clusters=clusters, n_init=10, random_state=seed).fit_predict(embeddings)
    return purity_of_assignment(assignment, labels)


def purity_of_assignment(assignment: LabelArray, labels: LabelArray) -> float:
    """Score clusters that are there already: Eq. 6, as in `cluster_purity`; both ``(n,)``."""
    _, cluster = np.unique(assignment, return_inverse=True)
    _, digit = np.unique(labels, return_inverse=True)
    counts = np.zeros((cluster.max() + 1, digit.max() + 1), dtype=np.int64)
    np.add.at(counts, (cluster, digit), 1)
    return float(counts.max(axis=1).sum() / len(labels))
