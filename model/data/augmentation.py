"""Augmentation of filterbanks by random changes that imitate other speakers and microphones."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from model.recipes.recipe import Recipe

_RIPPLES = 5
"""Number of cosines in the frequency response of a channel."""
_FAINTEST_NOISE = -2.5
"""Level of the faintest noise, in standard deviations of the utterance about its mean; the loudest is at the mean."""
_NATS = 3.0
"""Log energy that one standard deviation stands for, typical of the corpora."""


def augment(filterbanks: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Shift, stretch, warp and colour filterbanks, add noise and mask a band, each by its own random amount.

    Time shift and stretch stand for an imperfect trim and for tempo, the frequency warp for the length of a vocal tract
    (Jaitly and Hinton 2013), the channel for microphone and room, whose frequency response adds to log energies, noise
    for background sound, the mask for a lost band (Park et al. 2019). After channel and noise each utterance is
    normalised again, as by the front end.

    Parameters
    ----------
    filterbanks
        ``(n, 1, 100, 80)``, time x frequency, zero where padded.
    recipe
        With ``time_shift`` (frames, either way), ``time_stretch`` and ``frequency_warp`` (greatest relative change),
        ``channel`` (standard deviation of the slowest cosine, relative to that of the utterance), ``noise`` (share of
        utterances with noise) and ``frequency_mask`` (greatest number of bins).
    generator
        On the filterbanks' device.

    Returns
    -------
    Tensor
        Augmented filterbanks of the same shape; the input itself if the recipe has no augmentation.
    """
    amounts = (recipe.time_shift, recipe.time_stretch, recipe.frequency_warp, recipe.channel, recipe.noise)
    if not any((*amounts, recipe.frequency_mask)):
        return filterbanks
    count, _, frames, bins = filterbanks.shape
    device = filterbanks.device
    shift, stretch, warp, width, start = torch.rand((5, count), generator=generator, device=device)
    # In grid_sample's coordinates the whole axis spans [-1, 1]. Time is scaled about its beginning, where utterances
    # are anchored, frequency about its low end.
    time_scale = (1 + recipe.time_stretch * (2 * stretch - 1)).unsqueeze(1)
    band_scale = (1 + recipe.frequency_warp * (2 * warp - 1)).unsqueeze(1)
    time_shift = (2 * recipe.time_shift / frames * (2 * shift - 1)).unsqueeze(1)
    times = time_scale * (_centres(frames, device) + 1) - 1 + time_shift
    # A warp must not leave a silent band at the top: only time extends into the padding. The centres of the outermost
    # bins are half a bin inside [-1, 1]; beyond them the padding would be mixed in.
    outermost = 1 - 1 / bins
    bands = (band_scale * (_centres(bins, device) + 1) - 1).clamp(-outermost, outermost)
    places = bands.unsqueeze(1).expand(-1, frames, -1), times.unsqueeze(2).expand(-1, -1, bins)
    grid = torch.stack(places, -1)
    changed = F.grid_sample(filterbanks, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    spoken = (changed != 0).any(-1, keepdim=True)
    noisy = _add_noise(changed + _channel(filterbanks, recipe.channel, generator), recipe, generator)
    changed = _normalise(noisy, spoken) if recipe.channel or recipe.noise else changed
    width = (width * (recipe.frequency_mask + 1)).floor()
    start = (start * (bins - width)).floor()
    band = torch.arange(bins, device=device)
    masked = (band >= start.unsqueeze(1)) & (band < (start + width).unsqueeze(1))
    return changed.masked_fill(masked[:, None, None, :], 0.0)


def _centres(count: int, device: torch.device) -> Tensor:
    """Centres of equal parts of [-1, 1]."""
    return (2 * torch.arange(count, device=device) + 1) / count - 1


def _channel(filterbanks: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Smooth random frequency responses, ``(count, 1, 1, bins)``: cosines with decreasing weights."""
    count, _, _, bins = filterbanks.shape
    device = filterbanks.device
    number = torch.arange(1, _RIPPLES + 1, device=device)
    band = (torch.arange(bins, device=device) + 0.5) / bins
    weights = torch.randn((count, _RIPPLES), generator=generator, device=device) * deviation / number
    return (weights @ torch.cos(math.pi * number.unsqueeze(1) * band)).view(count, 1, 1, bins)


def _add_noise(filterbanks: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Add the energies of a stationary, coloured noise to some of the utterances."""
    level, chance = torch.rand((2, len(filterbanks), 1, 1, 1), generator=generator, device=filterbanks.device)
    noise = level * _FAINTEST_NOISE + _channel(filterbanks, recipe.channel, generator)
    noisy = torch.logaddexp(_NATS * filterbanks, _NATS * noise) / _NATS
    return torch.where(chance < recipe.noise, noisy, filterbanks)


def _normalise(filterbanks: Tensor, spoken: Tensor) -> Tensor:
    """Zero mean and unit variance over the spoken frames of each utterance; zero elsewhere."""
    sizes = (spoken.sum((1, 2, 3), keepdim=True) * filterbanks.shape[-1]).clamp(min=1)
    centred = (filterbanks - (filterbanks * spoken).sum((1, 2, 3), keepdim=True) / sizes) * spoken
    deviation = (centred.square().sum((1, 2, 3), keepdim=True) / sizes).sqrt()
    return centred / deviation.clamp(min=1e-5)
