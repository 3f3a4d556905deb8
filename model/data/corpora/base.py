"""The base class of corpora, and their descriptions; without torch.

Modules of corpora import torch in functions only, because the window lists corpora before torch is loaded.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from model import locations
from model.data import curation
from model.errors import ModinvError
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

Split = Literal["train", "validation", "test", "train+validation"]
"""A part of a corpus. ``"train+validation"`` is the published training set, in its published order."""

ALL_OF_TRAINING: Split = "train+validation"


class MissingData(ModinvError, FileNotFoundError):
    """A corpus is missing or damaged; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus is downloaded from, and how it is verified.

    Attributes
    ----------
    url
        URL of a zip.
    size
        Expected size in bytes, as some servers don't announce it; at most four times as much is accepted.
    names
        Matches the path of a recording in the zip or a folder; its group ``name`` is the name without folders.
    recordings, unpacked
        Number of recordings, and their total size in bytes, which are checked before anything is unpacked.
    digest
        SHA-256 over the sorted lines ``"{name} {SHA-256 of the recording}\\n"``, independent of the packing.
    """

    url: str
    size: int
    names: re.Pattern[str]
    recordings: int
    unpacked: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """Description of a corpus.

    Attributes
    ----------
    name, title, short_title
        Identifier; title; title for narrow places.
    modality
        Image or speech.
    licence, citation, origin
        Licence; citation; web page or file about its origin.
    human
        Whether it is human speech.
    speakers
        Number of speakers in all splits; 0 for images.
    splits
        The splits that it has.
    shares_speakers
        Whether the speakers of validation and test also speak in the training split.
    preferred
        Whether it is the default for evaluation.
    trained_by_default
        Whether it is trained on by default.
    ships
        Whether it comes with the application.
    source
        How it is downloaded; ``None`` if it can't be.
    layout
        What to put into its folder, for the message that it is missing.
    folder
        Name of its folder, if it is not its own name.
    own
        Whether it is the user's: takes, or an added folder.
    """

    name: str
    title: str
    modality: Modality
    licence: str
    citation: str
    origin: str
    short_title: str = ""
    human: bool = False
    speakers: int = 0
    splits: tuple[Split, ...] = ("train", "validation", "test")
    shares_speakers: bool = False
    preferred: bool = False
    trained_by_default: bool = False
    ships: bool = False
    source: Source | None = None
    layout: str = "it"
    folder: str = ""
    own: bool = False

    @property
    def label(self) -> str:
        """The short title if there is one."""
        return self.short_title or self.title

    def held_out(self, wanted: Split) -> Split:
        """The wanted one of the validation and test splits, or the other one if it has only that."""
        return wanted if wanted in self.splits else ("test" if wanted == "validation" else "validation")

    @property
    def voices(self) -> str:
        """Whose voices these are, beside the label: ``"Human voices"``; empty for others than published recordings."""
        return "Human voices" if self.human and not self.own else ""

    @property
    def obtainable(self) -> bool:
        """Whether it ships or can be downloaded; other corpora are shown only where they are installed."""
        return self.ships or self.source is not None

    @property
    def offer(self) -> str:
        """Size and licence of the download, ``"16 MB, CC BY-SA 4.0"``; empty if there is none."""
        return f"{self.source.size / 1e6:.0f} MB, {self.licence}" if self.source else ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an installed corpus holds.

    Attributes
    ----------
    items
        Number of usable items by split.
    speakers
        Number of speakers; 0 for images.
    sexes
        Number of speakers by sex, as far as known.
    rates
        Number of usable recordings by sampling rate in Hz.
    skipped
        Why items can't be used, in words, by their paths.
    left_out
        What else was found and is left out on purpose, in words.
    """

    items: Mapping[Split, int]
    speakers: int = 0
    sexes: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[int, int] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""


@dataclass(frozen=True)
class Corpus(ABC):
    """A data set of one modality.

    Parameters
    ----------
    folder
        Folder of the corpora, with a sub-folder for each; by default the user's.
    """

    folder: Path | None = None
    info: ClassVar[CorpusInfo]

    @property
    def home(self) -> Path:
        """Its own folder, in upper or lower case; it may not exist."""
        folder, name = self.folder or locations.data(), self.info.folder or self.info.name
        home = folder / name
        if home.is_dir():
            return home
        with suppress(OSError, StopIteration):
            return next(path for path in sorted(folder.iterdir()) if path.name.lower() == name and path.is_dir())
        return home

    @abstractmethod
    def location(self) -> Path | None:
        """Its file or folder, ``None`` if it is missing."""

    @abstractmethod
    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """Implementation of :meth:`published` for an existing split."""

    def load(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Read a split, with the labels that the user gave, and without the items that the user leaves out.

        Raises
        ------
        MissingData
            As :meth:`published`, and if all items are left out.
        CurationError
            If what the user has decided can't be read.
        """
        samples = curation.curated(self.published(split, progress), curation.decisions(self.info.name))
        if not len(samples):
            raise MissingData(
                f"You have left out all items of the {split} split of {self.info.title}. Take some in again on the "
                "page Data of the window."
            )
        return samples

    def published(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Read a split as it was published, whatever the user has decided about its items.

        Raises
        ------
        MissingData
            If the corpus is not installed, is damaged or has no such split.
        """
        splits = self.info.splits
        if split == ALL_OF_TRAINING and "validation" not in splits:
            split = "train"
        if not {*split.split("+")} <= {*splits}:
            raise MissingData(f"{self.info.title} has no {split} split, only {' and '.join(splits)}.")
        return self.read(split, progress)

    def clip(self, key: str) -> tuple[FloatArray, int]:
        """The recording behind a sample, by its key: ``(n,)`` in [-1, 1] and its rate in Hz."""
        raise KeyError(f"{self.info.title} has no recording {key}.")

    def clips(self, keys: Iterable[str]) -> Iterator[tuple[FloatArray, int]]:
        """Recordings by their keys, as :meth:`clip` gives each; a corpus in a zip opens it only once."""
        return map(self.clip, keys)

    def contents(self, progress: ProgressCallback = no_progress) -> Contents:
        """Read all splits as they were published, and count their items; raises as :meth:`published`."""
        items: dict[Split, int] = {}
        speakers: set[str] = set()
        for split in self.info.splits:
            samples = self.published(split, progress)
            items[split] = len(samples)
            speakers.update(samples.speakers)
        return Contents(items, len(speakers))

    def require(self) -> Path:
        """Its :meth:`location`; raises :class:`MissingData` if it is missing."""
        if place := self.location():
            return place
        info = self.info
        if info.ships:
            raise MissingData(
                f"{info.title}: missing, although it is part of the application. Install the application again."
            )
        get = (
            f"'modinv data get {info.name}' downloads it ({info.offer.split(',')[0]}); or get" if info.source else "Get"
        )
        raise MissingData(
            f"{info.title}: not installed. {get} it from {info.origin} and put {info.layout} into {self.home}."
        )

    def check(self) -> str:
        """Check quickly whether it is complete; returns what was found, in words, and raises :class:`MissingData`."""
        return str(self.require())
