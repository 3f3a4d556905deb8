"""A person at the window: draws, speaks and listens on a rehearsed sound card, and reads what is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pens import place
from PySide6.QtCore import QAbstractAnimation, QEventLoop, QMimeData, QPoint, QPointF, QSettings, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from model import locations
from model.data.corpora import recording
from model.data.corpora.voices import Voices
from model.data.speech import resample
from model.types import Item, Modality
from modinv_app.app import Application
from modinv_app.audio.backend import AudioUnavailable, Backend, Fill
from modinv_app.audio.portaudio import NO_MICROPHONE
from modinv_app.audio.simulated import RATE, SimulatedSound
from modinv_app.common.canvas import Canvas
from modinv_app.explore.match_view import MatchView
from modinv_app.explore.spectrogram_view import SpectrogramView

SEVEN = json.loads((locations.assets() / "self_check" / "seven.json").read_text("utf-8"))
"""The strokes of a seven, in the unit square."""


class AudibleSound(SimulatedSound):
    """A rehearsed sound card whose loudspeaker can be heard."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: list[np.ndarray] = []

    @property
    def heard(self) -> np.ndarray:
        """What the loudspeaker has played so far, at 48 kHz."""
        return np.concatenate([np.zeros(0, np.float32), *self._heard])

    def open_output(self, device, rate, fill: Fill, on_lost):
        def keep(count: int) -> np.ndarray:
            samples = fill(count)
            if samples.any():
                self._heard.append(samples.copy())
            return samples

        return super().open_output(device, rate, keep, on_lost)


class DeafSound(AudibleSound):
    """A sound card without a microphone."""

    def input_devices(self):
        return ()

    def open_input(self, *_arguments):
        raise AudioUnavailable(NO_MICROPHONE)


