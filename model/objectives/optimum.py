"""The least that Equation 5 of Leidal, Harwath and Glass 2017 can come to, for clusters as alike as digits can be.

Nothing is trained and nothing is fitted: the objective is minimised over two numbers, which says how much information
an embedding keeps at each lambda_IG, and at which lambda_IG it keeps none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

CLASSES = 10
EMBEDDING_SIZE = 128

_STARTS = (
    (-3.0, -4.0),
    (-3.0, -0.1),
    (0.0, -2.0),
    (2.0, -4.0),
    (2.0, -0.1),
)  # of the logarithms of radius and variance
_LEAST_LOGARITHM = -40.0
_LEAST_LAMBDA = 1e-5  # the paper's smallest above 0


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the objective is least.

    Attributes
    ----------
    kl
        KL divergence of each posterior from the prior, in nats.
    squared_radius
        Of the means about their centre, which is the prior's.
    variance
        Of every posterior in every dimension.
    loss
        The objective, without the weight norms.
    """

    kl: float
    squared_radius: float
    variance: float
    loss: float


@lru_cache(maxsize=256)
def optimum(lambda_ig: float) -> Optimum:
    r"""Minimise L_Sim + lambda_IG L_IG for ten digits whose means are the corners of a simplex, in both modalities.

    All posteriors have the variance ``s`` in all of the 128 dimensions ``z``, and means at the squared distance ``r``
    from zero, with the dot product ``-r/9`` between digits. The difference of the dot products of a pair and of an
    impostor is then

    - for another digit, of the mean ``10 r / 9`` and the variance ``2 r s + 20 r s / 9 + 2 z s^2``,
    - for the same digit, one impostor in ten, of the mean 0 and the variance ``2 r s + 2 z s^2``,

    and is taken for Gaussian, of which the mean of the hinge has a closed form. The KL divergence is
    ``(r + z (s - 1 - log s)) / 2`` a modality.

    Parameters
    ----------
    lambda_ig
        Weight of the information gain, above 0: without a price, the radius has no bound.

    Raises
    ------
    ValueError
        If it is not above 0.
    """
    from scipy.optimize import minimize  # late: the window starts without scipy

    if lambda_ig <= 0:
        raise ValueError("Where information costs nothing, no embedding is best: choose a lambda_IG above 0.")
    results = (
        minimize(
            lambda point: _loss(point[0], point[1], lambda_ig),
            start,
            method="Nelder-Mead",
            options={"maxiter": 4000, "xatol": 1e-8, "fatol": 1e-10},
        )
        for start in _STARTS
    )
    best = min(results, key=lambda result: float(result.fun))
    squared_radius, variance = (math.exp(max(_LEAST_LOGARITHM, value)) for value in best.x)
    return Optimum(_kl(squared_radius, variance), squared_radius, variance, float(best.fun))


def optimal_information(highest: float = 1.0, points: int = 60) -> list[tuple[float, float]]:
    """KL divergence of the optimum in nats, ``(lambda_IG, kl)``, at logarithmic steps from 1e-5 to a highest value."""
    steps = (_LEAST_LAMBDA * (highest / _LEAST_LAMBDA) ** (point / (points - 1)) for point in range(points))
    return [(lambda_ig, optimum(lambda_ig).kl) for lambda_ig in steps]


def _loss(log_radius: float, log_variance: float, lambda_ig: float) -> float:
    r, s = math.exp(max(_LEAST_LOGARITHM, log_radius)), math.exp(max(_LEAST_LOGARITHM, log_variance))
    noise = 2 * r * s + 2 * EMBEDDING_SIZE * s**2
    distance = r * CLASSES / (CLASSES - 1)
    other = _hinge(1 - distance, noise + 2 * s * distance)
    same = _hinge(1, noise)
    similarity = 2 * (other * (CLASSES - 1) + same) / CLASSES
    return similarity + 2 * lambda_ig * _kl(r, s)


def _kl(squared_radius: float, variance: float) -> float:
    return 0.5 * (squared_radius + EMBEDDING_SIZE * (variance - 1 - math.log(variance)))


def _hinge(mean: float, variance: float) -> float:
    """The mean of max(0, x) for a Gaussian x."""
    deviation = math.sqrt(variance)
    t = mean / deviation
    density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return mean * 0.5 * math.erfc(-t / math.sqrt(2)) + deviation * density
