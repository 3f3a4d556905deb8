"""Plays recordings of corpora by their keys, and sounds that are made for the moment."""

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
    """Loads recordings in a thread of its own and plays the latest.

    Signals
    -------
    playing_changed(str or None)
        The key of the utterance that plays from now on; ``None`` when it has ended.
    failed(str, str)
        A recording can't be played: why, and details to copy.
    """

    playing_changed = Signal(object)
    failed = Signal(str, str)

    def __init__(self, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._executor = SerialExecutor("utterances", self)
        self._wanted: str | None = None  # until it is loaded
        player.finished.connect(self._playback_ended)

    def play(self, key: str) -> None:
        """Play a recording by its key, see :func:`model.data.corpora.recording`."""
        self._wanted = key
        self._executor.submit(partial(recording, key), lambda sound: self._play(key, *sound), self._fail)

    def expect(self, key: str) -> None:
        """Have a sound that is made elsewhere played when it is delivered under this key, unless stopped until then."""
        self._wanted = key

    def deliver(self, key: str, samples: FloatArray, rate: int) -> None:
        """Play a sound, ``(n,)`` in [-1, 1] at ``rate`` Hz, if it is still expected."""
        self._play(key, samples, rate)

    def stop(self) -> None:
        """Stop playing, and cancel what is being loaded or expected."""
        self._wanted = None
        self._player.stop()

    def close(self) -> None:
        """End the thread without waiting for it."""
        self._executor.close(0)

    def _play(self, key: str, samples: FloatArray, rate: int) -> None:
        if key == self._wanted:
            self._wanted = None
            self._player.play(samples, rate)
            self.playing_changed.emit(key)

    def _playback_ended(self) -> None:
        if not self._player.playing:
            self.playing_changed.emit(None)

    def _fail(self, error: Exception) -> None:
        log.error("A recording can't be played", exc_info=error)
        self.failed.emit(*describe_error(error))
