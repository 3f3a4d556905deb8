"""Information gain: Equation 4 of Leidal, Harwath and Glass 2017, the KL term of Kingma and Welling 2014."""

from __future__ import annotations

from torch import Tensor

from model.networks.posterior import DiagonalGaussian


def information_gain(images: DiagonalGaussian, speech: DiagonalGaussian) -> Tensor:
    """Mean over the batch of the KL divergence from the prior, summed over both modalities (Eq. 4), in nats."""
    return (images.kl_to_prior() + speech.kl_to_prior()).mean()
