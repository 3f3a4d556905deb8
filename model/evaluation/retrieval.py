"""Retrieval across modalities: every test input of one queries all of the other.

Items are ranked by the similarity that training used (:mod:`model.similarity`), most often the dot product of means,
``nearest(q) = argmax_g q . g``; of equals the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from model.evaluation.posteriors import LabelArray, Posteriors
from model.evaluation.proportions import clopper_pearson
from model.evaluation.report import Retrieval
from model.similarity import DIVERGENCES, Gaussians, similarity_matrix
from model.types import FloatArray

DEPTHS = (1, 5, 10)
"""The k of P@k."""

_DIGITS = 10
_MOST_NUMBERS = 1 << 23  # in an intermediate result: 32 MB

Group = TypeVar("Group", int, str)


class Matches(NamedTuple):
    """What was found for each of ``n`` queries.

    Attributes
    ----------
    nearest
        The gallery item with the greatest score, ``(n,)``.
    margins
        By how much its score beats that of the best item of the query's digit, ``(n,)``: 0 for a right match;
        the greater, the worse the mistake; infinite where no item has that digit.
    """

    nearest: npt.NDArray[np.int32]
    margins: FloatArray


def precision_at_1(queries: Posteriors, gallery: Posteriors, *, chunk: int = 2048) -> float:
    """Return how often the gallery item nearest to a query carries the query's digit.

    Parameters
    ----------
    queries, gallery
        The two modalities.
    chunk
        Queries compared at once: bounds the memory to ``chunk * m`` floats.

    Returns
    -------
    float
        In [0, 1].
    """
    hits = 0
    for part, scores in _scores(queries, gallery, chunk):
        hits += int(np.count_nonzero(gallery.labels[scores.argmax(axis=1)] == queries.labels[part]))
    return hits / len(queries)


def find_matches(queries: Posteriors, gallery: Posteriors, *, chunk: int = 512) -> Matches:
    """The nearest gallery item of each query, and how far off it is; ``chunk`` as in `precision_at_1`."""
    nearest = np.empty(len(queries), np.int32)
    margins = np.empty(len(queries), np.float32)
    for part, scores in _scores(queries, gallery, chunk):
        nearest[part] = scores.argmax(axis=1)
        right = queries.labels[part, None] == gallery.labels
        margins[part] = scores.max(axis=1) - np.where(right, scores, -np.inf).max(axis=1)
    return Matches(nearest, margins)


def retrieval(queries: Posteriors, gallery: Posteriors, *, chunk: int = 512) -> Retrieval:
    """Rank the whole gallery for every query and score the rankings (Manning, Raghavan, Schuetze 2008, ch. 8.4).

    - ``P@k``: share of the query's digit among the first k items, mean over queries.
    - ``mAP``: mean over queries of ``AP = 1/R sum_k rel_k P@k``, where ``rel_k`` is 1 if item k shows the query's
      digit and 0 otherwise, and ``R`` is how many such items there are; 0 where there are none.

    P@1 comes with its interval; see `clopper_pearson`.

    Parameters
    ----------
    queries, gallery
        The two modalities, encoded by one model.
    chunk
        Queries ranked at once: bounds the memory to some ``chunk * m`` numbers.
    """
    precisions = np.zeros(len(DEPTHS))
    average_precision = 0.0
    ranks = np.arange(1, len(gallery) + 1)
    for part, scores in _scores(queries, gallery, chunk):
        order = np.argsort(-scores, axis=1, kind="stable")
        relevant = gallery.labels[order] == queries.labels[part, None]
        found = relevant.cumsum(axis=1)
        precisions += [relevant[:, :depth].mean(axis=1).sum() for depth in DEPTHS]
        averages = np.where(relevant, found / ranks, 0).sum(axis=1) / np.maximum(found[:, -1], 1)
        average_precision += float(averages.sum())
    p_at_1, p_at_5, p_at_10 = (float(summed) / len(queries) for summed in precisions)
    interval = clopper_pearson(round(precisions[0]), len(queries))
    return Retrieval(p_at_1, p_at_5, p_at_10, average_precision / len(queries), *interval)


def confusion(query_labels: LabelArray, match_labels: LabelArray) -> tuple[tuple[int, ...], ...]:
    """Counts ``10 x 10``: rows are the query's digit, columns that of its nearest match; both ``(n,)``."""
    counts = np.zeros((_DIGITS, _DIGITS), np.int64)
    np.add.at(counts, (query_labels, match_labels), 1)
    return tuple(tuple(row) for row in counts.tolist())


def shares(groups: Iterable[Group], right: Sequence[bool]) -> dict[Group, float]:
    """Share of right answers in each group, groups in order."""
    answers: dict[Group, list[bool]] = {}
    for group, answer in zip(groups, right, strict=True):
        answers.setdefault(group, []).append(answer)
    return {group: sum(answers[group]) / len(answers[group]) for group in sorted(answers)}


def _scores(queries: Posteriors, gallery: Posteriors, chunk: int) -> Iterator[tuple[slice, FloatArray]]:
    """Slices of queries with their similarity to the whole gallery, ``(slice, m)``."""
    if queries.similarity in DIVERGENCES:  # which take memory for all dimensions
        chunk = min(chunk, max(1, _MOST_NUMBERS // gallery.means.size))
    for start in range(0, len(queries), chunk):
        part = slice(start, start + chunk)
        some = Gaussians(queries.means[part], queries.log_variances[part])
        yield part, similarity_matrix(queries.similarity, some, gallery.gaussians)
