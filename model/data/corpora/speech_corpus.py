"""The base class of corpora of recordings that are described by their file names."""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from model.data.corpora.base import ALL_OF_TRAINING, Contents, Corpus, MissingData, Split
from model.data.recordings import Reader, Recording, decode, opened
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray

if TYPE_CHECKING:
    from model.data.filterbanks import Filterbanks
    from model.data.samples import Samples

log = logging.getLogger(__name__)

_NAMED = 5  # skipped recordings that a warning names


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording of one word.

    Attributes
    ----------
    key
        Identifies it in galleries and evaluations.
    label
        The digit; -1 if it is another word.
    speaker, source
        Name of the speaker; description for people.
    split
        Train, validation or test.
    sex
        ``"female"`` or ``"male"``; empty if unknown.
    """

    key: str
    label: int
    speaker: str
    source: str
    split: Split
    sex: str = ""


@dataclass(frozen=True)
class SpeechCorpus(Corpus):
    """Recordings in a folder or a zip, which are used as far as they can be.

    A recording that can't be read is skipped, and reported by a warning and by :meth:`contents`.

    Attributes
    ----------
    names
        Matches the paths of the recordings in the folder or zip; its group ``name`` identifies one.
    other_names
        The same for other words, which are no digits; ``None`` if it has none.
    example
        A path, for messages.
    """

    names: ClassVar[re.Pattern[str]]
    other_names: ClassVar[re.Pattern[str] | None] = None
    example: ClassVar[str]

    @abstractmethod
    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:
        """The utterances that are used, by path, in the order of the corpus.

        Parameters
        ----------
        place
            The folder or zip.
        found
            Matches of ``names``, or of ``other_names``, by path.
        """

    def left_out(self, found: Mapping[str, re.Match[str]]) -> str:  # noqa: ARG002 (for corpora that leave some out)
        """What else was found and is left out on purpose, in words."""
        return ""

    def _described(self, place: Path, files: Mapping[str, Recording], names: re.Pattern[str]) -> dict[str, Utterance]:
        said = self.described(place, {path: match for path in files if (match := names.search(path))})
        if not said:
            raise MissingData(f"{place} holds no recordings named like {self.example}.")
        return said

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """Filterbanks of a split, in the order of the corpus."""
        from model.data.samples import joined

        if split != ALL_OF_TRAINING:
            return self._samples(split, self.names, progress)
        train, validation = (self._samples(part, self.names, progress) for part in ("train", "validation"))
        both = joined([train, validation])
        return both.only(sorted(range(len(both)), key=lambda place: both.keys[place]))

    def other_words(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Words of a split that are no digits and should be rejected; their label is -1.

        Raises
        ------
        MissingData
            If there are none, or the corpus is not installed.
        """
        if self.other_names is None:
            raise MissingData(f"{self.info.title} has no other words than digits.")
        return self._samples(split, self.other_names, progress)

    def _samples(self, split: Split, names: re.Pattern[str], progress: ProgressCallback) -> Samples:
        from model.data.samples import Samples

        said, found = self._heard(split, names, progress)
        report(self.info.title, f"{len(said)} recordings of its {split} split", found.unusable)
        used = [one for path, one in said.items() if path not in found.unusable]
        if not used:
            raise MissingData(next(iter(found.unusable.values())))
        return Samples(
            corpus=self.info.name,
            modality=self.info.modality,
            features=found.features,
            labels=np.array([one.label for one in used], np.int64),
            sources=tuple(one.source for one in used),
            speakers=tuple(one.speaker for one in used),
            keys=tuple(one.key for one in used),
            waveforms=found.waveforms,
        )

    def _heard(
        self, split: Split, names: re.Pattern[str], progress: ProgressCallback
    ) -> tuple[dict[str, Utterance], Filterbanks]:
        """The utterances of a split by path, and the filterbanks of those that can be used."""
        from model.data import filterbanks

        name, place = self.info.name, self.require()
        with opened(place, names) as files, Reader(place, files) as clip:
            said = {path: one for path, one in self._described(place, files, names).items() if one.split == split}
            if not said:
                raise MissingData(f"The corpus {name} is incomplete: its {split} split is empty.")
            found = filterbanks.usable_filterbanks(
                f"{name}-{split}" if names is self.names else f"{name}-words-{split}",
                self.info.title,
                [files[path].state for path in said],
                tuple(said),
                clip,
                progress,
            )
        return said, found

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording of that key, whether the corpus is a folder or a zip."""
        place = self.require()
        with Reader(place) as reader:
            if place.is_dir() and reader.has(key):
                return reader(key)
        (found,) = self.clips([key])
        return found

    def clips(self, keys: Iterable[str]) -> Iterator[tuple[FloatArray, int]]:
        """The recordings of those keys; the folder is listed, or the zip opened, only once."""
        place = self.require()
        patterns = [names for names in (self.names, self.other_names) if names]
        with opened(place) as files:
            found = [(names.search(path), file) for path, file in files.items() for names in patterns]
            named = {match["name"]: file for match, file in found if match}
            for key in keys:
                yield files[key].decode() if place.is_dir() and key in files else decode(named, key)

    def contents(self, progress: ProgressCallback = no_progress) -> Contents:
        """Read all recordings, and count those that can be used."""
        place = self.require()
        with opened(place, self.names) as files:
            said = self._described(place, files, self.names)
            left_out = self.left_out({path: match for path in files if (match := self.names.search(path))})
        items: dict[Split, int] = {}
        rates: dict[int, int] = {}
        skipped: dict[str, str] = {}
        for split in self.info.splits:
            items[split] = 0
            if any(one.split == split for one in said.values()):
                _, found = self._heard(split, self.names, progress)
                items[split] = len(found.features)
                skipped |= found.unusable
                for rate, count in found.rates.items():
                    rates[rate] = rates.get(rate, 0) + count
        speakers = {one.speaker: one.sex for one in said.values()}
        sexes = {sex: [*speakers.values()].count(sex) for sex in sorted({*speakers.values()}) if sex}
        return Contents(items, len(speakers), sexes, dict(sorted(rates.items())), skipped, left_out)


def report(title: str, what: str, unusable: Mapping[str, str]) -> None:
    """Warn of items that are skipped; ``what`` says how many there are of which kind."""
    if not unusable:
        return
    more = len(unusable) - _NAMED
    log.warning(
        "%s: %d of the %s can't be used and are skipped. %s%s",
        title,
        len(unusable),
        what,
        " ".join([*unusable.values()][:_NAMED]),
        f" And {more} more." if more > 0 else "",
    )
