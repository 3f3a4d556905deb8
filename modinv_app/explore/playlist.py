"""Plays utterances one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer, Signal

from modinv_app.explore.query_controller import QueryController
from modinv_app.explore.state import AppState

_PAUSE_MS = 150  # between two utterances; whatever else begins to play meanwhile ends the list


class Playlist(QObject):
    """A list of utterances of the gallery that plays until it ends, is stopped, or something else is played.

    Signals
    -------
    changed(bool)
        The list plays from now on, or has ended.
    turned(int)
        The gallery index of the utterance that plays next.
    """

    changed = Signal(bool)
    turned = Signal(int)

    def __init__(self, state: AppState, queries: QueryController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queries = queries
        self._waiting: deque[int] = deque()
        self._current: int | None = None
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._go_on)
        state.playing_changed.connect(self._follow)
        state.gallery_changed.connect(self.stop)
        queries.stopped.connect(self.stop)

    @property
    def running(self) -> bool:
        """Whether the list plays."""
        return self._current is not None

    def play(self, indices: Iterable[int]) -> None:
        """Play these utterances, by their gallery indices."""
        self.stop()
        self._waiting = deque(indices)
        self._go_on()
        if self.running:
            self.changed.emit(True)

    def stop(self) -> None:
        """Play no more of the list; what plays at the moment goes on."""
        self._pause.stop()
        self._waiting.clear()
        if self.running:
            self._current = None
            self.changed.emit(False)

    def _go_on(self) -> None:
        if not self._waiting:
            self.stop()
            return
        self._current = self._waiting.popleft()
        self.turned.emit(self._current)
        self._queries.play(self._current)

    def _follow(self, playing: int | None) -> None:
        if not self.running:
            return
        if playing is None:
            self._pause.start()
        elif playing == self._current:
            self._pause.stop()
        else:
            self.stop()
