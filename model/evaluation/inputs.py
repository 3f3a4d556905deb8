"""The inputs that a protocol names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.data.corpora import ALL_OF_TRAINING, Corpus, MissingData, find
from model.data.samples import Samples, joined
from model.evaluation.posteriors import EvaluationError
from model.evaluation.protocol import EvaluationProtocol, HeldOut
from model.progress import ProgressCallback, no_progress
from model.training.ancestry import Data, trained_on_speaker, trained_on_split
from model.types import Modality


class UnknownSpeaker(EvaluationError):
    """Nobody in the corpus is called so; the message lists who there is."""


def one_corpus(name: str, modality: Modality, folder: Path | None = None) -> Corpus:
    """The corpus of that name; a ``ValueError`` where it isn't one of that modality."""
    kind = find(name)
    if kind.info.modality is not modality:
        raise ValueError(f"{name!r} is not the name of one corpus of {modality} inputs.")
    return kind(folder)


def load_inputs(
    modality: Modality,
    corpus: str,
    split: HeldOut = "test",
    speaker: str = "",
    learnt: Data | None = None,
    folder: Path | None = None,
    progress: ProgressCallback = no_progress,
) -> Samples:
    """The inputs of a corpus on which to judge a model.

    Parameters
    ----------
    modality, corpus
        Of the inputs, and its name.
    split
        Which part of the corpus.
    speaker
        Only this speaker's utterances; and in a test, if training left them out, all others of theirs too, unless a
        model that the weights come from has heard them, or may have.
    learnt
        What the model learnt from: ``data`` of its header.
    folder
        Where the corpora lie; by default the user's place for them.
    progress
        Hears what takes long, and may raise to end it.

    Raises
    ------
    ValueError
        If the corpus is none, or is of the other modality.
    UnknownSpeaker
        If the speaker is none of the corpus's.
    MissingData
        If the corpus isn't there.
    """
    source = one_corpus(corpus, modality, folder)
    samples = source.load(split, progress)
    if not speaker or modality is Modality.IMAGE:
        return samples
    chosen = [samples.spoken_by(speaker)]
    if len(chosen[0]) == 0:
        there = ", ".join(sorted(set(samples.speakers)))
        raise UnknownSpeaker(f"No speaker is called {speaker!r}. There are: {there}.")
    if (
        split == "test"
        and learnt
        and learnt.get("left_out") == speaker
        and trained_on_speaker(learnt, corpus, speaker) is False
    ):
        chosen.append(source.load(ALL_OF_TRAINING, progress).spoken_by(speaker))
    return joined(chosen)


def speakers_of(speech: Samples, learnt: Data, split: HeldOut = "test") -> dict[str, int | None]:
    """How many people speak in the test inputs, and how many of them training has heard, in other utterances.

    Parameters
    ----------
    speech
        The test inputs.
    learnt, split
        As of :func:`load_inputs`.

    Returns
    -------
    dict
        ``speakers`` and ``speakers_heard``; the latter is ``None`` where that can't be known of all of them.
    """
    speakers = set(speech.speakers)
    heard: list[bool | None] = [False for _ in speakers]
    if find(speech.corpus).info.shares_speakers or trained_on_split(learnt, speech.corpus, split) is not False:
        heard = [trained_on_speaker(learnt, speech.corpus, speaker) for speaker in speakers]
    return {"speakers": len(speakers), "speakers_heard": None if None in heard else sum(map(bool, heard))}


def seen_in_training(protocol: EvaluationProtocol, learnt: Data) -> dict[str, bool | None]:
    """Of the corpora of a protocol whose very inputs training has seen, or may have (``None``)."""
    seen = {name: trained_on_split(learnt, name, protocol.split) for name in (protocol.images, protocol.speech)}
    return {name: known for name, known in seen.items() if known is not False}


def fingerprint(samples: Samples) -> str:
    """What tells one state of a corpus from another: a hash of features, labels and names."""
    state = hashlib.sha256(samples.features.tobytes())
    state.update(samples.labels.tobytes())
    state.update("\n".join((*samples.sources, *samples.speakers, *samples.keys)).encode())
    return state.hexdigest()


def inputs_again(setting: Mapping[str, Any], modality: Modality, folder: Path | None = None) -> Samples:
    """The inputs of an evaluation, by its report's setting; raises ``MissingData`` if they are gone or others."""
    part = "images" if modality is Modality.IMAGE else "speech"
    split = setting.get("split", "test")
    samples = load_inputs(modality, setting[part], split, setting["speaker"], setting["trained_on"], folder)
    if fingerprint(samples) != setting["inputs"][part]:
        raise MissingData(f"The corpus {setting[part]} has changed since this evaluation. Evaluate again.")
    return samples
