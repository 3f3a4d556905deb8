"""The user's own recordings and drawings of digits: a folder of files, which is all there is.

A take is one file, ``PERSON/LABEL/NAME.flac`` or ``.png``, in the folder of takes. Who and which digit are the names of
its folders; when and a random number are its name; the device is a tag in it. A take that is left out of everything
lies one folder deeper, in ``excluded``. So every change of a take is the renaming of one file, which a crash can't
interrupt and two processes can't mix up, and files that people copy by hand are takes, too.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model import locations
from model.checkpoints import write_bytes_atomically
from model.errors import ModinvError
from model.types import WORDS, FloatArray, Modality

SUFFIXES = {
    Modality.SPEECH: (".flac", ".wav", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aiff", ".webm"),
    Modality.IMAGE: (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
}
"""Suffixes of files that count as takes; this module writes the first of each."""

MY_SPEECH, MY_DRAWINGS = "my-speech", "my-drawings"
"""Names of the corpora that takes make up."""

EXCLUDED = "excluded"
_DELETED = ".deleted"
_LONGEST_NAME = 40
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # on Windows
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
_MOMENT = re.compile(r"(\d{8}T\d{6})(\d{3})Z-[0-9a-f]{8}")


class TakeError(ModinvError, ValueError):
    """Takes or people can't be changed as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recording or drawing.

    Attributes
    ----------
    path
        Its file.
    person
        Who spoke or drew.
    label
        The digit, 0 to 9.
    modality
        Speech or image.
    when
        When it was made, in UTC; for a file that was copied here by hand, when it was last changed.
    excluded
        Whether it is left out of gallery and corpora.
    """

    path: Path
    person: str
    label: int
    modality: Modality
    when: datetime
    excluded: bool = False

    @property
    def key(self) -> str:
        """Its place in the folder of takes: ``"Ann/7/20261130T003831123Z-0a7c2a8d.flac"``."""
        return "/".join(self.path.parts[-4 if self.excluded else -3 :])


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted at once, so that it can be restored: the folder where it lies now."""

    place: Path


