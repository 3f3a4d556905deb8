"""Projections are fitted once, place new points without moving the old ones, and can be stored."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from fresh_python import imported_by

from model.retrieval.projection import (
    NeighbourMap,
    PrincipalComponents,
    Projection,
    aligned,
    continued,
    convex_hull,
    core,
    enclosed,
)
from model.types import FloatArray

DIGITS = 10


def clusters(count: int, seed: int) -> tuple[FloatArray, np.ndarray]:
    """Ten clouds in 128 dimensions, always at the same ten places."""
    centres = np.random.default_rng(0).normal(scale=2.0, size=(DIGITS, 128))
    rng = np.random.default_rng(seed)
    labels = rng.integers(DIGITS, size=count)
    return (centres[labels] + rng.normal(size=(count, 128))).astype(np.float32), labels


@cache
def fitted_map() -> NeighbourMap:
    fitted = NeighbourMap.fit(clusters(400, seed=1)[0], seed=3)
    assert fitted is not None
    return fitted


def fitted(kind: str) -> Projection:
    return fitted_map() if kind == "t-SNE" else PrincipalComponents.fit(clusters(400, seed=1)[0])


def centres_of(coordinates: FloatArray, labels: np.ndarray) -> FloatArray:
    return np.array([np.median(coordinates[labels == digit], axis=0) for digit in range(DIGITS)])


@pytest.mark.parametrize("kind", ["PCA", "t-SNE"])
def test_a_new_point_is_placed_without_moving_the_rest(kind: str) -> None:
    projection = fitted(kind)
    before = projection.coordinates.copy()

    placed = projection.place(clusters(17, seed=2)[0])

    assert placed.shape == (17, 2)
    assert placed.dtype == projection.coordinates.dtype == np.float32
    np.testing.assert_array_equal(projection.coordinates, before)


@pytest.mark.parametrize("kind", ["PCA", "t-SNE"])
def test_restoring_gives_the_same_coordinates_and_the_same_placement(kind: str) -> None:
    projection, queries = fitted(kind), clusters(17, seed=2)[0]

    restored = type(projection).from_arrays(projection.to_arrays())

    np.testing.assert_array_equal(restored.coordinates, projection.coordinates)
    np.testing.assert_array_equal(restored.place(queries), projection.place(queries))


@pytest.mark.parametrize("kind", ["PCA", "t-SNE"])
def test_placing_one_by_one_or_together_is_the_same(kind: str) -> None:
    projection, queries = fitted(kind), clusters(5, seed=2)[0]

    one_by_one = np.concatenate([projection.place(query[None]) for query in queries])

    np.testing.assert_allclose(one_by_one, projection.place(queries), atol=1e-4)


def test_principal_components_place_an_item_where_it_lies() -> None:
    embeddings, _ = clusters(400, seed=1)
    projection = PrincipalComponents.fit(embeddings)
    np.testing.assert_allclose(projection.place(embeddings[7:9]), projection.coordinates[7:9], atol=1e-4)


def test_a_place_in_the_plane_has_an_embedding_that_lies_there() -> None:
    embeddings, _ = clusters(60, seed=1)
    plane = PrincipalComponents.fit(embeddings)
    places = np.array([[0.0, 0.0], [3.0, -1.5], [40.0, 8.0]], np.float32)
    found = plane.embeddings_at(places)
    assert found.shape == (3, 128)
    assert found.dtype == np.float32
    np.testing.assert_allclose(plane.place(found), places, atol=1e-4)
    np.testing.assert_allclose(found[0], embeddings.mean(axis=0), atol=1e-4)


def test_principal_components_are_the_plane_of_greatest_variance_with_a_settled_sign() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(500, 128)) * np.r_[0.1, 9.0, 0.1, 5.0, np.full(124, 0.1)] + 3

    projection = PrincipalComponents.fit(embeddings)

    for component, source in enumerate([1, 3]):
        found, expected = projection.coordinates[:, component], embeddings[:, source]
        assert np.corrcoef(found, expected)[0, 1] > 0.99
        assert found.std() == pytest.approx(expected.std(), rel=0.02)


def test_the_map_keeps_clusters_apart_and_places_a_new_point_in_its_own() -> None:
    _, labels = clusters(400, seed=1)
    queries, query_labels = clusters(100, seed=2)
    centres = centres_of(fitted_map().coordinates, labels)

    placed = fitted_map().place(queries)

    nearest = np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, query_labels)


def test_a_point_is_placed_where_opentsne_would_start_it() -> None:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN

    embeddings, _ = clusters(400, seed=1)
    queries, _ = clusters(30, seed=2)
    reference = TSNEEmbedding(
        fitted_map().coordinates.astype(np.float64),
        affinities=PerplexityBasedNN(embeddings, method="exact", random_state=0),
    )

    expected = reference.prepare_partial(queries, initialization="median", k=25)

    np.testing.assert_allclose(fitted_map().place(queries), expected, atol=1e-3)


def test_fitting_reports_what_it_has_and_equal_seeds_give_equal_maps() -> None:
    embeddings, _ = clusters(60, seed=1)
    shares: list[float] = []
    shown: list[FloatArray] = []

    first = NeighbourMap.fit(embeddings, seed=5, progress=lambda share, at: (shares.append(share), shown.append(at)))
    second = NeighbourMap.fit(embeddings, seed=5)

    assert first is not None
    assert second is not None
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert all(coordinates.shape == (60, 2) for coordinates in shown)
    assert not np.array_equal(shown[0], shown[-1]), "a report is a copy, not a view of what still moves"
    np.testing.assert_allclose(shown[-1], first.coordinates, atol=0.2)
    np.testing.assert_array_equal(first.coordinates, second.coordinates)


def test_a_fit_that_is_stopped_ends_at_the_next_look_and_gives_nothing() -> None:
    shares: list[float] = []

    outcome = NeighbourMap.fit(
        clusters(60, seed=1)[0], progress=lambda share, _: shares.append(share), stop=lambda: len(shares) == 2
    )

    assert outcome is None
    assert len(shares) == 2


def test_a_small_gallery_has_a_map_too() -> None:
    embeddings, _ = clusters(12, seed=1)
    fitted = NeighbourMap.fit(embeddings)
    assert fitted is not None
    assert np.isfinite(fitted.place(embeddings)).all()


def test_placing_with_stored_coordinates_loads_no_learning_library() -> None:
    script = """
