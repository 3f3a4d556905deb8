"""Export and import of takes as a labelled folder, ``PERSON/LABEL/FILE``, as other programs use it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.checkpoints import write_bytes_atomically
from model.data.inputs import printable
from model.data.takes import (
    EXCLUDED,
    SUFFIXES,
    Take,
    TakeError,
    TakeStore,
    checked_name,
    encode_flac,
    encode_png,
    free_path,
    label_of,
    modality_of,
)
from model.errors import ModinvError
from model.parsing import read_bytes
from model.progress import ProgressCallback, no_progress
from model.types import Modality

_MOST_BYTES = 64 * 2**20
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    added, known
        Number of takes that were added, and of those that were there already.
    people
        Names of those whose takes were found.
    problems
        Why other files were passed over, by their paths in the folder.
    """

    added: int = 0
    known: int = 0
    people: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)


def export_takes(takes: Sequence[Take], folder: Path, progress: ProgressCallback = no_progress) -> int:
    """Copy takes to ``FOLDER/PERSON/LABEL/``, those that are left out to ``excluded`` in it; how many were copied.

    Files that are there already and differ are kept beside. Raises ``OSError``.
    """
    copied = 0
    for done, take in enumerate(takes):
        progress(done / len(takes), "Exporting takes")
        place = folder / take.person / str(take.label)
        place = place / EXCLUDED if take.excluded else place
        try:
            copied += _put(take.path.read_bytes(), place / take.path.name)
        except FileNotFoundError:  # deleted meanwhile
            continue
    return copied


def import_takes(store: TakeStore, folder: Path, progress: ProgressCallback = no_progress) -> Imported:
    """Copy the takes of a labelled folder into a store.

    Parameters
    ----------
    store
        Where to.
    folder
        Holds ``PERSON/LABEL/FILE``, or ``LABEL/FILE`` by one person, who gets the name of the folder. A label is a
        digit or its word. Sounds and pictures that can be read are taken; FLAC and PNG as they are, others are
        converted.
    progress
        Called with the share done.

    Raises
    ------
    TakeError
        If nothing in the folder is named like this.
    OSError
        If the store can't be written.
    """
    files = list(_labelled(folder))[:_MOST_FILES]
    if not files:
        raise TakeError(
            f"{printable(folder.name)} holds no labelled takes. Choose a folder with a folder for each person, and in "
            "that one for each digit, such as Ann/7/first.flac."
        )
    added, known = 0, 0
    people: dict[str, None] = {}
    problems: dict[str, str] = {}
    for done, (path, person, label, excluded) in enumerate(files):
        progress(done / len(files), "Importing takes")
        try:
            name = checked_name(person)
            place = store.folder / name / str(label)
            place = place / EXCLUDED if excluded else place
            new = _put(_content(path), place / path.with_suffix(_suffix(path)).name)
        except (ModinvError, ValueError) as error:
            problems[path.relative_to(folder).as_posix()] = str(error)
            continue
        people[name] = None
        added, known = added + new, known + (not new)
    return Imported(added, known, tuple(people), problems)


def _labelled(folder: Path) -> Iterator[tuple[Path, str, int, bool]]:
    """Files with person, label, and whether they are left out."""
    for path in sorted(folder.rglob("*")):
        parts = list(path.relative_to(folder).parts[:-1])
        if modality_of(path) is None or any(part[0] == "." for part in path.relative_to(folder).parts):
            continue
        excluded = bool(parts) and parts[-1] == EXCLUDED
        parts = parts[:-1] if excluded else parts
        label = label_of(parts[-1]) if parts else None
        if label is not None and len(parts) <= 2 and path.is_file():
            yield path, parts[0] if len(parts) == 2 else folder.resolve().name, label, excluded


def _suffix(path: Path) -> str:
    modality = modality_of(path)
    assert modality is not None, "only sounds and pictures are labelled"
    return SUFFIXES[modality][0]


def _content(path: Path) -> bytes:
    """The content of a take, checked and in our format; raises ``ValueError`` if it can't be read."""
    from model.data.images import read_picture
    from model.data.speech import read_audio

    content = read_bytes(path, _MOST_BYTES)
    as_it_is = path.suffix.lower() == _suffix(path)
    if modality_of(path) is Modality.SPEECH:
        samples, rate = read_audio(path)
        return content if as_it_is else encode_flac(samples, rate)
    picture = read_picture(content)
    return content if as_it_is else encode_png(picture)


def _put(content: bytes, path: Path) -> bool:
    """Write a file unless a file of this content is there; whether it was written."""
    digest = hashlib.sha256(content).digest()
    for other in path.parent.glob(f"{_escaped(path.stem)}*{path.suffix}"):
        if hashlib.sha256(other.read_bytes()).digest() == digest:
            return False
    write_bytes_atomically(free_path(path), content)
    return True


def _escaped(name: str) -> str:
    """A name without the wildcards of ``glob``."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