class TakeStore:
    """The folder of takes.

    Every method looks at the disk again, so that several processes may share the folder.

    Parameters
    ----------
    folder
        The folder, which may not exist; by default :func:`model.locations.takes`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or locations.takes()

    # People

    def people(self) -> list[str]:
        """Names of all people, in alphabetical order, also of those without takes; raises ``OSError``."""
        return sorted((folder.name for folder in _folders(self.folder)), key=str.casefold)

    def add_person(self, name: str) -> str:
        """Add somebody without takes; the name as it is stored.

        An empty name becomes ``"Person 1"`` or the next free number. Raises :class:`TakeError` and ``OSError``.
        """
        if not name.strip():
            taken = {one.casefold() for one in self.people()}
            name = next(free for n in range(1, len(taken) + 2) if (free := f"Person {n}").casefold() not in taken)
        name = self._free_name(name)
        (self.folder / name).mkdir(parents=True)
        return name

    def rename_person(self, old: str, new: str) -> str:
        """Give somebody another name; the name as it is stored. Raises as :meth:`add_person`."""
        if checked_name(new) == old:
            return old
        new = self._free_name(new, besides=old)
        try:
            (self.folder / old).rename(self.folder / new)
        except FileNotFoundError:
            raise TakeError(f"“{old}” is not there any more.") from None
        return new

    def delete_person(self, name: str) -> Deletion:
        """Move somebody with all takes to where :meth:`restore` finds them; raises as :meth:`add_person`."""
        return self._discard([self.folder / checked_name(name)])

    def _free_name(self, name: str, besides: str = "") -> str:
        name = checked_name(name)
        if name.casefold() in {one.casefold() for one in self.people() if one != besides}:
            raise TakeError(f"There is a “{name}” already. Choose another name.")
        return name

    # Takes

    def takes(self, person: str | None = None) -> list[Take]:
        """All takes, or those of one person, oldest first; files that can't be takes are passed over.

        Whether a file is damaged turns out when it is read. Raises ``OSError``.
        """
        people = self.people() if person is None else [person]
        found = [take for one in people for take in self._takes_of(one)]
        return sorted(found, key=lambda take: (take.when, take.path.name))

    def find(self, key: str) -> Path:
        """The file of a take by its key, even if it was relabelled or moved since; raises ``KeyError``."""
        path = self.folder / key
        if path.is_file() and path.resolve().is_relative_to(self.folder.resolve()):
            return path
        name = key.rpartition("/")[2]
        for take in self.takes():
            if take.path.name == name:
                return take.path
        raise KeyError(f"There is no take {key} any more.")

    def add_speech(
        self, person: str, label: int, samples: FloatArray, rate: int, device: str = "", when: datetime | None = None
    ) -> Take:
        """Store a recording as FLAC of 16 bits.

        Parameters
        ----------
        person, label
            Who said which digit.
        samples, rate
            ``(n,)`` in [-1, 1], which larger values are clipped to; Hz.
        device
            Name of the microphone.
        when
            By default now.

        Raises
        ------
        TakeError, OSError
            If the name can't be used, or the file can't be written.
        """
        when = when or datetime.now(UTC)
        return self._add(person, label, Modality.SPEECH, encode_flac(samples, rate, device, when), when)

    def add_drawing(
        self,
        person: str,
        label: int,
        pixels: npt.NDArray[np.uint8],
        device: str = "",
        when: datetime | None = None,
    ) -> Take:
        """Store a grey picture ``(h, w)`` as PNG; otherwise as :meth:`add_speech`."""
        when = when or datetime.now(UTC)
        return self._add(person, label, Modality.IMAGE, encode_png(pixels, device, when), when)

    def relabel(self, take: Take, label: int) -> Take:
        """Say that a take is of another digit; raises :class:`TakeError` if it is gone, and ``OSError``."""
        return self._move(take, self._place(take.person, label, take.excluded))

    def exclude(self, take: Take, excluded: bool = True) -> Take:
        """Leave a take out of gallery and corpora, or take it in again; raises as :meth:`relabel`."""
        return self._move(take, self._place(take.person, take.label, excluded))

    def delete(self, takes: Sequence[Take]) -> Deletion:
        """Move takes to where :meth:`restore` finds them; those that are gone already are passed over."""
        return self._discard([take.path for take in takes])

    def restore(self, deletion: Deletion) -> None:
        """Move everything that was deleted at once back to its place; raises ``OSError``."""
        for path in sorted(deletion.place.rglob("*")):
            place = self.folder / path.relative_to(deletion.place)
            if path.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                path.rename(free_path(place))
        shutil.rmtree(deletion.place, ignore_errors=True)

    def purge(self, older_than: float = 7 * 86_400) -> None:
        """Remove for good what was deleted more than so many seconds ago."""
        with suppress(OSError):
            for place in (self.folder / _DELETED).iterdir():
                if place.name.isdigit() and int(place.name) < time.time_ns() - older_than * 1e9:
                    shutil.rmtree(place, ignore_errors=True)

    def _takes_of(self, person: str) -> Iterator[Take]:
        for folder in _folders(self.folder / person):
            label = label_of(folder.name)
            if label is None:
                continue
            for place, excluded in ((folder, False), (folder / EXCLUDED, True)):
                for path in _files(place):
                    if (modality := modality_of(path)) is not None:
                        with suppress(FileNotFoundError):  # another process has just moved it
                            yield Take(path, person, label, modality, _moment(path), excluded)

    def _add(self, person: str, label: int, modality: Modality, content: bytes, when: datetime) -> Take:
        stamp = f"{when:%Y%m%dT%H%M%S}{when.microsecond // 1000:03d}Z-{secrets.token_hex(4)}"
        path = self._place(checked_name(person), label, False) / f"{stamp}{SUFFIXES[modality][0]}"
        write_bytes_atomically(path, content)
        return Take(path, person, label, modality, _moment(path))

    def _place(self, person: str, label: int, excluded: bool) -> Path:
        if label not in range(10):
            raise TakeError(f"{label} is no digit.")
        folder = self.folder / person / str(label)
        return folder / EXCLUDED if excluded else folder

    def _move(self, take: Take, folder: Path) -> Take:
        if folder == take.path.parent:
            return take
        folder.mkdir(parents=True, exist_ok=True)
        path = free_path(folder / take.path.name)
        try:
            take.path.rename(path)
        except FileNotFoundError:
            raise TakeError("This take is not there any more: it was deleted or moved elsewhere.") from None
        excluded = folder.name == EXCLUDED
        return Take(
            path, take.person, int((folder.parent if excluded else folder).name), take.modality, take.when, excluded
        )

    def _discard(self, paths: Sequence[Path]) -> Deletion:
        place = self.folder / _DELETED / f"{time.time_ns():020d}"
        place.mkdir(parents=True)
        for path in paths:
            target = place / path.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                path.rename(target)
        return Deletion(place)


def checked_name(name: str) -> str:
    """A person's name as the name of a folder on any system; raises :class:`TakeError` if it can't be one."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise TakeError("A name is needed.")
    if len(name) > _LONGEST_NAME:
        raise TakeError(f"A name has at most {_LONGEST_NAME} characters.")
    usable = name.isprintable() and not _FORBIDDEN.search(name) and not _RESERVED.fullmatch(name)
    if not usable or name.startswith(".") or name.endswith("."):
        raise TakeError(f"“{name}” can't be the name of a folder. Use letters, numbers and spaces.")
    return name


