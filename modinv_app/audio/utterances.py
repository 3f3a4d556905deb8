"""Plays recordings of corpora: whoever wants to hear an utterance, on any page, says its key."""

from __future__ import annotations

import logging
from functools import partial

from PySide6.QtCore import QObject, Signal

from model.data.corpora import recording
from model.types import FloatArray
from modinv_app.audio.player import Player
from modinv_app.jobs.executor import SerialExecutor, describe_error

log = logging.getLogger(__name__)


class UtterancePlayer(QObject):
    """Finds recordings in a thread of its own and plays them, one at a time; of two, the one asked for last.

    Signals
    -------
    playing_changed(str or None)
        The key of the utterance that sounds from now on; ``None``: it is over.
    failed(str, str)
        A recording can't be played: why, and details to copy.
    """

    playing_changed = Signal(object)
    failed = Signal(str, str)

    def __init__(self, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._lane = SerialExecutor("utterances", self)
        self._wanted: str | None = None  # until it is loaded
        player.finished.connect(self._fell_silent)

    def play(self, key: str) -> None:
        """Play a recording, by its key as of :func:`model.data.corpora.recording`."""
        self._wanted = key
        self._lane.submit(partial(recording, key), lambda sound: self._play(key, *sound), self._fail)

    def stop(self) -> None:
        """Fall silent, and forget what was about to sound."""
        self._wanted = None
        self._player.stop()

    def close(self) -> None:
        """End the thread without waiting for it."""
        self._lane.close(0)

    def _play(self, key: str, samples: FloatArray, rate: int) -> None:
        if key == self._wanted:
            self._wanted = None
            self._player.play(samples, rate)
            self.playing_changed.emit(key)

    def _fell_silent(self) -> None:
        if not self._player.playing:
            self.playing_changed.emit(None)

    def _fail(self, error: Exception) -> None:
        log.error("A recording can't be played", exc_info=error)
        self.failed.emit(*describe_error(error))
