"""The discriminator of adversarial systems: it guesses where an embedding comes from."""

from __future__ import annotations

from torch import Tensor, nn

from model.networks import architecture


class Discriminator(nn.Module):
    """Embeddings to a score for each source, by two hidden layers as wide as those of the encoders.

    Parameters
    ----------
    sources
        How many there are to tell apart.
    """

    def __init__(self, sources: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(architecture.EMBEDDING_SIZE, architecture.HIDDEN_UNITS),
            nn.LeakyReLU(0.2),
            nn.Linear(architecture.HIDDEN_UNITS, architecture.HIDDEN_UNITS),
            nn.LeakyReLU(0.2),
            nn.Linear(architecture.HIDDEN_UNITS, sources),
        )

    def forward(self, embeddings: Tensor) -> Tensor:
        """``(n, 128)`` to logits ``(n, sources)``, in float32 whatever the precision around."""
        logits: Tensor = self.layers(embeddings.float())
        return logits
