"""The diagonal Gaussian: its divergence by hand and against torch's own, its samples by their moments."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from model.networks.posterior import DiagonalGaussian


def test_divergence_by_hand():
    # sigma^2 = 4, mu = 3: (9 + 4 - 1 - ln 4) / 2; the second dimension is the prior's own and adds nothing.
    posterior = DiagonalGaussian(torch.tensor([[3.0, 0.0]]), torch.tensor([[math.log(4), 0.0]]))
    assert posterior.kl_to_prior().tolist() == pytest.approx([(12 - math.log(4)) / 2])


def test_divergence_of_the_prior_is_zero():
    assert DiagonalGaussian(torch.zeros(3, 5), torch.zeros(3, 5)).kl_to_prior().tolist() == [0, 0, 0]


def test_points_are_their_own_samples_at_an_infinite_divergence():
    embeddings = torch.tensor([[3.0, -1.0]], requires_grad=True)
    points = DiagonalGaussian.points(embeddings)
    samples = points.sample(2, torch.Generator().manual_seed(0))
    assert samples.tolist() == [[[3.0, -1.0]] * 2]
    samples.sum().backward()
    assert embeddings.grad.tolist() == [[2.0, 2.0]]
    assert points.kl_to_prior().tolist() == [math.inf]


def test_divergence_agrees_with_torch():
    mean, log_variance = torch.randn(2, 7, 128, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    posterior = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    ours = DiagonalGaussian(mean, log_variance).kl_to_prior()
    assert ours.shape == (7,)
    torch.testing.assert_close(ours, kl_divergence(posterior, prior))


def test_samples_have_the_moments_of_the_posterior():
    mean = torch.tensor([[2.0, -1.0], [0.0, 5.0]])
    deviation = torch.tensor([[0.5, 3.0], [1.0, 0.1]])
    posterior = DiagonalGaussian(mean, 2 * deviation.log())
    samples = posterior.sample(40_000, torch.Generator().manual_seed(1))
    assert samples.shape == (2, 40_000, 2)
    # Four standard errors of a mean and of a deviation.
    assert ((samples.mean(1) - mean).abs() < 4 * deviation / 200).all()
    assert ((samples.std(1) / deviation - 1).abs() < 4 / math.sqrt(2 * 40_000)).all()
    # Neither dimensions nor inputs share their noise.
    noise = ((samples - mean.unsqueeze(1)) / deviation.unsqueeze(1)).permute(0, 2, 1).reshape(4, -1)
    assert (torch.corrcoef(noise) - torch.eye(4)).abs().max() < 0.025


def test_samples_are_differentiable_in_both_parameters():
    mean = torch.zeros(1, 3, requires_grad=True)
    log_variance = torch.full((1, 3), math.log(4.0), requires_grad=True)
    posterior = DiagonalGaussian(mean, log_variance)
    samples = posterior.sample(5, torch.Generator().manual_seed(2))
    samples.sum().backward()
    # d(mu + sigma e)/d mu = 1, and d/d log sigma^2 = sigma e / 2, which is half the sample at mu = 0.
    torch.testing.assert_close(mean.grad, torch.full((1, 3), 5.0))
    torch.testing.assert_close(log_variance.grad, samples.detach().sum(1) / 2)


def test_the_generator_decides_the_samples():
    posterior = DiagonalGaussian(torch.zeros(2, 4), torch.zeros(2, 4))
    first, again, other = (posterior.sample(3, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_given_generator_leaves_the_global_one_alone():
    before = torch.random.get_rng_state()
    DiagonalGaussian(torch.zeros(2, 4), torch.zeros(2, 4)).sample(3, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.random.get_rng_state())
