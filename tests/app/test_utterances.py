"""Recordings by their keys: what is heard, and what is said of it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fake_sound import FakeBackend
from pytestqt.qtbot import QtBot

from model.data.corpora import MissingData
from modinv_app.audio import utterances
from modinv_app.audio.player import Player
from modinv_app.audio.system import SoundSystem
from modinv_app.audio.utterances import UtterancePlayer

RATE = 48_000


class Scene:
    """A loudspeaker, and recordings that are found when the test says so."""

    def __init__(self) -> None:
        self.backend = FakeBackend(latency=0.02)
        self.system = SoundSystem(lambda: self.backend)
        self.player = Player(self.system)
        self.utterances = UtterancePlayer(self.player)
        self.marks: list[str | None] = []
        self.utterances.playing_changed.connect(self.marks.append)
        self.found = threading.Event()
        self.found.set()

    def recording(self, key: str) -> tuple[np.ndarray, int]:
        self.found.wait(10)
        if key == "nowhere:0":
            raise MissingData("The recording nowhere:0 can't be found.")
        return np.full(RATE // 10, 0.25 if key == "quiet:0" else 0.5, np.float32), RATE

    def hear(self, qtbot: QtBot) -> float:
        """The level of what plays, heard to its end."""
        qtbot.waitUntil(lambda: bool(self.backend.streams), timeout=5000)
        with qtbot.waitSignal(self.player.finished):
            return float(np.median(self.backend.streams[-1].consume(0.1)[1000:3000]))


@pytest.fixture
def scene(qtbot, monkeypatch):  # noqa: ARG001 (an application must exist)
    scene = Scene()
    monkeypatch.setattr(utterances, "recording", scene.recording)
    yield scene
    scene.utterances.close()
    scene.player.release()
    scene.system.close()


def test_an_utterance_is_heard_and_marked_while_it_sounds(scene: Scene, qtbot: QtBot) -> None:
    with qtbot.waitSignal(scene.player.started):
        scene.utterances.play("loud:0")
    assert scene.marks == ["loud:0"]
    assert scene.hear(qtbot) == pytest.approx(0.5)
    assert scene.marks == ["loud:0", None]


def test_of_two_the_one_asked_for_last_sounds(scene: Scene, qtbot: QtBot) -> None:
    scene.found.clear()
    scene.utterances.play("loud:0")
    scene.utterances.play("quiet:0")
    with qtbot.waitSignal(scene.player.started):
        scene.found.set()
    assert scene.hear(qtbot) == pytest.approx(0.25)
    assert scene.marks == ["quiet:0", None]


def test_what_gives_way_is_over_before_the_next_is_marked(scene: Scene, qtbot: QtBot) -> None:
    for key in ("loud:0", "quiet:0"):
        with qtbot.waitSignal(scene.player.started):
            scene.utterances.play(key)
    assert scene.marks == ["loud:0", None, "quiet:0"]


def test_what_was_about_to_sound_can_be_stopped(scene: Scene, qtbot: QtBot) -> None:
    scene.found.clear()
    scene.utterances.play("loud:0")
    scene.utterances.stop()
    scene.found.set()
    with qtbot.waitSignal(scene.player.started):
        scene.utterances.play("quiet:0")
    assert scene.marks == ["quiet:0"]


def test_a_sound_that_was_made_elsewhere_is_heard_unless_it_was_stopped(scene: Scene, qtbot: QtBot) -> None:
    made = np.full(RATE // 10, 0.125, np.float32)
    scene.utterances.expect("made: 0")
    scene.utterances.stop()
    scene.utterances.deliver("made: 0", made, RATE)
    assert not scene.player.playing
    scene.utterances.expect("made: 1")
    with qtbot.waitSignal(scene.player.started):
        scene.utterances.deliver("made: 1", made, RATE)
    assert scene.hear(qtbot) == pytest.approx(0.125)
    assert scene.marks == ["made: 1", None]


def test_a_recording_that_is_missing_is_said(scene: Scene, qtbot: QtBot) -> None:
    with qtbot.waitSignal(scene.utterances.failed) as said:
        scene.utterances.play("nowhere:0")
    assert said.args[0] == "The recording nowhere:0 can't be found."
    assert "MissingData" in said.args[1]
    assert not scene.marks
