"""Each term of Equation 5 against a calculation by hand."""

import itertools
import math

import pytest
import torch
from torch import nn

from model.networks.posterior import DiagonalGaussian
from model.objectives.contrastive import info_nce
from model.objectives.distillation import distillation
from model.objectives.gradient_reversal import reverse_gradient
from model.objectives.information_gain import information_gain
from model.objectives.margin import margin_ranking, margin_similarity
from model.objectives.reconstruction import bernoulli_nll, gaussian_nll
from model.objectives.weight_norms import weight_norms
from model.systems.variational import objective

IMAGES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
SPEECH = torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])
DOTS = [[2, 1, 0], [0, 1, 3], [2, 2, 3]]  # images in rows, speech in columns


def hinge(i, j, k, margin=1.0):
    """One pair's part of Eq. 1, in plain Python."""
    return max(0, margin - DOTS[i][i] + DOTS[i][j]) + max(0, margin - DOTS[i][i] + DOTS[k][i])


def test_all_impostors_by_hand():
    # Pair 0 (own 2): speech 1 -> 0, speech 2 -> 0; image 1 -> 0, image 2 -> 1.
    # Pair 1 (own 1): speech 0 -> 0, speech 2 -> 3; image 0 -> 1, image 2 -> 2.
    # Pair 2 (own 3): speech 0 -> 0, speech 1 -> 0; image 0 -> 0, image 1 -> 1.
    assert margin_similarity(IMAGES, SPEECH, "all").item() == pytest.approx((1 + 3 + 1 + 2 + 1) / (3 * 2))


def test_two_pairs_leave_one_impostor_each_by_hand():
    # Own 2 and 1. Pair 0: max(0, 1-2+1) + max(0, 1-2+0) = 0. Pair 1: max(0, 1-1+0) + max(0, 1-1+1) = 1.
    for impostors in ("pair", "one", "all"):
        loss = margin_similarity(IMAGES[:2], SPEECH[:2], impostors)
        assert loss.item() == pytest.approx(0.5)
    # With margin 2: pair 0: 1 + 0; pair 1: 1 + 2.
    assert margin_similarity(IMAGES[:2], SPEECH[:2], "one", margin=2.0).item() == pytest.approx(2.0)


def possible_losses(impostors):
    """The loss of every draw of impostors: for each pair two choices of j, and two of k unless it is j."""
    others = {0: (1, 2), 1: (0, 2), 2: (0, 1)}
    if impostors == "pair":
        choices = [[hinge(i, j, j) for j in others[i]] for i in range(3)]
    else:
        choices = [[hinge(i, j, k) for j in others[i] for k in others[i]] for i in range(3)]
    return [sum(draw) / 3 for draw in itertools.product(*choices)]


@pytest.mark.parametrize("impostors", ["pair", "one"])
def test_all_impostors_are_the_expectation_of_one(impostors):
    every = possible_losses(impostors)
    assert margin_similarity(IMAGES, SPEECH, "all").item() == pytest.approx(sum(every) / len(every))


@pytest.mark.parametrize("impostors", ["pair", "one"])
def test_one_impostor_draws_every_possible_loss_equally_and_no_other(impostors):
    generator = torch.Generator().manual_seed(0)
    drawn = [round(margin_similarity(IMAGES, SPEECH, impostors, generator=generator).item(), 5) for _ in range(3000)]
    every = [round(value, 5) for value in possible_losses(impostors)]
    assert set(drawn) == set(every)
    for value in set(every):
        share = every.count(value) / len(every)
        assert drawn.count(value) / 3000 == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 3000))


def test_the_own_pair_is_never_the_impostor():
    # Only the own pair has a dot product above 0: as an impostor it would leave a hinge of the full margin.
    embeddings = 10 * torch.eye(5)
    generator = torch.Generator().manual_seed(1)
    for impostors in ("pair", "one"):
        losses = [margin_similarity(embeddings, embeddings, impostors, generator=generator).item() for _ in range(200)]
        assert losses == [0.0] * 200
    assert margin_similarity(embeddings, embeddings, "all").item() == 0.0


