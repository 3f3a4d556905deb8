"""Recall of one true partner a query, as papers on captioned images count it (Harwath, Torralba and Glass 2016).

There 1,000 images with a spoken caption each are ranked, and only an image's own caption is right. Digits have no such
partners: any image of a seven goes with any spoken seven. Here partners are drawn, so that the figure has the form of
those papers. No model can do well by it: see the ceiling in `pair_recall`. P@k, which counts every item of the digit,
tells more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.evaluation.posteriors import LabelArray, Posteriors
from model.evaluation.report import Interval, PairRecall, RecallAt
from model.evaluation.retrieval import DEPTHS
from model.similarity import similarity_matrix
from model.types import FloatArray

MOST_PAIRS = 1000
"""Pairs in the test set of Harwath, Torralba and Glass 2016, and of most papers after it."""


def pair_recall(images: Posteriors, speech: Posteriors, draws: Sequence[np.random.Generator]) -> PairRecall | None:
    """Draw pairs of the same digit; count how often a query's partner is among its first 1, 5 and 10 items.

    Ranked by the model's similarity, as in `model.evaluation.retrieval`; of equals the first counts. Beside each
    recall at depth k of ``n`` pairs, ``n_d`` of them of digit d, stand

    - chance, that of a random ranking: ``min(1, k / n)``;
    - the ceiling: within a digit partners are drawn at random, so that no embedding can know them. One that always
      ranks the query's digit first is expected to find ``1/n sum_d n_d min(1, k / n_d)``, about ``10 k / n`` for ten
      digits that are equally frequent. No embedding is expected to find more, though in a single draw it may.

    Parameters
    ----------
    images, speech
        The two modalities.
    draws
        One generator for each draw of pairs; at least one.

    Returns
    -------
    PairRecall or None
        Intervals over the draws, the ceiling as their mean; ``None`` if the modalities have no digit in common.
    """
    found: dict[int, list[tuple[float, float]]] = {depth: [] for depth in DEPTHS}
    ceilings: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    for rng in draws:
        image_places, speech_places = draw_pairs(images.labels, speech.labels, rng)
        n = len(image_places)
        if not n:
            return None
        pictures, utterances = images.take(image_places), speech.take(speech_places)
        scores = similarity_matrix(images.similarity, pictures.gaussians, utterances.gaussians)
        ranks = _partner_ranks(scores), _partner_ranks(scores.T)
        _, frequencies = np.unique(images.labels[image_places], return_counts=True)
        for depth in DEPTHS:
            found[depth].append((float((ranks[0] < depth).mean()), float((ranks[1] < depth).mean())))
            ceilings[depth].append(float(np.minimum(frequencies, depth).sum()) / n)
    at = []
    for depth in DEPTHS:
        to_speech, to_image = map(Interval.of, zip(*found[depth], strict=True))
        at.append(RecallAt(to_speech, to_image, min(1.0, depth / n), float(np.mean(ceilings[depth]))))
    return PairRecall(n, *at)


def draw_pairs(
    image_labels: LabelArray, speech_labels: LabelArray, rng: np.random.Generator, most: int = MOST_PAIRS
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs of the same digit, as many as there are but at most ``most``, in random order; no input is in two pairs.

    Parameters
    ----------
    image_labels, speech_labels
        Digits, ``(n,)`` and ``(m,)``.
    rng
        Draws the inputs and their partners.
    most
        Pairs.

    Returns
    -------
    image_places, speech_places
        The inputs of each pair, ``(pairs,)`` each.
    """
    images, speech = [], []
    for digit in np.intersect1d(image_labels, speech_labels):
        sides = [rng.permutation(np.flatnonzero(labels == digit)) for labels in (image_labels, speech_labels)]
        count = min(map(len, sides))
        images.append(sides[0][:count])
        speech.append(sides[1][:count])
    if not images:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    chosen = rng.permutation(sum(map(len, images)))[:most]
    return np.concatenate(images)[chosen], np.concatenate(speech)[chosen]


def _partner_ranks(scores: FloatArray) -> npt.NDArray[np.intp]:
    """How many items rank before each query's partner, ``(n,)``, where item i is the partner of query i: ``(n, n)``."""
    own = np.diagonal(scores)[:, None]
    ranks: npt.NDArray[np.intp] = np.count_nonzero((scores > own) | np.tril(scores == own, -1), axis=1)
    return ranks
