"""The corpora that are installed, and downloads of missing ones."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from model.data.corpora import CorpusInfo, find, registry
from model.types import Modality
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class AvailableCorpus:
    """A corpus of speech, and whether it is installed."""

    info: CorpusInfo
    installed: bool

    @property
    def title(self) -> str:
        """Its full name in the window."""
        return f"{self.info.voices}: {self.info.title}" if self.info.voices else self.info.title


class DataService(QObject):
    """Finds and downloads corpora in a thread of its own.

    Signals
    -------
    found(tuple of AvailableCorpus)
        The corpora of speech that are installed or obtainable.
    progressed(float or None)
        Fraction of a download that has arrived, in [0, 1]; None while that is unknown or the files are verified.
    ended(str)
        A download has ended without a corpus: why, and what to do; empty if it was stopped. After a success, ``found``
        is emitted instead.
    """

    found = Signal(object)
    progressed = Signal(object)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = SerialExecutor("data", self)
        self._unwanted = threading.Event()

    def refresh(self) -> None:
        """Find out which corpora are installed."""
        self._executor.submit(_corpora, self.found.emit, self._report_error)

    def download(self, name: str) -> None:
        """Download a corpus; a download that was stopped is resumed."""
        self._unwanted.clear()
        report = self._executor.relay(self.progressed.emit)

        def work() -> bool:
            from model.data.download import Downloading, Installed, Interrupted, download

            sent_at = 0.0
            for progress in download(find(name).info, stop=self._unwanted.is_set):
                if isinstance(progress, Installed | Interrupted):
                    return isinstance(progress, Installed)
                share = progress.done / progress.total if isinstance(progress, Downloading) else None
                if share is None or time.monotonic() - sent_at > _PROGRESS_SECONDS:
                    sent_at = time.monotonic()
                    report(share)
            raise AssertionError("A download ends with Installed or Interrupted.")

        self._executor.submit(work, self._downloaded, self._report_error)

    def stop(self) -> None:
        """Stop the download; what has arrived is kept."""
        self._unwanted.set()

    def close(self) -> None:
        """End the thread."""
        self.stop()
        self._executor.close()

    def _downloaded(self, installed: bool) -> None:
        if installed:
            self.refresh()
        else:
            self.ended.emit("")

    def _report_error(self, error: Exception) -> None:
        log.warning("A corpus could not be found or downloaded", exc_info=error)
        self.ended.emit(describe_error(error)[0])


def _corpora() -> tuple[AvailableCorpus, ...]:
    speech = [kind for kind in registry().values() if kind.info.modality is Modality.SPEECH]
    corpora = [AvailableCorpus(kind.info, kind().location() is not None) for kind in speech]
    return tuple(corpus for corpus in corpora if corpus.installed or corpus.info.obtainable)
