"""What an encoder says of test inputs, in plain numpy, with what is known of them to score by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.errors import ModinvError
from model.similarity import DIVERGENCES, Gaussians, Similarity
from model.types import FloatArray

LabelArray = npt.NDArray[np.integer]


class EvaluationError(ModinvError, ValueError):
    """A model or test data that can't be judged; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Posteriors:
    """What an encoder says of the ``n`` test inputs of one modality, with the digits to score by.

    Attributes
    ----------
    means, log_variances
        Diagonal Gaussian posteriors, each ``(n, z)``; the logarithm of no variance is minus infinity.
    labels
        Digits 0 to 9, ``(n,)``.
    speakers
        Who speaks each, ``n`` names; empty for images, and where nobody knows.
    similarity
        What the model compares posteriors by.
    """

    means: FloatArray
    log_variances: FloatArray
    labels: LabelArray
    speakers: tuple[str, ...] = ()
    similarity: Similarity = "dot"

    def __post_init__(self) -> None:
        n = len(self.labels)
        if n == 0:
            raise EvaluationError("There is nothing to evaluate: a modality has no inputs.")
        if self.means.ndim != 2 or self.means.shape != self.log_variances.shape or len(self.means) != n:
            raise EvaluationError(
                f"{n} labels do not match means {self.means.shape} and variances {self.log_variances.shape}."
            )
        if len(self.speakers) not in (0, n):
            raise EvaluationError(f"{n} labels do not match {len(self.speakers)} speakers.")
        if not (np.isfinite(self.means).all() and (self.log_variances < np.inf).all()):
            raise EvaluationError("The posteriors hold values that are not finite: the model has diverged.")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, inputs: npt.NDArray[np.integer]) -> Posteriors:
        """Return the posteriors of the given inputs only."""
        speakers = tuple(self.speakers[place] for place in inputs) if self.speakers else ()
        return replace(
            self,
            means=self.means[inputs],
            log_variances=self.log_variances[inputs],
            labels=self.labels[inputs],
            speakers=speakers,
        )

    @property
    def gaussians(self) -> Gaussians:
        """Means and log-variances alone."""
        return Gaussians(self.means, self.log_variances)

    def points(self, embeddings: FloatArray) -> Posteriors:
        """The same inputs with an embedding each, ``(n, z)``, in the place of their posteriors.

        Points have no divergence; where the similarity is one, they are compared by their squared distance, which is
        the squared 2-Wasserstein distance of Gaussians without variance.
        """
        similarity = "wasserstein" if self.similarity in DIVERGENCES else self.similarity
        no_variance = np.full_like(embeddings, -np.inf)
        return replace(self, means=embeddings, log_variances=no_variance, similarity=similarity)

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``n`` embeddings an input, ``mean + exp(log_variance / 2) * N(0, I)``: ``(inputs, n, z)``."""
        noise = rng.standard_normal((len(self), n, self.means.shape[1]), dtype=np.float32)
        deviations = np.exp(self.log_variances / 2)
        return (self.means[:, None] + deviations[:, None] * noise).astype(np.float32, copy=False)
