"""Snapshots: a steady look at a model that leaves it as it is."""

import numpy as np
import pytest
import torch
from tiny import IMAGES, SPEECH, small

from model.retrieval.gallery import Gallery
from model.runs.snapshots import draw_probe, quick_estimates, snapshot_steps, take
from model.systems import build
from model.types import Modality


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """The items as a run reads them."""
    path = tmp_path_factory.mktemp("probe") / "probe.safetensors"
    draw_probe(IMAGES, SPEECH).save(path)
    return Gallery.load(path)


@pytest.fixture
def system():
    torch.manual_seed(0)
    system = build(small(batch_norm=True))
    system.modules.train()
    return system


def test_a_run_takes_about_forty_snapshots_at_fixed_steps():
    assert sorted(snapshot_steps(1600)) == [1, *range(40, 1601, 40)]
    assert sorted(snapshot_steps(4)) == [1, 2, 3, 4]
    assert len(snapshot_steps(46900)) == 41
    assert max(snapshot_steps(46900)) == 46900


def test_a_probe_has_as_many_items_of_each_digit_and_is_always_the_same(probe):
    many = IMAGES.only([place for _ in range(30) for place in range(20)])  # 150 of each of four digits
    drawn = draw_probe(many, SPEECH)
    labels = [item.label for item in drawn.items if item.modality is Modality.IMAGE]
    assert [labels.count(digit) for digit in range(10)] == [20] * 4 + [0] * 6
    again = draw_probe(many, SPEECH)
    np.testing.assert_array_equal(drawn.image_features, again.image_features)
    assert len(probe.items) == 40
    assert probe.key(20) == "bars:"


def test_a_snapshot_leaves_the_model_as_it_is(system, probe):
    before = {name: value.clone() for name, value in system.modules.state_dict().items()}
    random = torch.random.get_rng_state()
    taken = take(system, probe, 7, None)
    assert system.modules.training
    assert all(module.training for module in system.modules.modules())
    for name, value in system.modules.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert torch.equal(torch.random.get_rng_state(), random)
    assert taken.step == 7
    assert taken.means.shape == taken.log_variances.shape == (40, 128)
    assert taken.coordinates.shape == (40, 2)
    assert taken.coordinates.dtype == np.float32


def test_the_figures_are_those_of_the_posteriors(system, probe):
    taken = take(system, probe, 1, None)
    assert set(taken.values) == {"quick_purity", "quick_svm", "quick_p_at_1"}
    assert taken.values == quick_estimates(system, probe)
    images, speech = taken.means[:20], taken.means[20:]
    digits = np.array([item.label for item in probe.items[:20]])  # of the utterances too
    there = (digits[(images @ speech.T).argmax(1)] == digits).mean()
    back = (digits[(speech @ images.T).argmax(1)] == digits).mean()
    assert taken.values["quick_p_at_1"] == pytest.approx((there + back) / 2)
    with torch.no_grad():
        system.modules.speech.head.bias[:128] += 3  # far from all images
    assert take(system, probe, 2, taken).values["quick_svm"] == 1


def test_the_map_does_not_jump(system, probe):
    first = take(system, probe, 1, None)
    second = take(system, probe, 2, first)
    third = take(system, probe, 3, second)
    size = first.coordinates.std()
    moved = np.linalg.norm(third.coordinates - second.coordinates, axis=1).mean()
    assert moved < 0.3 * size
    again = take(system, probe, 2, first)
    np.testing.assert_array_equal(again.coordinates, second.coordinates)


def test_posteriors_that_are_no_numbers_are_told(system, probe):
    with torch.no_grad():
        system.modules.image.head.bias[0] = torch.nan
    with pytest.raises(FloatingPointError):
        take(system, probe, 3, None)
