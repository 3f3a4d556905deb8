"""Corpora of the user's own files: a folder or a table of labelled sounds or pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from model.data.corpora.base import Contents, Corpus, MissingData, Split
from model.data.corpora.labels import Labelling, UnusableFolder, by_folders, by_table, split_by_hash
from model.data.corpora.speech_corpus import SpeechCorpus, Utterance, report
from model.data.recordings import Recording, opened
from model.progress import ProgressCallback, no_progress
from model.types import Modality

if TYPE_CHECKING:
    from model.data.array_cache import ArrayCache
    from model.data.samples import Samples

_ANY = re.compile(r"\A(?P<name>.+)\Z", re.DOTALL)


def labelling_of(place: Path) -> Labelling:
    """The labels of a folder or a table; raises :class:`UnusableFolder`."""
    if place.is_file():
        return by_table(place)
    try:
        with opened(place, _ANY) as files:
            return by_folders(files, place)
    except MissingData as error:
        raise UnusableFolder(str(error)) from error


def splits_of(labelling: Labelling, by_speaker: bool) -> dict[str, Split]:
    """The split of each path, by the hash of its speaker or of the path itself."""
    items = labelling.items
    names = {path: item.speaker if by_speaker else path for path, item in items.items()}
    splits = split_by_hash(names.values())
    return {path: splits[name] for path, name in names.items()}


class _Labelled(Corpus):
    """What folders of sounds and of pictures share.

    Attributes
    ----------
    source
        The folder or the CSV file.
    by_speaker
        Whether splits have different speakers.
    """

    source: ClassVar[Path]
    by_speaker: ClassVar[bool]

    def location(self) -> Path | None:
        """The folder of the files."""
        if self.source.is_file():
            return self.source.parent
        return self.source if self.source.is_dir() else None

    def require(self) -> Path:
        """Its folder; raises :class:`MissingData` if it is gone."""
        if place := self.location():
            return place
        raise MissingData(
            f"{self.info.title}: {self.source} is not there any more. Bring it back, or remove the corpus: "
            f"'modinv data remove {self.info.name}'."
        )

    def labelling(self) -> Labelling:
        """Its labels; raises :class:`MissingData`."""
        self.require()
        try:
            found = labelling_of(self.source)
        except UnusableFolder as error:
            raise MissingData(str(error)) from error
        if found.modality is not self.info.modality:
            raise MissingData(f"{self.source} held {self.info.modality} before, and does not any more. Add it again.")
        return found

    def published(self, split: Split, progress: ProgressCallback = no_progress) -> Samples:
        """Read a split, and warn of files without a label; raises :class:`MissingData`."""
        found = self.labelling()
        report(self.info.title, f"{len(found.items) + len(found.skipped)} files of its folder", found.skipped)
        return super().published(split, progress)


def _with_labelling(contents: Contents, labelling: Labelling) -> Contents:
    others = labelling.others
    left_out = f"{others:,} files that are neither sounds nor pictures" if others else ""
    return replace(contents, skipped={**labelling.skipped, **contents.skipped}, left_out=left_out)


@dataclass(frozen=True)
class LabelledSounds(_Labelled, SpeechCorpus):
    """Recordings in folders named by their digit, or in a table."""

    names: ClassVar[re.Pattern[str]] = _ANY
    example: ClassVar[str] = "7/mine.wav"

    def described(self, place: Path, found: Mapping[str, re.Match[str]]) -> dict[str, Utterance]:  # noqa: ARG002
        """Those with a label, sorted by path."""
        labelling = self.labelling()
        splits = splits_of(labelling, self.by_speaker)
        return {
            path: Utterance(
                key=path,
                label=item.label,
                speaker=item.speaker or "unknown",
                source=f"{self.info.label}: {path}",
                split=splits[path],
            )
            for path, item in labelling.items.items()
            if path in found
        }

    def contents(self, progress: ProgressCallback = no_progress) -> Contents:
        """Read all recordings, and count those that can be used."""
        contents, labelling = super().contents(progress), self.labelling()
        return replace(_with_labelling(contents, labelling), speakers=len(labelling.speakers))


@dataclass(frozen=True)
class LabelledPictures(_Labelled, Corpus):
    """Pictures in folders named by their digit, or in a table; converted as drawings and photographs are."""

    def read(self, split: Split, progress: ProgressCallback) -> Samples:
        """The usable pictures of a split, in the format of MNIST."""
        from model.data.samples import Samples

        wanted = {*split.split("+")}
        labelling = self.labelling()
        splits = splits_of(labelling, self.by_speaker)
        paths = [path for path in labelling.items if splits[path] in wanted]
        if not paths:
            raise MissingData(f"The corpus {self.info.name} is incomplete: its {split} split is empty.")
        cache = self._converted(split, paths, progress)
        report(self.info.title, f"{len(paths)} pictures of its {split} split", cache.unusable)
        used = [path for path in paths if path not in cache.unusable]
        if not used:
            raise MissingData(next(iter(cache.unusable.values())))
        return Samples(
            corpus=self.info.name,
            modality=Modality.IMAGE,
            features=cache.arrays(),
            labels=np.array([labelling.items[path].label for path in used], np.int64),
            sources=tuple(f"{self.info.label}: {path}" for path in used),
        )

    def _converted(self, part: str, paths: Sequence[str], progress: ProgressCallback) -> ArrayCache:
        from model.data import images, segmentation
        from model.data.pictures import PictureComputer
        from model.data.prepared import prepare

        place = self.require()
        with opened(place, _ANY) as files:
            state = [_state(files, path) for path in paths]
        return prepare(
            f"pictures/{self.info.name}-{part.replace('+', '-')}",
            f"Converting the pictures of {self.info.title}",
            state,
            paths,
            (images.SIDE, images.SIDE),
            PictureComputer(place),
            (images, segmentation),
            progress,
        )

    def contents(self, progress: ProgressCallback = no_progress) -> Contents:
        """Convert all pictures, and count those that can be used."""
        labelling = self.labelling()
        splits = splits_of(labelling, self.by_speaker)
        items: dict[Split, int] = {}
        skipped: dict[str, str] = {}
        for split in self.info.splits:
            paths = [path for path in labelling.items if splits[path] == split]
            unusable = self._converted(split, paths, progress).unusable if paths else {}
            items[split] = len(paths) - len(unusable)
            skipped |= unusable
        return _with_labelling(Contents(items, skipped=skipped), labelling)


def _state(files: Mapping[str, Recording], path: str) -> str:
    return files[path].state if path in files else ""


def kind_for(modality: Modality) -> type[Any]:
    """The class of corpora of a modality."""
    return LabelledSounds if modality is Modality.SPEECH else LabelledPictures
