"""What the window does with input that is broken: it says so in the right place, and lives on."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from desk import Desk, files, pause, until, word
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication

from model.types import Modality
from modinv_app.audio.simulated import RATE
from modinv_app.shell import main_window


def make_sound(kind: str, path: Path) -> None:
    """A sound file with something wrong."""
    if kind == "empty file":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("seven")
    elif kind == "cut off":
        soundfile.write(path, word(), RATE)
        path.write_bytes(path.read_bytes()[:40])
    elif kind == "picture":
        Image.new("L", (28, 28)).save(path, "PNG")
    elif kind == "folder":
        path.mkdir()
    elif kind == "not numbers":
        soundfile.write(path, np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    else:
        samples = {
            "no samples": np.zeros(0, np.float32),
            "silent": np.zeros(RATE, np.float32),
            "quiet": 1e-4 * word(),
            "a click": np.ones(20, np.float32),
            "noise": np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32),
            "two minutes": np.tile(word(), 240)[: 120 * RATE],
        }[kind]
        soundfile.write(path, samples, RATE)


SOUNDS = {
    "missing": "does not exist",
    "empty file": "can't be read as sound",
    "text": "can't be read as sound",
    "cut off": "",
    "picture": "can't be read as sound",
    "folder": "It is a folder",
    "not numbers": "not numbers",
    "no samples": "empty",
    "silent": "silent",
    "quiet": "quiet",
    "a click": "",
    "noise": "No speech",
    "two minutes": "longer than a minute",
}


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_sound_file_that_cannot_be_used_is_named_in_the_speak_panel(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "word.wav"
    if kind != "missing":
        make_sound(kind, path)
    desk.draw()
    desk.await_found(Modality.SPEECH)
    hint = desk.spoken_message
    desk.drop(files(path), desk.window.explore.speak)
    until(lambda: desk.spoken_message != hint, "a message")
    assert SOUNDS[kind] in desk.spoken_message
    assert not desk.found, "matches of another query would lie beside the message"
    assert not desk.window.messages.text()
    desk.draw()
    desk.await_found(Modality.SPEECH)
    assert desk.spoken_message == hint


def test_a_clipped_recording_is_answered_and_said_to_be_clipped(desk: Desk) -> None:
    desk.window.explore.speak.press()
    desk.sound.say(np.clip(40 * word(), -1, 1))
    pause(1)
    desk.window.explore.speak.release()
    desk.await_found(Modality.IMAGE)
    assert "Too loud" in desk.spoken_message


def test_silence_into_the_microphone_is_said_and_the_answer_to_the_drawing_goes(desk: Desk) -> None:
    desk.draw()
    desk.await_found(Modality.SPEECH)
    desk.window.explore.speak.press()
    pause(0.4)
    desk.window.explore.speak.release()
    until(lambda: "quiet" in desk.spoken_message, "a message")
    assert not desk.found
    assert not desk.guess(desk.window.explore.draw)


def png_of(width: int, height: int) -> bytes:
    """A picture that claims a size, and holds nothing of it."""
    header = struct.pack(">4sIIBBBBB", b"IHDR", width, height, 8, 0, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) for body in (header, pixels)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make_picture(kind: str, path: Path) -> None:
    """A picture file with something wrong."""
    if kind == "blank":
        Image.new("L", (200, 200), 255).save(path)
    elif kind == "cut off":
        Image.effect_noise((200, 200), 90).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "sound":
        soundfile.write(path, word(), RATE, format="WAV")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"empty file": b"", "text": b"seven", "a bomb": png_of(60_000, 60_000)}[kind])


PICTURES = {
    "missing": "cannot be opened",
    "empty file": "empty",
    "text": "not a picture",
    "sound": "not a picture",
    "cut off": "damaged",
    "a bomb": "pixels",
    "folder": "cannot be opened",
    "blank": "No digit stands out",
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_file_that_cannot_be_used_is_named_and_the_window_lives_on(
    desk: Desk, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "seven.png"
    if kind != "missing":
        make_picture(kind, path)
    desk.drop(files(path), desk.window.explore.draw)
    until(desk.window.messages.text, "a message")
    assert PICTURES[kind] in desk.window.messages.text()
    assert not desk.found
    desk.tidy()
    desk.draw()
    assert desk.await_found(Modality.SPEECH)


def test_pasting_what_is_no_picture_says_so_and_keeps_the_answer(desk: Desk) -> None:
    desk.draw()
    found = desk.await_found(Modality.SPEECH)
    data = QMimeData()
    data.setText("seven")
    QGuiApplication.clipboard().setMimeData(data)
    desk.key(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "no picture" in desk.window.messages.text()
    assert desk.found == found


def test_a_loudspeaker_that_does_not_work_is_said_once_not_at_each_drawing(desk: Desk) -> None:
    player, messages = desk.root.player, desk.window.messages
    player.failed.emit("No loudspeaker found.")
    assert messages.text() == "No loudspeaker found."
    messages.dismiss()
    player.failed.emit("No loudspeaker found.")
    assert not messages.text()
    player.failed.emit("The loudspeaker has stopped.")
    assert messages.text() == "The loudspeaker has stopped."


@pytest.mark.parametrize("opens", [True, False])
def test_the_log_is_opened_from_the_menu_or_its_place_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    class Desktop:
        opened: ClassVar[list[str]] = []

        @staticmethod
        def openUrl(url: QUrl) -> bool:
            Desktop.opened.append(url.toLocalFile())
            return opens

    monkeypatch.setattr(main_window, "QDesktopServices", Desktop)
    file = tmp_path / "modinv.log"
    desk.window.commands["open_log"].trigger()
    assert "There is no log" in desk.window.messages.text()
    desk.window.messages.dismiss()
    monkeypatch.setattr(desk.window, "_log_file", file)
    desk.window.commands["open_log"].trigger()
    assert Desktop.opened == [str(file)]
    assert desk.window.messages.text().startswith("" if opens else f"The log is {file}")
    assert bool(desk.window.messages.text()) is not opens


def test_a_dot_is_a_drawing_like_any_other(desk: Desk) -> None:
    desk.draw([[(0.5, 0.5)]])
    assert desk.await_found(Modality.SPEECH)
    assert not desk.window.messages.text()
