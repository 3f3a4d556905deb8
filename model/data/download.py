"""Corpora that users fetch themselves: resumable, verified, and in place only when whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from model.data.corpora import CorpusInfo, MissingData, registry
from model.data.corpora.base import Source
from model.data.recordings import matching
from model.data.transfer import Refused, TooLarge, Transfer, TransferFailed, Unwanted
from model.errors import ModinvError


class DownloadFailed(ModinvError, OSError):
    """The corpus could not be got; the message says why and what to do. What has arrived is kept for the next try."""


def sources() -> dict[str, CorpusInfo]:
    """What can be fetched, by the corpus's name."""
    return {name: kind.info for name, kind in registry().items() if kind.info.source}


def _source(corpus: CorpusInfo) -> Source:
    assert corpus.source is not None, f"{corpus.name} can't be fetched"
    return corpus.source


@dataclass(frozen=True, slots=True)
class Downloading:
    """So many bytes are there, of about so many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Verifying:
    """All is there; it is being looked at."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Not all is there; the next download goes on from here where the server lets it."""

    done: int


@dataclass(frozen=True, slots=True)
class Installed:
    """Verified and in place: ``fresh``, or there already."""

    path: Path
    fresh: bool


RunStatus = Downloading | Verifying | Interrupted | Installed


def download(
    corpus: CorpusInfo, folder: Path | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[RunStatus]:
    """Fetch a corpus into a folder of corpora; the last event is `Installed` or, after ``stop``, `Interrupted`.

    Parameters
    ----------
    corpus
        What to fetch, with a source.
    folder
        Of corpora; by default the user's.
    stop
        Asked ten times a second and after every piece, also while the server is silent.

    Raises
    ------
    DownloadFailed
        Without a connection or space, if what arrives is not the corpus, if another process is fetching it, or if
        another state of the corpus lies there, which nothing here deletes.
    """
    here = registry()[corpus.name](folder)
    target = here.home / "recordings.zip"
    present = here.location()
    if present is not None:
        if is_genuine(corpus, present):
            yield Installed(present, fresh=False)
            return
        raise DownloadFailed(
            f"{present} does not hold the {_source(corpus).recordings:,} official recordings. Delete it or move it "
            "away, then try again."
        )
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(part.with_suffix(".lock"), timeout=0):
            yield from _install(corpus, part, target, stop)
    except Timeout as error:
        raise DownloadFailed(f"{corpus.title} is being fetched already, by another process.") from error


def _install(corpus: CorpusInfo, part: Path, target: Path, stop: Callable[[], bool]) -> Iterator[RunStatus]:
    """Fetch, verify, put in place. What went on from an earlier piece and turns out wrong is fetched once anew."""
    while True:
        resumed = part.exists()
        try:
            for progress in _fetch(corpus, part, stop):
                yield progress
                if isinstance(progress, Interrupted):
                    return
            yield Verifying()
            genuine = is_genuine(corpus, part)
        except TooLarge:
            genuine = False
        if genuine:
            part.replace(target)
            yield Installed(target, fresh=True)
            return
        part.unlink(missing_ok=True)
        if not resumed:
            raise DownloadFailed(
                f"What {_source(corpus).url} sent is not {corpus.title} with its {_source(corpus).recordings:,} "
                f"recordings. Try again, or get it from {corpus.origin} yourself and put {corpus.layout} into "
                f"{target.parent}."
            )


def _fetch(corpus: CorpusInfo, part: Path, stop: Callable[[], bool]) -> Iterator[Downloading | Interrupted]:
    """Append to ``part`` what it lacks, or write it anew where the server can't send the rest alone.

    Raises :class:`DownloadFailed`, and :class:`TooLarge` where it can't be what it should be.
    """
    source = _source(corpus)
    have = part.stat().st_size if part.exists() else 0
    host = urllib.parse.urlsplit(source.url).hostname
    try:
        with closing(Transfer(source.url, have, 4 * source.size, stop)) as transfer:
            opening = transfer.opening()
            have = opening.start
            total = source.size if opening.length is None else have + opening.length
            with part.open("ab" if have else "wb") as file:
                for piece in transfer.pieces():
                    file.write(piece)
                    have += len(piece)
                    yield Downloading(have, max(have, total))
                file.flush()
                os.fsync(file.fileno())
    except Unwanted:
        yield Interrupted(have)
    except TooLarge:
        raise
    except Refused as error:
        raise DownloadFailed(f"{host} answered {error}. Try again later, or get it from {corpus.origin}.") from error
    except TransferFailed as error:
        raise DownloadFailed(
            f"The connection to {host} failed ({error}). Check the network and try again; what has arrived is kept."
        ) from error
    except OSError as error:
        free = shutil.disk_usage(part.parent).free / 1e6
        raise DownloadFailed(
            f"{part.parent} can't be written ({error.strerror}; {free:.0f} MB are free there). Make room, then try "
            "again."
        ) from error


def is_genuine(corpus: CorpusInfo, place: Path) -> bool:
    """Whether a folder or a zip holds the very recordings of the corpus's source, and no others."""
    source = _source(corpus)
    try:
        with matching(place, source.names) as found:
            if (len(found), sum(file.size for file in found.values())) != (source.recordings, source.unpacked):
                return False
            digests = {name: hashlib.sha256(file.read()).hexdigest() for name, file in found.items()}
    except MissingData:
        return False
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest() == source.digest
