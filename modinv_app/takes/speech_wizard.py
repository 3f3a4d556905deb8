"""Listens to the room, then to one word after the other, hands-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from modinv_app.audio.backend import Samples
from modinv_app.audio.hands_free import Detector, HandsFree
from modinv_app.audio.player import Player
from modinv_app.audio.quality import all_zeros, background, problem_with
from modinv_app.audio.recorder import Recorder
from modinv_app.common.layouts import column
from modinv_app.common.level_meter import LevelMeter
from modinv_app.common.note import Note

State = Literal["idle", "measuring", "listening"]

_MEASURED = 1.2  # seconds of the room
_HINT = (
    "Press Start, then say each digit as it appears. After the first ten, Explore answers in your voice. "
    "All hundred take about two minutes."
)
_NOT_OPEN = "The microphone is not open yet."
_INSTEAD = "Meanwhile, draw your digits, or import a folder of recordings."


class SpeechWizard(QWidget):
    """Button, level meter and message of the recording.

    Parameters
    ----------
    recorder, player
        Microphone and loudspeaker: while something plays, nothing is recorded.
    make_detector
        Creates the utterance detector, in its thread.

    Signals
    -------
    started()
        The user wants to record.
    utterance(samples, rate)
        A usable recording of a word: ``(n,)`` float32 in [-1, 1], and Hz.
    """

    started = Signal()
    utterance = Signal(object, int)

    def __init__(
        self, recorder: Recorder, player: Player, make_detector: Callable[[], Detector], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._recorder = recorder
        self._hands_free = HandsFree(make_detector, self)
        self._state: State = "idle"
        self._room: list[Samples] = []
        self._noise = -90.0  # dBFS
        self._problem = ""
        self._done = False
        self.button = QPushButton("Start")
        self.button.setDefault(True)
        self.button.clicked.connect(self.toggle)
        self.button.setMinimumHeight(round(2.4 * self.fontMetrics().height()))
        font = self.button.font()
        font.setBold(True)
        self.button.setFont(font)
        self.meter = LevelMeter()
        self._words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._words.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._words.setAccessibleName("What to do")
        self._warning = Note()
        self._warning.setAccessibleName("Problem with the microphone")
        room = QWidget()  # of one height, so that nothing moves
        column(self._words, self._warning, None, parent=room, spacing=4)
        room.setMinimumHeight(round(4.3 * self.fontMetrics().lineSpacing()))
        column(self.meter, room, self.button, parent=self, spacing=8)

        recorder.level_changed.connect(self.meter.set_level)
        recorder.chunk.connect(self._take_chunk)
        recorder.running_changed.connect(self._running_changed)
        recorder.failed.connect(self._show)
        player.started.connect(self._hands_free.stop)
        player.finished.connect(self._listen_again)
        self._hands_free.hearing_changed.connect(self._show)
        self._hands_free.utterance.connect(self._check)
        self._hands_free.failed.connect(self._detector_failed)
        self._show()

    @property
    def state(self) -> State:
        """What it does: nothing, measure the room, or listen."""
        return self._state

    @property
    def message(self) -> str:
        """What it tells the user."""
        return self._warning.text() or self._words.text()

    def toggle(self) -> None:
        """Start, or pause."""
        if self._state != "idle":
            self.pause()
        elif self._recorder.running:
            self._problem, self._room = "", []
            self._state = "measuring"
            self.started.emit()
            self._show()

    def pause(self) -> None:
        """Stop listening."""
        self._state = "idle"
        self._hands_free.stop()
        self._show()

    def finish(self) -> None:
        """Stop listening, because all takes are there."""
        self._done = True
        self.pause()

    def go_on(self) -> None:
        """Note that takes are missing."""
        self._done = False
        self._show()

    def show_problem(self, words: str) -> None:
        """Show what is wrong with the last take, until the next one."""
        self._problem = words
        self._show()

    def close_detector(self) -> None:
        """End the detector's thread."""
        self._hands_free.close()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.pause()

    def _take_chunk(self, samples: Samples, rate: int) -> None:
        if self._state == "measuring":
            self._room.append(samples)
            if sum(map(len, self._room)) >= _MEASURED * rate:
                self._end_measuring(np.concatenate(self._room))
        elif self._state == "listening":
            self._hands_free.feed(samples, rate)

    def _end_measuring(self, room: Samples) -> None:
        self._room = []
        if not room.any():
            self._problem = all_zeros()
            self.pause()
            return
        self._noise, advice = background(room)
        self._problem = advice
        self._state = "listening"
        self._hands_free.start()
        self._show()

    def _listen_again(self) -> None:
        if self._state == "listening":
            self._hands_free.start()

    def _check(self, samples: Samples, rate: int) -> None:
        problem = problem_with(samples, len(samples) / rate, noise=self._noise)
        self._problem = "" if problem is None else problem.message
        self._show()
        if problem is None or problem.usable:
            self.utterance.emit(samples, rate)

    def _detector_failed(self, words: str) -> None:
        self._problem = words.replace("Hold the button instead.", "Record elsewhere, and import the folder.")
        self.pause()

    def _running_changed(self, running: bool) -> None:
        if not running:
            self.pause()
        self._show()

    def _show(self, _changed: object = None) -> None:
        ready = self._recorder.running
        self.button.setEnabled(ready)
        self.button.setText("Pause" if self._state != "idle" else "Another ten rounds" if self._done else "Start")
        missing = "" if ready else f"{self._recorder.problem or _NOT_OPEN} {_INSTEAD}"
        if self._state == "measuring":
            words = "Quiet, please: listening to the room…"
        elif self._state == "listening":
            words = "Hearing you…" if self._hands_free.hearing else "Listening: say the digit."
        else:
            words = "All takes are there. Try them on Explore." if self._done else _HINT
        self._words.setText("" if missing else words)
        self._words.setVisible(not missing)
        self._warning.show_text(missing or self._problem)
