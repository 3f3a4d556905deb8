"""The whole road over a real sound library: a human voice in the air, and a loudspeaker that is recorded."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import Desk, likeness, pause, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from sound_card import SoundCard

from model.data.corpora.fsdd import Fsdd
from model.types import Modality
from modinv_app.audio.portaudio import PortAudio

pytestmark = [pytest.mark.sound_card, pytest.mark.usefixtures("sound_card")]
IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
_BESIDE = Path(__file__).parents[3] / "shared" / "data"
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


@pytest.fixture(scope="module")
def voices() -> Fsdd:
    fsdd = Fsdd(Path(os.environ.get("MODINV_DATA", _BESIDE)))
    if fsdd.location() is None:
        pytest.skip("no Free Spoken Digit Dataset (MODINV_DATA says where corpora lie)")
    return fsdd


@pytest.fixture(scope="module")
def real_desk(qapp, sound_card, tmp_path_factory) -> Iterator[Desk]:  # noqa: ARG001 (both first)
    """The whole application on PortAudio."""
    desk = Desk(tmp_path_factory.mktemp("settings") / "modinv.ini", PortAudio).open().ready()
    yield desk
    desk.close()


@pytest.fixture
def desk(real_desk: Desk) -> Desk:
    real_desk.tidy()
    return real_desk


def seven_of(voices: Fsdd, speaker: str) -> tuple[np.ndarray, int]:
    """A recording from the official test set."""
    place, name = voices.location(), f"7_{speaker}_0.wav"
    assert place is not None
    if place.is_file():
        with zipfile.ZipFile(place) as archive:
            name = next(key for key in archive.namelist() if Path(key).name == name)
    return voices.clip(name)


def say(desk: Desk, sound_card: SoundCard, samples: np.ndarray, rate: int) -> None:
    """Hold the space bar while the word is in the air."""
    QTest.keyPress(desk.window.focusWidget(), Qt.Key.Key_Space)
    said = sound_card.speak(samples, rate)
    until(lambda: said.poll() is not None, "the end of the word")
    pause(0.2)
    QTest.keyRelease(desk.window.focusWidget(), Qt.Key.Key_Space)


def test_sevens_of_six_people_show_sevens(desk: Desk, sound_card: SoundCard, voices: Fsdd) -> None:
    guesses = {}
    for speaker in SPEAKERS:
        desk.tidy()
        say(desk, sound_card, *seven_of(voices, speaker))
        found = desk.await_found(IMAGE)
        guesses[speaker] = desk.guess(desk.window.explore.speak)
        if guesses[speaker] == "7":
            assert sum(item.label == 7 for item in found) > len(found) / 2
            assert desk.sees_spectrogram
    assert sum(guess == "7" for guess in guesses.values()) >= len(SPEAKERS) - 1, guesses


def test_hands_free_hears_a_seven_by_itself(desk: Desk, sound_card: SoundCard, voices: Fsdd) -> None:
    desk.key(Qt.Key.Key_H)
    pause(1)
    sound_card.speak(*seven_of(voices, "jackson"))
    desk.await_found(IMAGE)
    assert desk.guess(desk.window.explore.speak) == "7"


def test_a_drawn_seven_comes_out_of_the_loudspeaker_as_the_nearest_utterance(desk: Desk, sound_card: SoundCard) -> None:
    with sound_card.recording() as recording:
        desk.draw()
        until(lambda: desk.played, "something to sound")
        until(lambda: not desk.root.player.playing, "the end of it")
        pause(0.2)
        heard = recording.samples
    (played,) = desk.played
    assert desk.state.gallery.items[played].label == 7
    assert np.abs(heard).max() > 0.01
    assert likeness(heard, desk.clip(played)) > 0.9
    another = next(item for item in desk.state.gallery.items if item.modality is SPEECH and item.label == 3)
    assert likeness(heard, desk.clip(another.index)) < 0.7


def test_hands_free_does_not_listen_to_the_loudspeaker(desk: Desk) -> None:
    desk.key(Qt.Key.Key_H)
    pause(0.5)
    desk.draw()
    desk.await_found(SPEECH)
    until(lambda: desk.root.player.playing, "something to sound")
    until(lambda: not desk.root.player.playing, "the end of it")
    pause(1)
    assert desk.state.reply.answer.modality is IMAGE


def test_a_microphone_that_is_unplugged_in_a_word_leaves_a_window_in_which_one_can_draw(
    desk: Desk, sound_card: SoundCard, voices: Fsdd
) -> None:
    QTest.keyPress(desk.window.focusWidget(), Qt.Key.Key_Space)
    sound_card.speak(*seven_of(voices, "theo"))
    pause(0.1)
    sound_card.pull_out()
    try:
        until(lambda: "microphone" in desk.spoken_message.lower() and not desk.root.recorder.running, "a message")
        QTest.keyRelease(desk.window.focusWidget(), Qt.Key.Key_Space)
        desk.draw()
        desk.await_found(SPEECH)
        assert desk.guess(desk.window.explore.draw) == "7"
    finally:
        sound_card.plug_in()
    until(lambda: desk.root.recorder.running, "the microphone again")
    desk.tidy()
    assert "Hold the button" in desk.spoken_message
    say(desk, sound_card, *seven_of(voices, "jackson"))
    desk.await_found(IMAGE)
    assert desk.guess(desk.window.explore.speak) == "7"
