"""InfoNCE in both directions: van den Oord et al. 2018 (arXiv 1807.03748), as CLIP has it (Radford et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from model.similarity import normalised

INITIAL_TEMPERATURE = 0.07
LARGEST_SCALE = 100.0
"""Of the inverse temperature, beyond which CLIP found training unstable."""


def info_nce(images: Tensor, speech: Tensor, log_scale: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of finding a pair's utterance among the batch's for its image, and the reverse.

    .. code-block:: text

        L = 1/2 CE(exp(s) V A^T) + 1/2 CE(exp(s) A V^T)

    with the rows of ``V`` and ``A`` scaled to length 1, and targets on the diagonal.

    Parameters
    ----------
    images, speech
        Matched embeddings, ``(n, z)``, or ``(n, samples, z)`` of which each sample is compared with those of its
        number alone.
    log_scale
        ``(1,)``: ``s``, the logarithm of the inverse temperature, learnt; the scale is at most `LARGEST_SCALE`.
    """
    rows = [normalised(side.reshape(len(side), -1, side.shape[-1]), torch).transpose(0, 1) for side in (images, speech)]
    logits = log_scale.exp().clamp(max=LARGEST_SCALE) * rows[0] @ rows[1].transpose(1, 2)  # (samples, n, n)
    samples, n, _ = logits.shape
    matching = torch.arange(n, device=logits.device).expand(samples, n)
    return 0.5 * (cross_entropy(logits, matching) + cross_entropy(logits.transpose(1, 2), matching))
