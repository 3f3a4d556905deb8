"""How sure a share is: the exact interval against values that others computed, and by what it promises."""

import numpy as np
import pytest

from model.evaluation import clopper_pearson


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (299, 300, 0.9816, 0.9999),
        (5, 10, 0.1871, 0.8129),
        (1, 20, 0.0013, 0.2487),
        (0, 10, 0, 0.3085),  # the rule of three: 1 - 0.025 ** (1 / 10)
        (10, 10, 0.6915, 1),
    ],
)
def test_values_that_are_known(right, count, low, high):
    assert clopper_pearson(right, count) == pytest.approx((low, high), abs=5e-5)


def test_it_covers_the_true_share_at_least_as_often_as_it_says():
    right = np.random.default_rng(0).binomial(40, 0.9, 1000)
    intervals = {k: clopper_pearson(int(k), 40) for k in np.unique(right)}
    covered = sum(intervals[k][0] <= 0.9 <= intervals[k][1] for k in right)
    assert covered >= 950


def test_less_confidence_is_narrower():
    low, high = clopper_pearson(90, 100)
    assert low < clopper_pearson(90, 100, 0.5)[0] < 0.9 < clopper_pearson(90, 100, 0.5)[1] < high


@pytest.mark.parametrize(("right", "count"), [(0, 0), (3, 2)])
def test_no_share_has_no_interval(right, count):
    with pytest.raises(ValueError, match="must"):
        clopper_pearson(right, count)
