"""Labels and speakers of files in folders or a table, and splits of them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from model.data.corpora.base import Split
from model.errors import ModinvError
from model.types import WORDS, Modality

FEWEST_SPEAKERS = 6
"""From so many speakers on, splits have different speakers."""

_SOUNDS = "wav flac mp3 ogg oga opus m4a aac aif aiff au caf amr wma webm mp4 mka sph"
_PICTURES = "png jpg jpeg gif webp bmp tif tiff"
_MODALITIES = {f".{suffix}": Modality.SPEECH for suffix in _SOUNDS.split()} | {
    f".{suffix}": Modality.IMAGE for suffix in _PICTURES.split()
}
_SHARE = 0.15  # of speakers or items, for testing and for validation
_MAX_TABLE = 64 << 20  # bytes
_LAYOUT = "Its files must be named LABEL/FILE or SPEAKER/LABEL/FILE, where a label is a digit or its English word"


class UnusableFolder(ModinvError, ValueError):
    """A folder or table that can't be a corpus; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The digit of a file, and its speaker, empty if unknown."""

    label: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Labelling:
    """What a folder or table says of its files.

    Attributes
    ----------
    modality
        What the files hold.
    items
        Labels by path, sorted.
    skipped
        Why other sounds or pictures aren't used, in words, by path.
    others
        Number of files that are neither.
    """

    modality: Modality
    items: Mapping[str, Labelled]
    skipped: Mapping[str, str] = field(default_factory=dict)
    others: int = 0

    @property
    def speakers(self) -> set[str]:
        """The known speakers."""
        return {item.speaker for item in self.items.values() if item.speaker}


def label_of(text: str) -> int | None:
    """The digit that a label means: ``"7"``, ``"07"``, ``"seven"``, ``"Seven"``, ``"oh"``; ``None`` if it is none."""
    word = text.strip().lower()
    if word in WORDS:
        return WORDS.index(word)
    if word in ("o", "oh"):
        return 0
    return int(word) if word.isascii() and word.isdigit() and int(word) <= 9 else None


def modality_of(path: str) -> Modality | None:
    """Whether a file is a sound or a picture, by its name; ``None`` for hidden files and others."""
    file = PurePosixPath(path)
    return None if file.name.startswith(".") else _MODALITIES.get(file.suffix.lower())


def by_folders(paths: Iterable[str], place: Path) -> Labelling:
    """Labels by folder names, of paths relative to ``place``; raises `UnusableFolder` if the layout is another one."""
    files, modality, others = _of_one_modality(sorted(paths), place)
    depths = {path.count("/") for path in files} - {0}
    deep = [path for path in files if path.count("/") > 2]
    if deep:
        raise UnusableFolder(f"{place} is nested too deeply: {deep[0]}. {_LAYOUT}.")
    if len(depths) > 1:
        raise UnusableFolder(f"{place} has files both in LABEL/ and in SPEAKER/LABEL/. {_LAYOUT}, all of them alike.")
    items, skipped = {}, {}
    for path in files:
        *speaker, folder, _ = ["", *path.split("/")]
        label = label_of(folder)
        if label is None:
            where = f"its folder {folder} is" if folder else "it is in no folder that is"
            skipped[path] = f"{path} is not used: {where} no digit."
        else:
            items[path] = Labelled(label, speaker[-1] if speaker else "")
    if not items:
        raise UnusableFolder(f"{place} has no folder that is named as a digit. {_LAYOUT}.")
    return Labelling(modality, items, skipped, others)


def by_table(table: Path) -> Labelling:
    """Labels by a CSV file with the columns path, label and, optionally, speaker; paths are relative to its folder."""
    columns = "Its first line must name the columns path and label, and may name speaker"
    try:
        if table.stat().st_size > _MAX_TABLE:
            raise UnusableFolder(f"{table} is far too large for a table of recordings.")
        rows = csv.DictReader(io.StringIO(table.read_text("utf-8-sig")), skipinitialspace=True, restval="")
        named = {name.strip().lower(): name for name in rows.fieldnames or () if name}
        if not {"path", "label"} <= {*named}:
            raise UnusableFolder(f"{table} is no table of a corpus. {columns}.")
        lines = [{key: (row[name] or "").strip() for key, name in named.items()} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableFolder(f"{table} can't be read ({error}). {columns}.") from error
    files, modality, others = _of_one_modality([line["path"].replace("\\", "/") for line in lines], table)
    wanted = set(files)
    items: dict[str, Labelled] = {}
    skipped: dict[str, str] = {}
    for line in lines:
        path, label = line["path"].replace("\\", "/"), label_of(line["label"])
        if path not in wanted:
            continue
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or ":" in path:
            skipped[path] = f"{path} is not used: it is not in the folder of {table.name}."
        elif label is None:
            skipped[path] = f"{path} is not used: its label {line['label']!r} is no digit."
        elif not (table.parent / path).is_file():
            skipped[path] = f"{path} is not used: there is no such file."
        else:
            items[path] = Labelled(label, line.get("speaker", ""))
    if not items:
        raise UnusableFolder(f"{table} names no file that can be used. {' '.join([*skipped.values()][:1])}".strip())
    return Labelling(modality, dict(sorted(items.items())), skipped, others)


def _of_one_modality(paths: Iterable[str], place: Path) -> tuple[list[str], Modality, int]:
    """The sounds or the pictures among paths, and the number of other files."""
    kinds = {path: modality_of(path) for path in paths}
    found = {kind for kind in kinds.values() if kind}
    if not found:
        raise UnusableFolder(f"{place} holds neither sounds nor pictures. {_LAYOUT}.")
    if len(found) > 1:
        raise UnusableFolder(f"{place} holds both sounds and pictures. Add a folder of each.")
    (modality,) = found
    files = [path for path, kind in kinds.items() if kind]
    return files, modality, len(kinds) - len(files)


def hashed(text: str) -> float:
    """A number in [0, 1) that depends on a text alone, for splits that stay the same when recordings are added."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def split_by_hash(names: Iterable[str]) -> dict[str, Split]:
    """A split for each name, that depends on a hash of it: about 15 % each for validation and testing.

    Adding names leaves others where they are, unless there are so few that a split would be empty. Of fewer than three
    names all are for training.
    """
    order = sorted(set(names), key=hashed)
    least = 1 if len(order) >= 3 else 0
    test = max(least, sum(hashed(name) < _SHARE for name in order) if least else 0)
    held_out = max(test + least, sum(hashed(name) < 2 * _SHARE for name in order) if least else 0)
    return {
        name: "test" if place < test else "validation" if place < held_out else "train"
        for place, name in enumerate(order)
    }