@pytest.mark.parametrize("impostors", ["pair", "one", "all"])
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_have_no_impostor(impostors, count):
    with pytest.raises(ValueError, match="two pairs"):
        margin_similarity(IMAGES[:count], SPEECH[:count], impostors)


@pytest.mark.parametrize("impostors", ["pair", "one", "all"])
def test_the_margin_loss_pulls_pairs_together_and_impostors_apart(impostors):
    images = torch.zeros(2, 2) + torch.tensor([[0.1, 0.0], [0.0, 0.1]])
    speech = images.clone().requires_grad_()
    margin_similarity(images, speech, impostors).backward()
    # Both hinges of each pair are active: d/d a_0 = (-2 v_0 + v_1 + v_1) / 2, by symmetry of the two directions.
    torch.testing.assert_close(speech.grad, torch.tensor([[-0.1, 0.1], [0.1, -0.1]]))


def test_information_gain_sums_modalities_and_averages_inputs():
    zero = torch.zeros(2, 1)
    images = DiagonalGaussian(torch.tensor([[1.0], [3.0]]), zero)  # 0.5 and 4.5 nats
    speech = DiagonalGaussian(torch.tensor([[2.0], [0.0]]), zero)  # 2 and 0 nats
    assert information_gain(images, speech).item() == pytest.approx((0.5 + 4.5 + 2 + 0) / 2)


def test_weight_norms_are_not_squared_and_leave_biases_out():
    module = nn.Sequential(nn.Conv2d(1, 1, (1, 2)), nn.BatchNorm2d(1), nn.Linear(2, 1))
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(100.0)
        module[0].weight.copy_(torch.tensor([3.0, 4.0]).view(1, 1, 1, 2))
        module[2].weight.copy_(torch.tensor([[5.0, 12.0]]))
    assert weight_norms(module).item() == pytest.approx(5 + 13)


def test_weight_norms_have_a_gradient_of_unit_length():
    linear = nn.Linear(4, 3)
    weight_norms(linear).backward()
    torch.testing.assert_close(linear.weight.grad, linear.weight.detach() / linear.weight.detach().norm())
    assert linear.bias.grad is None


def test_weight_norms_have_no_gradient_at_zero():
    linear = nn.Linear(4, 3)
    nn.init.zeros_(linear.weight)
    (100 * weight_norms(linear)).backward()
    assert (linear.weight.grad == 0).all()


def test_the_objective_weighs_its_terms():
    loss = objective(torch.tensor(2.0), torch.tensor(30.0), torch.tensor(400.0), lambda_ig=0.1, lambda_wd=0.01)
    assert loss.values() == pytest.approx(
        {"total": 2 + 3 + 4, "similarity": 2, "information_gain": 30, "weight_norms": 400}
    )


def test_gradients_of_the_whole_reach_both_posteriors():
    parts = [torch.randn(4, 8, requires_grad=True) for _ in range(4)]
    images, speech = DiagonalGaussian(*parts[:2]), DiagonalGaussian(*parts[2:])
    similarity = margin_similarity(images.sample(2).flatten(0, 1), speech.sample(2).flatten(0, 1), "all")
    objective(similarity, information_gain(images, speech), torch.tensor(0.0), 0.1, 0.0).total.backward()
    for part in parts:
        assert part.grad is not None
        assert part.grad.abs().sum() > 0


@pytest.mark.parametrize("impostors", ["pair", "one", "all"])
def test_the_margin_loss_of_a_similarity_is_that_of_its_embeddings(impostors):
    one, other = (torch.Generator().manual_seed(4) for _ in range(2))
    expected = margin_similarity(IMAGES, SPEECH, impostors, generator=one)
    assert margin_ranking(IMAGES @ SPEECH.T, impostors, generator=other) == expected
    with pytest.raises(ValueError, match="two pairs"):
        margin_ranking(torch.ones(1, 1), impostors)


