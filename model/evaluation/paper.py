"""What the paper measured, Leidal, Harwath and Glass 2017: its Table 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

PAPER_TABLE: Mapping[float, tuple[float, float]] = {
    0.0: (0.525, 1.000),
    1.00e-5: (0.542, 1.000),
    6.81e-5: (0.516, 1.000),
    4.64e-4: (0.707, 1.000),
    3.16e-3: (0.980, 0.859),
    2.15e-2: (0.984, 0.554),
    1.47e-1: (0.975, 0.520),
    1.00: (0.679, 0.516),
}
"""Table 1 of the paper: lambda_IG to (cluster purity, modality SVM accuracy), on MNIST and TIDIGITS."""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One row of the paper's Table 1."""

    lambda_ig: float
    purity: float
    modality_svm: float

    @classmethod
    def nearest(cls, lambda_ig: float) -> Self:
        """The row whose lambda_IG has the nearest logarithm; that of zero for zero alone."""
        found = 0.0
        if lambda_ig > 0:
            found = min((known for known in PAPER_TABLE if known), key=lambda known: abs(math.log(known / lambda_ig)))
        return cls(found, *PAPER_TABLE[found])
