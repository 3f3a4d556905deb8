"""The user's list of folders that are corpora: ``corpora.json`` in the folder of corpora. Without torch."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from model import locations
from model.checkpoints import write_bytes_atomically
from model.data.corpora.base import Corpus, CorpusInfo
from model.data.corpora.labels import FEWEST_SPEAKERS, UnusableFolder
from model.types import Modality

log = logging.getLogger(__name__)

_FORMAT = "modinv-corpora-1"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MAX_LIST = 4 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An added folder.

    Attributes
    ----------
    name, path
        Name of the corpus; the folder or CSV file.
    modality
        ``"image"`` or ``"speech"``.
    speakers
        Number of speakers when it was added.
    by_speaker
        Whether splits have different speakers.
    """

    name: str
    path: str
    modality: str
    speakers: int
    by_speaker: bool

    @classmethod
    def parse(cls, value: Any) -> Entry:
        """Raises ``ValueError`` or ``TypeError`` if it is none."""
        entry = cls(**value)
        texts = (entry.name, entry.path, entry.modality)
        if not all(isinstance(text, str) for text in texts) or not _NAME.fullmatch(entry.name):
            raise ValueError(f"{entry.name!r} is no name of a corpus")
        if type(entry.speakers) is not int or type(entry.by_speaker) is not bool or entry.speakers < 0:
            raise ValueError(f"the speakers of {entry.name} are none")
        Modality(entry.modality)
        return entry

    def corpus(self) -> type[Corpus]:
        """Its class."""
        from model.data.corpora.labelled import kind_for  # late: it imports modules that import this package

        modality, source = Modality(self.modality), Path(self.path)
        info = CorpusInfo(
            name=self.name,
            title=f"{source.name} (added)",
            short_title=self.name,
            modality=modality,
            licence="not stated",
            citation="added by the user",
            origin=self.path,
            own=True,
            human=modality is Modality.SPEECH,
            speakers=self.speakers,
            shares_speakers=modality is Modality.SPEECH and not self.by_speaker,
        )
        values = {"info": info, "source": source, "by_speaker": self.by_speaker, "__doc__": f"The folder {source}."}
        return type("Added", (kind_for(modality),), values)

    @property
    def splitting(self) -> str:
        """How it is split, in words."""
        if self.by_speaker:
            return f"by speaker ({self.speakers} speakers), so that nobody is in two splits"
        if self.modality == Modality.IMAGE:
            return "by file"
        known = f"only {self.speakers}" if self.speakers else "none"
        return f"by file: splits by speaker need {FEWEST_SPEAKERS} speakers, and {known} are known"


def state() -> tuple[str, int, int] | None:
    """Changes when the list does; ``None`` if there is none."""
    file = _file()
    try:
        status = file.stat()
    except OSError:
        return None
    return str(file), status.st_mtime_ns, status.st_size


def entries() -> list[Entry]:
    """The added folders; raises ``ValueError`` with what to do if the list is damaged."""
    file = _file()
    try:
        if file.stat().st_size > _MAX_LIST:
            raise ValueError("it is too large")
        content = json.loads(file.read_bytes())
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError("it has another format")
        return [Entry.parse(value) for value in content["corpora"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"The list of added corpora {file} is damaged ({error}). Delete it, and add them again."
        ) from error


def add_folder(path: Path, name: str = "", taken: Iterable[str] = ()) -> Entry:
    """Add a folder of labelled sounds or pictures as a corpus.

    Its files are neither copied nor changed.

    Parameters
    ----------
    path
        A folder with files ``LABEL/FILE`` or ``SPEAKER/LABEL/FILE``, whose labels are digits or English words; or a CSV
        file with the columns path, label and, optionally, speaker.
    name
        Name of the corpus: small letters, digits and hyphens; by default made from the folder's.
    taken
        Names of other corpora.

    Raises
    ------
    UnusableFolder
        If the folder or the name can't be used; the message says why and what to do.
    ValueError
        If the list of added corpora is damaged.
    OSError
        If the list can't be written.
    """
    place = Path(path).expanduser().absolute()
    if not place.exists():
        raise UnusableFolder(f"{place} does not exist.")
    if not place.is_dir() and place.suffix.lower() != ".csv":
        raise UnusableFolder(f"{place} is neither a folder nor a CSV file.")
    name = name or default_name(place)
    if not _NAME.fullmatch(name):
        raise UnusableFolder(f"{name!r} can't be the name of a corpus. Use up to 40 small letters, digits and hyphens.")
    from model.data.corpora.labelled import labelling_of  # late, as above

    labelling = labelling_of(place)
    count = len(labelling.speakers)
    by_speaker = count >= FEWEST_SPEAKERS and all(item.speaker for item in labelling.items.values())
    entry = Entry(name, str(place), str(labelling.modality), count, by_speaker)
    restore(entry, taken)
    return entry


def default_name(path: Path) -> str:
    """The name of a folder or table in small letters, digits and hyphens; empty if it has none of these."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40].strip("-")


def restore(entry: Entry, taken: Iterable[str] = ()) -> None:
    """Put an entry on the list; parameters and errors as of :func:`add_folder`."""
    with _locked():
        known = entries()
        if entry.name in taken or entry.name in {other.name for other in known}:
            raise UnusableFolder(f"There is a corpus called {entry.name} already. Choose another name.")
        _write([*known, entry])


def remove(name: str) -> Entry:
    """Remove an added folder from the list, and return its entry; its files stay.

    Raises ``ValueError`` for another name, and ``OSError``.
    """
    with _locked():
        known = entries()
        if name not in {entry.name for entry in known}:
            there = ", ".join(entry.name for entry in known) or "none"
            raise ValueError(f"{name!r} is not the name of an added corpus. Added ones: {there}.")
        _write([entry for entry in known if entry.name != name])
    return next(entry for entry in known if entry.name == name)


def corpora(taken: Iterable[str]) -> tuple[Mapping[str, type[Corpus]], str]:
    """The added corpora by name, except those whose names are taken, and what is wrong with the list, if anything."""
    try:
        known = entries()
    except ValueError as error:
        log.warning("%s", error)
        return {}, str(error)
    return {entry.name: entry.corpus() for entry in known if entry.name not in set(taken)}, ""


def _file() -> Path:
    return locations.data() / "corpora.json"


def _locked() -> FileLock:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file.with_name(f".{file.name}.lock"))


def _write(known: list[Entry]) -> None:
    content = {"format": _FORMAT, "corpora": [asdict(entry) for entry in known]}
    write_bytes_atomically(_file(), json.dumps(content, indent=1).encode())
