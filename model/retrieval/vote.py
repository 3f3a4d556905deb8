"""The digit of a query: a vote of the nearest items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, similarity_matrix
from model.types import Match, Modality

_VOTERS = 3
"""Where the user's takes vote, too: few, since there may be few takes of a digit; docs/decisions/0046 compares."""


def majority(matches: Sequence[Match]) -> int:
    """The most frequent digit of some matches; in a tie, that of the best match."""
    return _most_frequent([match.item.label for match in matches])


def digit_of(
    query: Gaussians,
    modality: Modality,
    gallery: Gallery,
    matches: Sequence[Match],
    takes: npt.NDArray[np.bool_] | None = None,
) -> int:
    """The digit of a query: of most of its matches, or, where the user has added takes of its modality, with these.

    What somebody says is nearer to what the same person has said than to anything else, even if the encoders don't
    understand that person. So takes vote together with the items of the other modality.

    Parameters
    ----------
    query
        One posterior, ``(128,)`` each.
    modality
        Its own modality.
    gallery
        All items.
    matches
        The nearest ones of the other modality, best first, at least one.
    takes
        Which items are the user's takes, ``(n,)``; by default none.
    """
    if takes is None or not takes[gallery.places(modality)].any():
        return majority(matches)
    voters = takes.copy()
    voters[gallery.places(modality.other)] = True
    places = np.flatnonzero(voters)
    # Embeddings of the two modalities differ in length, since only their similarity with each other was trained.
    kind = "cosine" if gallery.similarity == "dot" else gallery.similarity
    posteriors = Gaussians(gallery.means[places], gallery.log_variances[places])
    scores = similarity_matrix(kind, Gaussians(query.means[None], query.log_variances[None]), posteriors)[0]
    best = places[np.argsort(-scores, kind="stable")[:_VOTERS]]
    return _most_frequent([gallery.items[place].label for place in best])


def _most_frequent(labels: Sequence[int]) -> int:
    """In a tie, the first of them."""
    return Counter(labels).most_common(1)[0][0]
