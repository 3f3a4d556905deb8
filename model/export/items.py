"""Export of items of a gallery as labelled folders, which other programs and ``modinv data add`` read."""

from __future__ import annotations

import csv
import io
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from model.data.corpora import recording
from model.data.takes import encode_flac, encode_png, free_path
from model.errors import ModinvError
from model.export.words import cell
from model.progress import ProgressCallback, no_progress
from model.retrieval.gallery import Gallery
from model.types import FloatArray, Item, Modality

COLUMNS: Final = ("path", "label", "speaker", "modality", "source", "map", "x", "y")
"""Columns of the tables; a corpus is made of the first three."""

_NAME: Final = "modinv-selection"
_FOLDERS: Final = {Modality.IMAGE: "images", Modality.SPEECH: "speech"}
_SUFFIXES: Final = {Modality.IMAGE: ".png", Modality.SPEECH: ".flac"}
_LONGEST_NAME: Final = 100  # characters, of a file


@dataclass(frozen=True, slots=True)
class ExportedItems:
    """What was exported.

    Attributes
    ----------
    folder
        The new folder.
    tables
        Its tables, one for each modality.
    count
        Number of items in it.
    problems
        Why other items are missing, by their sources.
    """

    folder: Path
    tables: tuple[Path, ...]
    count: int
    problems: dict[str, str] = field(default_factory=dict)


class NothingExported(ModinvError, ValueError):
    """No item could be exported; the message says why."""


def export_items(
    gallery: Gallery,
    indices: Sequence[int],
    into: Path,
    kind: str,
    coordinates: FloatArray,
    progress: ProgressCallback = no_progress,
) -> ExportedItems:
    """Write items to a new folder ``INTO/modinv-selection``, or with a number if there is one already.

    It holds ``images/LABEL/*.png``, 28 x 28, light on dark as in MNIST, and ``speech/LABEL/*.flac``, recordings at
    their own rate; and for each of the two a table beside it, with the columns `COLUMNS`. The folder appears when it is
    complete; if anything goes wrong, nothing is left.

    Parameters
    ----------
    gallery, indices
        The items.
    into
        An existing folder.
    kind, coordinates
        Name of a map, and the coordinates of all items of the gallery in it, ``(n, 2)``.
    progress
        Called with the share done.

    Raises
    ------
    NothingExported
        If no recording could be read.
    OSError
        If the folder can't be written.
    """
    draft = into / f".{_NAME}.{secrets.token_hex(4)}.draft"
    problems: dict[str, str] = {}
    written: dict[Path, tuple[str, Item]] = {}
    try:
        draft.mkdir()
        for done, index in enumerate(indices):
            progress(done / len(indices), "Exporting items")
            item = gallery.items[index]
            try:
                content = _content(gallery, item)
            except (ModinvError, ValueError) as error:  # a corpus that is not installed any more, for one
                problems[item.source] = str(error)
                continue
            path = _free(draft, gallery, item, written)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[path] = path.relative_to(draft).as_posix(), item
        if not written:
            raise NothingExported(next(iter(problems.values()), "No item is selected."))
        folder = free_path(into / _NAME)
        tables = []
        for modality, name in _FOLDERS.items():
            rows = [(path, item) for path, item in written.values() if item.modality is modality]
            if rows:
                table = f"{folder.name}-{name}.csv"
                (draft / table).write_text(_table(rows, kind, coordinates), "utf-8", newline="")
                tables.append(folder / table)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return ExportedItems(folder, tuple(tables), len(written), problems)


def _content(gallery: Gallery, item: Item) -> bytes:
    if item.modality is Modality.IMAGE:
        return encode_png(gallery.image_features[item.index])
    return encode_flac(*recording(gallery.key(item.index)))


def _free(draft: Path, gallery: Gallery, item: Item, taken: dict[Path, tuple[str, Item]]) -> Path:
    """A path that says where an item is from, and differs from others also where case doesn't matter."""
    spoken = item.modality is Modality.SPEECH
    origin = gallery.key(item.index).split(":", 1)[1].rsplit(".", 1)[0] if spoken else item.source
    stem = re.sub(r"[^\w.-]+", "-", origin).strip("-.").lower()[-_LONGEST_NAME:].strip("-.") or "item"
    place = draft / _FOLDERS[item.modality] / str(item.label)
    path, number = place / f"{stem}{_SUFFIXES[item.modality]}", 2
    while path in taken:
        path = place / f"{stem}-{number}{_SUFFIXES[item.modality]}"
        number += 1
    return path


def _table(rows: Sequence[tuple[str, Item]], kind: str, coordinates: FloatArray) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for path, item in rows:
        x, y = coordinates[item.index].tolist()
        texts = [cell(text) for text in (item.speaker, str(item.modality), item.source, kind)]
        writer.writerow([path, item.label, *texts, f"{x:.6g}", f"{y:.6g}"])
    return text.getvalue()
