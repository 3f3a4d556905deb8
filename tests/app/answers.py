"""Answers for tests of what shows them."""

from __future__ import annotations

import numpy as np

from model.types import Answer, Certainty, Item, Match, Modality

CONFIDENCE = {Certainty.SURE: 0.999, Certainty.LIKELY: 0.93, Certainty.NOT_SURE: 0.4}


def answer_with(
    features: np.ndarray,
    guess: int,
    certainty: Certainty = Certainty.SURE,
    runner_up: int | None = None,
    reason: str = "",
    overruled: int | None = None,
) -> Answer:
    """One match, which carries the guess, with a confidence of that word."""
    modality = Modality.IMAGE if features.shape == (28, 28) else Modality.SPEECH
    zeros = np.zeros(128, np.float32)
    match = Match(Item(0, modality.other, guess, "the only item"), 1.0)
    features = features.astype(np.float32)
    return Answer(
        modality,
        features,
        zeros,
        zeros,
        zeros[None],
        (match,),
        guess,
        runner_up,
        1.0,
        CONFIDENCE[certainty],
        1.0,
        reason,
        overruled,
    )
