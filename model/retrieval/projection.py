"""Projections to two dimensions: principal components and t-SNE.

Both are fitted once on the embeddings of a gallery, and then place new points without moving the old ones. Placing
needs neither scikit-learn nor openTSNE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from model.types import FloatArray

_NEIGHBOURS = 25  # of a new point that determine its place; openTSNE's default
_SLICE = 25  # iterations between two calls of the stop predicate
_PERPLEXITY = 30.0  # of t-SNE: the approximate number of neighbours that attract an item
_EARLY, _LATE = 250, 500  # iterations with exaggerated attraction, which forms the clusters, and without
_STRAY = 3.0  # median distances beyond which a point is an outlier; of a Gaussian in the plane, one in 500


class Projection(Protocol):
    """A fitted projection."""

    @property
    def coordinates(self) -> FloatArray:
        """Coordinates of the gallery's items, ``(n, 2)``."""

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Coordinates of new embeddings ``(m, d)``, ``(m, 2)``."""

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The fitted state, as arrays for `from_arrays`."""


class PrincipalComponents:
    """The plane of greatest variance.

    Parameters
    ----------
    mean
        Centre of the embeddings, ``(d,)``.
    components
        Two orthonormal directions, ``(2, d)``.
    coordinates
        The gallery's items in that plane, ``(n, 2)``.
    """

    def __init__(self, mean: FloatArray, components: FloatArray, coordinates: FloatArray) -> None:
        self._mean = mean
        self._components = components
        self.coordinates = coordinates

    @classmethod
    def fit(cls, embeddings: npt.ArrayLike) -> Self:
        """Fit embeddings ``(n, d)``, n >= 2; deterministic, including signs."""
        from sklearn.decomposition import PCA  # late: importing it takes a second or more

        embeddings = np.asarray(embeddings, np.float32)
        pca = PCA(n_components=2, svd_solver="full").fit(embeddings)
        # The sign of a component is arbitrary: make the largest loading positive.
        largest = np.abs(pca.components_).argmax(axis=1)
        signs = np.sign(pca.components_[[0, 1], largest])[:, None]
        fitted = cls(pca.mean_, pca.components_ * signs, np.empty((0, 2), np.float32))
        fitted.coordinates = fitted.place(embeddings)
        return fitted

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`."""
        return cls(arrays["mean"], arrays["components"], arrays["coordinates"])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays ``mean``, ``components`` and ``coordinates``."""
        return {"mean": self._mean, "components": self._components, "coordinates": self.coordinates}

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Project embeddings ``(m, d)`` on the plane, ``(m, 2)``."""
        return np.asarray((np.asarray(embeddings, np.float32) - self._mean) @ self._components.T, np.float32)

    def embeddings_at(self, coordinates: npt.ArrayLike) -> FloatArray:
        """The embeddings in the plane itself that are placed at coordinates ``(m, 2)``, ``(m, d)``.

        The inverse of `place` for embeddings in the plane; all others that are placed there differ from these only in
        directions that the map does not show.
        """
        return np.asarray(self._mean + np.asarray(coordinates, np.float32) @ self._components, np.float32)


class NeighbourMap:
    """A t-SNE map.

    A new point is placed at the median of its nearest neighbours, as by openTSNE's `prepare_partial`; optimising it
    further would take hundreds of milliseconds.

    Parameters
    ----------
    embeddings
        The gallery's embeddings, ``(n, d)``.
    coordinates
        Their coordinates in the map, ``(n, 2)``.
    """

    def __init__(self, embeddings: FloatArray, coordinates: FloatArray) -> None:
        self._embeddings = embeddings
        self._squares = np.einsum("nd,nd->n", embeddings, embeddings)
        self.coordinates = coordinates

    @classmethod
    def fit(
        cls,
        embeddings: npt.ArrayLike,
        *,
        seed: int = 0,
        perplexity: float = _PERPLEXITY,
        progress: Callable[[float, FloatArray], None] = lambda _share, _coordinates: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Self | None:
        """Fit a map, which takes seconds for a thousand embeddings, half a minute and more for some thousands.

        Parameters
        ----------
        embeddings
            ``(n, d)``, n >= 8.
        seed
            On one machine, the same embeddings and seed give the same map.
        perplexity
            Approximate number of neighbours that attract an item; lower for few embeddings. The greater, the more the
            map reflects the arrangement of clusters.
        progress
            Called every 25 iterations with the share done, in (0, 1], and the coordinates so far.
        stop
            Called as often; true cancels the fit.

        Returns
        -------
        NeighbourMap or None
            None if it was cancelled.
        """
        from openTSNE import TSNE  # late: it imports scikit-learn

        embeddings = np.ascontiguousarray(embeddings, np.float32)
        done, stopped = 0, False

        def after_slice(_iteration: int, _error: float, coordinates: npt.NDArray[np.float64]) -> bool:
            nonlocal done, stopped
            done += _SLICE
            progress(done / (_EARLY + _LATE), np.array(coordinates, np.float32))
            stopped = stop()
            return stopped

        coordinates = TSNE(
            perplexity=min(perplexity, (len(embeddings) - 1) / 3),
            early_exaggeration_iter=_EARLY,
            n_iter=_LATE,
            callbacks=after_slice,
            callbacks_every_iters=_SLICE,
            random_state=seed,
        ).fit(embeddings)
        return None if stopped else cls(embeddings, np.array(coordinates, np.float32))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`; fits nothing."""
        return cls(arrays["embeddings"], arrays["coordinates"])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays ``embeddings`` and ``coordinates``."""
        return {"embeddings": self._embeddings, "coordinates": self.coordinates}

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Place embeddings ``(m, d)`` among their nearest neighbours, ``(m, 2)``."""
        # Squared distances up to the query's own square, which does not change their order. An einsum uses this thread
        # only: beside a training a matrix product waits 20 ms for the threads of BLAS instead of taking one.
        products = np.einsum("md,nd->mn", np.asarray(embeddings, np.float32), self._embeddings)
        distances = self._squares - 2 * products
        count = min(_NEIGHBOURS, len(self._embeddings))
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        return np.asarray(np.median(self.coordinates[nearest], axis=1), np.float32)


def continued(
    embeddings: npt.ArrayLike, start: FloatArray, iterations: int = _LATE, perplexity: float = _PERPLEXITY
) -> FloatArray:
    """A t-SNE map that starts from another map of the same items and is aligned to it.

    Independently fitted maps of two models would put the same digits in different places. Started from the other map,
    and without exaggeration, which forms new clusters, only items that have changed move.

    Parameters
    ----------
    embeddings
        ``(n, d)``, n >= 8.
    start
        The other map, ``(n, 2)``.
    iterations
        A map of 400 points takes about a second for 500.
    perplexity
        As :meth:`NeighbourMap.fit` takes it.

    Returns
    -------
    ndarray of float32, shape (n, 2)
        The coordinates.
    """
    from openTSNE import TSNEEmbedding  # late: it imports scikit-learn
    from openTSNE.affinity import PerplexityBasedNN

    embeddings = np.ascontiguousarray(embeddings, np.float32)
    affinities = PerplexityBasedNN(embeddings, perplexity=min(perplexity, (len(embeddings) - 1) / 3), random_state=0)
    fitted = TSNEEmbedding(np.array(start, np.float64), affinities).optimize(iterations, momentum=0.8)
    return aligned(np.asarray(fitted, np.float32), start)


def aligned(coordinates: FloatArray, to: FloatArray) -> FloatArray:
    """Rotate, mirror and shift a map to fit another one (orthogonal Procrustes), without scaling; both ``(n, 2)``."""
    from scipy.linalg import orthogonal_procrustes  # late: not needed for stored maps

    centre, goal = coordinates.mean(axis=0), to.mean(axis=0)
    turn, _ = orthogonal_procrustes(coordinates - centre, to - goal)
    return np.asarray((coordinates - centre) @ turn + goal, np.float32)


def core(points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which points are not outliers: a placed sample may end up in a distant cluster.

    A point belongs to the core if its distance from the medoid (the point with the least sum of distances to others) is
    at most three times the median distance. Unlike a covariance, this tolerates up to half of the points anywhere.

    Parameters
    ----------
    points
        ``(m, 2)``, m >= 1.

    Returns
    -------
    ndarray of bool, shape (m,)
        True for the points of the core.
    """
    points = np.asarray(points, np.float32)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    from_medoid = distances[distances.sum(axis=1).argmin()]
    median = np.partition(from_medoid, (len(points) - 1) // 2)[(len(points) - 1) // 2]  # the lower of two
    return np.asarray(from_medoid <= _STRAY * median)


def convex_hull(points: npt.ArrayLike) -> FloatArray:
    """The corners of the convex hull of points ``(m, 2)``, m >= 1, counterclockwise.

    By Andrew's monotone chain, since Qhull rejects collinear points; the hull of these is their two ends, that of equal
    points one.
    """
    ordered = np.unique(np.asarray(points, np.float32), axis=0)  # by x, then by y

    def chain(path: FloatArray) -> list[FloatArray]:
        """The corners to the right of a path, without its last point."""
        corners: list[FloatArray] = []
        for point in path:
            while len(corners) >= 2 and _turn(corners[-2], corners[-1], point) <= 0:
                corners.pop()
            corners.append(point)
        return corners[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]) or ordered, np.float32)


