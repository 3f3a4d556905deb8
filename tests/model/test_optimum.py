"""The least of Equation 5 for ten digits: against samples, known values and what the shipped sweep has learnt."""

import numpy as np
import pytest
import torch

from model import locations
from model.evaluation.sweep_results import SweepResults
from model.networks.posterior import DiagonalGaussian
from model.objectives.information_gain import information_gain
from model.objectives.margin import margin_similarity
from model.objectives.optimum import optimum


@pytest.mark.parametrize(
    ("lambda_ig", "kl"), [(4.64e-4, 129.4), (3.16e-3, 58.7), (2.15e-2, 21.8), (1.47e-1, 11.3), (1.0, 0.28)]
)
def test_the_divergence_at_the_papers_values(lambda_ig, kl):
    assert optimum(lambda_ig).kl == pytest.approx(kl, abs=0.06)


def test_the_loss_is_that_of_such_posteriors():
    """Sampled: 200 inputs of each digit and modality, their means on a simplex."""
    found = optimum(2.15e-2)
    corners = np.eye(10) - 0.1
    corners *= np.sqrt(found.squared_radius / (corners[0] ** 2).sum())
    means = torch.zeros(2000, 128)
    means[:, :10] = torch.from_numpy(corners).float().repeat(200, 1)
    posterior = DiagonalGaussian(means, torch.full_like(means, np.log(found.variance)))
    generator = torch.Generator().manual_seed(0)
    sides = (posterior.sample(1, generator)[:, 0] for _ in range(2))
    loss = margin_similarity(*sides, "all") + 2.15e-2 * information_gain(posterior, posterior)
    assert loss.item() == pytest.approx(found.loss, rel=0.02)  # the hinge is taken for Gaussian
    assert posterior.kl_to_prior()[0].item() == pytest.approx(found.kl, rel=1e-4)


def test_the_digits_vanish_between_a_half_and_one():
    """Collapse at 1, as in the shipped sweep, is the optimum."""
    assert optimum(0.5).squared_radius > 5
    assert optimum(0.9).squared_radius > 0.5
    assert optimum(1.0).squared_radius < 1e-6


def test_the_models_of_the_shipped_sweep_are_near_the_optimum():
    for row in SweepResults.load(locations.shipped_sweep()).rows:
        if row.lambda_ig >= 4.64e-4:
            measured = (row.report.image.mean_kl + row.report.speech.mean_kl) / 2
            assert measured == pytest.approx(optimum(row.lambda_ig).kl, rel=0.25, abs=0.1)


def test_without_a_price_there_is_no_optimum():
    with pytest.raises(ValueError, match="above 0"):
        optimum(0.0)
