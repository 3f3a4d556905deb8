"""Hands-free speaking: a detector finds utterances, in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from modinv_app.audio.backend import Samples
from modinv_app.jobs.executor import SerialExecutor

_log = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNKS_WAITING = 80  # two seconds: answers of a detector that far behind would come too late


class Detector(Protocol):
    """Finds utterances in a stream of sound, such as `model.data.speech.UtteranceDetector`."""

    @property
    def active(self) -> bool:
        """Whether somebody is speaking now."""

    def feed(self, samples: Samples, rate: int) -> Sequence[Samples]:
        """Process ``(n,)`` samples; the utterances ``(m,)`` that have ended, at the same rate."""

    def reset(self) -> None:
        """Forget earlier samples."""


class HandsFree(QObject):
    """Runs a detector on the microphone's samples.

    Signals
    -------
    ready
        The detector is loaded and running.
    hearing_changed(bool)
        Somebody has started, or stopped, speaking.
    utterance(samples, rate)
        A whole utterance: ``(n,)`` float32 in [-1, 1], and Hz.
    failed(str)
        The detector can't work and has stopped.
    """

    ready = Signal()
    hearing_changed = Signal(bool)
    utterance = Signal(object, int)
    failed = Signal(str)

    def __init__(self, make_detector: Callable[[], Detector], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_detector = make_detector
        self._detector: Detector | None = None  # used by the thread only
        self._executor: SerialExecutor | None = None
        self._running = False
        self._hearing = False
        self._session = 0  # results of earlier sessions are dropped
        self._waiting = 0

    @property
    def running(self) -> bool:
        """Whether it is running or starting."""
        return self._running

    @property
    def hearing(self) -> bool:
        """Whether somebody is speaking now."""
        return self._hearing

    @Slot()
    def start(self) -> None:
        """Load the detector if necessary, and start."""
        if self._running:
            return
        self._running = True
        if self._executor is None:
            self._executor = SerialExecutor("hands-free", self)
        self._submit(self._prepare, lambda _nothing: self.ready.emit())

    @Slot()
    def stop(self) -> None:
        """Stop; an unfinished utterance is dropped."""
        self._running = False
        self._forget()

    def begin_again(self) -> None:
        """Drop an unfinished utterance, because what follows does not belong to it."""
        if self._running:
            self._forget()
            self._submit(self._prepare, lambda _nothing: None)

    @Slot(object, int)
    def feed(self, samples: Samples, rate: int) -> None:
        """Process ``(n,)`` samples of the microphone."""
        if not self._running:
            return
        if self._waiting >= _CHUNKS_WAITING:
            _log.warning("the utterance detector is too slow: two seconds of sound are dropped")
            self.begin_again()
        self._waiting += 1
        self._submit(lambda: self._detect(samples, rate), lambda found: self._detected(*found, rate))

    def close(self) -> None:
        """End the thread."""
        self.stop()
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def _submit(self, job: Callable[[], T], done: Callable[[T], None]) -> None:
        """Run a job in the thread; job and result are dropped if the session has ended by then."""
        assert self._executor is not None
        session = self._session

        def run() -> T | None:
            return job() if session == self._session else None

        def answer(result: T | None) -> None:
            if session == self._session and result is not None:
                done(result)

        def fail(error: Exception) -> None:
            if session == self._session:
                _log.error("hands-free failed", exc_info=error)
                self.stop()
                self.failed.emit(f"Hands-free does not work here ({error}). Hold the button instead.")

        self._executor.submit(run, answer, fail)

    def _forget(self) -> None:
        self._session += 1
        self._waiting = 0
        self._set_hearing(False)

    def _prepare(self) -> bool:
        """In the thread: load or reset the detector."""
        if self._detector is None:
            self._detector = self._make_detector()
        self._detector.reset()
        return True

    def _detect(self, samples: Samples, rate: int) -> tuple[list[Samples], bool]:
        """In the thread: the utterances that have ended, and whether one is going on."""
        assert self._detector is not None
        return list(self._detector.feed(samples, rate)), self._detector.active

    def _detected(self, utterances: list[Samples], active: bool, rate: int) -> None:
        self._waiting -= 1
        for utterance in utterances:
            self.utterance.emit(utterance, rate)
        self._set_hearing(active)

    def _set_hearing(self, hearing: bool) -> None:
        if hearing != self._hearing:
            self._hearing = hearing
            self.hearing_changed.emit(hearing)
