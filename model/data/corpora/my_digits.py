"""The user's own takes as corpora; see :mod:`model.data.takes`."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from model import locations
from model.data.corpora.base import Corpus, CorpusInfo, MissingData, Split
from model.data.takes import Take, TakeStore
from model.progress import ProgressCallback
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

_TEST_SHARE = 4  # one take in so many is for testing


def is_for_test(take: Take) -> bool:
    """Whether a take is in the test split: by a hash of its name, which relabelling and renaming people leave alone."""
    return int(hashlib.sha256(take.path.stem.encode()).hexdigest(), 16) % _TEST_SHARE == 0


@dataclass(frozen=True)
class Takes(Corpus):
    """The takes of one modality that are not left out, split by a hash of their names: three quarters for training.

    Parameters
    ----------
    folder
        As of any corpus.
    people
        Whose takes; empty for everybody's.
    """

    people: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """The folder of takes."""
        return locations.takes(self.folder)

    def location(self) -> Path | None:
        """The folder of takes, if it holds any of this modality."""
        return self.home if self._takes() else None

    def require(self) -> Path:
        """The :meth:`location`; raises :class:`MissingData` if nothing was recorded yet."""
        if place := self.location():
            return place
        raise MissingData(f"{self.info.title}: none yet. Make some on the page My digits of the window.")

    def check(self) -> str:
        """Count the takes."""
        self.require()
        takes = self._takes()
        return f"{len(takes):,} takes of {len({take.person for take in takes})} people"

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """The takes of a split, by person, oldest first; damaged ones are passed over."""
        self.require()
        samples = self._samples([t for t in self._takes() if is_for_test(t) == (split == "test")], progress)
        if not len(samples):
            raise MissingData(f"{self.info.title}: no usable take is in the {split} split yet. Make some more.")
        return samples

    @abstractmethod
    def _samples(self, takes: list[Take], progress: ProgressCallback) -> Samples:
        """The encoder inputs of takes, as far as they can be read."""

    def _takes(self) -> list[Take]:
        kept = (
            take
            for take in TakeStore(self.home).takes()
            if take.modality is self.info.modality
            and not take.excluded
            and (not self.people or take.person in self.people)
        )
        return sorted(kept, key=lambda take: (take.person.casefold(), take.person))


@dataclass(frozen=True)
class MySpeech(Takes):
    """The user's own recordings; the speakers are the people of the page My digits."""

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="my-speech",
        title="My spoken digits",
        modality=Modality.SPEECH,
        licence="yours",
        citation="your own recordings",
        origin="the page My digits of the window",
        own=True,
        human=True,
        splits=("train", "test"),
        shares_speakers=True,
    )

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording, also after it was relabelled."""
        from model.data.speech import read_audio

        return read_audio(TakeStore(self.home).find(key))

    def _samples(self, takes: list[Take], progress: ProgressCallback) -> Samples:
        from model.data.filterbanks import usable_filterbanks
        from model.data.samples import Samples
        from model.data.take_features import described, state_of

        keys, states = [take.key for take in takes], [state_of(take) for take in takes]
        found = usable_filterbanks(self.info.name, self.info.title, states, keys, self.clip, progress)
        usable = [take for take in takes if take.key not in found.unusable]
        return Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=found.features,
            labels=np.array([take.label for take in usable], np.int64),
            sources=described(usable),
            speakers=tuple(take.person for take in usable),
            keys=tuple(take.key for take in usable),
            waveforms=found.waveforms,
        )


@dataclass(frozen=True)
class MyDrawings(Takes):
    """The user's own drawings."""

    info: ClassVar[CorpusInfo] = CorpusInfo(
        name="my-drawings",
        title="My drawn digits",
        modality=Modality.IMAGE,
        licence="yours",
        citation="your own drawings",
        origin="the page My digits of the window",
        own=True,
        splits=("train", "test"),
    )

    def _samples(self, takes: list[Take], progress: ProgressCallback) -> Samples:
        from model.data.take_features import TakeFeatures

        return TakeFeatures().samples(takes, self.info.modality, progress)
