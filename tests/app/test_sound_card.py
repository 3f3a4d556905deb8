"""Recorder and player over the real sound library, on a sound card of air."""

from __future__ import annotations

import time

import numpy as np
import pytest

from modinv_app.audio.player import Player
from modinv_app.audio.recorder import Recorder
from modinv_app.audio.system import SoundSystem

pytestmark = [pytest.mark.sound_card, pytest.mark.usefixtures("sound_card")]


@pytest.fixture
def system(qtbot):  # noqa: ARG001 (an application must exist)
    system = SoundSystem()
    yield system
    system.close()


@pytest.fixture
def recorder(system):
    recorder = Recorder(system, retry_every_ms=200)
    yield recorder
    recorder.stop()


@pytest.fixture
def player(system):
    player = Player(system)
    yield player
    player.release()


def tone(frequency: float, seconds: float, amplitude: float, rate: int) -> np.ndarray:
    """A sine with soft edges, for hard ones ring in every resampler on the way."""
    t = np.arange(round(seconds * rate)) / rate
    edges = np.clip(np.minimum(t, seconds - t) / 0.02, 0, 1)
    return (amplitude * edges * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def pitch(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def listening(qtbot, recorder: Recorder) -> None:
    with qtbot.waitSignal(recorder.chunk, timeout=10_000):
        recorder.start()


def test_a_tone_in_the_air_arrives_with_its_pitch_and_level(qtbot, sound_card, recorder):
    listening(qtbot, recorder)
    levels: list[float] = []
    recorder.level_changed.connect(lambda rms, _peak: levels.append(rms))
    recorder.begin_take()
    said = sound_card.speak(tone(440, 0.6, 0.5, 16_000), 16_000)
    qtbot.waitUntil(lambda: said.poll() is not None, timeout=10_000)
    with qtbot.waitSignal(recorder.take_finished) as finished:
        recorder.end_take()
    take, rate = finished.args
    heard = take[np.abs(take) > 0.01]
    assert len(heard) == pytest.approx(0.6 * rate, rel=0.1)
    assert pitch(take, rate) == pytest.approx(440, abs=3)
    assert np.abs(take).max() == pytest.approx(0.5, abs=0.03)
    assert max(levels) == pytest.approx(-9, abs=1)


def test_a_clip_comes_out_of_the_loudspeaker(qtbot, sound_card, player):
    with sound_card.recording() as recording:
        with qtbot.waitSignal(player.finished, timeout=10_000):
            player.play(tone(1_000, 0.5, 0.5, 8_000), 8_000)
        qtbot.wait(200)
        heard = recording.samples
    sounding = np.flatnonzero(np.abs(heard) > 0.01)
    clip = heard[sounding[0] : sounding[-1] + 1]
    assert len(clip) / 48_000 == pytest.approx(0.5, abs=0.02)
    assert pitch(clip, 48_000) == pytest.approx(1_000, abs=5)
    assert np.abs(clip).max() == pytest.approx(0.5, abs=0.03)


def test_finished_is_said_when_the_clip_has_been_heard(qtbot, sound_card, player):
    with sound_card.recording() as recording:
        with qtbot.waitSignal(player.finished, timeout=10_000):
            player.play(tone(1_000, 0.4, 0.5, 8_000), 8_000)
        began = time.monotonic()
        qtbot.waitUntil(lambda: np.count_nonzero(np.abs(recording.samples) > 0.01) > 0.35 * 48_000)
    assert time.monotonic() - began < 0.5


def test_a_microphone_that_is_pulled_out_is_told_and_comes_back(qtbot, sound_card, recorder):
    listening(qtbot, recorder)
    with qtbot.waitSignal(recorder.failed, timeout=10_000) as failed:
        sound_card.pull_out()
    assert "microphone has stopped" in failed.args[0]
    assert not recorder.running

    sound_card.plug_in()
    qtbot.waitUntil(lambda: recorder.running, timeout=10_000)
    chunks: list[np.ndarray] = []
    recorder.chunk.connect(lambda samples, _rate: chunks.append(samples))
    sound_card.speak(tone(440, 0.5, 0.5, 16_000), 16_000)
    qtbot.waitUntil(lambda: any(np.abs(chunk).max() > 0.4 for chunk in chunks), timeout=10_000)


def test_a_loudspeaker_that_is_pulled_out_ends_the_clip_in_words(qtbot, sound_card, player):
    with qtbot.waitSignal(player.started, timeout=10_000):
        player.play(tone(440, 5, 0.5, 16_000), 16_000)
    with qtbot.waitSignals([player.failed, player.finished], timeout=10_000):
        sound_card.pull_out()
    sound_card.plug_in()
    with sound_card.recording() as recording, qtbot.waitSignal(player.finished, timeout=10_000):
        player.play(tone(440, 0.3, 0.5, 16_000), 16_000)
    assert np.abs(recording.samples).max() > 0.4


def test_the_devices_are_listed_and_can_be_refreshed_while_both_run(qtbot, system, recorder, player):
    listening(qtbot, recorder)
    with qtbot.waitSignal(system.devices_changed, timeout=10_000) as listed:
        system.refresh()
    inputs, outputs = listed.args
    assert any(device.default for device in inputs)
    assert any(device.default for device in outputs)
    with qtbot.waitSignal(player.started, timeout=10_000):
        player.play(tone(440, 5, 0.5, 16_000), 16_000)
    with qtbot.waitSignal(player.finished, timeout=10_000):
        system.refresh()
    with qtbot.waitSignal(recorder.chunk, timeout=10_000):
        pass
