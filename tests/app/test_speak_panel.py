"""The speak panel, with a sound library and a detector that do what the test says."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from answers import answer_with
from fake_sound import FakeBackend
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QToolButton

from model.types import Certainty, Item, Modality
from modinv_app.audio.backend import AudioUnavailable
from modinv_app.audio.hands_free import HandsFree
from modinv_app.audio.portaudio import NO_MICROPHONE, what_to_install
from modinv_app.audio.quality import all_zeros, problem_with
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem
from modinv_app.common.level_meter import LevelMeter
from modinv_app.explore.device_chooser import DeviceChooser
from modinv_app.explore.hold_button import HoldButton
from modinv_app.explore.queries import GalleryItem, Picture, SoundFile
from modinv_app.explore.speak import SpeakPanel
from modinv_app.explore.spectrogram_view import SpectrogramView

RATE = 48_000


class FakeDetector:
    """An utterance is whatever is not silence."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.active = False
        self._heard: list[np.ndarray] = []

    def feed(self, samples: np.ndarray, rate: int) -> list[np.ndarray]:  # noqa: ARG002
        if np.abs(samples).max() > 0.01:
            self.active = True
            self._heard.append(samples)
            return []
        if not self.active:
            return []
        finished = np.concatenate(self._heard)
        self.reset()
        return [finished]

    def reset(self) -> None:
        self.active = False
        self._heard = []


class Stage:
    """A panel on a fake sound system, and what it has said."""

    def __init__(self, qtbot, make_backend=None, make_detector=FakeDetector) -> None:
        self.qtbot = qtbot
        self.backend = FakeBackend()
        self.system = SoundSystem(make_backend or (lambda: self.backend))
        self.recorder = Recorder(self.system, retry_every_ms=20)
        self.panel = SpeakPanel(self.recorder, make_detector)
        self.system.devices_changed.connect(self.panel.show_devices)
        qtbot.addWidget(self.panel)
        self.utterances: list[tuple[np.ndarray, int]] = []
        self.files: list[str] = []
        self.problems: list[str] = []
        self.devices: list[tuple[str, str]] = []
        self.panel.utterance.connect(lambda samples, rate: self.utterances.append((samples, rate)))
        self.panel.file_opened.connect(self.files.append)
        self.panel.failed.connect(self.problems.append)
        self.panel.device_chosen.connect(lambda kind, name: self.devices.append((kind, name)))
        self.button = self.panel.findChild(HoldButton)
        self.switch = self.panel.findChild(QCheckBox)

    @property
    def message(self) -> str:
        return self.panel.findChild(QLabel, "message").text()

    def show(self) -> None:
        self.panel.show()
        self.system.refresh()

    def say(self, samples: np.ndarray, held: float = 0.25) -> None:
        """Hold the button and say something; silence follows."""
        stream = self.backend.open_streams[-1]
        self.panel.press()
        end = time.monotonic() + held
        self.qtbot.waitUntil(lambda: time.monotonic() > end)
        stream.deliver(samples)
        self.panel.release()
        with self.qtbot.waitSignal(self.recorder.take_finished):
            stream.deliver(np.zeros(RATE, np.float32))

    def close(self) -> None:
        self.recorder.stop()
        self.panel.close_detector()
        self.system.close()


@pytest.fixture
def make_stage(qtbot):
    stages = []

    def make(**options) -> Stage:
        stages.append(Stage(qtbot, **options))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(qtbot, make_stage):
    stage = make_stage()
    stage.show()
    qtbot.waitUntil(lambda: stage.recorder.running and stage.panel.findChildren(QComboBox)[0].count() == 3)
    return stage


def word(seconds: float = 0.4, amplitude: float = 0.3) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def test_holding_the_button_makes_an_utterance(qtbot, stage):
    stage.qtbot.mousePress(stage.button, Qt.MouseButton.LeftButton)
    assert stage.button.text() == "Listening…"
    qtbot.wait(210)
    stage.backend.streams[-1].deliver(word())
    stage.qtbot.mouseRelease(stage.button, Qt.MouseButton.LeftButton)
    assert stage.button.text() == "Hold to speak"
    with qtbot.waitSignal(stage.panel.utterance):
        stage.backend.streams[-1].deliver(np.zeros(RATE, np.float32))
    samples, rate = stage.utterances[0]
    assert rate == RATE
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.01)
    assert not stage.problems


def test_the_space_bar_holds_the_focused_button(stage):
    stage.qtbot.keyPress(stage.button, Qt.Key.Key_Space)
    assert stage.button.text() == "Listening…"
    stage.qtbot.keyRelease(stage.button, Qt.Key.Key_Space)
    stage.qtbot.waitUntil(lambda: stage.button.text() == "Hold to speak")


