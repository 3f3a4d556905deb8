"""A comparison as it could be, made of numbers, without any training."""

from __future__ import annotations

import numpy as np
from sweeps import clouds, make_items, make_report

from model.evaluation.comparison_results import ComparisonResults, ComparisonRow

FIGURES = {"deterministic": (0.52, 1.0, 8.0), "adversarial": (0.93, 0.72, 2.0), "variational": (0.99, 0.52, 0.0)}
"""Purity, modality SVM, and the distance of the two clouds of a digit in the map."""


def make_comparison(per_digit: int = 20) -> ComparisonResults:
    """Three systems: two clouds a digit, clouds that approach each other, one cloud a digit; two seeds each."""
    items = make_items(per_digit)
    half = len(items) // 2
    return ComparisonResults(
        items=items,
        image_features=np.full((half, 28, 28), 128, np.uint8),
        keys=tuple(f"fsdd:{index}" for index in range(half)),
        embeddings=np.zeros((len(FIGURES), len(items), 4), np.float16),
        coordinates=np.stack([clouds(items, apart, 0.4) for *_, apart in FIGURES.values()]),
        setting={"recipe": {"name": "fast", "steps": 600}, "protocol": {"images": "mnist", "speech": "fsdd"}},
        failures={},
        systems=tuple(FIGURES),
        settings={name: (f"system={name}",) for name in FIGURES},
        rows=tuple(
            ComparisonRow(name, seed, make_report(purity + 0.002 * seed, svm), 300.0, 5_000_000)
            for name, (purity, svm, _) in FIGURES.items()
            for seed in (0, 1)
        ),
    )
