"""Log-likelihoods of inputs under decoders: the reconstruction terms of Kingma and Welling 2014 (arXiv 1312.6114)."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def bernoulli_nll(logits: Tensor, images: Tensor) -> Tensor:
    """Negative log-likelihood of pixels in [0, 1], ``(n, ...)`` both, in nats: summed over an image, mean over images.

    Grey pixels count as the probability that they are lit.
    """
    return binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)


def gaussian_nll(means: Tensor, log_variance: Tensor, filterbanks: Tensor) -> Tensor:
    r"""Negative log-likelihood of energies, ``(n, ...)``, in nats: summed over a filterbank, mean over filterbanks.

    .. math:: \tfrac12 \sum (x - m)^2 / v + \log (2 \pi v)

    Parameters
    ----------
    log_variance
        ``(1,)``, of all energies.
    """
    squares = (filterbanks - means).square().flatten(1).sum(1).mean()
    energies = filterbanks[0].numel()
    logarithm = log_variance.squeeze()
    return 0.5 * (squares * (-logarithm).exp() + energies * (logarithm + math.log(2 * math.pi)))
