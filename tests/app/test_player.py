"""The loudspeaker, with a sound library that does what the test says."""

from __future__ import annotations

import numpy as np
import pytest
from fake_sound import FakeBackend, FakeStream

from modinv_app.audio.mixer import prepare_clip
from modinv_app.audio.player import Player
from modinv_app.audio.system import SoundSystem

RATE = 48_000


@pytest.fixture
def backend():
    return FakeBackend(latency=0.02)


@pytest.fixture
def player(qtbot, backend):  # noqa: ARG001 (an application must exist)
    system = SoundSystem(lambda: backend)
    player = Player(system)
    yield player
    player.release()
    system.close()


@pytest.fixture
def said(player):
    """The player's signals, in order."""
    said: list[str] = []
    player.started.connect(lambda: said.append("started"))
    player.finished.connect(lambda: said.append("finished"))
    player.failed.connect(said.append)
    return said


def started(qtbot, player: Player, backend: FakeBackend, samples: np.ndarray, rate: int = RATE) -> FakeStream:
    with qtbot.waitSignal(player.started):
        player.play(samples, rate)
    return backend.streams[-1]


def constant(seconds: float, value: float, rate: int = RATE) -> np.ndarray:
    return np.full(round(seconds * rate), value, np.float32)


def test_a_clip_is_heard_whole_with_soft_edges(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, constant(0.1, 0.5))
    assert player.playing
    with qtbot.waitSignal(player.finished):
        heard = stream.consume(0.2)
    assert said == ["started", "finished"]
    assert not player.playing
    np.testing.assert_allclose(heard[300:4500], 0.5)
    assert heard[0] == 0
    assert np.abs(np.diff(heard)).max() < 0.01, "a jump is a click"
    assert not heard[4800:].any()


def test_a_clip_is_over_when_it_has_been_heard_not_just_handed_out(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, constant(0.1, 0.5))
    stream.consume(0.11)
    qtbot.wait(60)
    assert said == ["started"]
    with qtbot.waitSignal(player.finished):
        stream.consume(0.02)


def test_the_latest_clip_wins_at_once_and_without_a_click(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, constant(1, 0.5))
    before = stream.consume(0.1)
    started(qtbot, player, backend, constant(0.1, -0.5))
    after = stream.consume(0.1)
    assert said == ["started", "finished", "started"]
    assert backend.streams == [stream], "the device stays open in between"
    assert (after[300:4500] == -0.5).all()
    assert np.abs(np.diff(np.concatenate([before, after]))).max() < 0.01


def test_only_the_last_of_clips_that_come_in_a_hurry_plays(qtbot, player, backend, said):
    for value in (0.1, 0.2, 0.3):
        player.play(constant(0.05, value), RATE)
    qtbot.waitUntil(lambda: "started" in said)
    heard = backend.streams[-1].consume(0.1)
    assert heard.max() == pytest.approx(0.3)
    qtbot.waitUntil(lambda: not player.playing)
    assert said == ["finished", "finished", "started", "finished"]


def test_stop_falls_silent(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, constant(1, 0.5))
    stream.consume(0.1)
    player.stop()
    assert said == ["started", "finished"]
    heard = stream.consume(0.1)
    assert not heard[300:].any()
    player.stop()
    assert said == ["started", "finished"]


def test_a_clip_is_resampled_to_the_device(qtbot, player, backend):
    player.set_device("Earphones")
    t = np.arange(8_000) / 8_000
    stream = started(qtbot, player, backend, np.sin(2 * np.pi * 1_000 * t).astype(np.float32), rate=8_000)
    assert stream.rate == 44_100
    heard = stream.consume(1)
    assert np.argmax(np.abs(np.fft.rfft(heard))) == pytest.approx(1_000, abs=1)


def test_a_refused_rate_is_replaced_by_a_common_one(qtbot, player, backend):
    backend.accepted_rates = {16_000}
    stream = started(qtbot, player, backend, constant(0.1, 0.5))
    assert stream.rate == 16_000
    with qtbot.waitSignal(player.finished):
        heard = stream.consume(0.2)
    assert heard[800] == pytest.approx(0.5, abs=0.01)
    assert np.count_nonzero(heard) == pytest.approx(1_600, abs=20)


def test_a_loudspeaker_that_cannot_be_opened_fails_and_finishes(qtbot, player, backend, said):
    backend.broken.add("Box")
    with qtbot.waitSignals([player.failed, player.finished]):
        player.play(constant(0.1, 0.5), RATE)
    assert said == ["finished", "Box is broken"]


def test_a_failed_switch_goes_back_to_the_former_device(qtbot, player, backend):
    backend.broken.add("Earphones")
    with qtbot.waitSignals([player.failed, player.device_changed]):
        player.set_device("Earphones")
    assert player.device is None
    assert started(qtbot, player, backend, constant(0.1, 0.5)).device == "Box"


def test_an_unplugged_loudspeaker_finishes_in_words_and_the_next_clip_tries_again(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, constant(0.1, 0.5))
    with qtbot.waitSignals([player.failed, player.finished]):
        stream.lose()
    assert said[:2] == ["started", "finished"]
    assert "unplugged" in said[2]
    assert started(qtbot, player, backend, constant(0.1, 0.5)) is not stream


def test_a_loudspeaker_that_does_not_move_counts_as_unplugged(qtbot, player, backend, said):
    started(qtbot, player, backend, constant(0.1, 0.5))
    with qtbot.waitSignal(player.failed, timeout=4_000):
        pass
    assert said[1] == "finished"


def test_an_empty_clip_finishes(qtbot, player, backend, said):
    stream = started(qtbot, player, backend, np.zeros(0, np.float32))
    with qtbot.waitSignal(player.finished):
        stream.consume(0.05)
    assert said == ["started", "finished"]


def test_a_loud_clip_is_limited():
    assert np.abs(prepare_clip(constant(0.1, 3), 16_000, 48_000, 0)).max() <= 1