import numpy as np
from model.retrieval.projection import NeighbourMap, PrincipalComponents
points = np.eye(128, dtype=np.float32)
arrays = {"embeddings": points, "mean": points[0], "components": points[:2], "coordinates": points[:, :2]}
NeighbourMap.from_arrays(arrays).place(points)
PrincipalComponents.from_arrays(arrays).place(points)
"""
    assert not imported_by(script) & {"sklearn", "openTSNE", "scipy", "torch"}


def test_aligning_undoes_turning_mirroring_and_shifting() -> None:
    wanted = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    mirrored_and_turned = wanted @ np.array([[0.6, 0.8], [0.8, -0.6]], np.float32) + np.float32([5, -3])
    found = aligned(mirrored_and_turned, wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert found.dtype == np.float32


def test_aligning_keeps_distances() -> None:
    rng = np.random.default_rng(0)
    coordinates, other = (rng.normal(size=(20, 2)).astype(np.float32) for _ in range(2))
    found = aligned(3 * coordinates, other)
    for place in range(1, 20):
        distance = np.linalg.norm(found[place] - found[0])
        assert distance == pytest.approx(3 * np.linalg.norm(coordinates[place] - coordinates[0]), rel=1e-4)


def test_a_map_that_goes_on_from_another_keeps_its_places_and_parts_what_came_apart() -> None:
    """Half of the items move away from the other half: each cloud splits where it was."""
    embeddings, labels = clusters(400, seed=1)
    start = fitted_map().coordinates
    second = np.arange(400) % 2 == 1
    embeddings[second] += np.random.default_rng(2).normal(scale=2.0, size=128).astype(np.float32)
    found = continued(embeddings, start)
    before, after = centres_of(start, labels), centres_of(found, labels)
    size = np.ptp(start, axis=0).max()
    assert np.linalg.norm(after - before, axis=1).max() < 0.3 * size
    for digit in range(DIGITS):
        halves = [found[(labels == digit) & (second == half)] for half in (False, True)]
        apart = np.linalg.norm(np.median(halves[0], axis=0) - np.median(halves[1], axis=0))
        assert apart > 2 * max(np.abs(half - np.median(half, axis=0)).mean() for half in halves)
    np.testing.assert_array_equal(found, continued(embeddings, start))


def test_the_core_is_all_of_a_cloud_and_nothing_of_what_strays():
    rng = np.random.default_rng(5)
    for strays in range(8):
        cloud = rng.normal(size=(16 - strays, 2)).clip(-1.5, 1.5)
        cloud[0] = 0
        far = rng.uniform(20, 60, size=(strays, 2))
        order = rng.permutation(16)
        found = core(np.concatenate([cloud, far])[order])
        assert list(found) == list(order < 16 - strays)


def test_half_of_the_points_may_lie_elsewhere():
    here, there = np.zeros((8, 2)), np.full((8, 2), 9.0)
    here[:, 0] = np.linspace(0, 1, 8)
    assert list(core(np.concatenate([here, there]))) in ([True] * 8 + [False] * 8, [False] * 8 + [True] * 8)


@pytest.mark.parametrize("points", [[[3, 4]], [[3, 4]] * 16, [[0, 0], [1, 0], [2, 0], [3, 0]]])
def test_points_without_strays_are_all_core(points):
    assert core(points).all()


def test_the_hull_has_the_outermost_points_as_its_corners_in_order():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], np.float32)
    inside = np.random.default_rng(0).uniform(0, 2, size=(50, 2)).astype(np.float32)
    on_the_rim = np.array([[1, 0], [2, 1], [2, 2]], np.float32)
    assert convex_hull(np.concatenate([inside, square[::-1], on_the_rim])).tolist() == square.tolist()


def test_the_hull_agrees_with_qhull():
    from scipy.spatial import ConvexHull

    points = np.random.default_rng(1).normal(size=(16, 2)).astype(np.float32)
    corners = points[ConvexHull(points).vertices].tolist()
    found = convex_hull(points).tolist()
    first = corners.index(found[0])
    assert found == corners[first:] + corners[:first]


@pytest.mark.parametrize(
    ("points", "corners"),
    [([[1, 1]], [[1, 1]]), ([[1, 1]] * 5, [[1, 1]]), ([[0, 0], [2, 4], [1, 2], [3, 6]], [[0, 0], [3, 6]])],
)
def test_points_that_span_no_area_have_a_hull_all_the_same(points, corners):
    assert convex_hull(points).tolist() == corners


def star(corners: int) -> FloatArray:
    """A closed outline with five arms."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = 0.6 + 0.3 * np.sin(5 * angles)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1).astype(np.float32)