def test_info_nce_by_hand():
    images, speech = torch.tensor([[2.0, 0.0], [0.0, 5.0]]), torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    # Cosines: image 0 with speech 0, 1: 1, 0.6; image 1: 0, 0.8. The scale is 2.
    rows = [2 - math.log(math.exp(2) + math.exp(1.2)), 1.6 - math.log(math.exp(0) + math.exp(1.6))]
    columns = [2 - math.log(math.exp(2) + math.exp(0)), 1.6 - math.log(math.exp(1.2) + math.exp(1.6))]
    expected = -(sum(rows) + sum(columns)) / 4
    assert info_nce(images, speech, torch.tensor([math.log(2)])).item() == pytest.approx(expected)
    samples = [torch.stack([side, side.flip(1)], 1) for side in (images, speech)]
    assert info_nce(*samples, torch.tensor([math.log(2)])).item() == pytest.approx(expected), "each by itself"


def test_the_scale_of_info_nce_is_bounded():
    sides = torch.eye(2), torch.eye(2)
    assert info_nce(*sides, torch.tensor([50.0])) == info_nce(*sides, torch.tensor([math.log(100)]))


def test_distillation_by_hand():
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3), 0.0]], requires_grad=True)
    loss = distillation(student.requires_grad_(), teacher)
    assert loss.item() == pytest.approx(0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5))
    loss.backward()
    torch.testing.assert_close(student.grad, torch.tensor([[0.5 - 0.75, 0.5 - 0.25]]))
    assert teacher.grad is None


def test_a_reversed_gradient_is_that_times_minus_its_weight():
    inputs = torch.tensor([1.0, 2.0], requires_grad=True)
    values = reverse_gradient(inputs, 0.5)
    assert torch.equal(values, inputs)
    (values * torch.tensor([3.0, 4.0])).sum().backward()
    torch.testing.assert_close(inputs.grad, torch.tensor([-1.5, -2.0]))


def test_likelihoods_are_those_of_the_distributions():
    generator = torch.Generator().manual_seed(0)
    logits, means = (torch.randn(3, 1, 2, 2, generator=generator) for _ in range(2))
    pixels, energies = torch.rand(3, 1, 2, 2, generator=generator).round(), torch.randn(3, 1, 2, 2, generator=generator)
    expected = -torch.distributions.Bernoulli(logits=logits).log_prob(pixels).flatten(1).sum(1).mean()
    torch.testing.assert_close(bernoulli_nll(logits, pixels), expected)
    expected = -torch.distributions.Normal(means, math.exp(0.3 / 2)).log_prob(energies).flatten(1).sum(1).mean()
    torch.testing.assert_close(gaussian_nll(means, torch.tensor([0.3]), energies), expected)


def test_the_variance_of_filterbanks_that_fits_best_is_their_mean_squared_error():
    means, energies = torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), 0.5)
    variance = torch.tensor([math.log(0.25)], requires_grad=True)
    gaussian_nll(means, variance, energies).backward()
    assert variance.grad.item() == pytest.approx(0, abs=1e-6)


def doubles(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize(
    "loss",
    [
        lambda one, other: margin_ranking(one @ other.T, "all"),
        lambda one, other: info_nce(one, other, torch.tensor([0.7], dtype=torch.float64)),
        lambda one, _: info_nce(doubles(5, 3, seed=2), doubles(5, 3, seed=3), one[0, :1]),
        lambda one, _: distillation(one, doubles(5, 3, seed=2)),
        lambda one, other: bernoulli_nll(one, other.sigmoid()),
        lambda one, other: gaussian_nll(one, other[0, :1], other),
        lambda one, other: information_gain(DiagonalGaussian(one, other), DiagonalGaussian(other, one)),
    ],
    ids=["margin", "info_nce", "temperature", "distillation", "bernoulli", "gaussian", "information_gain"],
)
def test_gradients_are_those_of_finite_differences(loss):
    assert torch.autograd.gradcheck(loss, (doubles(5, 3), doubles(5, 3, seed=1)))
