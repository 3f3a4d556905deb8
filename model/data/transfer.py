"""Resumable HTTP download of a file from an untrusted server."""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO

from model.errors import ModinvError

_PIECE = 1 << 16
_TIMEOUT = 30.0  # seconds without a further kilobyte, after which the connection counts as broken
_MIN_BYTES = 1 << 10
_TICK = 0.1
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)", re.ASCII)


class TransferFailed(ModinvError, OSError):
    """The server can't be reached or sends invalid data; the message says in a few words what happened."""


class Refused(TransferFailed):
    """The server answered with an error."""


class TooLarge(TransferFailed):
    """The file is larger than allowed."""


class Stopped(Exception):
    """The transfer was stopped by its caller."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Position of the first byte that a server sends, and the number of bytes, if known."""

    start: int
    length: int | None


class Transfer:
    """A request in a separate thread, so that it can be stopped at once even if the server is silent.

    Parameters
    ----------
    url
        URL of the file, ``https`` or ``http``.
    start
        Number of bytes already received.
    most
        Maximum size of the whole file in bytes.
    stop
        Called at least ten times a second.

    All methods raise :class:`TransferFailed`, and :class:`Stopped` once ``stop`` returns true.
    """

    def __init__(self, url: str, start: int, most: int, stop: Callable[[], bool]) -> None:
        self._url, self._start, self._most, self._stop = url, start, most, stop
        self._queue: SimpleQueue[Opening | bytes | Exception] = SimpleQueue()  # never more than ``most`` bytes
        self._closed = threading.Event()
        self._waited, self._received = 0.0, 0  # seconds since the last kilobyte, and bytes since then
        threading.Thread(target=self._work, name="transfer", daemon=True).start()

    def opening(self) -> Opening:
        """Wait for the response; its ``start`` is 0 if the server can't resume."""
        opening = self._next()
        assert isinstance(opening, Opening)
        return opening

    def pieces(self) -> Iterator[bytes]:
        """The content, in pieces of any size."""
        while piece := self._next():
            assert isinstance(piece, bytes)
            yield piece

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()

    def _next(self) -> Opening | bytes:
        while True:
            begun = time.monotonic()
            try:
                item = self._queue.get(timeout=_TICK)
            except Empty:
                item = None
            if self._stop():
                raise Stopped
            if isinstance(item, Exception):
                raise item
            self._waited += time.monotonic() - begun
            self._received += len(item) if isinstance(item, bytes) else 0
            if self._received >= _MIN_BYTES or isinstance(item, Opening):
                self._waited, self._received = 0.0, 0
            if self._waited > _TIMEOUT:
                raise TransferFailed(f"almost nothing was received for {_TIMEOUT:.0f} seconds")
            if item is not None:
                return item

    def _work(self) -> None:
        try:
            answer = _ask(self._url, self._start)
            if answer is None:  # the file is complete already
                self._queue.put(Opening(self._start, 0))
                self._queue.put(b"")
                return
            with answer:
                self._receive(answer)
        except TransferFailed as error:
            self._queue.put(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._queue.put(TransferFailed(str(getattr(error, "reason", error)) or type(error).__name__))

    def _receive(self, answer: http.client.HTTPResponse) -> None:
        have = self._start if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        end = None if answer.length is None else have + answer.length
        if end is not None and end > self._most:
            raise TooLarge(f"it would send {end:,} bytes")
        self._queue.put(Opening(have, answer.length))
        while (piece := answer.read1(_PIECE)) and not self._closed.is_set():
            have += len(piece)
            if have > self._most:
                raise TooLarge(f"it sent more than {self._most:,} bytes")
            self._queue.put(piece)
        if end is not None and have < end:
            raise TransferFailed("it ended early")
        self._queue.put(b"")


def _ask(url: str, start: int) -> http.client.HTTPResponse | None:
    """Request the file from a position on, or all of it if that fails; ``None`` if it has no more bytes."""
    request = urllib.request.Request(url, headers={"User-Agent": "modinv"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer: http.client.HTTPResponse = _OPENER.open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise Refused(f"{error.code} {error.reason}") from error
    if answer.status == http.HTTPStatus.OK or (start and _resumes(answer, start)):
        return answer
    answer.close()
    if start:
        return _ask(url, 0)
    raise Refused(f"{answer.status} {answer.reason}")


def _resumes(answer: http.client.HTTPResponse, start: int) -> bool:
    """Whether a response contains everything from the requested position on."""
    sent = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT or sent is None or int(sent[1]) != start:
        return False
    return answer.length in (None, int(sent[2]) - start + 1)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but only by HTTP, and never from HTTPS to HTTP."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fp.close()  # otherwise its content would be read, whatever its length
        if urllib.parse.urlsplit(newurl).scheme not in ("https", urllib.parse.urlsplit(req.full_url).scheme):
            raise TransferFailed(f"it redirects to {newurl}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SafeRedirects)
