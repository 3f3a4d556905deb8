"""A person's takes among the training data of everybody: they are few, and may lack digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.data.samples import Samples, joined
from model.data.takes import MY_SPEECH

DRAWINGS_SHARE = 1 / 3
"""Share of the images of an epoch that are drawings, each of them repeated as often as that takes."""


def with_drawings(images: Samples, drawings: Samples) -> Samples:
    """Images and drawings, of which an epoch has as many as :data:`DRAWINGS_SHARE` says, all about equally often."""
    wanted = round(len(images) * DRAWINGS_SHARE / (1 - DRAWINGS_SHARE))
    return joined([images, drawings.only([place % len(drawings) for place in range(wanted)])])


def completed(takes: Samples, speech: Sequence[Samples]) -> Samples:
    """Recorded takes, and all utterances of other corpora of the digits that nobody has said; other corpora unchanged.

    Pairs are drawn from each corpus equally often, so each has to have all digits.

    Parameters
    ----------
    takes
        One of ``speech``.
    speech
        All corpora of speech that are trained on.
    """
    missing = set(range(10)) - set(takes.labels.tolist())
    if takes.corpus != MY_SPEECH or not missing:
        return takes
    lacking = sorted(missing)
    others = [
        other.only(np.flatnonzero(np.isin(other.labels, lacking)).tolist())
        for other in speech
        if other.corpus != MY_SPEECH
    ]
    return joined([takes, *others])
