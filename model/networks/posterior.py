"""The diagonal Gaussian to which both encoders map an input."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class DiagonalGaussian:
    """A batch of posteriors over embeddings, N(mean, diag(exp(log_variance))).

    Attributes
    ----------
    mean, log_variance
        Tensors of shape ``(n, z)``. A variance of zero has the logarithm minus infinity.
    """

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def points(cls, embeddings: Tensor) -> DiagonalGaussian:
        """Posteriors of zero variance: every sample is the embedding itself, ``(n, z)``, and the KL is infinite."""
        return cls(embeddings, torch.full_like(embeddings, -torch.inf))

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``count`` embeddings an input by reparameterisation, differentiable in both parameters.

        Returns
        -------
        Tensor
            ``(n, count, z)``.
        """
        n, z = self.mean.shape
        noise = torch.randn((n, count, z), generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        deviation = (0.5 * self.log_variance).exp()
        return self.mean.unsqueeze(1) + deviation.unsqueeze(1) * noise

    def kl_to_prior(self) -> Tensor:
        r"""KL divergence of each posterior from the prior N(0, I), in nats, shape ``(n,)``.

        .. math:: \tfrac12 \sum_d (\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2)
        """
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance).sum(-1)
