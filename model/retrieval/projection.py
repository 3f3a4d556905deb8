"""Two dimensions to look at: principal components at once, t-SNE when there is time.

Either is fitted once on the embeddings of a gallery and then places new points without moving the old ones.
Placing is plain numpy: a window that opens with stored coordinates needs neither scikit-learn nor openTSNE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from model.types import FloatArray

_NEIGHBOURS = 25  # that a new point of the map is placed among; openTSNE's own number
_SLICE = 25  # iterations between two looks at the stop predicate
_PERPLEXITY = 30.0  # of t-SNE: about so many neighbours pull at an item
_EARLY, _LATE = 250, 500  # iterations with exaggerated attraction, which forms the clusters, and without
_STRAY = 3.0  # a point is a stray from so many median distances on; of a Gaussian in the plane, one in 500


class Projection(Protocol):
    """What both ways have in common."""

    @property
    def coordinates(self) -> FloatArray:
        """Where the gallery's items lie, ``(n, 2)``."""

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Where new embeddings ``(m, d)`` lie, ``(m, 2)``; nothing else moves."""

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that `from_arrays` needs, ready for a safetensors file."""


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
        """Find the plane for embeddings ``(n, d)``, n >= 2; equal input gives equal output, signs too."""
        from sklearn.decomposition import PCA  # late: importing it takes a second or more

        embeddings = np.asarray(embeddings, np.float32)
        pca = PCA(n_components=2, svd_solver="full").fit(embeddings)
        # A component has no sign of its own: let the largest loading be positive, whatever the library does.
        largest = np.abs(pca.components_).argmax(axis=1)
        signs = np.sign(pca.components_[[0, 1], largest])[:, None]
        fitted = cls(pca.mean_, pca.components_ * signs, np.empty((0, 2), np.float32))
        fitted.coordinates = fitted.place(embeddings)
        return fitted

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Restore what `to_arrays` returned."""
        return cls(arrays["mean"], arrays["components"], arrays["coordinates"])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays ``mean``, ``components`` and ``coordinates``."""
        return {"mean": self._mean, "components": self._components, "coordinates": self.coordinates}

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Project embeddings ``(m, d)`` on the plane, ``(m, 2)``."""
        return np.asarray((np.asarray(embeddings, np.float32) - self._mean) @ self._components.T, np.float32)


class NeighbourMap:
    """A t-SNE map, in which neighbours stay neighbours.

    A new point is placed at the median of its nearest neighbours, as openTSNE's `prepare_partial` does it;
    optimising it further takes hundreds of milliseconds.

    Parameters
    ----------
    embeddings
        The gallery's embeddings, ``(n, d)``.
    coordinates
        Where they lie in the map, ``(n, 2)``.
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
        """Fit the map: seconds for a thousand embeddings, half a minute and more for some thousands.

        Parameters
        ----------
        embeddings
            ``(n, d)``, n >= 8.
        seed
            Equal embeddings and equal seed give an equal map on one machine.
        perplexity
            About how many neighbours pull at an item; the more, the more clusters know of each other. Few embeddings
            have fewer.
        progress
            Called every 25 iterations with the share done, in (0, 1], and the coordinates so far.
        stop
            Asked as often; once true, the fit ends.

        Returns
        -------
        NeighbourMap or None
            None if it was stopped.
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
        """Restore what `to_arrays` returned, without fitting anything."""
        return cls(arrays["embeddings"], arrays["coordinates"])

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays ``embeddings`` and ``coordinates``."""
        return {"embeddings": self._embeddings, "coordinates": self.coordinates}

    def place(self, embeddings: npt.ArrayLike) -> FloatArray:
        """Place embeddings ``(m, d)`` among their nearest neighbours, ``(m, 2)``."""
        # Squared distances but for the query's own square, which does not change their order. It is an einsum
        # because that stays in this thread: a matrix product of this size waits for the threads of BLAS, for
        # 20 ms instead of one where training keeps the cores busy.
        products = np.einsum("md,nd->mn", np.asarray(embeddings, np.float32), self._embeddings)
        distances = self._squares - 2 * products
        count = min(_NEIGHBOURS, len(self._embeddings))
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        return np.asarray(np.median(self.coordinates[nearest], axis=1), np.float32)


def continued(
    embeddings: npt.ArrayLike, start: FloatArray, iterations: int = _LATE, perplexity: float = _PERPLEXITY
) -> FloatArray:
    """A t-SNE map that goes on from another map of the same items, and lies upon it as well as it can.

    Fitted each by itself, the maps of two models would put the same digits in other places. Begun from the other's
    map and without exaggeration, which forms clusters anew, only what has changed moves.

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
    coordinates
        ``(n, 2)``, aligned to `start`.
    """
    from openTSNE import TSNEEmbedding  # late: it imports scikit-learn
    from openTSNE.affinity import PerplexityBasedNN

    embeddings = np.ascontiguousarray(embeddings, np.float32)
    affinities = PerplexityBasedNN(embeddings, perplexity=min(perplexity, (len(embeddings) - 1) / 3), random_state=0)
    fitted = TSNEEmbedding(np.array(start, np.float64), affinities).optimize(iterations, momentum=0.8)
    return aligned(np.asarray(fitted, np.float32), start)


def aligned(coordinates: FloatArray, to: FloatArray) -> FloatArray:
    """Turn, mirror and shift a map so that its points lie nearest to those of another: orthogonal Procrustes.

    Both are ``(n, 2)``. Nothing is scaled, so distances within the map stay.
    """
    from scipy.linalg import orthogonal_procrustes  # late: a window that shows stored maps needs none of scipy

    centre, goal = coordinates.mean(axis=0), to.mean(axis=0)
    turn, _ = orthogonal_procrustes(coordinates - centre, to - goal)
    return np.asarray((coordinates - centre) @ turn + goal, np.float32)


def core(points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which points lie together, and which are strays: a placed sample may land in a far cluster.

    A point belongs to the core if it is no farther from the medoid (the point with the least sum of distances to the
    others) than three times the median distance from there. So at least half of the points do, and up to half of them
    may lie anywhere without being taken in. Unlike with a covariance, a single one far away changes nothing.

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
    """The corners of the smallest convex polygon around points ``(m, 2)``, m >= 1, counterclockwise.

    Andrew's monotone chain, since Qhull takes no points that all lie on one line. Of such points the two ends are left,
    of points that are all alike one.
    """
    ordered = np.unique(np.asarray(points, np.float32), axis=0)  # by x, then by y

    def chain(way: FloatArray) -> list[FloatArray]:
        """The corners on the right hand of a way, but for its last point."""
        corners: list[FloatArray] = []
        for point in way:
            while len(corners) >= 2 and _turn(corners[-2], corners[-1], point) <= 0:
                corners.pop()
            corners.append(point)
        return corners[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]) or ordered, np.float32)


def _turn(before: FloatArray, at: FloatArray, after: FloatArray) -> float:
    """Positive where the way from point to point turns left, 0 where it goes straight on."""
    (x, y), (along, up) = (at - before).tolist(), (after - at).tolist()
    return float(x * up - y * along)
