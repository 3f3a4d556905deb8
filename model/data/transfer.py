"""Fetching one file by HTTP from a server that may be silent, slow, endless or wrong; or the rest of it."""

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
_PATIENCE = 30.0  # seconds to wait for the next kilobyte, after which a connection counts as broken
_LEAST = 1 << 10
_TICK = 0.1
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)", re.ASCII)


class TransferFailed(ModinvError, OSError):
    """The server can't be reached, or doesn't send what it should; the message says in a few words what happened."""


class Refused(TransferFailed):
    """The server answered that there is nothing to be had."""


class TooLarge(TransferFailed):
    """There is more than there may be."""


class Unwanted(Exception):
    """Whoever wanted the file wants it no more."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a server says before it sends.

    Attributes
    ----------
    start
        Place of the first byte that it sends.
    length
        How many bytes there are from there on, ``None`` where it doesn't tell.
    """

    start: int
    length: int | None


class Transfer:
    """A request that is made and answered in a thread of its own, so that even a silent server can be left at once.

    Parameters
    ----------
    url
        Of the file, ``https`` or ``http``.
    start
        How much of it is there already.
    most
        Bytes that the whole file may have.
    stop
        Asked at least ten times a second.

    All methods raise :class:`TransferFailed`, and :class:`Unwanted` once ``stop`` says so.
    """

    def __init__(self, url: str, start: int, most: int, stop: Callable[[], bool]) -> None:
        self._url, self._start, self._most, self._stop = url, start, most, stop
        self._arrived: SimpleQueue[Opening | bytes | Exception] = SimpleQueue()  # never more than ``most`` bytes
        self._closed = threading.Event()
        self._waited, self._got = 0.0, 0  # seconds, and the bytes that came in them
        threading.Thread(target=self._work, name="transfer", daemon=True).start()

    def opening(self) -> Opening:
        """What the server says first; its ``start`` may be 0 where it can't, or won't, send the rest alone."""
        opening = self._next()
        assert isinstance(opening, Opening)
        return opening

    def pieces(self) -> Iterator[bytes]:
        """What it sends then, of any sizes."""
        while piece := self._next():
            assert isinstance(piece, bytes)
            yield piece

    def close(self) -> None:
        """Nobody listens any more."""
        self._closed.set()

    def _next(self) -> Opening | bytes:
        while True:
            begun = time.monotonic()
            try:
                item = self._arrived.get(timeout=_TICK)
            except Empty:
                item = None
            if self._stop():
                raise Unwanted
            if isinstance(item, Exception):
                raise item
            self._waited += time.monotonic() - begun
            self._got += len(item) if isinstance(item, bytes) else 0
            if self._got >= _LEAST or isinstance(item, Opening):
                self._waited, self._got = 0.0, 0
            if self._waited > _PATIENCE:
                raise TransferFailed(f"hardly anything came for {_PATIENCE:.0f} seconds")
            if item is not None:
                return item

    def _work(self) -> None:
        try:
            answer = _ask(self._url, self._start)
            if answer is None:  # the server has no more than what is there
                self._arrived.put(Opening(self._start, 0))
                self._arrived.put(b"")
                return
            with answer:
                self._receive(answer)
        except TransferFailed as error:
            self._arrived.put(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._arrived.put(TransferFailed(str(getattr(error, "reason", error)) or type(error).__name__))

    def _receive(self, answer: http.client.HTTPResponse) -> None:
        have = self._start if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        end = None if answer.length is None else have + answer.length
        if end is not None and end > self._most:
            raise TooLarge(f"it would send {end:,} bytes")
        self._arrived.put(Opening(have, answer.length))
        while (piece := answer.read1(_PIECE)) and not self._closed.is_set():
            have += len(piece)
            if have > self._most:
                raise TooLarge(f"it sent more than {self._most:,} bytes")
            self._arrived.put(piece)
        if end is not None and have < end:
            raise TransferFailed("it ended early")
        self._arrived.put(b"")


def _ask(url: str, start: int) -> http.client.HTTPResponse | None:
    """The answer to a request for all but the first bytes, or for all where that fails; none where there is no more."""
    request = urllib.request.Request(url, headers={"User-Agent": "modinv"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer: http.client.HTTPResponse = _OPENER.open(request, timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise Refused(f"{error.code} {error.reason}") from error
    if answer.status == http.HTTPStatus.OK or (start and _goes_on(answer, start)):
        return answer
    answer.close()
    if start:
        return _ask(url, 0)
    raise Refused(f"{answer.status} {answer.reason}")


def _goes_on(answer: http.client.HTTPResponse, start: int) -> bool:
    """Whether an answer holds what was asked for: all from there on."""
    sent = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT or sent is None or int(sent[1]) != start:
        return False
    return answer.length in (None, int(sent[2]) - start + 1)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to another one, but neither away from HTTP nor from encryption."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fp.close()  # what comes with it would be read, however long it is
        if urllib.parse.urlsplit(newurl).scheme not in ("https", urllib.parse.urlsplit(req.full_url).scheme):
            raise TransferFailed(f"it leads to {newurl}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SafeRedirects)
