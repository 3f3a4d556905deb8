"""What the user has decided about items of corpora: to leave them out, or that they show another digit. Without torch.

Decisions lie beside the corpora, one file for each, never in them. `Corpus.load` applies them, so that training,
evaluation and pairs see the same; :meth:`~model.data.corpora.base.Corpus.published` gives the items as they were
published.

An item is identified by its name: the key of a recording, the description of a picture (``"MNIST train 412"``). A
decision is about what the item was at the time: it is ignored if the corpus gives the item another label since, or if
the picture is another one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from model import locations
from model.checkpoints import write_bytes_atomically
from model.data.takes import MY_DRAWINGS, MY_SPEECH
from model.errors import ModinvError
from model.parsing import loads, parse, read_bytes
from model.types import Rows

if TYPE_CHECKING:
    from model.data.samples import Samples

_FORMAT = "modinv-curation-1"
_DIGEST = re.compile(r"[0-9a-f]{16}|")
_MOST = 64 << 20  # bytes; decisions about all 280,000 images of EMNIST have 30 MB


class CurationError(ModinvError, ValueError):
    """Decisions can't be read or kept; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about one item.

    Attributes
    ----------
    published
        The label that the corpus gives it, 0 to 9.
    digest
        Of the picture, see :func:`digest`; empty for recordings.
    excluded
        Whether the item is left out.
    label
        The digit that it is said to be; ``None`` for the published one.
    """

    published: int
    digest: str = ""
    excluded: bool = False
    label: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.published <= 9 or not 0 <= (self.label or 0) <= 9:
            raise ValueError("a label is a digit from 0 to 9")
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError("a digest has 16 hexadecimal digits")

    @classmethod
    def about(cls, published: int, picture: npt.NDArray[Any] | None = None) -> Decision:
        """What leaves an item as it is: to be changed by the methods below.

        Parameters
        ----------
        published
            Its label in the corpus.
        picture
            As of :func:`digest`; ``None`` for a recording.
        """
        return cls(published, "" if picture is None else digest(picture))

    @property
    def relabelled(self) -> bool:
        """Whether it has another label than the published one."""
        return self.label not in (None, self.published)

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.excluded or self.relabelled

    @property
    def digit(self) -> int:
        """The label that counts."""
        return self.published if self.label is None else self.label

    def with_label(self, label: int) -> Decision:
        """The same with another label, which may be the published one."""
        return replace(self, label=None if label == self.published else label)

    def with_excluded(self, excluded: bool) -> Decision:
        """The same, left out or taken in again."""
        return replace(self, excluded=excluded)


class Change(NamedTuple):
    """A decision that was applied: the item's name and speaker, its published label and its new one.

    ``label`` is ``None`` for an item that is left out.
    """

    name: str
    speaker: str
    published: int
    label: int | None


def digest(picture: npt.NDArray[Any]) -> str:
    """Identifies a picture ``(28, 28)``, floats in [0, 1] or unsigned bytes, by its values in 256 steps."""
    values = picture if picture.dtype == np.uint8 else np.rint(255 * picture).astype(np.uint8)
    return hashlib.sha256(values.tobytes()).hexdigest()[:16]


def file_of(corpus: str) -> Path:
    """The file of the decisions about a corpus, which may not exist."""
    return locations.curation() / f"{quote(corpus, safe='')}.json"


def state(corpora: Iterable[str]) -> dict[str, str]:
    """Hashes of the decisions about corpora, by name; without those about which nothing is decided.

    For names of what is computed from corpora: they have to change with the decisions.
    """
    found = {}
    for corpus in corpora:
        try:
            found[corpus] = hashlib.sha256(read_bytes(file_of(corpus), _MOST)).hexdigest()
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            found[corpus] = "damaged"
    return found


def anything_decided() -> bool:
    """Whether there are decisions about any corpus; finding out is much faster than reading them."""
    return any(locations.curation().glob("*.json"))


def decisions(corpus: str) -> dict[str, Decision]:
    """The decisions about a corpus, by the names of items; raises :class:`CurationError` if the file is damaged."""
    file = file_of(corpus)
    try:
        return _parsed(read_bytes(file, _MOST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CurationError(
            f"What you have decided about items of {corpus} can't be read: {file} is damaged ({error}). Repair it, or "
            "move it away to use the corpus as it was published."
        ) from error


def decide(corpus: str, changes: Mapping[str, Decision]) -> dict[str, Decision]:
    """Keep decisions about items of a corpus, and return the former ones about these items, which undo them.

    Parameters
    ----------
    corpus
        Its name.
    changes
        Decisions by the names of items. One that changes nothing forgets what was decided.

    Raises
    ------
    CurationError
        If the corpus is one of the user's own takes, or the file is damaged, which stays as it is, or can't be written.
    """
    if corpus in (MY_SPEECH, MY_DRAWINGS):
        raise CurationError("Your own takes are relabelled and left out on the page My digits.")
    file = file_of(corpus)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            known = decisions(corpus)
            kept = {name: one for name, one in {**known, **changes}.items() if one.changes}
            _write(file, kept)
    except OSError as error:
        raise CurationError(
            f"What you decide about items of {corpus} can't be kept: {error.strerror or error} ({file.parent})."
        ) from error
    return {name: known.get(name) or Decision(one.published, one.digest) for name, one in changes.items()}


def names_of(samples: Samples) -> tuple[str, ...]:
    """The names by which items are identified, in their order."""
    return samples.keys or samples.sources


def in_force(
    names: Iterable[str],
    labels: npt.NDArray[np.integer],
    pictures: Rows | None,
    known: Mapping[str, Decision],
) -> dict[int, Decision]:
    """The decisions that hold for items as they were published, by position; those about former items are ignored.

    Parameters
    ----------
    names, labels
        Of ``n`` items.
    pictures
        ``(n, 28, 28)``; ``None`` for recordings.
    known
        Decisions by name.
    """
    found = {place: known[name] for place, name in enumerate(names) if name in known} if known else {}
    return {
        place: one
        for place, one in found.items()
        if one.published == labels[place] and (pictures is None or one.digest == digest(pictures[place]))
    }


def curated(samples: Samples, known: Mapping[str, Decision]) -> Samples:
    """Items as they were published, without those that are left out, and with the labels that the user gave."""
    if not known:
        return samples
    names, labels = names_of(samples), samples.labels.copy()
    found = in_force(names, samples.labels, None if samples.keys else samples.features, known)
    if not found:
        return samples
    for place, one in found.items():
        labels[place] = one.digit
    kept = np.ones(len(samples), np.bool_)
    kept[[place for place, one in found.items() if one.excluded]] = False
    changes = tuple(
        Change(
            names[place],
            samples.speakers[place] if samples.speakers else "",
            one.published,
            None if one.excluded else one.digit,
        )
        for place, one in found.items()
    )
    relabelled = replace(samples, labels=labels)
    chosen = relabelled if bool(kept.all()) else relabelled.only(np.flatnonzero(kept).tolist())
    return replace(chosen, changes=changes)


def tally(changes: Iterable[Change]) -> dict[str, int]:
    """How many items are ``excluded`` and ``relabelled``; empty if none."""
    labels = [change.label for change in changes]
    excluded = labels.count(None)
    return {"excluded": excluded, "relabelled": len(labels) - excluded} if labels else {}


def hash_of(changes: Iterable[Change]) -> str:
    """Identifies changes, whatever their order."""
    made = sorted((one.name, one.published, -1 if one.label is None else one.label) for one in changes)
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()


def count(known: Iterable[Decision]) -> dict[str, int]:
    """How many items are ``excluded``, and how many others ``relabelled``."""
    made = [one for one in known if one.changes]
    excluded = sum(one.excluded for one in made)
    return {"excluded": excluded, "relabelled": len(made) - excluded}


def in_words(counts: Mapping[str, Any]) -> str:
    """``"3 left out, 2 relabelled"``; empty if there are none."""
    words = {"excluded": "left out", "relabelled": "relabelled"}
    known = {said: counts.get(name) for name, said in words.items()}
    return ", ".join(f"{count:,} {said}" for said, count in known.items() if count and isinstance(count, int))


def _parsed(content: bytes) -> dict[str, Decision]:
    values = loads(content)
    if not isinstance(values, Mapping) or values.get("format") != _FORMAT:
        raise ValueError("it has another format")
    return parse(dict[str, Decision], values.get("decisions"), "the list of decisions")


def _write(file: Path, kept: Mapping[str, Decision]) -> None:
    """Replace the file; without decisions there is none. Raises ``OSError``, and :class:`CurationError`."""
    if not kept:
        file.unlink(missing_ok=True)
        return
    # Sorted, so that the same decisions have the same hash.
    values = {"format": _FORMAT, "decisions": {name: asdict(kept[name]) for name in sorted(kept)}}
    content = json.dumps(values, indent=1).encode()
    try:
        if len(content) > _MOST:
            raise ValueError("there would be too many decisions")
        _parsed(content)
    except ValueError as error:  # such as a file name that is no text
        raise CurationError(f"This can't be decided: {error}.") from error
    write_bytes_atomically(file, content)
