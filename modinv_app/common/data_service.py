"""Which corpora there are to learn from, and how to get one that is missing."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from model.data.corpora import CorpusInfo, find, infos
from model.types import Modality
from modinv_app.jobs.executor import SerialExecutor

log = logging.getLogger(__name__)

_TELL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class AvailableCorpus:
    """A corpus of speech that one can learn from: what it declares, and whether it is there."""

    info: CorpusInfo
    installed: bool

    @property
    def title(self) -> str:
        """What the window calls it where there is room."""
        return f"Human voices: {self.info.title}" if self.info.human else self.info.title


class DataService(QObject):
    """Looks for corpora and fetches them, in a thread of its own.

    Signals
    -------
    found(tuple of AvailableCorpus)
        The corpora of speech, installed or not.
    progressed(float or None)
        The share in [0, 1] of a download that is there; None while that is unknown or it is verified.
    ended(str)
        A download is over without a corpus: why, and what to do; empty if that was wanted. After a success there is
        ``found`` instead.
    """

    found = Signal(object)
    progressed = Signal(object)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = SerialExecutor("data", self)
        self._unwanted = threading.Event()

    def look(self) -> None:
        """Find out which corpora are installed."""
        self._lane.submit(_corpora, self.found.emit, self._broken)

    def download(self, name: str) -> None:
        """Fetch a corpus; one that was stopped goes on where it was."""
        self._unwanted.clear()
        tell = self._lane.relay(self.progressed.emit)

        def work() -> bool:
            from model.data.download import Downloading, Installed, Interrupted, download

            told = 0.0
            for progress in download(find(name).info, stop=self._unwanted.is_set):
                if isinstance(progress, Installed | Interrupted):
                    return isinstance(progress, Installed)
                share = progress.done / progress.total if isinstance(progress, Downloading) else None
                if share is None or time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    tell(share)
            raise AssertionError("A download ends with Installed or Interrupted.")

        self._lane.submit(work, self._downloaded, self._broken)

    def stop(self) -> None:
        """End the download; what has arrived is kept for the next."""
        self._unwanted.set()

    def close(self) -> None:
        """End the thread."""
        self.stop()
        self._lane.close()

    def _downloaded(self, installed: bool) -> None:
        if installed:
            self.look()
        else:
            self.ended.emit("")

    def _broken(self, error: Exception) -> None:
        log.warning("No corpus", exc_info=error)
        self.ended.emit(str(error) or type(error).__name__)


def _corpora() -> tuple[AvailableCorpus, ...]:
    return tuple(AvailableCorpus(info, find(info.name)().location() is not None) for info in infos(Modality.SPEECH))
