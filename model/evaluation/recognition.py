"""How well utterances are recognised in noise, in rooms and by bad microphones.

Each recording of a corpus is distorted before the speech front end, which then has to find the word in it. The digit is
that of most of the ten nearest images, as in ``modinv query``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from model.checkpoints import Header
from model.data.conditions import CONDITIONS, Condition
from model.data.corpora import Corpus, find
from model.data.samples import Samples
from model.data.speech import FilterbankSettings, SpeechFrontEnd, UnusableAudio
from model.evaluation.proportions import clopper_pearson
from model.evaluation.robustness import Recognition
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import encode_gallery, guess
from model.systems.base import Encoder
from model.types import FloatArray, Modality

_BATCH = 32
_OTHERS = 12  # recordings that babble is made of


def recognise(
    encoder: Encoder,
    header: Header,
    gallery: Gallery,
    speech: Samples,
    folder: Path | None = None,
    progress: ProgressCallback = no_progress,
    conditions: Sequence[Condition] | None = None,
) -> Iterator[Recognition]:
    """Recognise utterances in each condition.

    Parameters
    ----------
    encoder, header
        The model.
    gallery
        With the images that answer; it is encoded again by the model.
    speech
        Utterances of one corpus, with keys.
    folder
        Of the corpora; by default the user's.
    progress
        Called after every few utterances; it may raise to end the work.
    conditions
        By default :data:`~model.data.conditions.CONDITIONS`.

    Yields
    ------
    Recognition
        Of each condition, in their order. Noise and rooms are the same in each call.
    """
    front_end = SpeechFrontEnd(FilterbankSettings(**header.filterbank))
    encoded = encode_gallery(encoder, header, gallery)
    recordings = _recordings(find(speech.corpus)(folder), speech.keys, progress)
    labels = speech.labels
    chosen = tuple(CONDITIONS.values()) if conditions is None else conditions
    for number, condition in enumerate(chosen):
        guesses: list[int] = []
        for batch in _guesses(encoder, front_end, encoded, _in_condition(condition, recordings)):
            guesses.extend(batch)
            progress((number + len(guesses) / len(labels)) / len(chosen), condition.title)
        right, count = int((np.array(guesses) == labels).sum()), len(labels)
        low, high = clopper_pearson(right, count)
        yield Recognition(
            condition.name, condition.title, condition.kind, condition.level, right, count,
            guesses.count(-1), low, high,
        )  # fmt: skip


def _recordings(corpus: Corpus, keys: Sequence[str], progress: ProgressCallback) -> list[tuple[FloatArray, int]]:
    found = []
    for clip in corpus.clips(keys):
        progress(None, "Reading the recordings")
        found.append(clip)
    return found


def _in_condition(
    condition: Condition, recordings: Sequence[tuple[FloatArray, int]]
) -> Iterator[tuple[FloatArray, int]]:
    """Recordings in a condition, each with its own randomness. Babble is made of some of the others."""
    for place, (samples, rate) in enumerate(recordings):
        others = [other for other, its_rate in (*recordings[place + 1 :], *recordings[:place]) if its_rate == rate]
        some = others[:: max(1, len(others) // _OTHERS)] or [samples]
        yield condition.apply(samples, rate, some, place), rate


def _guesses(
    encoder: Encoder, front_end: SpeechFrontEnd, gallery: Gallery, recordings: Iterator[tuple[FloatArray, int]]
) -> Iterator[list[int]]:
    """The digit of each recording, some at a time; -1 where no speech is found."""
    while batch := list(islice(recordings, _BATCH)):
        heard: dict[int, FloatArray] = {}
        for place, recording in enumerate(batch):
            with suppress(UnusableAudio):
                heard[place] = front_end.filterbank(front_end.trim(*recording))
        digits = [-1] * len(batch)
        if heard:
            found = guess(encoder, gallery, Modality.SPEECH, np.stack([*heard.values()]))
            for place, digit in zip(heard, found, strict=True):
                digits[place] = digit
        yield digits
