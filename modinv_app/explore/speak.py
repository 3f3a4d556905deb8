"""The panel to speak a digit, with the encoder's input and the guess."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from model.types import Answer, FloatArray, Modality
from modinv_app.audio.backend import AudioDevice, Samples
from modinv_app.audio.hands_free import Detector, HandsFree
from modinv_app.audio.quality import all_zeros, problem_with
from modinv_app.audio.recorder import Recorder
from modinv_app.common.check_box import CheckBox
from modinv_app.common.dialogs import ask_for_file
from modinv_app.common.icons import icon
from modinv_app.common.layouts import column, row
from modinv_app.common.level_meter import LevelMeter
from modinv_app.common.theme import is_dark, muted_text, warning_colour
from modinv_app.explore.device_chooser import DeviceButton, DeviceChooser
from modinv_app.explore.hold_button import HoldButton
from modinv_app.explore.queries import GalleryItem, Noisy, Query, SoundFile
from modinv_app.explore.spectrogram_view import SpectrogramView
from modinv_app.explore.verdict import Guess

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".aiff", ".webm")
"""Suffixes of sound files."""

_HOLD = "Hold to speak"
_HINT = "Hold the button and say a digit, “zero” to “nine”."
_HANDS_FREE_HINT = "Say a digit, “zero” to “nine”."
_NOT_READY = "The microphone is not open yet. Try again in a moment."
# A microphone that is muted or denied delivers only zeros; noise gates do so only between words.
_ZEROS_AFTER = 5.0  # seconds


class SpeakPanel(QWidget):
    """Push-to-talk and hands-free recording, and sound files.

    Parameters
    ----------
    recorder
        The microphone; the panel starts it when it is first shown.
    make_detector
        Creates the utterance detector, in its thread, when hands-free is first switched on.

    Attributes
    ----------
    button
        The button to hold while speaking.

    Signals
    -------
    listening_started
        The user has pressed the button: nothing should play now.
    utterance(samples, rate)
        A usable recording, untrimmed: ``(n,)`` float32 in [-1, 1], and Hz.
    file_opened(path)
        The user has opened or dropped a sound file.
    device_chosen(kind, name), refresh_requested
        As of `DeviceChooser`.
    hands_free_changed(bool)
        The user has switched hands-free on or off.
    rejected()
        A recording could not be made or used; the panel shows why.
    failed(str)
        An error that the panel shows.
    """

    listening_started = Signal()
    utterance = Signal(object, int)
    file_opened = Signal(str)
    device_chosen = Signal(str, str)
    refresh_requested = Signal()
    hands_free_changed = Signal(bool)
    rejected = Signal()
    failed = Signal(str)

    def __init__(
        self, recorder: Recorder, make_detector: Callable[[], Detector], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._recorder = recorder
        self._hands_free = HandsFree(make_detector, self)
        self._pressed_at: float | None = None
        self._held = 0.0
        self._awaiting_take = False
        self._zeros = 0.0
        self._device_problem = ""
        self._problem = ""
        self._given: FloatArray | None = None  # features of a chosen gallery item
        self.setAcceptDrops(True)
        self._build()
        self._wire()
        self._show_state()

    def _build(self) -> None:
        self._spectrogram = SpectrogramView()
        self._guess = Guess()
        self.button = HoldButton(_HOLD)
        self.button.setToolTip("Hold while you speak. The recording begins a little earlier and ends a little later.")
        self._meter = LevelMeter()
        self._switch = CheckBox("Hands-free")
        self._switch.setToolTip("Listen all the time: each spoken word becomes a query")
        self._open = QPushButton("Open sound…")
        self._open.setIcon(icon("open", self.palette()))
        self._open.setToolTip("Open a WAV, FLAC, MP3, Ogg or M4A file, or drop one here")
        self._message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._message.setObjectName("message")
        # Room for two lines, so that most messages move nothing.
        self._message.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 6)
        self._message.setAccessibleName("Microphone message")
        self._devices = DeviceChooser()

        controls = row(self._switch, None, self._open, DeviceButton(self._devices))
        results = row((self._spectrogram, 1), self._guess, spacing=12)
        margins = (8, 8, 8, 8)
        column((results, 1), self.button, self._meter, self._message, controls, parent=self, margins=margins)

    def _wire(self) -> None:
        self.button.held.connect(self.press)
        self.button.let_go.connect(self.release)
        self._switch.toggled.connect(self._switch_hands_free)
        self._open.clicked.connect(self.open_file)
        self._devices.device_chosen.connect(self.device_chosen)
        self._devices.refresh_requested.connect(self.refresh_requested)
        self._recorder.level_changed.connect(self._meter.set_level)
        self._recorder.chunk.connect(self._hands_free.feed)
        self._recorder.chunk.connect(self._check_for_zeros)
        self._recorder.take_finished.connect(self._take_finished)
        self._recorder.running_changed.connect(self._running_changed)
        self._recorder.device_changed.connect(lambda name: self.set_device("input", name or ""))
        self._recorder.failed.connect(self._recorder_failed)
        self._hands_free.ready.connect(self._show_state)
        self._hands_free.hearing_changed.connect(self._show_state)
        self._hands_free.utterance.connect(self._hands_free_utterance)
        self._hands_free.failed.connect(self._hands_free_failed)

    # The interface to the window

    def show_query(self, query: Query | None) -> None:
        """Show the query; a problem with a former one is not shown any more."""
        self._given = None
        if query is None or query.modality is not Modality.SPEECH:
            self.show_answer(None)
        if query is not None:
            self.show_problem("")
        match query:
            case GalleryItem(modality=Modality.SPEECH):
                self._given = query.features
                self._spectrogram.show_features(query.features)
                self._spectrogram.set_note(f"From the map: {query.name}")
            case SoundFile() | Noisy():
                self._spectrogram.set_note(query.name)
            case _:
                self._spectrogram.set_note("")

    def show_answer(self, answer: Answer | None) -> None:
        """Show the encoder's input and the guess; nothing for None."""
        self._guess.show_answer(answer)
        self._spectrogram.show_features(self._given if answer is None else answer.features)

    def show_heat(self, shares: FloatArray | None) -> None:
        """Show what a match is based on, shares of frames ``(100,)`` in [0, 1], until there is another answer."""
        self._spectrogram.show_heat(shares)

    @Slot(str)
    def show_problem(self, message: str) -> None:
        """Show what is wrong with the last utterance, until the next one."""
        self._problem = message
        self._show_state()

    @Slot(object, object)
    def show_devices(self, inputs: Sequence[AudioDevice], outputs: Sequence[AudioDevice]) -> None:
        """Offer these devices."""
        self._devices.show_devices(inputs, outputs)

    @Slot(str, str)
    def set_device(self, kind: str, name: str) -> None:
        """Show which device is in use; kind "input" or "output", an empty name is the system's default."""
        self._devices.set_device(kind, name)

    @property
    def hands_free(self) -> bool:
        """Whether each spoken word becomes a query."""
        return self._switch.isChecked()

    @hands_free.setter
    def hands_free(self, on: bool) -> None:
        self._switch.setChecked(on)

    @Slot()
    def pause_hands_free(self) -> None:
        """Stop hands-free while the loudspeaker plays."""
        self._hands_free.stop()

    @Slot()
    def resume_hands_free(self) -> None:
        """Start hands-free again, if it is switched on."""
        if self.hands_free:
            self._hands_free.start()

    def close_detector(self) -> None:
        """End the detector's thread."""
        self._hands_free.close()

    # Speaking

    @Slot()
    def press(self) -> None:
        """Start recording: the button, or its key, was pressed."""
        if self.hands_free or self._pressed_at is not None:
            return
        if not self._recorder.running:
            self._report(self._device_problem or _NOT_READY)
            self.rejected.emit()
            return
        self.listening_started.emit()
        self._pressed_at = time.monotonic()
        self._awaiting_take = True
        self._recorder.begin_take()
        self.show_problem("")

    @Slot(float)
    def release(self, ago: float = 0.0) -> None:
        """Stop recording: the button, or its key, was released ``ago`` seconds ago."""
        if self._pressed_at is None:
            return
        self._held = time.monotonic() - self._pressed_at - ago
        self._pressed_at = None
        self._recorder.end_take(ago)
        self._show_state()

    def _take_finished(self, samples: Samples, rate: int) -> None:
        if not self._awaiting_take:
            return
        self._awaiting_take = False
        if self._pressed_at is not None:  # it reached the maximum length
            self._held = time.monotonic() - self._pressed_at
            self._pressed_at = None
        self._check_recording(samples, rate, self._held)

    def _check_recording(self, samples: Samples, rate: int, held: float) -> None:
        problem = problem_with(samples, held)
        if problem is None or problem.usable:
            self.utterance.emit(samples, rate)
            self.show_problem(problem.message if problem else "")
        else:
            self._report(problem.message)
            self.rejected.emit()

    def _report(self, message: str) -> None:
        self.show_problem(message)
        self.failed.emit(message)

    # Hands-free

    def _switch_hands_free(self, on: bool) -> None:
        self.release()
        if on:
            self._zeros = 0.0
            self._hands_free.start()
        else:
            self._hands_free.stop()
        self.show_problem("")
        self.hands_free_changed.emit(on)

    def _hands_free_utterance(self, samples: Samples, rate: int) -> None:
        self._check_recording(samples, rate, len(samples) / rate)

    def _hands_free_failed(self, message: str) -> None:
        self._switch.setChecked(False)
        self._report(message)

    def _check_for_zeros(self, samples: Samples, rate: int) -> None:
        """Warn, with hands-free on, while the microphone delivers only zeros."""
        if samples.any() and self._problem == all_zeros():
            self.show_problem("")
        if not self.hands_free or samples.any():
            self._zeros = 0.0
            return
        before, self._zeros = self._zeros, self._zeros + len(samples) / rate
        if before < _ZEROS_AFTER <= self._zeros:
            self._report(all_zeros())

    # The microphone

    def _running_changed(self, running: bool) -> None:
        if running:
            self._device_problem = ""
        else:
            self._pressed_at = None
            self._problem = ""  # what is wrong with the microphone is more important
            self._hands_free.begin_again()
            if self._awaiting_take:  # the microphone was lost before anything was heard
                self._awaiting_take = False
                self.rejected.emit()
        self._show_state()

    def _recorder_failed(self, message: str) -> None:
        if self._recorder.running:  # a device could not be opened; the former one is in use
            self._report(message)
        else:
            self._device_problem = message
            self._show_state()
            self.failed.emit(message)

    def _show_state(self) -> None:
        """Update button and message."""
        listening = self._pressed_at is not None
        if self.hands_free:
            words = "Hearing you…" if self._hands_free.hearing else "Waiting for a word…"
            hint = _HANDS_FREE_HINT
        else:
            words, hint = ("Listening…" if listening else _HOLD), _HINT
        self.button.setText(words)
        self.button.set_lit(listening or self._hands_free.hearing)
        self.button.setEnabled(self._recorder.running)
        self._message.setText(self._problem or self._device_problem or hint)
        self._colour_message()

    def _colour_message(self) -> None:
        """Mark a problem by a coloured bar; show a hint in the muted colour."""
        problem = bool(self._problem or self._device_problem)
        bar = warning_colour(is_dark(self.palette())).name() if problem else "transparent"
        text = self.palette().windowText().color() if problem else muted_text(self.palette())
        self._message.setStyleSheet(
            f"#message {{ color: {text.name()}; border: 0px solid {bar}; border-left-width: 3px; padding-left: 6px; }}"
        )

    # Files

    @Slot()
    def open_file(self) -> None:
        """Let the user choose a sound file."""
        kind = f"Sounds ({' '.join('*' + suffix for suffix in SOUND_SUFFIXES)})"
        ask_for_file(self, "Open a sound", kind, self.file_opened.emit)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _sound_file(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _sound_file(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.file_opened.emit(path)

    # The window

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # After the window is shown, which must not wait.
        QTimer.singleShot(0, self._recorder.start)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._open.setIcon(icon("open", self.palette()))
            self._colour_message()


def _sound_file(data: QMimeData) -> str | None:
    """The first sound file among dragged data."""
    for url in data.urls():
        path = url.toLocalFile()
        if Path(path).suffix.lower() in SOUND_SUFFIXES:
            return path
    return None
