"""A cache of loaded corpora, so that the next run on the same data starts at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from model.data import curation
from model.data.corpora import ALL_OF_TRAINING, Split, find, preferred
from model.data.corpora.base import MissingData
from model.data.corpora.my_digits import Takes
from model.data.old_pairs import completed, with_drawings
from model.data.pairs import PairSampler
from model.data.samples import Samples, joined
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.runs.snapshots import draw_probe
from model.training.config import TrainingConfig
from model.types import Modality


class CorpusCache:
    """Loads the data of training configurations; ``folder`` is that of the corpora, by default the user's.

    Attributes
    ----------
    curated
        What the user has left out of, or relabelled in, the corpora of the last :meth:`sampler`, by their names:
        numbers of items ``excluded`` and ``relabelled``, and ``sha256``, which identifies the decisions. Without
        corpora in which nothing is changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.curated: Mapping[str, Mapping[str, Any]] = {}
        self._samples: dict[tuple[str, Split], tuple[dict[str, str], Samples]] = {}
        self._sampler: tuple[object, PairSampler] | None = None
        self._kept: dict[str, dict[str, Samples]] | None = None  # takes by corpus and person

    def sampler(
        self, config: TrainingConfig, device: torch.device, progress: ProgressCallback = no_progress
    ) -> PairSampler:
        """The training pairs of a configuration.

        Parameters
        ----------
        config
            Names corpora, split, held-out speaker, batch size and seed.
        device
            Device of the pairs.
        progress
            Called while corpora load; may raise to cancel.

        Raises
        ------
        ValueError
            If a corpus or the held-out speaker is unknown.
        MissingData
            If a corpus is not installed.
        """
        names = (*config.images, *config.speech)
        for name in names:  # an unknown name raises before time is spent on the other corpora
            find(name)
        takes = {name: self._takes(name, config.people, progress) for name in names if issubclass(find(name), Takes)}
        key = (
            *(config.images, config.speech, config.split, config.held_out_speaker, config.recipe.batch_size),
            *(config.seed, device, [(one.sources, one.labels.tolist()) for one in takes.values()]),
            curation.state(names),
        )
        if self._sampler is None or self._sampler[0] != key:
            self._sampler = None  # frees the memory of its tensors before new ones are made
            loaded = {name: takes.get(name) or self.load(name, config.split, progress) for name in names}
            images = loaded[config.images[0]]
            for drawings in config.images[1:]:
                images = with_drawings(images, loaded[drawings])
            speech = [loaded[name] for name in config.speech]
            if config.held_out_speaker:
                speech = _without(config.held_out_speaker, speech)
            used = (*(loaded[name] for name in config.images), *speech)
            self.curated = {
                one.corpus: {**curation.tally(one.changes), "sha256": curation.hash_of(one.changes)}
                for one in used
                if one.changes
            }
            speech = [completed(one, speech) for one in speech]
            self._sampler = key, PairSampler(images, speech, config.recipe.batch_size, config.seed, device)
        return self._sampler[1]

    @contextmanager
    def keeping_takes(self, config: TrainingConfig, progress: ProgressCallback = no_progress) -> Iterator[None]:
        """Within it, takes of the people of a configuration stay as they are now, whatever becomes of the files.

        So several trainings see the same takes, and the user may rename and delete meanwhile. Raises as
        :meth:`sampler`.
        """
        names = [name for name in config.corpora if issubclass(find(name), Takes)]
        self._kept = {name: self._by_person(name, config.people, progress) for name in names}
        try:
            yield
        finally:
            self._kept = None

    def _by_person(self, name: str, people: tuple[str, ...], progress: ProgressCallback) -> dict[str, Samples]:
        """Each person's takes, without those who have none."""
        found = {}
        for person in people:
            try:
                found[person] = self._takes(name, (person,), progress)
            except MissingData:
                continue  # perhaps only drawn
        return found

    def _takes(self, name: str, people: tuple[str, ...], progress: ProgressCallback) -> Samples:
        """The takes of these people as they are now, for they change between runs, or as they were kept."""
        kind = find(name)
        assert issubclass(kind, Takes)
        if self._kept is None:
            return kind(self._folder, people).load("train", progress)
        kept = self._kept[name]
        if parts := [kept[person] for person in people if person in kept]:
            return joined(parts)
        raise MissingData(f"{kind.info.title}: there are none to train on of {', '.join(people)}.")

    def probe(self, config: TrainingConfig, progress: ProgressCallback = no_progress) -> Gallery:
        """The items of which snapshots are taken, of human speech if the model trains on it; raises as :meth:`sampler`.

        They are validation items, or test items if the configuration trains on the validation split, too.
        """
        chosen = config.images[0], preferred(Modality.SPEECH, config.speech)
        wanted: Split = "test" if config.split == ALL_OF_TRAINING else "validation"
        return draw_probe(*(self.load(name, find(name).info.held_out(wanted), progress) for name in chosen))

    def load(self, name: str, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """A split of a corpus, as it is loaded for training; raises as :meth:`sampler`."""
        state = curation.state([name])
        known = self._samples.get((name, split))
        if known is None or known[0] != state:
            corpus = find(name)(self._folder)
            progress(None, f"Loading {corpus.info.title}")
            known = self._samples[name, split] = state, corpus.load(split, progress)
        return known[1]


def _without(speaker: str, speech: list[Samples]) -> list[Samples]:
    """Corpora without a speaker; an unknown speaker raises ``ValueError``."""
    known = sorted({name for samples in speech for name in samples.speakers})
    if speaker not in known:
        raise ValueError(f"No speaker is called {speaker!r}. There are: {', '.join(known)}.")
    return [samples.without(speaker) for samples in speech]
