"""Transfer of labels across modalities: a digit classifier learns one modality and is tested on the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from model.evaluation.posteriors import EvaluationError, LabelArray, Posteriors
from model.evaluation.report import Interval, Transfer

NEIGHBOURS = 10
"""How many nearest neighbours vote."""


LABELS_PER_DIGIT = (1, 5, 20)
"""With how few labels a digit the linear classifier is tried."""


def transfer(learned: Posteriors, tested: Posteriors, draws: Sequence[np.random.Generator] = ()) -> Transfer:
    """Train classifiers on the labels of one modality and return their accuracy on the other.

    They are trained on the posterior means of *all* test inputs of ``learned`` and tested on those of *all* test
    inputs of ``tested``. No embedding of the tested modality is seen with its label, so nothing has to be held
    back; the encoders themselves have seen neither. They were trained, though, on pairs that share a digit.

    - Nearest neighbours: a vote of the `NEIGHBOURS` nearest by Euclidean distance (fewer where there are fewer).
    - Linear: multinomial logistic regression with an L2 penalty, C = 1 (scikit-learn's own).
    - Linear with few labels (after Kashyap 2017): the same on 1, 5 and 20 inputs a digit, drawn at random; those of
      fewer labels are among those of more. It is one classifier from one label to all, so that the figures differ by
      the labels alone. One label a digit suffices it: the penalty makes the solution unique. (The nearest class mean,
      the usual choice for so few, gave the same accuracies within 0.001 on the shipped model's embeddings.)

    An offset that all inputs of a modality share moves every score of a query alike, so that retrieval does not feel
    it; these classifiers can be thrown off by it. They ask more: whether one modality can stand for the other.

    Parameters
    ----------
    learned, tested
        The two modalities.
    draws
        One generator for each draw of labelled inputs; without any, few labels are not tried. Nor are more labels than
        some digit of ``learned`` has inputs.

    Raises
    ------
    EvaluationError
        If ``learned`` has inputs of one digit only.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    digits, inputs_per_digit = np.unique(learned.labels, return_counts=True)
    if len(digits) < 2:
        raise EvaluationError("Label transfer needs test inputs of at least two digits.")
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(learned)))
    linear = LogisticRegression(max_iter=1000)
    with threadpool_limits(limits=1):  # see k_means
        nearest, all_labels = (
            float(classifier.fit(learned.means, learned.labels).score(tested.means, tested.labels))
            for classifier in (neighbours, linear)
        )
        few: dict[int, list[float]] = {count: [] for count in LABELS_PER_DIGIT if count <= inputs_per_digit.min()}
        for rng in draws:
            order = rng.permutation(len(learned))
            for count, found in few.items():
                part = learned.take(_first_of_each_digit(order, learned.labels, count))
                found.append(float(linear.fit(part.means, part.labels).score(tested.means, tested.labels)))
    with_few = (Interval.of(few[count]) if few.get(count) else None for count in LABELS_PER_DIGIT)
    return Transfer(nearest, all_labels, *with_few)


def _first_of_each_digit(order: npt.NDArray[np.intp], labels: LabelArray, count: int) -> npt.NDArray[np.intp]:
    """The first ``count`` inputs of each digit in an order of all inputs, ``(n,)``."""
    return np.concatenate([order[labels[order] == digit][:count] for digit in np.unique(labels)])