def until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Let the window live until the condition holds, looking ever less often: to look keeps others from working."""
    end, patience = time.monotonic() + seconds, 0.002
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        pause(patience)
        patience = min(0.05, 1.2 * patience)


def pause(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


class Desk:
    """The whole application, with settings of its own."""

    def __init__(self, settings: Path, make_backend: Callable[[], Backend] | None = None) -> None:
        self.sound = AudibleSound()
        self.root = Application(
            QSettings(str(settings), QSettings.Format.IniFormat), make_backend or (lambda: self.sound)
        )
        self.window, self.state = self.root.window, self.root.state
        self.canvas = self.window.findChild(Canvas)
        self.played: list[int] = []
        self.answered = 0  # the ticket of the latest answer shown, and when that was
        self.answered_at = 0.0
        self.root.model.replied.connect(self._note)
        self.state.playing_changed.connect(lambda index: self.played.append(index) if index is not None else None)

    def open(self) -> Desk:
        """Show the window."""
        self.root.start()
        self.window.activateWindow()
        until(self.window.isActiveWindow, "an active window")
        return self

    def ready(self) -> Desk:
        """Wait for the model, the map and the microphone."""
        until(lambda: self.state.model is not None and self.state.maps, "the model and the map", 60)
        until(lambda: self.root.recorder.running, "the microphone")
        return self

    def rest(self) -> None:
        """Wait until what was asked for has been laid out and nothing moves any more."""
        pause(0.1)

        def rests() -> bool:
            moving = self.window.findChildren(QAbstractAnimation)
            return all(each.state() is QAbstractAnimation.State.Stopped for each in moving)

        until(rests, "a window at rest")

    def tidy(self) -> None:
        """Leave the desk as it was found."""
        self.window.explore.speak.button.drop()
        self.window.explore.speak.release()
        self.window.explore.speak.hands_free = False
        self.window.explore.draw.play_on_lift = True
        self.window.explore.selecting.deselect()
        self.window.explore.map.lasso = False
        self.window.commands["clear"].trigger()
        self.window.messages.dismiss()
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()
        self.canvas.setFocus()
        until(lambda: not self.root.player.playing and self.state.reply is None, "a clear desk")
        self.played.clear()

    def close(self) -> None:
        """Close the window."""
        self.window.close()

    def _note(self, ticket: int) -> None:
        self.answered, self.answered_at = ticket, time.perf_counter()

    # -- what a hand does

    def draw(self, strokes: Sequence[Sequence[tuple[float, float]]] = SEVEN) -> None:
        """Draw with the mouse, and lift the pen."""
        for points in strokes:
            QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, pos=place(self.canvas, *points[0]))
            for point in points[1:]:
                QTest.mouseMove(self.canvas, place(self.canvas, *point))
            QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, pos=place(self.canvas, *points[-1]))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key wherever the focus is."""
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifier)

    def drop(self, data: QMimeData, panel: QWidget) -> None:
        """Drag something over a panel and let go of it."""
        at = panel.rect().center()
        below = panel.childAt(at) or panel
        how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        for event in (QDragEnterEvent(at, *how), QDropEvent(QPointF(at), *how)):
            QApplication.sendEvent(below, event)

    # -- what an eye sees, and an ear hears

    @property
    def found(self) -> list[Item]:
        """The matches that are listed, best first; empty while the panel invites."""
        view = self.window.explore.matches.findChild(MatchView)
        return [view.matches.match_at(row).item for row in range(view.matches.rowCount())] if view.isVisible() else []

    def await_found(self, modality: Modality) -> list[Item]:
        """The matches, once there are some of a modality, for the question asked last."""

        def answered() -> bool:
            found, latest = self.found, self.root.model.latest_ticket
            return bool(found) and found[0].modality is modality and self.answered == latest

        until(answered, f"{modality} matches")
        return self.found

    def guess(self, panel: QWidget) -> str:
        """The large digit in a panel; empty if there is none."""
        label = next(label for label in panel.findChildren(QLabel) if label.accessibleName() == "Guess")
        return label.text()

    @property
    def spoken_message(self) -> str:
        """What the speak panel says."""
        return self.window.explore.speak.findChild(QLabel, "message").text()

    @property
    def sees_spectrogram(self) -> bool:
        """Whether there is one."""
        return not self.window.explore.speak.findChild(SpectrogramView).empty

    def clip(self, index: int) -> np.ndarray:
        """An utterance of the gallery as the loudspeaker plays it."""
        assert self.state.gallery is not None
        return resample(*recording(self.state.gallery.key(index)), RATE)

    def on_map(self, index: int) -> tuple[QWidget, QPoint]:
        """The widget of the map on which an item lies, and where on it, once nothing there moves or is about to."""
        page = self.window.explore
        places: list[QPoint | None] = [None]

        def rests() -> bool:
            places.append(page.map.position_of(index))
            due = page.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
            moving = page.map.findChildren(QAbstractAnimation)
            return (
                places[-1] is not None
                and places[-1] == places[-2]
                and not any(timer.isActive() for timer in due)  # the map follows the answer a moment later
                and all(animation.state() is QAbstractAnimation.State.Stopped for animation in moving)
            )

        until(rests, "a map that rests")
        at = places[-1]
        assert at is not None
        widget = page.map.childAt(at)
        assert widget is not None
        return widget, widget.mapFrom(page.map, at)


def word(digit: str = "seven", voice: str = "kokoro_af_sarah") -> np.ndarray:
    """A spoken digit of a voice that no training heard, at 48 kHz."""
    return resample(*Voices().clip(f"{voice}/plain/{digit}.opus"), RATE)


def likeness(heard: np.ndarray, clip: np.ndarray) -> float:
    """The greatest normalised cross-correlation of a clip with what was heard, in [-1, 1]."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(clip))))
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(clip, size)), size)
    place = int(np.argmax(product[: max(1, len(heard))]))
    part = heard[place : place + len(clip)]
    return float(product[place] / (np.linalg.norm(part) * np.linalg.norm(clip) + 1e-9))


def files(*paths: Path) -> QMimeData:
    """Files that are dragged or copied."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data
