"""Posteriors of spoken queries, encoded as if said by speakers with shorter and longer vocal tracts.

The length of a vocal tract scales the frequencies of its formants: a child's lie above those of most speakers that a
model has learnt from. Instead of estimating a factor for a speaker, as in vocal tract length normalisation (Lee and
Rose 1996, doi:10.1109/ICASSP.1996.541105), a query is encoded with several factors, and the posteriors are combined by
their precision: a posterior that is less certain counts less.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model.networks.posterior import DiagonalGaussian
from model.systems.base import System
from model.types import Modality

FACTORS = (0.92, 1.0, 1.08)
"""By which frequencies are scaled; docs/decisions/0043 compares others."""

_CERTAIN = -30.0
"""Log variances below count as this: a system without variances has minus infinity."""


def encode_query(system: System, modality: Modality, features: Tensor) -> DiagonalGaussian:
    """Posteriors of queries: of images as they are encoded, of utterances over several vocal tracts.

    Parameters
    ----------
    system
        A trained model.
    modality, features
        ``(n, 28, 28)`` images in [0, 1] or ``(n, 100, 80)`` filterbanks.

    Returns
    -------
    DiagonalGaussian
        Of ``n`` queries. The mean of an utterance is that of its posteriors, weighted by their precision in each
        dimension, its variance their geometric mean.
    """
    if modality is Modality.IMAGE:
        return system.encode(modality, features)
    warped = torch.cat([scale_frequencies(features.float(), factor) for factor in FACTORS])
    posteriors = system.encode(modality, warped)
    means = posteriors.mean.view(len(FACTORS), len(features), -1)
    log_variances = posteriors.log_variance.view(len(FACTORS), len(features), -1)
    weights = torch.softmax(-log_variances.clamp(min=_CERTAIN), 0)
    return DiagonalGaussian((weights * means).sum(0), log_variances.mean(0))


def scale_frequencies(filterbanks: Tensor, factor: float) -> Tensor:
    """Filterbanks ``(n, frames, bins)`` that have in each bin what was in the bin of ``factor`` times its number.

    Bins between are interpolated; beyond the highest there is what is in the highest.
    """
    bins = filterbanks.shape[-1]
    places = ((torch.arange(bins, device=filterbanks.device) + 0.5) * factor - 0.5).clamp(0, bins - 1)
    below = places.floor().long()
    above = (below + 1).clamp(max=bins - 1)
    return torch.lerp(filterbanks[..., below], filterbanks[..., above], places - below)
