"""What is said in a filterbank."""

from __future__ import annotations

import numpy as np

from model.types import FloatArray

_FLAT = 0.2  # contrast over the bands, as a share of the greatest, of a frame in which nothing is said


def utterance(filterbank: FloatArray) -> FloatArray:
    """What is said in a filterbank ``(100, 80)``: its frames ``(m, 80)`` without padding, normalised.

    The front end gives an utterance zero mean and unit variance, and pads it with zeros. What a decoder predicts is a
    mean, which has less variance, and its padding is not quite zero. There are no frames if the filterbank is flat.
    """
    contrast = filterbank.std(axis=1)
    said = np.flatnonzero(contrast > _FLAT * contrast.max())
    energies = filterbank[: said[-1] + 1 if len(said) else 0]
    if not len(energies):
        return np.asarray(energies, np.float32)
    return np.asarray((energies - energies.mean()) / max(float(energies.std()), 1e-5), np.float32)
