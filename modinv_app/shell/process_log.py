"""The log of the window's process, and how the windows before it ended.

Every process writes a file of its own, ``modinv.log``, or ``modinv-2.log`` if another window is open, and so on,
because none may rotate a file that another writes. A lock beside the file tells that it is taken. While its window is
open there is a file ``modinv.log.open``, too; if the lock is free, that window was never closed: its process crashed or
was killed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import logging.handlers
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from pathlib import Path

from filelock import FileLock, Timeout

from model import locations
from model.checkpoints import write_bytes_atomically
from model.parsing import parse, read_json

log = logging.getLogger("modinv")

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BYTES, _BACKUPS = 500_000, 2
_MOST_WINDOWS = 50
_TOLD = 20_000  # characters of the log that are shown after a crash
_OPENED = "Window opened"
_FATAL = ("Fatal Python error", "Windows fatal exception")


@dataclass(frozen=True, slots=True)
class Crash:
    """A window that was not closed.

    Attributes
    ----------
    log
        The log of its process.
    died
        Whether the log holds the trace of a crash; otherwise it was killed, or the machine went down.
    what, where
        What it trained and where that can be resumed, as of `modinv_app.common.page.Trainer`; empty if nothing.
    details
        What its process has logged since its start.
    """

    log: Path
    died: bool
    what: str
    where: str
    details: str

    @property
    def words(self) -> str:
        """What happened and what to do."""
        happened = (
            "The window crashed last time."
            if self.died
            else "The window was not closed last time: it was killed, or the computer stopped."
        )
        training = f", also of the {self.what} that was training: “Resume” continues it, under {self.where}"
        return (
            f"{happened} Everything that was saved is kept{training if self.what else ''}. "
            f"The log is {_without_home(str(self.log))}."
        )


@dataclass(frozen=True, slots=True)
class _OpenWindow:
    """The content of ``modinv.log.open``: what the window trains, as of `Crash`."""

    what: str = ""
    where: str = ""


class ProcessLog:
    """The log file of this process, from now on.

    Attributes
    ----------
    file
        The file.

    Raises
    ------
    OSError
        If it can't be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.file, self._lock = _free_file(folder)
        self._open = _open_mark(self.file)
        handler = _LogFile(self.file, maxBytes=_BYTES, backupCount=_BACKUPS, encoding="utf-8")
        handler.setFormatter(_PrivateFormatter(_FORMAT))
        logging.getLogger().addHandler(handler)
        log.setLevel(logging.INFO)

    def begin(self) -> list[Crash]:
        """Note that the window is open; the windows that were not closed before it, each of which is told once."""
        crashes = []
        for mark in sorted(self._folder.glob("modinv*.log.open")):
            with contextlib.suppress(OSError), self._unless_open(mark):
                crashes.append(_crash(mark))
                mark.unlink()
        log.info("%s: modinv %s, Python %s, %s", _OPENED, _version(), sys.version.split()[0], sys.platform)
        self.note_training("", "")
        return crashes

    def note_training(self, what: str, where: str) -> None:
        """Note what the window trains from now on, and where it can be resumed; empty if nothing."""
        content = json.dumps(asdict(_OpenWindow(what, where))).encode()
        with contextlib.suppress(OSError):  # a full disk: then a crash would not be told
            write_bytes_atomically(self._open, content)

    def end(self) -> None:
        """Note that the window was closed."""
        with contextlib.suppress(OSError):
            self._open.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _unless_open(self, mark: Path) -> Iterator[None]:
        """Hold the lock of a file; raises ``OSError`` if the window of another process is open."""
        if mark == self._open:
            yield
            return
        lock = _lock_of(mark.with_suffix(""))
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise OSError("it is open") from error
        try:
            yield
        finally:
            lock.release()


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file that also gets the tracebacks of crashes, which bypass Python's logging."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        faulthandler.enable(stream)
        return stream


class _PrivateFormatter(logging.Formatter):
    """Leaves out the names of the people who have made takes, which are folders, and of the user's home."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        with contextlib.suppress(OSError):
            people = [re.escape(folder.name) for folder in locations.takes().iterdir() if folder.is_dir()]
            if people:
                text = re.sub(rf"(?<!\w)({'|'.join(people)})(?!\w)", "(name)", text)
        return _without_home(text)


def log_to_stderr() -> None:
    """Log to the terminal, if there is one, including crashes."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    if sys.stderr is not None:  # it is on Windows without a console
        faulthandler.enable()


def _free_file(folder: Path) -> tuple[Path, FileLock]:
    """A log file that no other process writes, and its lock, which is held."""
    for number in range(1, _MOST_WINDOWS + 1):
        file = folder / ("modinv.log" if number == 1 else f"modinv-{number}.log")
        lock = _lock_of(file)
        with contextlib.suppress(Timeout):
            lock.acquire(blocking=False)
            return file, lock
    raise OSError("too many windows are open")


def _lock_of(file: Path) -> FileLock:
    return FileLock(file.with_name(f"{file.name}.lock"))


def _open_mark(file: Path) -> Path:
    return file.with_name(f"{file.name}.open")


def _crash(mark: Path) -> Crash:
    """What is known of a window that was not closed; raises ``OSError``."""
    try:
        window = parse(_OpenWindow, read_json(mark))
    except ValueError:
        window = _OpenWindow()
    file = mark.with_suffix("")
    text = file.read_text("utf-8", errors="replace") if file.exists() else ""
    details = text[text.rfind(_OPENED) :] if _OPENED in text else text
    died = any(sign in details for sign in _FATAL)
    return Crash(file, died, window.what, window.where, _without_home(details[-_TOLD:]))


def _without_home(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _version() -> str:
    try:
        return version("modinv")
    except PackageNotFoundError:  # run from a source tree
        return "from source"
