"""A judged model as the window gets it, without a model: sixty test inputs, a few mistakes, round figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import exhibits
import numpy as np
from exhibits import IMAGES, UTTERANCES

from model.evaluation.report import Direction, Report
from model.evaluation.store import Evaluation
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.types import FloatArray, Modality

LABELS = np.array([*(n // 4 for n in range(IMAGES)), *(n // 2 for n in range(UTTERANCES))])
MISTAKES = {9: (IMAGES + 14, 8.5), 22: (IMAGES + 6, 2.25), IMAGES + 3: (36, 4.0)}
"""By query: the match, which shows another digit, and its margin. A 2 found a 7, a 5 a 3, a spoken 1 a 9."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KEYS = [f"voices:kokoro_af_sarah/{how}/{word}.opus" for word in WORDS for how in ("plain", "fast")]


def features(index: int) -> FloatArray:
    """Some picture or spectrogram for each item."""
    shape = (28, 28) if index < IMAGES else (100, 80)
    return np.random.default_rng(index).random(shape, dtype=np.float32)


def _nearest(mistakes: Mapping[int, tuple[int, float]]) -> np.ndarray:
    right = [*(IMAGES + n // 2 for n in range(IMAGES)), *(2 * n for n in range(UTTERANCES))]
    return np.array([mistakes.get(query, (match, 0.0))[0] for query, match in enumerate(right)])


def _direction(query: Modality, mistakes: Mapping[int, tuple[int, float]]) -> Direction:
    side = slice(0, IMAGES) if query is Modality.IMAGE else slice(IMAGES, None)
    asked, found = LABELS[side], LABELS[_nearest(mistakes)[side]]
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (asked, found), 1)
    return exhibits.direction(counts, 0.75 if query is Modality.IMAGE else None)


def a_report(
    lambda_ig: float = 2.15e-2,
    purity: float = 0.987,
    svm: float = 0.55,
    mistakes: Mapping[int, tuple[int, float]] = MISTAKES,
) -> Report:
    """Figures that a test can look for."""
    report = exhibits.report(lambda_ig, purity, svm)
    heard = {"trained_on": {"images": ["mnist"], "speech": ["voices"]}, "speech": "voices", "speakers_heard": 0}
    inputs = {"images": "a", "speech": "b"}  # of which test data
    return replace(
        report,
        image_to_speech=_direction(Modality.IMAGE, mistakes),
        speech_to_image=_direction(Modality.SPEECH, mistakes),
        setting={**report.setting, **heard, "inputs": inputs},
    )


def an_evaluation(mistakes: Mapping[int, tuple[int, float]] = MISTAKES, **report: float) -> Evaluation:
    """A judged model; see `a_report`."""
    rng = np.random.default_rng(0)
    margins = [mistakes.get(query, (0, 0.0))[1] for query in range(IMAGES + UTTERANCES)]
    shown = np.array([*range(0, IMAGES, 2), *range(IMAGES, IMAGES + UTTERANCES)])
    angles = 0.6 * LABELS[shown]
    return Evaluation(
        a_report(mistakes=mistakes, **report),
        {
            "means": rng.standard_normal((IMAGES + UTTERANCES, 8), np.float32).astype(np.float16),
            "log_variances": np.zeros((IMAGES + UTTERANCES, 8), np.float16),
            "labels": LABELS.astype(np.uint8),
            "nearest": _nearest(mistakes).astype(np.int32),
            "margins": np.array(margins, np.float32),
            "figure2/items": shown.astype(np.int32),
            "figure2/coordinates": np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
            + rng.normal(0, 0.02, (len(shown), 2)).astype(np.float32),
        },
        {
            "images": IMAGES,
            "sources": [*(f"MNIST test {n}" for n in range(IMAGES)), *(f"Kokoro {n}" for n in range(UTTERANCES))],
            "speakers": [*[""] * IMAGES, *["sarah", "eric"] * (UTTERANCES // 2)],
            "keys": KEYS,
        },
    )


def kept(folder: Path, **report: float) -> Evaluation:
    """A judged model that lies on disk."""
    evaluation = an_evaluation(**report)
    folder.mkdir(parents=True)
    evaluation.save(folder)
    return evaluation


def a_sweep() -> SweepResults:
    """Two values of lambda_IG with two seeds each; one value is not the paper's."""
    rows = [
        SweepRow(lambda_ig, seed, a_report(lambda_ig, purity + 0.01 * seed, svm))
        for lambda_ig, purity, svm in ((0.0, 0.51, 1.0), (0.03, 0.98, 0.56))
        for seed in (0, 1)
    ]
    return SweepResults(
        items=(),
        image_features=np.zeros((0, 28, 28), np.uint8),
        keys=(),
        embeddings=np.zeros((2, 0, 128), np.float16),
        coordinates=np.zeros((2, 0, 2), np.float32),
        setting={},
        failures={"lambda-1-seed-0": "out of memory"},
        lambdas=(0.0, 0.03),
        rows=tuple(rows),
    )
