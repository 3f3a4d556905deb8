"""A sweep as it could be, made of numbers: clouds that merge and collapse, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import exhibits
import numpy as np

from model.evaluation.paper import PAPER_TABLE
from model.evaluation.report import Interval, OneModality, Report
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.recipes.recipe import PAPER_LAMBDAS
from model.types import FloatArray, Item, Modality

NATS = (400.0, 300.0, 200.0, 140.0, 65.0, 23.0, 11.0, 0.2)
"""Mean KL of either modality at the paper's values of lambda_IG."""


def interval(value: float) -> Interval:
    return Interval(value, value, value, (value,))


def make_report(purity: float, svm: float, *, nats: float = 20.0, lambda_ig: float = 0.0) -> Report:
    """What would be measured of a model with these figures; the rest is filled in."""
    kl = OneModality(nats, 128)
    report = exhibits.report(lambda_ig, p_at_1=(0.99, 0.99))
    return replace(report, purity=interval(purity), modality_svm=interval(svm), image=kl, speech=kl)


def make_items(per_digit: int = 20) -> tuple[Item, ...]:
    """Images of all digits, then utterances."""
    labels = [digit for _ in Modality for digit in range(10) for _ in range(per_digit)]
    half = len(labels) // 2
    return tuple(
        Item(index, Modality.IMAGE, label, f"MNIST test {index}")
        if index < half
        else Item(index, Modality.SPEECH, label, f"FSDD {index - half}", "theo")
        for index, label in enumerate(labels)
    )


def clouds(items: Sequence[Item], apart: float, width: float, seed: int = 0) -> FloatArray:
    """Coordinates of a map: digits on a circle, their modalities so far apart, each cloud so wide."""
    rng = np.random.default_rng(seed)
    labels = np.array([item.label for item in items])
    side = np.array([1.0 if item.modality is Modality.SPEECH else -1.0 for item in items])
    angle = 2 * np.pi * labels / 10
    reach = 10 + side * apart / 2
    middles = reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (middles + width * rng.normal(size=(len(items), 2))).astype(np.float32)


def make_results(per_digit: int = 20, seeds: Sequence[int] = (0,)) -> SweepResults:
    """The paper's eight values with about the paper's figures: two clouds a digit, then one, then none."""
    items = make_items(per_digit)
    half = len(items) // 2
    maps = [clouds(items, apart, 0.4) for apart in (8, 8, 8, 6, 0.6, 0, 0)]
    maps.append(np.random.default_rng(1).normal(size=(len(items), 2)).astype(np.float32))
    rows = [
        SweepRow(value, seed, make_report(purity + 0.001 * seed, svm, nats=nats, lambda_ig=value))
        for (value, (purity, svm)), nats in zip(sorted(PAPER_TABLE.items()), NATS, strict=True)
        for seed in seeds
    ]
    return SweepResults(
        items=items,
        image_features=np.full((half, 28, 28), 128, np.uint8),
        keys=tuple(f"fsdd:{index}" for index in range(half)),
        embeddings=np.zeros((8, len(items), 4), np.float16),
        coordinates=np.stack(maps),
        setting={"recipe": {"name": "fast", "steps": 1600}, "protocol": {"images": "mnist", "speech": "fsdd"}},
        failures={},
        lambdas=PAPER_LAMBDAS,
        rows=tuple(rows),
    )
