"""Downloads of corpora: resumable, verified, and installed only when complete."""

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
from model.data.transfer import Refused, Stopped, TooLarge, Transfer, TransferFailed
from model.errors import ModinvError


class DownloadFailed(ModinvError, OSError):
    """A download failed; the message says why and what to do. Received data are kept for the next attempt."""


def sources() -> dict[str, CorpusInfo]:
    """The corpora that can be downloaded, by name."""
    return {name: kind.info for name, kind in registry().items() if kind.info.source}


def _source(corpus: CorpusInfo) -> Source:
    assert corpus.source is not None, f"{corpus.name} can't be downloaded"
    return corpus.source


@dataclass(frozen=True, slots=True)
class Downloading:
    """``done`` bytes of about ``total`` were received."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Verifying:
    """The download is complete and being verified."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The download was stopped; the next one resumes it if the server supports that."""

    done: int


@dataclass(frozen=True, slots=True)
class Installed:
    """The corpus is verified and installed; ``fresh`` if by this download."""

    path: Path
    fresh: bool


Event = Downloading | Verifying | Interrupted | Installed


def download(
    corpus: CorpusInfo, folder: Path | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """Download a corpus; the last event is `Installed` or, after ``stop``, `Interrupted`.

    Parameters
    ----------
    corpus
        A corpus with a source.
    folder
        Folder of the corpora; by default the user's.
    stop
        Called ten times a second and after each received piece; true stops the download.

    Raises
    ------
    DownloadFailed
        Without a connection or disk space, if the received file is not the corpus, if another process is downloading
        it, or if another version of the corpus is installed.
    """
    installed = registry()[corpus.name](folder)
    target = installed.home / "recordings.zip"
    present = installed.location()
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
        raise DownloadFailed(f"{corpus.title} is already being downloaded by another process.") from error


def _install(corpus: CorpusInfo, part: Path, target: Path, stop: Callable[[], bool]) -> Iterator[Event]:
    """Download, verify and install. If a resumed download is wrong, it is repeated once from the start."""
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
    """Append the missing data to ``part``, or overwrite it if the server can't resume.

    Raises :class:`DownloadFailed`, and :class:`TooLarge` if the file can't be the corpus.
    """
    source = _source(corpus)
    received = part.stat().st_size if part.exists() else 0
    host = urllib.parse.urlsplit(source.url).hostname
    try:
        with closing(Transfer(source.url, received, 4 * source.size, stop)) as transfer:
            opening = transfer.opening()
            received = opening.start
            total = source.size if opening.length is None else received + opening.length
            with part.open("ab" if received else "wb") as file:
                for piece in transfer.pieces():
                    file.write(piece)
                    received += len(piece)
                    yield Downloading(received, max(received, total))
                file.flush()
                os.fsync(file.fileno())
    except Stopped:
        yield Interrupted(received)
    except TooLarge:
        raise
    except Refused as error:
        raise DownloadFailed(f"{host} answered {error}. Try again later, or get it from {corpus.origin}.") from error
    except TransferFailed as error:
        raise DownloadFailed(
            f"The connection to {host} failed ({error}). Check the network and try again; received data are kept."
        ) from error
    except OSError as error:
        free = shutil.disk_usage(part.parent).free / 1e6
        raise DownloadFailed(
            f"{part.parent} can't be written ({error.strerror}; {free:.0f} MB are free there). Make room, then try "
            "again."
        ) from error


def is_genuine(corpus: CorpusInfo, place: Path) -> bool:
    """Whether a folder or a zip contains exactly the recordings of the corpus's source."""
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
