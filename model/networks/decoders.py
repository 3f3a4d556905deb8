"""The two decoders: embeddings to images and to log mel filterbanks, by the mirrors of the encoders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.networks import encoders


class ImageDecoder(nn.Module):
    """Embeddings to the probability that a pixel is lit: a linear layer, a hidden layer, three convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(encoders.EMBEDDING_SIZE, encoders.HIDDEN_UNITS),
            nn.ReLU(),
            nn.Linear(encoders.HIDDEN_UNITS, 256 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (256, 7, 7)),
            nn.ConvTranspose2d(256, 128, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 1, 3, padding=1),
        )

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
        self.body = nn.Sequential(
            nn.Linear(encoders.EMBEDDING_SIZE, encoders.HIDDEN_UNITS),
            nn.ReLU(),
            nn.Linear(encoders.HIDDEN_UNITS, 256 * 25),
            nn.ReLU(),
            nn.Unflatten(1, (256, 25, 1)),
            nn.ConvTranspose2d(256, 128, (3, 1), stride=(2, 1), padding=(1, 0), output_padding=(1, 0)),
            nn.ReLU(),
            nn.ConvTranspose2d(128, 64, (3, 1), stride=(2, 1), padding=(1, 0), output_padding=(1, 0)),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 1, (1, 80)),
        )
        self.log_variance = nn.Parameter(torch.zeros(1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(n, 128)`` to normalised log mel energies ``(n, 1, 100, 80)``, time x frequency."""
        means: Tensor = self.body(embeddings)
        return means
