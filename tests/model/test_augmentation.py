"""What augmentation may change of a filterbank, and what not."""

import pytest
import torch

from model.data.augmentation import augment
from model.recipes.recipe import Recipe, named


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def recipe(**changes):
    return Recipe("test", **changes)


def test_a_recipe_without_augmentation_returns_the_input_itself():
    filterbanks = torch.randn(4, 1, 100, 80)
    assert augment(filterbanks, named("paper"), generator()) is filterbanks


def test_the_shape_stays_and_the_input_too():
    filterbanks = torch.randn(6, 1, 100, 80)
    before = filterbanks.clone()
    changed = augment(filterbanks, named("fast"), generator())
    assert changed.shape == filterbanks.shape
    assert changed.isfinite().all()
    assert torch.equal(filterbanks, before)
    assert not torch.equal(changed, filterbanks)


def test_the_generator_decides():
    filterbanks = torch.randn(4, 1, 100, 80)
    first, again, other = (augment(filterbanks, named("fast"), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def centres(filterbanks, axis):
    """Centre of mass along an axis, in samples."""
    weights = filterbanks.squeeze(1).sum(dim=3 - axis)
    return (weights * torch.arange(weights.shape[1])).sum(1) / weights.sum(1)


def test_a_shift_moves_by_at_most_its_frames_either_way():
    filterbanks = torch.zeros(300, 1, 100, 80)
    filterbanks[:, :, 50] = 1.0
    moved = centres(augment(filterbanks, recipe(time_shift=12), generator()), 1) - 50
    assert moved.abs().max() <= 12 + 1e-3
    assert moved.min() < -11
    assert moved.max() > 11
    assert moved.mean().abs() < 2


def test_a_shift_lets_time_run_into_silence():
    shifted = augment(torch.ones(100, 1, 100, 80), recipe(time_shift=12), generator())
    silent = (shifted == 0).all(dim=3).sum(dim=(1, 2))
    assert silent.max() in (11, 12)


def test_a_stretch_keeps_the_beginning_and_scales_the_rest():
    filterbanks = torch.zeros(200, 1, 100, 80)
    filterbanks[:, :, 60] = 1.0
    moved = centres(augment(filterbanks, recipe(time_stretch=0.15), generator()), 1) + 0.5
    # Frame centre 60.5 read at scale s lies at 60.5 / s, s in [0.85, 1.15].
    assert moved.min() > 60.5 / 1.15 - 0.6
    assert moved.max() < 60.5 / 0.85 + 0.6
    assert moved.max() - moved.min() > 12
    start = torch.zeros(50, 1, 100, 80)
    start[:, :, 0] = 1.0
    assert (centres(augment(start, recipe(time_stretch=0.15), generator()), 1) < 0.3).all()


def test_a_warp_keeps_the_low_end_and_scales_the_rest():
    filterbanks = torch.zeros(200, 1, 100, 80)
    filterbanks[..., 40] = 1.0
    moved = centres(augment(filterbanks, recipe(frequency_warp=0.08), generator()), 2) + 0.5
    assert moved.min() > 40.5 / 1.08 - 0.6
    assert moved.max() < 40.5 / 0.92 + 0.6
    assert moved.max() - moved.min() > 4


def test_a_warp_leaves_a_flat_spectrum_flat_to_its_edges():
    flat = torch.ones(100, 1, 100, 80)
    torch.testing.assert_close(augment(flat, recipe(frequency_warp=0.08), generator()), flat)


def test_a_warp_of_frequency_leaves_time_alone():
    frames = torch.randn(50, 1, 100, 1).expand(-1, -1, -1, 80)
    torch.testing.assert_close(augment(frames, recipe(frequency_warp=0.08), generator()), frames, atol=1e-4, rtol=1e-4)


def spoken_for(frames, count=300):
    """Utterances as the front end gives them: normalised, then padded."""
    filterbanks = torch.randn(count, 1, 100, 80)
    spoken = filterbanks[:, :, :frames]
    spoken -= spoken.mean((1, 2, 3), keepdim=True)
    spoken /= spoken.std((1, 2, 3), keepdim=True, correction=0)
    filterbanks[:, :, frames:] = 0.0
    return filterbanks


@pytest.mark.parametrize("changes", [{"channel": 0.4}, {"noise": 1.0}, {"channel": 0.8, "noise": 0.5}])
def test_channel_and_noise_leave_an_utterance_normalised_and_the_padding_silent(changes):
    changed = augment(spoken_for(60), recipe(**changes), generator())
    spoken = changed[:, 0, :60]
    assert (changed[:, :, 60:] == 0).all()
    assert spoken.mean((1, 2)).abs().max() < 1e-4
    torch.testing.assert_close(spoken.std((1, 2), correction=0), torch.ones(300), atol=1e-3, rtol=0)


def test_a_channel_colours_all_frames_alike_and_smoothly():
    filterbanks = spoken_for(60)
    changed = augment(filterbanks, recipe(channel=0.4), generator())
    # Normalising again scales by one factor, which the difference of two frames of one bin shows.
    before = filterbanks[:, 0, 0] - filterbanks[:, 0, 1]
    scale = (changed[:, 0, 0] - changed[:, 0, 1]) / before
    scale = scale.median(1).values.view(-1, 1, 1, 1)
    response = changed[:, :, :60] / scale - filterbanks[:, :, :60]
    torch.testing.assert_close(response, response[:, :, :1].expand(-1, -1, 60, -1), atol=1e-3, rtol=0)
    curves = response[:, 0, 0]
    # The k-th ripple has a variance of 0.4^2 / k^2 / 2 over the bins: 0.117 for five of them.
    assert curves.var(1).mean().item() == pytest.approx(0.117, rel=0.15)
    assert curves.diff().abs().max() < 0.2


def test_noise_fills_what_is_faint_and_keeps_the_order_of_loudness():
    filterbanks = spoken_for(60)
    changed = augment(filterbanks, recipe(noise=1.0), generator())
    before, after = filterbanks[:, 0, :60].flatten(1), changed[:, 0, :60].flatten(1)
    order = before.argsort(1)
    assert (after.gather(1, order).diff(dim=1) > -1e-3).all()
    # Below the noise differences vanish: the faint end moves nearer to the mean than the loud end.
    assert (after.min(1).values > before.min(1).values).float().mean() > 0.95


def test_noise_comes_to_its_share_of_the_utterances():
    filterbanks = spoken_for(60, 1000)
    changed = augment(filterbanks, recipe(noise=0.3), generator())
    disturbed = ((changed - filterbanks).abs().amax((1, 2, 3)) > 1e-3).float().mean().item()
    assert disturbed == pytest.approx(0.3, abs=0.05)


def test_the_mask_silences_one_band_of_at_most_its_width():
    masked = augment(torch.ones(500, 1, 100, 80), recipe(frequency_mask=10), generator())
    silent = (masked == 0).squeeze(1)
    assert (silent.all(dim=1) == silent.any(dim=1)).all()  # a band is silent at all times
    bands = silent.all(dim=1)
    widths = bands.sum(dim=1)
    assert set(widths.tolist()) == set(range(11))
    rises = (bands[:, 1:] & ~bands[:, :-1]).sum(1) + bands[:, 0]
    assert rises.max() == 1  # connected
    # The very lowest and highest bins are reached.
    assert bands[:, :4].any()
    assert bands[:, -4:].any()


@pytest.mark.parametrize("changes", [{"time_shift": 12}, {"frequency_mask": 10}, {"frequency_warp": 0.08}])
def test_inputs_of_a_batch_change_apart(changes):
    filterbanks = torch.randn(1, 1, 100, 80).expand(8, -1, -1, -1)
    changed = augment(filterbanks, recipe(**changes), generator())
    assert len({tuple(one.flatten().tolist()) for one in changed}) > 4
