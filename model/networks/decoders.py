"""The two decoders: embeddings to images and to log mel filterbanks, by the mirrors of the encoders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.networks import architecture
from model.types import Modality


def _body(modality: Modality) -> nn.Sequential:
    """All layers of a decoder."""
    channels, flattened = architecture.UNFLATTENED[modality][0], architecture.FLATTENED[modality]
    layers: list[nn.Module] = [
        nn.Linear(architecture.EMBEDDING_SIZE, architecture.HIDDEN_UNITS),
        nn.ReLU(),
        nn.Linear(architecture.HIDDEN_UNITS, flattened),
        nn.ReLU(),
        nn.Unflatten(1, architecture.UNFLATTENED[modality]),
    ]
    for layer in architecture.DECONVOLUTIONS[modality]:
        arguments = channels, layer.channels, layer.kernel, layer.stride, layer.padding
        if layer.transposed:
            layers.append(nn.ConvTranspose2d(*arguments, layer.output_padding))
        else:
            layers.append(nn.Conv2d(*arguments))
        layers.append(nn.ReLU())
        channels = layer.channels
    return nn.Sequential(*layers[:-1])  # no ReLU after the last


class ImageDecoder(nn.Module):
    """Embeddings to the probability that a pixel is lit: a linear layer, a hidden layer, three convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _body(Modality.IMAGE)

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(n, 128)`` to logits ``(n, 1, 28, 28)``."""
        logits: Tensor = self.body(embeddings)
        return logits


class SpeechDecoder(nn.Module):
    """Embeddings to the mean of a Gaussian filterbank: the mirror of the encoder of Hsu, Zhang and Glass 2017.

    Attributes
    ----------
    log_variance
        ``(1,)``, of all energies alike, learnt with the weights (Rybkin, Daniilidis and Levine 2021, arXiv 2006.13202).
        Hsu et al. predict one an energy.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = _body(Modality.SPEECH)
        self.log_variance = nn.Parameter(torch.zeros(1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(n, 128)`` to normalised log mel energies ``(n, 1, 100, 80)``, time x frequency."""
        means: Tensor = self.body(embeddings)
        return means
