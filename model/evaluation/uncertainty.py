"""What the posteriors' widths are worth: how far they are from the prior, and whether a wide one warns of a mistake."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.evaluation.posteriors import Posteriors
from model.evaluation.report import Calibration, CalibrationBin, OneModality

ACTIVE_VARIANCE = 0.01
"""A dimension whose posterior mean varies more than this over inputs is active (Burda, Grosse, Salakhutdinov 2016)."""

BINS = 5
"""Of the calibration; FSDD's 300 test utterances leave 60 to each."""

Doubles = npt.NDArray[np.float64]


def one_modality(side: Posteriors) -> OneModality:
    """The posteriors of one modality against the prior.

    - Mean KL divergence from N(0, I): ``1/2 sum_d (mu_d^2 + sigma_d^2 - 1 - log sigma_d^2)`` nats, mean over inputs:
      the information gain that the objective prices. Of posteriors without variance it is infinite, which no JSON
      holds: ``None``.
    - Active dimensions: ``Var_x(mu_d(x)) > 0.01`` (Burda et al. 2016, arXiv 1509.00519, section 5.2).
    """
    means, log_variances = side.means.astype(np.float64), side.log_variances.astype(np.float64)
    divergence = float((0.5 * (means**2 + np.exp(log_variances) - 1 - log_variances).sum(axis=1)).mean())
    return OneModality(
        divergence if np.isfinite(divergence) else None, int((means.var(axis=0) > ACTIVE_VARIANCE).sum())
    )


def entropies(side: Posteriors) -> Doubles:
    """Width of each posterior as its differential entropy, ``1/2 sum_d log(2 pi e sigma_d^2)`` nats: ``(n,)``."""
    widths: Doubles = 0.5 * (np.log(2 * np.pi * np.e) + side.log_variances.astype(np.float64)).sum(axis=1)
    return widths


def calibration(widths: Doubles, right: npt.NDArray[np.bool_], bins: int = BINS) -> Calibration:
    """Whether queries with a wider posterior are those with a wrong nearest match.

    Parameters
    ----------
    widths
        Of the queries' posteriors, ``(n,)``; infinite where these have no variance.
    right
        Whether the nearest match shows the query's digit, ``(n,)``.
    bins
        Into how many parts of equal size the queries are cut, by width; fewer where there are fewer queries.

    Returns
    -------
    Calibration
        With the area under the ROC curve of finding mistakes by width (equal widths count half). Posteriors without
        variance, all of one width, have neither area nor bins.
    """
    if not np.isfinite(widths).all():
        return Calibration(None, (), int((~right).sum()))
    from sklearn.metrics import roc_auc_score

    auroc = float(roc_auc_score(~right, widths)) if 0 < right.sum() < len(right) else None
    order = np.argsort(widths, kind="stable")
    return Calibration(
        auroc,
        tuple(
            CalibrationBin(float(widths[part[0]]), float(widths[part[-1]]), len(part), float(right[part].mean()))
            for part in np.array_split(order, min(bins, len(order)))
        ),
        int((~right).sum()),
    )
