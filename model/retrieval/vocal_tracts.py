"""Posteriors of spoken queries, encoded as if said by speakers with shorter and longer vocal tracts.

The length of a vocal tract scales the frequencies of its formants: a child's lie above those of most speakers that a
model has learnt from. Instead of estimating a factor for a speaker, as in vocal tract length normalisation (Lee and
Rose 1996, doi:10.1109/ICASSP.1996.541105), a query is encoded with several factors, and the posteriors are combined by
their precision: a posterior that is less certain counts less.
"""

from __future__ import annotations

import numpy as np

from model.similarity import Gaussians
from model.systems.base import Encoder
from model.types import FloatArray, Modality

FACTORS = (0.92, 1.0, 1.08)
"""By which frequencies are scaled; docs/decisions/0043 compares others."""

_CERTAIN = -30.0
"""Log variances below count as this: a system without variances has minus infinity."""


def encode_query(encoder: Encoder, modality: Modality, features: FloatArray) -> Gaussians:
    """Posteriors of queries: of images as they are encoded, of utterances over several vocal tracts.

    Parameters
    ----------
    encoder
        A trained model.
    modality, features
        ``(n, 28, 28)`` images in [0, 1] or ``(n, 100, 80)`` filterbanks.

    Returns
    -------
    Gaussians
        Of ``n`` queries. The mean of an utterance is that of its posteriors, weighted by their precision in each
        dimension, its variance their geometric mean.
    """
    if modality is Modality.IMAGE:
        return encoder.encode(modality, features)
    warped = np.concatenate([scale_frequencies(features, factor) for factor in FACTORS])
    means, log_variances = (side.reshape(len(FACTORS), len(features), -1) for side in encoder.encode(modality, warped))
    precisions = -np.maximum(log_variances, _CERTAIN)
    weights = np.exp(precisions - precisions.max(axis=0))
    return Gaussians((weights * means).sum(axis=0) / weights.sum(axis=0), log_variances.mean(axis=0))


def scale_frequencies(filterbanks: FloatArray, factor: float) -> FloatArray:
    """Filterbanks ``(n, frames, bins)`` that have in each bin what was in the bin of ``factor`` times its number.

    Bins between are interpolated; beyond the highest there is what is in the highest.
    """
    bins = filterbanks.shape[-1]
    places = np.clip((np.arange(bins) + 0.5) * factor - 0.5, 0, bins - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, bins - 1)
    share = (places - below).astype(np.float32)
    return np.asarray(filterbanks[..., below] * (1 - share) + filterbanks[..., above] * share, np.float32)
