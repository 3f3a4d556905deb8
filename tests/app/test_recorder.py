"""The microphone, with a sound library that does what the test says."""

from __future__ import annotations

import numpy as np
import pytest
from fake_sound import FakeBackend, FakeStream

from modinv_app.audio.backend import AudioDevice, AudioUnavailable
from modinv_app.audio.recorder import SILENCE, Recorder, levels
from modinv_app.audio.system import SoundSystem

RATE = 48_000


class Heard:
    """Everything that a recorder has said."""

    def __init__(self, recorder: Recorder) -> None:
        self.chunks: list[tuple[np.ndarray, int]] = []
        self.levels: list[tuple[float, float]] = []
        self.takes: list[tuple[np.ndarray, int]] = []
        self.devices: list[str | None] = []
        self.problems: list[str] = []
        self.running: list[bool] = []
        recorder.chunk.connect(lambda samples, rate: self.chunks.append((samples, rate)))
        recorder.level_changed.connect(lambda rms, peak: self.levels.append((rms, peak)))
        recorder.take_finished.connect(lambda samples, rate: self.takes.append((samples, rate)))
        recorder.device_changed.connect(self.devices.append)
        recorder.failed.connect(self.problems.append)
        recorder.running_changed.connect(self.running.append)


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def system(qtbot, backend):  # noqa: ARG001 (an application must exist)
    system = SoundSystem(lambda: backend)
    yield system
    system.close()


@pytest.fixture
def recorder(system):
    recorder = Recorder(system, retry_every_ms=20)
    yield recorder
    recorder.stop()


@pytest.fixture
def heard(recorder):
    return Heard(recorder)


def running(qtbot, recorder: Recorder, backend: FakeBackend) -> FakeStream:
    recorder.start()
    qtbot.waitUntil(lambda: recorder.running)
    return backend.streams[-1]


