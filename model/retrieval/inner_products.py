"""Exact search for the greatest inner products, which reads a tenth of the vectors.

The embeddings of ten digits lie close to a space of about ten dimensions. Of each one, its components along the leading
principal directions are kept, and the length of the rest. By the Cauchy-Schwarz inequality these bound its inner
product with a query, and only vectors whose bound reaches the greatest products are looked at, as in FEXIPRO (Li et al.
2017, doi:10.1145/3035918.3064009).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.types import FloatArray

Places = npt.NDArray[np.intp]

_LARGE = 10_000  # vectors; fewer are as fast without bounds
_DIRECTIONS = 12  # with the length of the rest, 52 bytes of each vector
_SAMPLE = 20_000  # vectors that the directions follow from; any directions give the same results
_AT_ONCE = 65_536


class InnerProductIndex:
    """Finds the vectors with the greatest inner products with a query.

    Parameters
    ----------
    vectors
        ``(n, z)`` float32; they are referred to, not copied.
    """

    def __init__(self, vectors: FloatArray) -> None:
        self._vectors = vectors
        self._longest = np.sqrt(np.einsum("nz,nz->n", vectors, vectors).max(initial=0))
        self._directions: FloatArray | None = None
        if len(vectors) >= _LARGE:
            self._directions = _leading_directions(vectors[:: -(-len(vectors) // _SAMPLE)])
            self._components = _components(vectors, self._directions)

    def greatest(self, query: FloatArray, count: int, among: Places) -> Places:
        """The ``count`` places in ``among`` with the greatest products, and all that rounding may hide among them.

        Parameters
        ----------
        query
            ``(z,)``.
        count
            At least 1, at most as many as there are in ``among``.
        among
            Places of vectors, ascending.

        Returns
        -------
        ndarray
            Places of vectors, ascending; all of them, if a number is not finite.
        """
        # A matrix product is many times faster than the sum of products, but rounds differently, and even equal rows
        # differently from each other. A sum of z products, in any order, is off by at most z eps times the two vectors'
        # lengths; bounds consist of three such sums. Two results may be off in opposite directions.
        rounding = 8 * len(query) * np.finfo(np.float32).eps * np.linalg.norm(query) * self._longest
        bounds = self._bounds(query)
        if len(among) < len(bounds):
            bounds = bounds[among]
        most_promising = among[_at_least(bounds, _kth_greatest(bounds, count))]
        least = _kth_greatest(self._products(query, most_promising), count)
        promising = among[_at_least(bounds, least - rounding)]
        products = self._products(query, promising)
        return promising[_at_least(products, _kth_greatest(products, count) - rounding)]

    def _bounds(self, query: FloatArray) -> FloatArray:
        """Upper bounds of all products, ``(n,)``."""
        if self._directions is None:
            return np.asarray(self._vectors @ query)
        along = self._directions @ query
        rest = np.linalg.norm(query - along @ self._directions)
        return np.asarray(np.append(along, rest).astype(np.float32) @ self._components)

    def _products(self, query: FloatArray, places: Places) -> FloatArray:
        if len(places) > len(self._vectors) // 8:  # to gather rows takes longer than to multiply all
            return np.asarray((self._vectors @ query)[places])
        return np.asarray(self._vectors[places] @ query)


def _leading_directions(vectors: FloatArray) -> FloatArray:
    """Orthonormal ``(directions, z)`` with the greatest sums of squares along them."""
    _, directions = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    return np.ascontiguousarray(directions[:, : -_DIRECTIONS - 1 : -1].T, np.float32)


def _components(vectors: FloatArray, directions: FloatArray) -> FloatArray:
    """``(directions + 1, n)``: the vectors' components along them, and the length of the rest."""
    found = np.empty((len(directions) + 1, len(vectors)), np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        some = vectors[start : start + _AT_ONCE]
        along = some @ directions.T
        found[:-1, start : start + _AT_ONCE] = along.T
        found[-1, start : start + _AT_ONCE] = np.linalg.norm(some - along @ directions, axis=1)
    return found


def _kth_greatest(values: FloatArray, count: int) -> np.float32:
    return np.float32(np.partition(values, len(values) - count)[len(values) - count])


def _at_least(values: FloatArray, least: np.floating) -> Places:
    return np.flatnonzero(~(values < least))  # all, if one is not a number
