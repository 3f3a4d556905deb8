"""The digit of a query: a vote of the nearest items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, Similarity, normalised, similarity_matrix
from model.types import Match, Modality

_VOTERS = 3
"""Where the user's takes vote, too: few, since there may be few takes of a digit; docs/decisions/0046 compares."""


def majority(matches: Sequence[Match]) -> int:
    """The most frequent digit of some matches; in a tie, that of the best match."""
    return _most_frequent([match.item.label for match in matches])


class Vote:
    """The digits of queries to a gallery: of most matches, or, where the user has added takes, of matches and takes.

    What somebody says is nearer to what the same person has said than to anything else, even if the encoders don't
    understand that person. So takes of the query's modality vote together with the items of the other modality.

    Parameters
    ----------
    gallery
        All items.
    takes
        Which items are the user's takes, ``(n,)``; by default none.
    """

    def __init__(self, gallery: Gallery, takes: npt.NDArray[np.bool_] | None = None) -> None:
        # Embeddings of the two modalities differ in length, since only their similarity with each other was trained: by
        # their dot product, one modality would outvote the other. So cosines vote.
        self._by_cosine = gallery.similarity in ("dot", "cosine")
        self._kind: Similarity = "dot" if self._by_cosine else gallery.similarity
        self._voters: dict[Modality, tuple[Gaussians, list[int]]] = {}  # by the query's; gathered once, not per query
        for modality in Modality:
            if takes is None or not takes[gallery.places(modality)].any():
                continue
            voters = takes.copy()
            voters[gallery.places(modality.other)] = True
            places = np.flatnonzero(voters)
            posteriors = self._comparable(Gaussians(gallery.means[places], gallery.log_variances[places]))
            self._voters[modality] = posteriors, [gallery.items[place].label for place in places]

    def digit(self, query: Gaussians, modality: Modality, matches: Sequence[Match]) -> int:
        """The digit of a query.

        Parameters
        ----------
        query
            One posterior, ``(128,)`` each.
        modality
            Its own modality.
        matches
            The nearest items of the other modality, best first, at least one.
        """
        if modality not in self._voters:
            return majority(matches)
        posteriors, labels = self._voters[modality]
        queries = self._comparable(Gaussians(query.means[None], query.log_variances[None]))
        scores = similarity_matrix(self._kind, queries, posteriors)[0]
        return _most_frequent([labels[place] for place in np.argsort(-scores, kind="stable")[:_VOTERS]])

    def _comparable(self, posteriors: Gaussians) -> Gaussians:
        """Posteriors as they are compared."""
        return posteriors._replace(means=normalised(posteriors.means)) if self._by_cosine else posteriors


def _most_frequent(labels: Sequence[int]) -> int:
    """In a tie, the first of them."""
    return Counter(labels).most_common(1)[0][0]
