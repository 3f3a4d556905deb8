"""What a model has learnt from, the models included that its weights come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Data = Mapping[str, Any]
"""A checkpoint header's ``data``, as :meth:`model.training.config.TrainingConfig.data` makes it."""


def generations(data: Data) -> Iterator[Data | None]:
    """The data of a model, of the model whose weights it started from, and so on.

    Yields
    ------
    Mapping or None
        The model's own data first. ``None``, at the end, where a model started from one whose data are not recorded:
        headers did not keep them at first.
    """
    current: Data | None = data
    while current is not None:
        yield current
        if "started_from" not in current:
            return
        before = current["started_from"]
        learnt = before.get("data") if isinstance(before, Mapping) else None
        current = learnt if isinstance(learnt, Mapping) else None
    yield None


def names(value: str | Sequence[str] | None) -> list[str]:
    """Corpora as older headers wrote them, one as a string, or as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def has_heard(data: Data, corpus: str, speaker: str) -> bool | None:
    """Whether a model, or one that its weights come from, learnt from a corpus without leaving a speaker out.

    Parameters
    ----------
    data
        Of the model.
    corpus, speaker
        Names of the corpus and of somebody in its training split.

    Returns
    -------
    bool or None
        ``None`` where no training on record did so, but some of it is not on record.
    """
    for generation in generations(data):
        if generation is None:
            return None
        if corpus in names(generation.get("speech")) and generation.get("left_out") != speaker:
            return True
    return False


def has_seen(data: Data, corpus: str, split: str) -> bool | None:
    """Whether a model, or one that its weights come from, learnt from a split of a corpus.

    Returns
    -------
    bool or None
        As :func:`has_heard`. Versions that knew no validation split trained on it; none trains on a test split.
    """
    if split == "test":
        return False
    for generation in generations(data):
        if generation is None:
            return None
        learnt = {*names(generation.get("images")), *names(generation.get("speech"))}
        if corpus in learnt and split in generation.get("split", "train+validation").split("+"):
            return True
    return False
