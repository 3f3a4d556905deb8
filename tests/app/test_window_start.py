"""How the window starts, ends, and remembers; with everything that may be missing when it does."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import DeafSound, Desk, files, pause, until, word
from PySide6.QtCore import QByteArray, QSettings, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QSplitter

from model import locations
from model.checkpoints import write_atomically
from model.retrieval.retriever import Retriever
from model.types import Modality
from modinv_app.audio.backend import AudioUnavailable, Backend
from modinv_app.audio.portaudio import NO_MICROPHONE, what_to_install
from modinv_app.common.theme import apply_scheme, is_dark
from modinv_app.explore.device_chooser import DeviceButton
from modinv_app.shell.garbage import GarbageCollection

Open = Callable[..., Desk]
IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "modinv.ini"


@pytest.fixture
def open_desk(qapp, store: Path) -> Iterator[Open]:  # noqa: ARG001 (Qt first)
    """Opens windows, all on the same settings, and closes them in the end."""
    desks = []

    def make(make_backend: Callable[[], Backend] | None = None) -> Desk:
        desks.append(Desk(store, make_backend).open())
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
    apply_scheme("system")


def threads_of_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name in ("model", "sound", "simulated sound")]


def test_a_drawing_and_a_click_from_before_the_model_are_answered_when_it_is_there(open_desk: Open) -> None:
    desk = open_desk()
    maps: list[object] = []
    desk.state.reply_changed.connect(lambda _reply: maps.append(desk.state.maps))
    desk.draw()
    assert not desk.found
    found = desk.await_found(SPEECH)
    assert not maps[0]  # the map, whose import blocks the window, comes after the answer
    assert desk.guess(desk.window.explore.draw) == "7"
    until(lambda: desk.played == [found[0].index], "the nearest to sound")


def test_the_map_waits_until_the_pen_is_lifted(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QGuiApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    desk = open_desk()
    until(lambda: desk.state.model is not None, "the model")
    pause(0.5)
    assert not desk.state.maps
    monkeypatch.setattr(QGuiApplication, "mouseButtons", lambda: Qt.MouseButton.NoButton)
    until(lambda: desk.state.maps, "the map")


def test_what_exists_when_another_model_is_loaded_is_collected_later(qapp) -> None:  # noqa: ARG001 (Qt first)
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    collection = GarbageCollection()
    collection.start()
    knot = Knot()
    known = weakref.ref(knot)
    collection.start()  # as when another model is ready
    del knot
    gc.collect()
    assert known() is None


def test_garbage_is_collected_in_this_thread_without_a_walk_through_all_that_was_imported(open_desk: Open) -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    open_desk().ready()
    assert gc.get_freeze_count() > len(gc.get_objects())
    collected_in = []

    def tie() -> None:
        for _ in range(1000):
            weakref.finalize(Knot(), lambda: collected_in.append(threading.current_thread()))

    elsewhere = threading.Thread(target=tie)
    elsewhere.start()
    elsewhere.join()
    assert not collected_in
    until(lambda: len(collected_in) == 1000, "all knots to be collected")
    assert set(collected_in) == {threading.main_thread()}


def test_a_window_that_closes_during_a_query_leaves_nothing_running(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk().ready()
    working = threading.Event()
    read = Retriever.drawing_features

    def read_slowly(self, *arguments):
        working.set()
        threading.Event().wait(0.5)
        return read(self, *arguments)

    monkeypatch.setattr(Retriever, "drawing_features", read_slowly)
    replies: list[object] = []
    desk.state.reply_changed.connect(replies.append)
    desk.draw()
    until(working.is_set, "a query on its way")
    desk.close()
    assert not desk.window.isVisible()
    until(lambda: not threads_of_ours(), "the end of every thread", 5)
    pause(0.3)
    assert not replies


def test_a_window_that_closes_while_it_loads_leaves_nothing_running(open_desk: Open) -> None:
    desk = open_desk()
    desk.close()
    until(lambda: not threads_of_ours(), "the end of every thread")
    assert desk.state.model is None


def test_the_next_window_is_as_the_last_was_left(open_desk: Open) -> None:
    first = open_desk().ready()
    first.window.resize(1111, 700)
    columns = first.window.findChild(QSplitter)
    columns.setSizes([340, 420, 340])
    first.window.commands["dark"].trigger()
    first.key(Qt.Key.Key_1)
    first.window.explore.draw.play_on_lift = False
    first.key(Qt.Key.Key_H)
    sizes = columns.sizes()
    first.close()
    apply_scheme("light")

    second = open_desk().ready()
    assert second.window.size() == QSize(1111, 700)
    assert second.window.findChild(QSplitter).sizes() == pytest.approx(sizes, abs=2)
    until(lambda: is_dark(second.window.palette()), "the dark")
    assert second.window.commands["dark"].isChecked()
    assert second.window.explore.map.kind == "PCA"
    assert second.window.commands["pca"].isChecked()
    assert not second.window.explore.draw.play_on_lift
    assert second.window.explore.speak.hands_free
    assert second.window.commands["hands_free"].isChecked()


KEYS = (
    "appearance/scheme",
    "draw/play_on_lift",
    "speak/hands_free",
    "sound/input_device",
    "map/kind",
    "window/geometry",
    "window/columns",
)


@pytest.mark.parametrize("rubbish", ["@Invalid()", "purple", 17, QByteArray(b"\x00\xff rubbish"), ["a", "list"], ""])
def test_rubbish_in_the_settings_counts_as_nothing(open_desk: Open, store: Path, rubbish: object) -> None:
    settings = QSettings(str(store), QSettings.Format.IniFormat)
    for key in KEYS:
        settings.setValue(key, rubbish)
    settings.sync()
    desk = open_desk()
    assert desk.window.isVisible()
    assert desk.window.explore.map.kind in ("PCA", "t-SNE")
    assert all(width > 100 for width in desk.window.findChild(QSplitter).sizes())


def test_a_settings_file_that_is_no_settings_file_is_no_obstacle(open_desk: Open, store: Path) -> None:
    store.write_bytes(os.urandom(4096))
    desk = open_desk()
    desk.draw()
    assert desk.await_found(SPEECH)


def test_settings_that_cannot_be_written_are_no_obstacle(qapp) -> None:  # noqa: ARG001
    desk = Desk(Path("/proc/no such folder/modinv.ini")).open()
    desk.draw()
    assert desk.await_found(SPEECH)
    desk.window.commands["dark"].trigger()
    until(lambda: is_dark(desk.window.palette()), "the dark")
    desk.window.commands["system"].trigger()
    desk.close()


def replace_shipped(name: str, kind: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let another file, or none, stand in the place of the model or the gallery that ships."""
    path, content = folder / f"{name}.safetensors", getattr(locations, f"shipped_{name}")().read_bytes()
    patch.setattr(locations, f"shipped_{name}", lambda: path)
    if kind == "other tensors":
        write_atomically(path, {"weights": np.zeros(3, np.float32)}, {"format": "modinv-1"})
    elif kind == "cut off":
        path.write_bytes(content[: len(content) // 2])


FILES = ["missing", "cut off", "other tensors"]  # tests/model/test_checkpoint.py has more kinds of damage


@pytest.mark.parametrize("kind", FILES)
def test_without_a_usable_model_the_window_says_so_and_shows_the_map(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    replace_shipped("model", kind, tmp_path, monkeypatch)
    desk = open_desk()
    until(desk.window.messages.text, "a message")
    assert "model.safetensors" in desk.window.messages.text()
    desk.draw()
    desk.drop(files(tmp_path / "no.wav"), desk.window.explore.speak)
    item = next(item for item in desk.state.gallery.items if item.modality is SPEECH)
    desk.window.explore.queries.ask_item(item.index)
    until(lambda: desk.played == [item.index], "the utterance, which needs no model")
    assert "model.safetensors" in desk.window.messages.text()
    assert not desk.found


@pytest.mark.parametrize("kind", FILES)
def test_without_a_usable_gallery_the_window_says_so_and_lives(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    replace_shipped("gallery", kind, tmp_path, monkeypatch)
    desk = open_desk()
    until(desk.window.messages.text, "a message")
    desk.draw()
    desk.window.explore.speak.press()
    desk.window.explore.speak.release()
    desk.key(Qt.Key.Key_P)
    pause(0.5)
    assert "gallery.safetensors" in desk.window.messages.text()
    assert not desk.found


def test_without_portaudio_the_panel_says_what_to_install_and_all_else_works(open_desk: Open) -> None:
    def no_library() -> Backend:
        raise AudioUnavailable(what_to_install())

    desk = open_desk(no_library)
    until(lambda: desk.spoken_message == what_to_install(), "what to install")
    desk.draw()
    assert desk.await_found(SPEECH)
    desk.window.explore.queries.ask_sound(word(), 48_000)
    assert desk.await_found(IMAGE)
    assert desk.spoken_message == what_to_install()


def test_without_a_microphone_the_loudspeaker_still_plays(open_desk: Open) -> None:
    deaf = DeafSound()
    desk = open_desk(lambda: deaf)
    until(lambda: desk.spoken_message == NO_MICROPHONE, "a word about the microphone")
    desk.draw()
    found = desk.await_found(SPEECH)
    until(lambda: desk.played == [found[0].index], "something to sound")
    until(lambda: deaf.heard.any(), "the loudspeaker")


@pytest.mark.qt_log_ignore("This plugin does not support")  # popups, on the offscreen platform
def test_the_devices_are_offered_behind_their_button(open_desk: Open) -> None:
    desk = open_desk()
    boxes = desk.window.explore.speak.findChildren(QComboBox)
    until(lambda: all(box.count() == 2 for box in boxes), "the devices")
    buttons = desk.window.explore.speak.findChildren(DeviceButton)
    button = next(button for button in buttons if "microphone" in button.accessibleName())
    button.click()
    assert all(box.isVisible() for box in boxes)
    boxes[0].setCurrentIndex(1)
    boxes[0].activated.emit(1)
    until(lambda: desk.root.recorder.device == "Simulated microphone", "the chosen microphone")
    boxes[0].window().close()
    assert not boxes[0].isVisible()
