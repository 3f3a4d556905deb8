"""Maps of the same test items by several models, aligned so that they can be morphed into each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.evaluation.aligned_maps import AlignedMaps
from model.evaluation.store import Evaluation
from model.retrieval.projection import NeighbourMap, continued
from model.types import FloatArray

_SEED = 0

_PERPLEXITY = 60
"""Twice openTSNE's default. Of 200 items a modality about 20 show each digit. With 30 neighbours hardly any lies
outside its cluster, so that nothing holds the clusters of a modality together, and some end up far away."""


def maps_of(
    evaluations: Sequence[Evaluation],
    setting: Mapping[str, Any],
    failures: Mapping[str, str],
    folder: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> AlignedMaps | None:
    """A map of the items of Figure 2 for each of several models.

    Parameters
    ----------
    evaluations
        Evaluations of the models, at least one, in the order of the maps; all by the same protocol on the same data.
    setting, failures
        See :class:`~model.evaluation.aligned_maps.AlignedMaps`.
    folder
        Folder of the corpora, for the pictures; by default the user's.
    stop
        Called between two maps, each of which takes a second or two; true cancels.

    Returns
    -------
    AlignedMaps or None
        None if it was cancelled.

    Raises
    ------
    MissingData
        If the corpus of images is missing or has changed.
    """
    known = evaluations[0]
    _, places = known.figure2()
    images = [int(place) for place in places if place < known.image_count]
    embeddings = [sampled(evaluation, places) for evaluation in evaluations]
    merged = [_merged(evaluation) for evaluation in evaluations]
    coordinates = aligned_maps(embeddings, merged.index(max(merged)), stop)
    if coordinates is None:
        return None
    pictures = np.stack([known.features(place, folder) for place in images])
    return AlignedMaps(
        items=tuple(replace(known.items()[place], index=index) for index, place in enumerate(places)),
        image_features=(pictures * 255).round().astype(np.uint8),
        keys=tuple(known.key(int(place)) for place in places[len(images) :]),
        embeddings=np.stack(embeddings).astype(np.float16),
        coordinates=np.stack(coordinates),
        setting=setting,
        failures=failures,
    )


def sampled(evaluation: Evaluation, places: np.ndarray[Any, Any]) -> FloatArray:
    """One embedding of each of some items, ``(n, 128)``, sampled with the same noise for all models.

    Samples, as in Figure 2, purity and SVM, and not means: the means of a model that has collapsed onto the prior can
    still form tiny clusters, and t-SNE disregards scale.
    """
    images, speech = evaluation.posteriors()
    means = np.concatenate([images.means, speech.means])[places]
    log_variances = np.concatenate([images.log_variances, speech.log_variances])[places]
    noise = np.random.default_rng(_SEED).standard_normal(means.shape, np.float32)
    return np.asarray(means + np.exp(log_variances / 2) * noise, np.float32)


def aligned_maps(
    embeddings: Sequence[FloatArray], first: int, stop: Callable[[], bool] = lambda: False
) -> list[FloatArray] | None:
    """A map for each of several embeddings of the same items; None if it was cancelled.

    The map at index ``first``, the most merged one, is fitted; each other map continues its neighbour's. So clusters of
    a digit, one per modality, separate around the place of the merged cluster. In the other direction they would
    have to merge across the map.
    """
    fitted = NeighbourMap.fit(embeddings[first], seed=_SEED, perplexity=_PERPLEXITY, stop=stop)
    if fitted is None:
        return None
    maps = {first: fitted.coordinates}
    for places, before in ((range(first - 1, -1, -1), 1), (range(first + 1, len(embeddings)), -1)):
        for place in places:
            if stop():
                return None
            maps[place] = continued(embeddings[place], maps[place + before], perplexity=_PERPLEXITY)
    return [maps[place] for place in range(len(embeddings))]


def _merged(evaluation: Evaluation) -> float:
    """A score that is great for models whose digits are separate and whose modalities are not."""
    return evaluation.report.purity.mean - evaluation.report.modality_svm.mean
