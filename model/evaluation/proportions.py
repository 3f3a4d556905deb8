"""How sure a share of right answers is."""

from __future__ import annotations


def clopper_pearson(right: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial proportion (Clopper and Pearson 1934).

    It covers the true share with at least the given confidence if the answers are independent of each other and the
    questions drawn from all that could be asked. Utterances of a few speakers are neither, so that for other speakers
    it is too narrow.

    Parameters
    ----------
    right, count
        Right answers, and all; ``0 <= right <= count`` and ``count`` at least 1.
    confidence
        In (0, 1).

    Returns
    -------
    low, high
        In [0, 1].

    Raises
    ------
    ValueError
        If there are more right answers than answers, or none at all.
    """
    from scipy.stats import binomtest  # late, as of all that evaluates

    interval = binomtest(right, count).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)
