"""Where things lie in a map: on the way between two maps, in one cloud or two, and when a name means nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sweeps import clouds, make_items

from modinv_app.map.map_layout import Fitted, Morph, cloud_centres, count_separated, distinctness, median_point, spread

ITEMS = make_items(6)
SQUARE = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.float32)


def test_any_map_fills_the_square_and_new_points_are_placed_with_it() -> None:
    fitted = Fitted.to_unit_square(100 + 3 * SQUARE)
    assert fitted.points.min(axis=0).tolist() == [-1, -1]
    assert fitted.points.max(axis=0).tolist() == [1, 1]
    assert fitted.place([106, 106]).tolist() == [0, 0]
    assert fitted.coordinates_of(fitted.place([103, 110])).tolist() == pytest.approx([103, 110])


def test_points_that_all_coincide_are_a_map_too() -> None:
    assert np.isfinite(Fitted.to_unit_square(np.ones((5, 2), np.float32)).points).all()


def test_a_morph_goes_straight_from_map_to_map_and_lingers_at_each() -> None:
    morph = Morph([SQUARE, SQUARE[::-1]])
    first, last = morph.at(0), morph.at(1)
    assert morph.at(0.5) == pytest.approx((first + last) / 2)
    near = np.abs(morph.at(0.1) - first).max() / np.abs(last - first).max()
    assert 0 < near < 0.05
    assert (morph.at(7) == last).all()
    assert (morph.at(-1) == first).all()


def test_a_morph_takes_more_maps() -> None:
    morph = Morph([])
    morph.append(SQUARE)
    assert len(morph) == 1
    assert morph.at(0).shape == (4, 2)


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_middles_are_medians(count: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, 2)).astype(np.float32)
    middle = median_point(points)
    assert middle == pytest.approx(np.median(points, axis=0))
    assert spread(points, middle) == pytest.approx(np.median(np.linalg.norm(points - middle, axis=1)), abs=1e-6)


def test_two_clouds_that_lie_together_have_one_middle() -> None:
    middles, width = cloud_centres([SQUARE, SQUARE + 1])
    assert len(middles) == 1
    assert width == pytest.approx(np.sqrt(8))
    middles, _ = cloud_centres([SQUARE, SQUARE + 100])
    assert [middle.tolist() for middle in middles] == [[2, 2], [102, 102]]
    assert cloud_centres([]) == ([], 0.0)


def test_digits_in_two_clouds_are_counted() -> None:
    apart, together = clouds(ITEMS, 8, 0.3), clouds(ITEMS, 0, 0.3)
    assert count_separated(apart, ITEMS) == 10
    assert count_separated(together, ITEMS) == 0
    three = np.array([item.label < 3 for item in ITEMS])
    assert count_separated(np.where(three[:, None], apart, together), ITEMS) == 3


def test_what_is_spread_over_everything_is_not_distinct() -> None:
    assert distinctness(0.1, 1) == 1
    assert distinctness(1, 1) == 0
    assert 0 < distinctness(0.6, 1) < 1
    assert distinctness(0, 0) == 1
