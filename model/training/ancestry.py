"""The training data of a model and of the models that its weights come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.data.takes import MY_DRAWINGS, MY_SPEECH

Data = Mapping[str, Any]
"""A checkpoint header's ``data``, as :meth:`model.training.config.TrainingConfig.data` makes it."""


def generations(data: Data) -> Iterator[Data | None]:
    """The training data of a model, of the model whose weights it started from, and so on.

    Yields
    ------
    Mapping or None
        The model's own data first. ``None`` at the end if a model started from one whose data are not recorded, as in
        headers of early versions.
    """
    current: Data | None = data
    while current is not None:
        yield current
        if "started_from" not in current:
            return
        start = current["started_from"]
        start_data = start.get("data") if isinstance(start, Mapping) else None
        current = start_data if isinstance(start_data, Mapping) else None
    yield None


def names(value: str | Sequence[str] | None) -> list[str]:
    """Names of corpora in a header: a list, or a single string in headers of early versions."""
    return [value] if isinstance(value, str) else list(value or ())


def trained_on_speaker(data: Data, corpus: str, speaker: str) -> bool | None:
    """Whether a model, or one that its weights come from, was trained on utterances, or takes, of a speaker.

    Parameters
    ----------
    data
        Training data of the model.
    corpus, speaker
        Names of a corpus and of a speaker in its training split.

    Returns
    -------
    bool or None
        ``None`` if no recorded training used the speaker, but some training data are not recorded.
    """
    for generation in generations(data):
        if generation is None:
            return None
        if corpus not in (*names(generation.get("images")), *names(generation.get("speech"))):
            continue
        if generation.get("left_out") != speaker and _among(speaker, corpus, generation):
            return True
    return False


def _among(speaker: str, corpus: str, data: Data) -> bool:
    """Whether somebody is among the people whose takes were trained on; so is everybody in any other corpus."""
    people = data.get("people")
    return corpus not in (MY_SPEECH, MY_DRAWINGS) or not people or speaker in people


def trained_on_split(data: Data, corpus: str, split: str) -> bool | None:
    """Whether a model, or one that its weights come from, was trained on a split of a corpus.

    Returns
    -------
    bool or None
        As :func:`trained_on_speaker`. Versions without validation splits trained on them; none trains on a test split.
    """
    if split == "test":
        return False
    for generation in generations(data):
        if generation is None:
            return None
        corpora = {*names(generation.get("images")), *names(generation.get("speech"))}
        if corpus in corpora and split in generation.get("split", "train+validation").split("+"):
            return True
    return False