@pytest.mark.parametrize("corners", [3, 40, 700])
def test_points_in_an_outline_are_those_that_another_library_finds(corners: int) -> None:
    from matplotlib.path import Path

    points = np.random.default_rng(0).uniform(-1, 1, (5000, 2)).astype(np.float32)
    expected = Path(star(corners)).contains_points(points)
    assert 100 < expected.sum() < 4900
    for outline in (star(corners), star(corners)[::-1]):
        np.testing.assert_array_equal(enclosed(points, outline), expected)


def test_loops_of_an_outline_are_inside_even_where_they_overlap() -> None:
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], np.float32)
    twice = np.concatenate([square, square * 0.5])  # goes round the corner at the origin two times
    points = [[0.5, 0.5], [1.5, 0.6], [2.5, 0.5], [-0.1, 0.5]]
    assert enclosed(points, twice).tolist() == [True, True, False, False]


def test_an_outline_needs_three_corners() -> None:
    points = [[0.0, 0.0], [1.0, 1.0]]
    for corners in ([], [[0, 0]], [[0, 0], [1, 1]]):
        assert not enclosed(points, np.reshape(corners, (-1, 2))).any()
    assert enclosed(np.empty((0, 2)), star(5)).shape == (0,)


def test_points_level_with_corners_are_counted_once() -> None:
    diamond = [[0, -1], [1, 0], [0, 1], [-1, 0]]
    level = [[-2, 0], [-0.5, 0], [0, 0], [0.5, 0], [2, 0], [-2, 1], [2, -1]]
    assert enclosed(level, diamond).tolist() == [False, True, True, True, False, False, False]
