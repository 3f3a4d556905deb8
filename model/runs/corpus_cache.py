"""The corpora that a process has loaded: the next run that learns from them begins at once."""

from __future__ import annotations

from pathlib import Path

import torch

from model.data.corpora import ALL_OF_TRAINING, Split, find, preferred
from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.runs.snapshots import draw_probe
from model.training.config import TrainingConfig
from model.types import Modality


class CorpusCache:
    """Loads what plans want, and keeps it.

    Parameters
    ----------
    folder
        Where corpora lie; the user's own place by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._samples: dict[tuple[str, Split], Samples] = {}
        self._sampler: tuple[object, PairSampler] | None = None

    def sampler(
        self, plan: TrainingConfig, device: torch.device, progress: ProgressCallback = no_progress
    ) -> PairSampler:
        """The pairs that a plan learns from.

        Parameters
        ----------
        plan
            What is chosen.
        device
            Where the pairs come to lie.
        progress
            Hears what is being loaded, and may raise to end it.

        Raises
        ------
        ValueError
            If a corpus or the speaker to leave out is unknown.
        MissingData
            If a corpus isn't there.
        """
        key = (plan.images, plan.speech, plan.split, plan.held_out_speaker, plan.recipe.batch_size, plan.seed, device)
        if self._sampler is None or self._sampler[0] != key:
            self._sampler = None  # its tensors go before the new ones come
            names = (*plan.images, *plan.speech)
            for name in names:  # a name that isn't known is told before time is spent on the others
                find(name)
            images, *speech = (self._load(name, plan.split, progress) for name in names)
            if plan.held_out_speaker:
                speech = _without(plan.held_out_speaker, speech)
            self._sampler = key, PairSampler(images, speech, plan.recipe.batch_size, plan.seed, device)
        return self._sampler[1]

    def probe(self, plan: TrainingConfig, progress: ProgressCallback = no_progress) -> Gallery:
        """Items to take snapshots of: human speech where a plan learns from it. Raises as :meth:`sampler`.

        They are validation items, or test items where a plan learns from all that is published for training.
        """
        chosen = plan.images[0], preferred(Modality.SPEECH, plan.speech)
        wanted: Split = "test" if plan.split == ALL_OF_TRAINING else "validation"
        return draw_probe(*(self._load(name, find(name).info.held_out(wanted), progress) for name in chosen))

    def _load(self, name: str, split: Split, progress: ProgressCallback) -> Samples:
        if (name, split) not in self._samples:
            corpus = find(name)(self._folder)
            progress(None, f"Loading {corpus.info.title}")
            self._samples[name, split] = corpus.load(split, progress)
        return self._samples[name, split]


def _without(speaker: str, speech: list[Samples]) -> list[Samples]:
    """Corpora without a speaker; a ``ValueError`` lists the speakers there are."""
    known = sorted({name for samples in speech for name in samples.speakers})
    if speaker not in known:
        raise ValueError(f"No speaker is called {speaker!r}. There are: {', '.join(known)}.")
    return [samples.without(speaker) for samples in speech]