def test_a_pointer_that_slips_off_the_button_does_not_cut_the_word(stage):
    outside = QPoint(-40, -40)
    stage.qtbot.mousePress(stage.button, Qt.MouseButton.LeftButton)
    stage.qtbot.mouseMove(stage.button, outside)
    assert stage.button.text() == "Listening…"
    stage.qtbot.mouseRelease(stage.button, Qt.MouseButton.LeftButton, pos=outside)
    assert stage.button.text() == "Hold to speak"


def test_the_meter_moves_before_anyone_presses_anything(qtbot, stage):
    meter = stage.panel.findChild(LevelMeter)
    assert meter.accessibleDescription() == "silent"
    with qtbot.waitSignal(stage.recorder.level_changed):
        stage.backend.streams[-1].deliver(word())
    assert meter.level == pytest.approx(-13.5, abs=0.5)
    assert meter.accessibleDescription() == "good"


@pytest.mark.parametrize(
    ("samples", "held", "words"),
    [
        (word(), 0.05, "Hold the button while you speak"),
        (np.zeros(RATE // 2, np.float32), 0.25, "only silence"),
        (word(amplitude=0.001), 0.25, "Too quiet"),
    ],
)
def test_a_useless_recording_is_explained_and_not_answered(stage, samples, held, words):
    stage.say(samples, held)
    assert words in stage.message
    assert stage.problems == [stage.message]
    assert not stage.utterances


def test_a_clipped_recording_is_answered_with_a_warning(stage):
    stage.say(np.clip(word(amplitude=3), -1, 1))
    assert "Too loud" in stage.message
    assert len(stage.utterances) == 1
    stage.say(word())
    assert "Too loud" not in stage.message


def test_full_scale_for_one_sample_is_not_clipping():
    assert problem_with(word() + np.eye(1, len(word()), 99, dtype=np.float32)[0] * 0.9, held=1) is None


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_all_zeros_lead_to_the_systems_permission(platform):
    assert "Microphone" in all_zeros(platform)
    assert "Settings" in all_zeros(platform)


def test_no_microphone_is_said_and_files_still_open(qtbot, make_stage, tmp_path):
    class NoMicrophone(FakeBackend):
        def open_input(self, *_args):
            raise AudioUnavailable(NO_MICROPHONE)

    backend = NoMicrophone()
    backend.inputs = []
    stage = make_stage(make_backend=lambda: backend)
    stage.show()
    qtbot.waitUntil(lambda: stage.message == NO_MICROPHONE)
    assert not stage.button.isEnabled()
    stage.panel.press()
    stage.panel.release()
    assert stage.message == NO_MICROPHONE
    drop(stage.panel, tmp_path / "seven.wav")
    assert stage.files == [str(tmp_path / "seven.wav")]


def test_without_portaudio_the_panel_says_what_to_install(qtbot, make_stage):
    def make_backend():
        raise AudioUnavailable(what_to_install("linux"))

    stage = make_stage(make_backend=make_backend)
    stage.show()
    qtbot.waitUntil(lambda: "libportaudio2" in stage.message)
    assert not stage.button.isEnabled()
    assert stage.panel.findChildren(QPushButton, options=Qt.FindChildOption.FindDirectChildrenOnly)
    qtbot.wait(100)
    assert len(stage.problems) == 1


def test_an_unplugged_microphone_is_said_and_forgotten_when_it_returns(qtbot, stage):
    unheard = []
    stage.panel.rejected.connect(lambda: unheard.append(1))
    stage.panel.press()
    plugged, stage.backend.inputs = stage.backend.inputs, []
    stage.backend.streams[-1].lose()
    qtbot.waitUntil(lambda: not stage.button.isEnabled())
    assert stage.button.text() == "Hold to speak"
    assert "unplugged" in stage.problems[0]
    assert unheard == [1], "an earlier answer would stay beside the message"
    stage.panel.release()
    stage.backend.inputs = plugged
    qtbot.waitUntil(stage.button.isEnabled)
    assert "Hold the button" in stage.message
    stage.say(word())
    assert len(stage.utterances) == 1


def test_what_was_said_before_the_microphone_was_unplugged_is_asked(qtbot, stage):
    unheard = []
    stage.panel.rejected.connect(lambda: unheard.append(1))
    stage.panel.press()
    qtbot.wait(250)
    with qtbot.waitSignal(stage.recorder.chunk):
        stage.backend.streams[-1].deliver(word())
    stage.backend.inputs = []
    with qtbot.waitSignal(stage.panel.failed):
        stage.backend.streams[-1].lose()
    ((samples, _rate),) = stage.utterances
    np.testing.assert_allclose(samples[-len(word()) :], word(), atol=1e-6)
    assert not unheard
    assert "unplugged" in stage.message


def test_the_lost_microphone_is_said_rather_than_what_was_wrong_with_the_last_word(qtbot, stage):
    stage.panel.press()
    stage.panel.release()
    with qtbot.waitSignal(stage.recorder.take_finished):
        stage.backend.streams[-1].deliver(np.zeros(RATE, np.float32))
    assert "Too short" in stage.message
    stage.backend.inputs = []
    stage.backend.streams[-1].lose()
    qtbot.waitUntil(lambda: "unplugged" in stage.message)


def test_a_word_that_was_cut_by_unplugging_is_not_joined_to_the_next(qtbot, stage):
    stage.switch.setChecked(True)
    with qtbot.waitSignal(stage.recorder.chunk):
        stage.backend.streams[-1].deliver(word())
    qtbot.waitUntil(lambda: "Hearing" in stage.button.text())
    stage.backend.streams[-1].lose()
    qtbot.waitUntil(lambda: not stage.button.isEnabled())
    qtbot.waitUntil(stage.button.isEnabled)
    assert stage.panel.hands_free
    assert "Waiting" in stage.button.text()
    with qtbot.waitSignal(stage.recorder.chunk):
        stage.backend.streams[-1].deliver(word())
    with qtbot.waitSignal(stage.panel.utterance):
        stage.backend.streams[-1].deliver(np.zeros(RATE, np.float32))
    ((samples, _rate),) = stage.utterances
    assert len(samples) == len(word()), "once, not twice"


def test_devices_are_offered_chosen_and_rolled_back(qtbot, stage):
    microphones, loudspeakers = stage.panel.findChildren(QComboBox)
    assert [microphones.itemText(i) for i in range(3)] == ["System default", "Desk", "Headset"]
    assert [loudspeakers.itemText(i) for i in range(3)] == ["System default", "Box", "Earphones"]
    stage.panel.device_chosen.connect(lambda _kind, name: stage.recorder.set_device(name or None))
    stage.backend.broken.add("Headset")
    with qtbot.waitSignal(stage.panel.failed):
        qtbot.keyClick(microphones, Qt.Key.Key_End)  # as a user does with the keyboard
    assert stage.devices == [("input", "Headset")]
    assert microphones.currentText() == "System default"
    assert stage.message == "Headset is broken"


def test_a_chosen_device_that_is_gone_stays_chosen(stage):
    microphones = stage.panel.findChildren(QComboBox)[0]
    stage.panel.set_device("input", "Headset")
    stage.panel.show_devices(stage.backend.inputs[:1], ())
    assert microphones.currentText() == "Headset (not connected)"
    stage.panel.show_devices(stage.backend.inputs, ())
    assert microphones.currentText() == "Headset"
    assert not stage.devices


def test_the_refresh_button_asks_for_new_devices(qtbot, stage):
    with qtbot.waitSignal(stage.panel.refresh_requested):
        stage.panel.findChild(DeviceChooser).findChild(QToolButton).click()


def test_hands_free_hears_a_word_off_the_gui_thread(qtbot, make_stage):
    detectors = []

    def make_detector() -> FakeDetector:
        detectors.append(FakeDetector())
        return detectors[-1]

    stage = make_stage(make_detector=make_detector)
    stage.show()
    qtbot.waitUntil(lambda: stage.recorder.running)
    assert not detectors, "it is heavy: not before it is needed"
    stage.switch.setChecked(True)
    assert stage.button.text() == "Waiting for a word…"
    stage.backend.streams[-1].deliver(word())
    qtbot.waitUntil(lambda: stage.button.text() == "Hearing you…")
    with qtbot.waitSignal(stage.panel.utterance):
        stage.backend.streams[-1].deliver(np.full(480, 1e-4, np.float32))
    assert stage.button.text() == "Waiting for a word…"
    assert len(stage.utterances[0][0]) == len(word())
    assert detectors[0].thread is not threading.main_thread()


def test_hands_free_does_not_listen_to_the_loudspeaker(qtbot, stage):
    stage.panel.hands_free = True
    stage.panel.pause_hands_free()
    stage.backend.streams[-1].deliver(word())
    qtbot.wait(60)
    stage.panel.resume_hands_free()
    stage.backend.streams[-1].deliver(np.full(480, 1e-4, np.float32))
    qtbot.wait(60)
    assert not stage.utterances
    assert stage.panel.hands_free


def test_hands_free_on_a_dead_microphone_is_explained(qtbot, stage):
    stage.panel.hands_free = True
    with qtbot.waitSignal(stage.panel.failed):
        stage.backend.streams[-1].deliver(np.zeros(6 * RATE, np.float32))
    assert stage.message == all_zeros()
    stage.backend.streams[-1].deliver(np.full(4800, 1e-3, np.float32))
    qtbot.waitUntil(lambda: "only silence" not in stage.message, timeout=2000)


def test_silence_is_no_longer_said_once_there_is_sound(qtbot, stage):
    stage.say(np.zeros(RATE // 2, np.float32), 0.25)
    assert "only silence" in stage.message
    stage.backend.streams[-1].deliver(np.full(4800, 1e-3, np.float32))
    qtbot.waitUntil(lambda: "only silence" not in stage.message, timeout=2000)


def test_a_detector_that_cannot_load_switches_itself_off(qtbot, make_stage):
    def broken():
        raise ImportError("no such model")

    stage = make_stage(make_detector=broken)
    stage.show()
    with qtbot.waitSignal(stage.panel.failed):
        stage.panel.hands_free = True
    assert not stage.panel.hands_free
    assert "no such model" in stage.message


def test_a_slow_detector_never_piles_up_sound(qtbot):
    gate = threading.Event()

    class Slow(FakeDetector):
        fed = 0

        def feed(self, samples, rate):  # noqa: ARG002
            gate.wait(10)
            Slow.fed += 1
            return []

    hands_free = HandsFree(Slow)
    with qtbot.waitSignal(hands_free.ready):
        hands_free.start()
    for _ in range(500):
        hands_free.feed(np.zeros(1200, np.float32), RATE)
    gate.set()
    hands_free.close()
    assert Slow.fed <= 100


def test_results_are_shown_and_cleared(stage):
    view = stage.panel.findChild(SpectrogramView)
    stage.panel.show_query(SoundFile(Path("seven.wav")))
    stage.panel.show_answer(answer_with(np.random.default_rng(0).normal(size=(100, 80)), 7, Certainty.LIKELY, 1))
    assert not view.empty
    assert {"7", "likely", "perhaps 1"} <= texts(stage.panel)
    shown = view.grab().toImage()
    stage.panel.show_query(None)
    assert view.empty
    assert view.grab().toImage() != shown
    assert not {"7", "likely", "perhaps 1"} & texts(stage.panel)


def test_what_was_wrong_is_said_until_the_next_query(stage):
    stage.panel.show_problem("No speech was found.")
    stage.panel.show_query(None)
    assert "No speech" in stage.message
    stage.panel.show_query(SoundFile(Path("seven.wav")))
    assert "No speech" not in stage.message


def test_an_utterance_of_the_map_shows_before_it_is_answered_and_an_image_takes_it_away(stage):
    view = stage.panel.findChild(SpectrogramView)
    features = np.random.default_rng(0).normal(size=(100, 80)).astype(np.float32)
    stage.panel.show_query(GalleryItem(Item(3, Modality.SPEECH, 7, "A voice"), features))
    stage.panel.show_answer(None)
    assert not view.empty
    assert "A voice" in view.accessibleName()
    stage.panel.show_query(Picture(np.zeros((28, 28), np.uint8)))
    assert view.empty
    assert "A voice" not in view.accessibleName()


@pytest.mark.parametrize("suffix", [".wav", ".FLAC", ".mp3", ".ogg", ".m4a"])
def test_sound_files_are_dropped(stage, tmp_path, suffix):
    drop(stage.panel, tmp_path / f"seven{suffix}")
    assert stage.files == [str(tmp_path / f"seven{suffix}")]


def test_other_files_are_left_to_others(stage, tmp_path):
    assert not drop(stage.panel, tmp_path / "seven.png")
    assert not stage.files


def test_the_meter_falls_smoothly_holds_the_peak_and_lights_up_when_clipped(qtbot):
    meter = LevelMeter()
    qtbot.addWidget(meter)
    meter.show()
    meter.set_level(-6, 0)
    assert (meter.level, meter.peak) == (-6, 0)
    assert meter.clipped
    assert meter.accessibleDescription() == "too loud, clipped"
    meter.set_level(-90, -90)
    qtbot.wait(150)
    assert -20 < meter.level < -6
    assert meter.peak == 0
    meter.reset()
    assert meter.level == -60
    assert not meter.clipped


def texts(panel: SpeakPanel) -> set[str]:
    return {label.text() for label in panel.findChildren(QLabel)}


def drop(panel: SpeakPanel, path) -> bool:
    """Drag a file over the panel and let go of it if it is welcome; whether it was."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, left, none)
    panel.dragEnterEvent(enter)
    panel.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, left, none))
    return enter.isAccepted()