def _turn(before: FloatArray, at: FloatArray, after: FloatArray) -> float:
    """Positive if the path through three points turns left, 0 if it is straight."""
    (x, y), (along, up) = (at - before).tolist(), (after - at).tolist()
    return float(x * up - y * along)


def enclosed(points: npt.ArrayLike, outline: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which points are inside a closed outline, by its winding number, so that loops of a hasty hand are inside, too.

    An edge is compared only with the points at its height, which are found by bisection, so that ten thousand points in
    an outline of some hundred corners take a few milliseconds.

    Parameters
    ----------
    points
        ``(n, 2)``.
    outline
        Its corners ``(m, 2)`` in order; the last is connected to the first.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for the points inside; none is inside fewer than three corners.
    """
    points, corners = np.asarray(points, np.float64), np.asarray(outline, np.float64)
    inside = np.zeros(len(points), np.bool_)
    if len(corners) < 3:
        return inside
    boxed = np.flatnonzero(((points >= corners.min(axis=0)) & (points <= corners.max(axis=0))).all(axis=1))
    boxed = boxed[np.argsort(points[boxed, 1])]
    x, y = points[boxed].T
    ends = np.roll(corners, -1, axis=0)
    along, up = (ends - corners).T
    lower, upper = (np.searchsorted(y, end(corners[:, 1], ends[:, 1])) for end in (np.minimum, np.maximum))
    counts = upper - lower  # points at the height of each edge
    at = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - lower, counts)
    from_x, from_y, along, up = (np.repeat(each, counts) for each in (*corners.T, along, up))
    left = along * (y[at] - from_y) - (x[at] - from_x) * up  # of the edge, if positive
    turns = np.where(up > 0, left > 0, -1.0 * (left < 0))
    inside[boxed] = np.bincount(at, turns, len(boxed)) != 0
    return inside
