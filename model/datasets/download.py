"""Corpora that users fetch themselves: resumable, verified, and in place only when whole."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from model import locations
from model.datasets.fsdd import Fsdd, recordings

_CHUNK = 1 << 16
_PATIENCE = 20.0  # seconds without a byte, after which a connection counts as broken
_DAMAGE = zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError


class DownloadFailed(OSError):
    """The corpus could not be got; the message says why and what to do. What has arrived is kept for the next try."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus comes from, and how to know it.

    Attributes
    ----------
    corpus, title, licence
        Its name here, its own, and what it may be used for.
    page
        For people.
    url
        Of a zip.
    size
        Bytes to expect; servers that pack on demand don't tell.
    recordings
        How many it holds.
    digest
        SHA-256 over the sorted lines ``"{name} {SHA-256 of the recording}\\n"``: it knows the recordings however
        they are packed.
    """

    corpus: str
    title: str
    licence: str
    page: str
    url: str
    size: int
    recordings: int
    digest: str

    def target(self, folder: Path | None = None) -> Path:
        """The file that it becomes in a folder of corpora, by default the user's."""
        return (folder or locations.data()) / self.corpus / "recordings.zip"


_PAGE = "https://github.com/Jakobovski/free-spoken-digit-dataset"

SOURCES: Mapping[str, Source] = {
    Fsdd.name: Source(
        corpus=Fsdd.name,
        title=Fsdd.title,
        licence=Fsdd.licence,
        page=_PAGE,
        url=f"{_PAGE}/archive/refs/tags/v1.0.10.zip",
        size=16_419_872,
        recordings=3000,
        digest="dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
    )
}
"""What can be fetched, by the corpus's name."""


@dataclass(frozen=True, slots=True)
class Downloading:
    """So many bytes are there, of about so many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Verifying:
    """All is there; it is being looked at."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not all is there; the next download goes on from here where the server lets it."""

    done: int


@dataclass(frozen=True, slots=True)
class Installed:
    """Verified and in place: ``fresh``, or there already."""

    path: Path
    fresh: bool


Progress = Downloading | Verifying | Stopped | Installed


def download(
    source: Source, folder: Path | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[Progress]:
    """Fetch a corpus into a folder of corpora. It ends with :class:`Installed` or, after ``stop``, :class:`Stopped`.

    Parameters
    ----------
    source
        What to fetch.
    folder
        Of corpora; by default the user's.
    stop
        Asked after every piece of 64 KiB.

    Raises
    ------
    DownloadFailed
        Without a connection or space, if what arrives is not the corpus, if another process is fetching it, or if
        another state of the corpus lies there, which nothing here deletes.
    """
    target = source.target(folder)
    present = Fsdd(folder).location()
    if present is not None:
        if is_genuine(source, present):
            yield Installed(present, fresh=False)
            return
        raise DownloadFailed(
            f"{present} does not hold the {source.recordings:,} official recordings. Delete it or move it away, then "
            "try again."
        )
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(part.with_suffix(".lock"), timeout=0):
            yield from _install(source, part, target, stop)
    except Timeout as error:
        raise DownloadFailed(f"{source.title} is being fetched already, by another process.") from error


def _install(source: Source, part: Path, target: Path, stop: Callable[[], bool]) -> Iterator[Progress]:
    """Fetch, verify, put in place. What went on from an earlier piece and turns out wrong is fetched once anew."""
    while True:
        resumed = part.exists()
        for progress in _fetch(source, part, stop):
            yield progress
            if isinstance(progress, Stopped):
                return
        yield Verifying()
        if is_genuine(source, part):
            part.replace(target)
            yield Installed(target, fresh=True)
            return
        part.unlink()
        if not resumed:
            raise DownloadFailed(
                f"What {source.url} sent is not {source.title} with its {source.recordings:,} recordings. Try again, "
                f"or get it from {source.page} yourself and put its folder 'recordings' into {target.parent}."
            )


def _fetch(source: Source, part: Path, stop: Callable[[], bool]) -> Iterator[Downloading | Stopped]:
    """Append to ``part`` what it lacks, or write it anew where the server can't send the rest alone."""
    have = part.stat().st_size if part.exists() else 0
    answer = _ask(source, have)
    if answer is None:
        return
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else source.size
        try:
            with part.open("ab" if have else "wb") as file:
                while piece := _piece(answer, source):
                    file.write(piece)
                    have += len(piece)
                    yield Downloading(have, max(have, total))
                    if stop():
                        yield Stopped(have)
                        return
                file.flush()
                os.fsync(file.fileno())
        except DownloadFailed:
            raise
        except OSError as error:
            free = shutil.disk_usage(part.parent).free / 1e6
            raise DownloadFailed(
                f"{part.parent} can't be written ({error.strerror}; {free:.0f} MB are free there). Make room, then try "
                "again."
            ) from error
        if length and have < total:
            raise _broken(source, "it ended early")


def _ask(source: Source, have: int) -> http.client.HTTPResponse | None:
    """The server's answer to a request for all but the first bytes; none where it has no more than these."""
    request = urllib.request.Request(source.url, headers={"User-Agent": "modinv"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        host = urllib.parse.urlsplit(source.url).hostname
        raise DownloadFailed(
            f"{host} answered {error.code} {error.reason}. Try again later, or get it from {source.page}."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _broken(source, getattr(error, "reason", error)) from error
    return answer


def _piece(answer: http.client.HTTPResponse, source: Source) -> bytes:
    """The next piece, empty at the end."""
    try:
        return answer.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _broken(source, error) from error


def _broken(source: Source, reason: object) -> DownloadFailed:
    host = urllib.parse.urlsplit(source.url).hostname
    return DownloadFailed(
        f"The connection to {host} failed ({reason}). Check the network and try again; what has arrived is kept."
    )


def is_genuine(source: Source, place: Path) -> bool:
    """Whether a folder or a zip holds the very recordings of the source, and no others."""
    try:
        found = {name: hashlib.sha256(content).hexdigest() for name, content in recordings(place)}
    except _DAMAGE:
        return False
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(found.items()))
    return hashlib.sha256(lines.encode()).hexdigest() == source.digest
