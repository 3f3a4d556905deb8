"""Transfer of labels across modalities: a digit classifier learns one modality and is tested on the other."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from model.evaluation.posteriors import EvaluationError, Posteriors
from model.evaluation.report import Transfer

NEIGHBOURS = 10
"""How many nearest neighbours vote."""


def transfer(learned: Posteriors, tested: Posteriors) -> Transfer:
    """Train classifiers on the labels of one modality and return their accuracy on the other.

    They are trained on the posterior means of *all* test inputs of ``learned`` and tested on those of *all* test
    inputs of ``tested``. No embedding of the tested modality is seen with its label, so nothing has to be held
    back; the encoders themselves have seen neither. They were trained, though, on pairs that share a digit.

    - Nearest neighbours: a vote of the `NEIGHBOURS` nearest by Euclidean distance (fewer where there are fewer).
    - Linear: multinomial logistic regression with an L2 penalty, C = 1 (scikit-learn's own).

    An offset that all inputs of a modality share moves every score of a query alike, so that retrieval does not feel
    it; these classifiers can be thrown off by it. They ask more: whether one modality can stand for the other.

    Parameters
    ----------
    learned, tested
        The two modalities.

    Raises
    ------
    EvaluationError
        If ``learned`` has inputs of one digit only.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    if len(np.unique(learned.labels)) < 2:
        raise EvaluationError("Label transfer needs test inputs of at least two digits.")
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(learned)))
    linear = LogisticRegression(max_iter=1000)
    with threadpool_limits(limits=1):  # see cluster_purity
        accuracies = [
            float(classifier.fit(learned.means, learned.labels).score(tested.means, tested.labels))
            for classifier in (neighbours, linear)
        ]
    return Transfer(*accuracies)
