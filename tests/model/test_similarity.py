"""Similarities of posteriors against scipy's integrals, each other and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from model.similarity import (
    DIVERGENCES,
    Gaussians,
    bhattacharyya,
    jeffreys,
    similarities,
    similarity_matrix,
    wasserstein,
)

RNG = np.random.default_rng(0)
KINDS = ("dot", "cosine", *DIVERGENCES)


def gaussians(n, z=3):
    return Gaussians(RNG.normal(size=(n, z)), RNG.normal(size=(n, z)))


P, Q = gaussians(4), gaussians(5)
ONE, OTHER = (
    Gaussians(np.array([mean]), np.array([2 * math.log(deviation)])) for mean, deviation in ((1, 2), (3, 0.5))
)


def integrated(function):
    p, q = stats.norm(1, 2).pdf, stats.norm(3, 0.5).pdf
    return integrate.quad(lambda x: function(p(x), q(x)), -15, 15, points=[1, 3], limit=200)[0]


def test_jeffreys_divergence_is_both_kl_integrals():
    expected = integrated(lambda p, q: (p - q) * (math.log(p) - math.log(q)) if p > 1e-300 and q > 1e-300 else 0)
    assert jeffreys(ONE, OTHER) == pytest.approx(expected, rel=1e-4)


def test_bhattacharyya_distance_is_that_of_the_integral():
    expected = -math.log(integrated(lambda p, q: math.sqrt(p * q)))
    assert bhattacharyya(ONE, OTHER) == pytest.approx(expected, rel=1e-6)


def test_wasserstein_distance_is_that_of_quantiles():
    one, other = stats.norm(1, 2).ppf, stats.norm(3, 0.5).ppf
    expected = integrate.quad(lambda u: (one(u) - other(u)) ** 2, 0, 1, limit=200)[0]
    assert wasserstein(ONE, OTHER) == pytest.approx(expected, rel=1e-4) == 4 + 2.25


@pytest.mark.parametrize("kind", KINDS)
def test_the_matrix_holds_the_similarity_of_each_pair(kind):
    found = similarity_matrix(kind, P, Q)
    assert found.shape == (4, 5)
    for i in range(4):
        row = Gaussians(np.repeat(P.means[i : i + 1], 5, 0), np.repeat(P.log_variances[i : i + 1], 5, 0))
        np.testing.assert_allclose(found[i], similarities(kind, row, Q))


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_give_what_arrays_give(kind):
    sides = [Gaussians(*map(torch.from_numpy, side)) for side in (P, Q)]
    np.testing.assert_allclose(similarity_matrix(kind, *sides, torch).numpy(), similarity_matrix(kind, P, Q))


@pytest.mark.parametrize("kind", DIVERGENCES)
def test_a_divergence_is_symmetric_positive_and_zero_for_equals(kind):
    found = -similarity_matrix(kind, P, Q)
    assert (found > 0).all()
    np.testing.assert_allclose(found, -similarity_matrix(kind, Q, P).T)
    np.testing.assert_allclose(similarities(kind, P, P), 0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    values = [torch.from_numpy(array).requires_grad_() for array in (*P, *Q)]

    def total(*arrays):
        return similarity_matrix(kind, Gaussians(*arrays[:2]), Gaussians(*arrays[2:]), torch).square().mean()

    assert torch.autograd.gradcheck(total, values)


def test_a_vector_of_zeros_is_like_nothing():
    zero = Gaussians(np.zeros((1, 3)), np.zeros((1, 3)))
    np.testing.assert_array_equal(similarity_matrix("cosine", zero, Q), np.zeros((1, 5)))