def tone(seconds: float, amplitude: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def deliver_slowly(qtbot, recorder: Recorder, stream: FakeStream, samples: np.ndarray) -> None:
    """In blocks of 10 ms, each collected for itself."""
    for block in np.array_split(samples, max(1, len(samples) // (stream.rate // 100))):
        with qtbot.waitSignal(recorder.chunk):
            stream.deliver(block)


def test_what_is_heard_comes_as_mono_at_the_devices_own_rate(qtbot, recorder, backend, heard):
    recorder.set_device("Headset")
    stream = running(qtbot, recorder, backend)
    left_and_right = np.stack([tone(0.05, 0.2), tone(0.05, 0.6)], axis=1)
    with qtbot.waitSignal(recorder.chunk):
        stream.on_block(left_and_right)
    samples, rate = heard.chunks[0]
    assert rate == 16_000
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, tone(0.05, 0.4), atol=1e-6)


def test_nothing_is_lost_between_blocks(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    said = np.random.default_rng(0).uniform(-1, 1, RATE).astype(np.float32)
    for block in np.array_split(said, 97):
        stream.deliver(block, channels=2)
    qtbot.waitUntil(lambda: sum(len(samples) for samples, _ in heard.chunks) == RATE)
    np.testing.assert_allclose(np.concatenate([samples for samples, _ in heard.chunks]), said, atol=1e-6)


def test_the_level_is_told_only_when_it_changes(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    for _ in range(5):
        deliver_slowly(qtbot, recorder, stream, tone(0.01))
    assert heard.levels == [pytest.approx((-9.03, -6.02), abs=0.1)]
    deliver_slowly(qtbot, recorder, stream, tone(0.01, amplitude=0.51))  # 0.2 dB: nobody would see it
    assert len(heard.levels) == 1
    deliver_slowly(qtbot, recorder, stream, tone(0.01, amplitude=0.05))
    assert heard.levels[1] == pytest.approx((-29.03, -26.02), abs=0.1)


def test_levels_of_silence_and_full_scale_are_finite():
    assert levels(np.zeros(100, np.float32)) == (SILENCE, SILENCE)
    assert levels(np.ones(100, np.float32)) == (0, 0)


def test_a_take_starts_before_the_press_and_ends_after_the_release(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    ramp = np.linspace(0, 1, RATE, dtype=np.float32)  # tells where in time a sample lies
    stream.deliver(ramp[: RATE // 2])
    recorder.begin_take()
    stream.deliver(ramp[RATE // 2 : RATE * 3 // 4])
    recorder.end_take()
    assert not heard.takes
    with qtbot.waitSignal(recorder.take_finished):
        stream.deliver(ramp[RATE * 3 // 4 :])
    take, rate = heard.takes[0]
    assert rate == RATE
    assert take[0] == pytest.approx(0.5 - 0.15, abs=1e-3)
    assert take[-1] == pytest.approx(0.75 + 0.10, abs=1e-3)
    np.testing.assert_allclose(np.diff(take), 1 / RATE, atol=1e-5)


def test_a_take_waits_for_what_is_still_on_its_way(qtbot, system, heard, recorder, backend):  # noqa: ARG001
    backend.latency = 0.2
    stream = running(qtbot, recorder, backend)
    recorder.begin_take()
    recorder.end_take()
    with qtbot.waitSignal(recorder.take_finished):
        stream.deliver(tone(1))
    assert len(heard.takes[0][0]) == pytest.approx(0.3 * RATE, abs=2)


@pytest.mark.parametrize("ago", [0.06, 0.3])
def test_a_release_that_is_told_late_makes_the_take_no_longer(qtbot, recorder, backend, heard, ago):
    stream = running(qtbot, recorder, backend)
    ramp = np.linspace(0, 1, RATE, dtype=np.float32)
    recorder.begin_take()
    stream.deliver(ramp[: RATE // 2])
    recorder.end_take(ago)
    with qtbot.waitSignal(recorder.take_finished):
        stream.deliver(ramp[RATE // 2 :])
    assert heard.takes[0][0][-1] == pytest.approx(0.5 - ago + 0.10, abs=1e-3)


def test_a_take_that_nobody_ends_ends_by_itself(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    recorder.begin_take()
    with qtbot.waitSignal(recorder.take_finished):
        stream.deliver(np.zeros(RATE * 12, np.float32))
    assert len(heard.takes[0][0]) == 10 * RATE


def test_a_failed_switch_goes_back_to_the_former_device(qtbot, recorder, backend, heard):
    running(qtbot, recorder, backend)
    backend.broken.add("Headset")
    with qtbot.waitSignal(recorder.failed):
        recorder.set_device("Headset")
    assert heard.problems == ["Headset is broken"]
    assert heard.devices == [None, None]
    assert recorder.device is None
    assert [stream.device for stream in backend.open_streams] == ["Desk"]
    with qtbot.waitSignal(recorder.chunk):
        backend.open_streams[0].deliver(tone(0.01))
    assert heard.running == [True]


def test_the_last_of_several_choices_wins(qtbot, recorder, backend):
    recorder.start()
    for name in ("Headset", None, "Headset"):
        recorder.set_device(name)
    qtbot.waitUntil(lambda: [s.device for s in backend.open_streams] == ["Headset"])
    assert recorder.device == "Headset"


def test_a_refused_rate_is_replaced_by_a_common_one(qtbot, recorder, backend, heard):
    backend.accepted_rates = {44_100}
    stream = running(qtbot, recorder, backend)
    with qtbot.waitSignal(recorder.chunk):
        stream.deliver(tone(0.01))
    assert heard.chunks[0][1] == 44_100
    assert not heard.problems


def test_a_device_that_takes_no_rate_fails_in_words(qtbot, recorder, backend):
    backend.accepted_rates = set()
    with qtbot.waitSignal(recorder.failed) as failed:
        recorder.start()
    assert "refuses" in failed.args[0]


def test_an_unplugged_microphone_is_told_once_and_comes_back(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    plugged, backend.inputs = backend.inputs, []
    with qtbot.waitSignal(recorder.failed):
        stream.lose()
    assert "unplugged" in heard.problems[0]
    qtbot.waitUntil(lambda: backend.refreshes >= 3)  # it goes on looking
    assert heard.problems[1:] == ["default device not found"]
    assert heard.running == [True, False]
    assert heard.levels[-1:] == [(SILENCE, SILENCE)]

    backend.inputs = plugged
    qtbot.waitUntil(lambda: recorder.running)
    with qtbot.waitSignal(recorder.chunk):
        backend.streams[-1].deliver(tone(0.01))


def test_what_was_heard_before_the_microphone_was_lost_is_a_take(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    recorder.begin_take()
    deliver_slowly(qtbot, recorder, stream, tone(0.3))
    with qtbot.waitSignal(recorder.failed):
        stream.lose()
    ((take, rate),) = heard.takes
    assert rate == RATE
    np.testing.assert_allclose(take, tone(0.3), atol=1e-6)
    qtbot.waitUntil(lambda: recorder.running)
    deliver_slowly(qtbot, recorder, backend.streams[-1], tone(0.05))
    recorder.end_take()
    assert len(heard.takes) == 1


def test_what_was_heard_before_another_microphone_was_chosen_is_a_take(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    recorder.begin_take()
    deliver_slowly(qtbot, recorder, stream, tone(0.3))
    recorder.set_device("Headset")
    qtbot.waitUntil(lambda: recorder.device == "Headset" and stream.closed and bool(heard.takes))
    np.testing.assert_allclose(heard.takes[0][0], tone(0.3), atol=1e-6)


def test_a_take_in_which_nothing_was_heard_yet_is_none(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    deliver_slowly(qtbot, recorder, stream, tone(0.3))
    recorder.begin_take()
    with qtbot.waitSignal(recorder.failed):
        stream.lose()
    assert not heard.takes


def test_a_take_ends_with_the_recorder(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    recorder.begin_take()
    deliver_slowly(qtbot, recorder, stream, tone(0.3))
    recorder.stop()
    qtbot.waitUntil(lambda: stream.closed)
    assert not heard.takes


def test_a_stream_that_only_falls_silent_counts_as_unplugged(qtbot, recorder, backend, heard):
    stream = running(qtbot, recorder, backend)
    deliver_slowly(qtbot, recorder, stream, tone(0.01))
    with qtbot.waitSignal(recorder.failed, timeout=2_500):
        pass
    assert "stopped" in heard.problems[0]
    qtbot.waitUntil(lambda: stream.closed)


def test_refreshing_the_devices_opens_the_microphone_again(qtbot, recorder, system, backend, heard):
    running(qtbot, recorder, backend)
    seen = []
    system.devices_changed.connect(lambda inputs, _outputs: seen.append([d.name for d in inputs]))
    system.refresh()
    qtbot.waitUntil(lambda: seen == [["Desk", "Headset"]])
    backend.inputs = [*backend.inputs, AudioDevice("New", "Fake", False, RATE)]
    system.refresh()
    qtbot.waitUntil(lambda: seen[1:] == [["Desk", "Headset", "New"]])
    qtbot.waitUntil(lambda: len(backend.open_streams) == 1 and recorder.running)
    assert not heard.problems
    system.refresh()
    qtbot.waitUntil(lambda: backend.refreshes >= 2 and recorder.running)
    assert len(seen) == 2, "a list that has not changed is not told again"


def test_stopping_releases_the_device(qtbot, recorder, backend):
    stream = running(qtbot, recorder, backend)
    recorder.stop()
    qtbot.waitUntil(lambda: stream.closed)
    assert not recorder.running


def test_without_a_sound_library_the_hint_is_told_and_installing_it_helps(qtbot, backend):
    installed = []

    def make_backend() -> FakeBackend:
        if not installed:
            raise AudioUnavailable("install PortAudio")
        return backend

    system = SoundSystem(make_backend)
    recorder = Recorder(system, retry_every_ms=20)
    with qtbot.waitSignals([recorder.failed, system.devices_changed]):
        recorder.start()
        system.refresh()
    assert not recorder.running
    installed.append(True)
    qtbot.waitUntil(lambda: recorder.running)
    recorder.stop()
    system.close()
    assert not backend.open_streams
