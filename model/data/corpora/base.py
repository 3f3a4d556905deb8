"""What a corpus declares of itself, and what all corpora can do. Nothing here needs torch.

A module of a corpus imports torch, and what needs it, in its functions only: the window lists corpora before torch is
loaded.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from model import locations
from model.errors import ModinvError
from model.progress import ProgressCallback, no_progress
from model.types import FloatArray, Modality

if TYPE_CHECKING:
    from model.data.samples import Samples

Split = Literal["train", "validation", "test", "train+validation"]
"""A part of a corpus. ``"train+validation"`` is all that is published for training, in its published order."""

ALL_OF_TRAINING: Split = "train+validation"


class MissingData(ModinvError, FileNotFoundError):
    """A corpus is not where it was looked for; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus is downloaded from, and how to know it.

    Attributes
    ----------
    url
        Of a zip.
    size
        Bytes to expect; servers that pack on demand don't tell. Another packing may take up to four times as much.
    names
        Matches the path of a recording in the zip or a folder; its group ``name`` is the name without folders.
    recordings, unpacked
        How many it holds, and their bytes: nothing else is unpacked to be verified.
    digest
        SHA-256 over the sorted lines ``"{name} {SHA-256 of the recording}\\n"``: it knows the recordings however
        they are packed.
    """

    url: str
    size: int
    names: re.Pattern[str]
    recordings: int
    unpacked: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """What a corpus declares.

    Attributes
    ----------
    name, title, short_title
        For programs, file names and the command line; for people; for people where there is little room.
    modality
        Image or speech.
    licence, citation, origin
        Under which it may be used; whom to cite; a web page or file that says where it comes from.
    human
        Whether people speak in it; ``False`` for images.
    speakers
        How many voices, in all splits; 0 for images.
    splits
        The parts that it has.
    shares_speakers
        Whether those who speak the validation and test splits are those of the training split.
    preferred
        Whether evaluation takes it where nobody says otherwise.
    trained_by_default
        Whether training does.
    ships
        Whether it comes with the application.
    source
        How it is downloaded; ``None`` where it can't be.
    layout
        What belongs into its folder, for the message that it is missing.
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

    @property
    def label(self) -> str:
        """The short title if there is one."""
        return self.short_title or self.title

    def held_out(self, wanted: Split) -> Split:
        """The validation or test split, whichever is wanted, or the other one where it has only that."""
        return wanted if wanted in self.splits else ("test" if wanted == "validation" else "validation")

    @property
    def offer(self) -> str:
        """What a download brings, ``"16 MB, CC BY-SA 4.0"``; empty where there is none."""
        return f"{self.source.size / 1e6:.0f} MB, {self.licence}" if self.source else ""


@dataclass(frozen=True)
class Corpus(ABC):
    """A data set of one modality.

    Parameters
    ----------
    folder
        Of the corpora, each in a sub-folder of its name; by default the user's.
    """

    folder: Path | None = None
    info: ClassVar[CorpusInfo]

    @property
    def home(self) -> Path:
        """Its own folder, there or not."""
        return (self.folder or locations.data()) / self.info.name

    @abstractmethod
    def location(self) -> Path | None:
        """The file or folder where it lies, ``None`` where it is missing."""

    @abstractmethod
    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """As :meth:`load`, of a split that it has."""

    def load(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Read a split.

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

    def require(self) -> Path:
        """Where it lies; raises :class:`MissingData`, which says how to get it."""
        if place := self.location():
            return place
        info = self.info
        if info.ships:
            raise MissingData(f"{info.title}: missing, though it ships along. Install the application again.")
        get = f"'modinv data get {info.name}' fetches it ({info.offer.split(',')[0]}); or get" if info.source else "Get"
        raise MissingData(
            f"{info.title}: not installed. {get} it from {info.origin} and put {info.layout} into {self.home}."
        )

    def check(self) -> str:
        """Look whether it is whole, as far as that is quick: what was found, in words; raises :class:`MissingData`."""
        return str(self.require())