def label_of(name: str) -> int | None:
    """The digit that the name of a folder means, ``"7"`` or ``"seven"``; ``None`` for any other name."""
    if len(name) == 1 and name in "0123456789":
        return int(name)
    return WORDS.index(name.lower()) if name.lower() in WORDS else None


def modality_of(path: Path) -> Modality | None:
    """Whether a file is a recording or a drawing, by its suffix; ``None`` if it is neither."""
    suffix = path.suffix.lower()
    return next((modality for modality, known in SUFFIXES.items() if suffix in known), None)


def device_of(take: Take) -> str:
    """The name of the device that made a take, as its file says; empty if it does not."""
    with suppress(Exception):  # decoders raise almost anything on a damaged file
        if take.modality is Modality.SPEECH:
            import soundfile

            with take.path.open("rb") as file, soundfile.SoundFile(file) as sound:
                return str(sound.comment)
        from PIL import Image

        with Image.open(take.path, formats=("PNG",)) as picture:
            return str(picture.info.get("Source", ""))
    return ""


def free_path(path: Path) -> Path:
    """The path itself, or with a number if there is such a file already."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, except hidden ones; none if it is missing."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name[0] != "." and entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files(folder: Path) -> list[Path]:
    """The files in a folder, except hidden ones such as drafts; none if it is missing."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name[0] != "." and entry.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _moment(path: Path) -> datetime:
    if match := _MOMENT.match(path.stem):
        with suppress(ValueError):
            return datetime.strptime(f"{match[1]}{match[2]}000+0000", "%Y%m%dT%H%M%S%f%z")
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def encode_flac(samples: FloatArray, rate: int, device: str = "", when: datetime | None = None) -> bytes:
    """A recording ``(n,)`` in [-1, 1] as a FLAC of 16 bits, with device and time as tags."""
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, subtype="PCM_16", format="FLAC") as sound:
        if when:
            sound.date = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        if device:
            sound.comment = device
        sound.write(np.clip(samples, -1, 1))
    return file.getvalue()


def encode_png(pixels: npt.NDArray[np.uint8], device: str = "", when: datetime | None = None) -> bytes:
    """A grey picture ``(h, w)`` as PNG, with device and time as texts."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    tags: Any = PngInfo()
    if when:
        tags.add_itxt("Creation Time", f"{when:%Y-%m-%dT%H:%M:%SZ}")
    if device:
        tags.add_itxt("Source", device)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=tags)
    return file.getvalue()
