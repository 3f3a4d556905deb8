"""Convolutions that have learnt from many people's speech before."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from model import locations
from model.checkpoints import Arrays, checked, read_as
from model.networks import architecture

TRAINED_CONVOLUTIONS = 9
"""How many of the twenty convolutions train, from the last on; the others stay as they are."""


class SpeechEmbedding(nn.Module):
    """Google's speech_embedding (Lin et al. 2020, arXiv 2002.01322) of normalised filterbanks.

    It is a network that was trained to spot keywords in recordings of very many people, and published under the Apache
    licence to train others from. ``assets/speech_embedding`` says how it came here.

    Raises :class:`~model.checkpoints.UnusableCheckpoint` if the file with its weights is missing or damaged.
    """

    bands: Tensor

    def __init__(self) -> None:
        super().__init__()
        channels = 1
        layers: list[nn.Module] = []
        for layer in architecture.SPEECH_EMBEDDING:
            if isinstance(layer, architecture.MaxPooling):
                layers.append(nn.MaxPool2d(layer.size))
            else:
                layers.append(nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, layer.padding))
                channels = layer.channels
        self.layers = nn.ModuleList(layers)
        self.register_buffer("bands", torch.from_numpy(architecture.pretrained_bands()), persistent=False)
        convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        read_as("speech embedding", locations.speech_embedding(), lambda arrays, _: _fill(convolutions, arrays))
        for convolution in convolutions[:-TRAINED_CONVOLUTIONS]:
            convolution.requires_grad_(False)

    def forward(self, filterbanks: Tensor) -> Tensor:
        """Filterbanks ``(n, 1, 100, 80)`` to features ``(n, 7, 96)``, one for every eighty milliseconds."""
        values = self.spectrum(filterbanks)
        for layer in self.layers:
            values = layer(values)
            if isinstance(layer, nn.Conv2d) and layer is not self.layers[-1]:
                values = functional.leaky_relu(values, architecture.SLOPE).clamp(min=architecture.LEAST)
        return values.squeeze(-1).transpose(1, 2)

    def spectrum(self, filterbanks: Tensor) -> Tensor:
        """Decimal logarithms of the power in 32 bands, ``(n, 1, 124, 32)``, as far as filterbanks still tell it.

        What is before the utterance and after it is as quiet as its quietest band.
        """
        with torch.autocast(filterbanks.device.type, enabled=False):
            spectrum = ((architecture.NATS * filterbanks.float()).exp() @ self.bands).log10()
        spoken = (filterbanks != 0).any(-1, keepdim=True)
        loudest, quietest = (extreme((2, 3), keepdim=True) for extreme in (spectrum.amax, spectrum.amin))
        silence = quietest.expand(-1, -1, architecture.FRAMES_BEFORE, spectrum.shape[-1])
        padded = torch.cat([silence, torch.where(spoken, spectrum, quietest)], 2)
        return padded - loudest + architecture.LOUDEST


@torch.no_grad()
def _fill(convolutions: list[nn.Conv2d], arrays: Arrays) -> None:
    """With the published weights; raises ``ValueError`` if they don't fit."""
    for number, layer in enumerate(convolutions):
        for name, weights in layer.named_parameters():
            published = checked(arrays, f"{number}.{name}", np.float32, tuple(weights.shape))
            weights.copy_(torch.from_numpy(published))
