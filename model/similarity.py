"""Similarities of diagonal Gaussian posteriors: what a loss compares pairs by, and what matches are ranked by.

The divergences are in closed form, ``p`` and ``q`` with means ``m``, variances ``v`` and deviations ``s``, summed over
dimensions. All functions take NumPy arrays, or PyTorch tensors with ``xp=torch``, and are differentiable there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

Divergence = Literal["jeffreys", "bhattacharyya", "wasserstein"]
Similarity = Literal["dot", "cosine", "jeffreys", "bhattacharyya", "wasserstein"]

DIVERGENCES: tuple[Divergence, ...] = get_args(Divergence)

Array = Any  # numpy.ndarray or torch.Tensor


class Gaussians(NamedTuple):
    """Posteriors of ``n`` inputs.

    Attributes
    ----------
    means, log_variances
        ``(n, z)`` each.
    """

    means: Array
    log_variances: Array


def similarity_matrix(kind: Similarity, queries: Gaussians, gallery: Gaussians, xp: Any = np) -> Array:
    """Similarity of every query with every item of a gallery; the greater, the nearer.

    Parameters
    ----------
    kind
        ``"dot"`` and ``"cosine"`` compare means alone; a divergence compares the posteriors, and counts negative.
    queries, gallery
        Of ``n`` and ``m`` inputs. A divergence takes memory for ``n * m * z`` numbers.
    xp
        ``numpy`` or ``torch``, whichever made the arrays.

    Returns
    -------
    array
        ``(n, m)``.
    """
    if kind == "dot":
        return queries.means @ gallery.means.T
    if kind == "cosine":
        return normalised(queries.means, xp) @ normalised(gallery.means, xp).T
    rows = Gaussians(queries.means[:, None], queries.log_variances[:, None])
    return -_DIVERGENCES[kind](rows, gallery, xp)


def similarities(kind: Similarity, queries: Gaussians, gallery: Gaussians, xp: Any = np) -> Array:
    """Similarity of query i with item i of as many items, ``(n,)``; otherwise as :func:`similarity_matrix`."""
    if kind == "dot":
        return (queries.means * gallery.means).sum(-1)
    if kind == "cosine":
        return (normalised(queries.means, xp) * normalised(gallery.means, xp)).sum(-1)
    return -_DIVERGENCES[kind](queries, gallery, xp)


def normalised(vectors: Array, xp: Any = np) -> Array:
    """Vectors ``(..., z)`` scaled to length 1; zero stays zero."""
    return vectors / (xp.sqrt((vectors * vectors).sum(-1))[..., None] + 1e-12)


def jeffreys(p: Gaussians, q: Gaussians, xp: Any = np) -> Array:
    r"""Jeffreys divergence KL(p, q) + KL(q, p), in nats (Jeffreys 1946).

    .. math:: \tfrac12 \sum_d (m_p - m_q)^2 (1/v_p + 1/v_q) + v_p / v_q + v_q / v_p - 2
    """
    squares = (p.means - q.means) ** 2
    difference = p.log_variances - q.log_variances
    precisions = xp.exp(-p.log_variances) + xp.exp(-q.log_variances)
    return 0.5 * (squares * precisions + xp.exp(difference) + xp.exp(-difference) - 2).sum(-1)


def bhattacharyya(p: Gaussians, q: Gaussians, xp: Any = np) -> Array:
    r"""Bhattacharyya distance, in nats (Bhattacharyya 1943; for Gaussians Kailath 1967).

    .. math:: \sum_d \frac{(m_p - m_q)^2}{8 \bar v} + \tfrac12 \log \frac{\bar v}{s_p s_q}, \quad
        \bar v = (v_p + v_q) / 2
    """
    variances = 0.5 * (xp.exp(p.log_variances) + xp.exp(q.log_variances))
    logarithms = xp.log(variances) - 0.5 * (p.log_variances + q.log_variances)
    return ((p.means - q.means) ** 2 / (8 * variances) + 0.5 * logarithms).sum(-1)


def wasserstein(p: Gaussians, q: Gaussians, xp: Any = np) -> Array:
    r"""Squared 2-Wasserstein distance (Dowson and Landau 1982), here of commuting covariances.

    .. math:: \sum_d (m_p - m_q)^2 + (s_p - s_q)^2
    """
    deviations = xp.exp(0.5 * p.log_variances) - xp.exp(0.5 * q.log_variances)
    return ((p.means - q.means) ** 2 + deviations**2).sum(-1)


_DIVERGENCES: Mapping[str, Callable[..., Array]] = {
    "jeffreys": jeffreys,
    "bhattacharyya": bhattacharyya,
    "wasserstein": wasserstein,
}
