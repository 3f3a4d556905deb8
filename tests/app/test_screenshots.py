"""Pictures of the window in its main states, for people to look at in ``build/screenshots``; obvious faults fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import SEVEN, DeafSound, Desk, pause, until, word
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QAbstractButton, QLabel, QScrollArea, QSlider, QWidget

from model.data.corpora.mnist import Mnist
from model.data.corpora.voices import Voices
from model.data.takes import TakeStore
from model.types import WORDS, Modality
from modinv_app.audio.backend import Backend
from modinv_app.audio.portaudio import NO_MICROPHONE
from modinv_app.audio.simulated import RATE
from modinv_app.common.theme import apply_scheme, is_dark
from modinv_app.explore.device_chooser import DeviceButton, DeviceChooser
from modinv_app.shell.shortcut_sheet import ShortcutSheet

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
SMALL, LARGE = QSize(1000, 700), QSize(1280, 800)
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # popups, on the offscreen platform


@pytest.fixture
def open_desk(qapp, tmp_path: Path) -> Iterator[Callable[..., Desk]]:  # noqa: ARG001 (Qt first)
    desks = []

    def make(make_backend: Callable[[], Backend] | None = None) -> Desk:
        desks.append(Desk(tmp_path / "modinv.ini", make_backend))
        desks[-1].window.commands["light"].trigger()
        return desks[-1].open()

    yield make
    for desk in desks:
        desk.close()
    apply_scheme("system")


def hidden_parts(window: QWidget) -> list[str]:
    """What is smaller than it needs to be, or lies outside of its parent."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, (QLabel, QAbstractButton)):
            continue
        name = f"{type(widget).__name__} {widget.text() or widget.accessibleName()!r}"
        needed = widget.minimumSizeHint()
        if isinstance(widget, QLabel) and widget.wordWrap():
            needed = QSize(0, widget.heightForWidth(widget.width()))
        shown = widget.size()
        ignored = widget.sizePolicy().horizontalPolicy() == widget.sizePolicy().Policy.Ignored
        if shown.height() < needed.height() or (shown.width() < needed.width() and not ignored):
            found.append(f"{name}: {shown.toTuple()} of {needed.toTuple()}")
        parent = widget.parentWidget()
        if parent and not isinstance(parent.parent(), QScrollArea) and not parent.rect().contains(widget.geometry()):
            found.append(f"{name}: outside of its parent")
    return found


def look(widget: QWidget, name: str) -> None:
    """Take a picture; it must show something, and all of every word."""
    parts = hidden_parts(widget)
    if parts:  # a layout may just be on its way
        pause(0.1)
        parts = hidden_parts(widget)
    assert not parts
    picture: QPixmap = widget.grab()
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.save(str(FOLDER / f"{name}.png"))
    image = picture.toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grey = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    assert grey.std() > 5, f"{name} is blank"


def scheme_of(widget: QWidget) -> str:
    return "dark" if is_dark(widget.palette()) else "light"


def look_in_both_schemes(desk: Desk, widget: QWidget, name: str) -> None:
    """End with the other scheme: to change it takes a moment."""
    before = scheme_of(desk.window)
    look(widget, f"{name}-{before}")
    after = "light" if before == "dark" else "dark"
    desk.window.commands[after].trigger()
    until(lambda: scheme_of(widget) == after, f"the {after} scheme")
    look(widget, f"{name}-{after}")


def look_at_both_sizes(desk: Desk, name: str) -> None:
    """The small window in one scheme only: words take as much room in the other."""
    desk.window.resize(SMALL)
    desk.rest()
    assert desk.window.size() == SMALL
    look(desk.window, f"{name}-small-{scheme_of(desk.window)}")
    desk.window.resize(LARGE)
    desk.rest()
    assert desk.window.size() == LARGE
    look_in_both_schemes(desk, desk.window, f"{name}-large")


def test_starting_drawing_and_speaking(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    look_in_both_schemes(desk, desk.window, "start")
    desk.ready()
    look_at_both_sizes(desk, "ready")
    desk.draw()
    desk.await_found(Modality.SPEECH)
    until(lambda: desk.state.imagined is not None, "what is imagined of it")
    look_at_both_sizes(desk, "drawn")
    desk.key(Qt.Key.Key_1)
    desk.rest()
    look_at_both_sizes(desk, "pca")
    desk.key(Qt.Key.Key_2)
    desk.window.explore.speak.press()
    desk.sound.say(word())
    pause(0.3)
    look_in_both_schemes(desk, desk.window, "speaking")
    pause(0.6)
    desk.window.explore.speak.release()
    desk.await_found(Modality.IMAGE)
    look_at_both_sizes(desk, "spoken")
    desk.draw()
    desk.await_found(Modality.SPEECH)
    desk.key(Qt.Key.Key_1)
    slider = desk.window.explore.imagined.findChild(QSlider)
    slider.setSliderDown(True)  # silent
    slider.setValue(slider.maximum() // 2)
    until(lambda: desk.state.imagined is not None and desk.state.imagined.ends, "a walk")
    look_at_both_sizes(desk, "walk")
    desk.window.messages.show_message("The model file is damaged. Choose another one.", "error", "Traceback …")
    look_at_both_sizes(desk, "error")


def test_why_a_match_is_one(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk().ready()
    why = desk.window.explore.why
    why.open = True
    look_at_both_sizes(desk, "why-nothing")
    desk.draw()
    desk.await_found(Modality.SPEECH)
    until(lambda: why.query.hot and why.match.hot, "heat")
    look_at_both_sizes(desk, "why-drawn")
    desk.window.explore.queries.ask_sound(word(), RATE)
    desk.await_found(Modality.IMAGE)
    until(lambda: why.query.hot and why.match.hot, "heat")
    look_at_both_sizes(desk, "why-spoken")


def test_without_a_microphone(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(DeafSound)
    until(lambda: desk.spoken_message == NO_MICROPHONE, "a word about the microphone")
    look_at_both_sizes(desk, "no-microphone")


def test_the_sheet_of_shortcuts_and_the_devices(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.key(Qt.Key.Key_F1)
    pause(0.2)
    sheet = desk.window.findChild(ShortcutSheet)
    look_in_both_schemes(desk, sheet, "shortcuts")
    sheet.close()
    desk.window.findChild(DeviceButton).click()
    pause(0.2)
    popup = desk.window.findChild(DeviceChooser).window()
    look_in_both_schemes(desk, popup, "devices")
    popup.close()


def test_words_of_every_length_fit_while_hands_free_is_on(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk().ready()
    desk.key(Qt.Key.Key_H)
    desk.sound.say(np.zeros(RATE // 10, np.float32))
    pause(0.3)
    look_at_both_sizes(desk, "hands-free")


def test_my_digits(open_desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODINV_TAKES", str(tmp_path / "my-digits"))
    desk = open_desk().ready()
    page = desk.window.pages.turn_to("takes")
    until(lambda: page.prompt.digits, "a digit to say")
    look_at_both_sizes(desk, "takes-none")

    takes, images = TakeStore(), Mnist().load("test")
    for number in range(24):
        word = WORDS[number % 10]
        takes.add_speech("Ann", number % 10, *Voices().clip(f"kokoro_af_bella/plain/{word}.opus"), "Desk microphone")
        takes.add_drawing("Ann", int(images.labels[number]), (255 * images.features[number]).astype(np.uint8))
    takes.exclude(takes.takes()[2])
    takes.add_person("A name of forty characters, the longest")
    page.people.want("Ann")
    page._library.refresh()
    grid = page.takes.grid
    until(lambda: len(grid.table.features) == 24, "pictures of what was said")
    page.speech.toggle()
    until(lambda: page.speech.state == "listening", "that it listens")
    sound, rate = Voices().clip("kokoro_af_bella/plain/eight.opus")
    page._keep_sound(sound, rate)
    until(lambda: page.doubt.question, "a question")
    look_at_both_sizes(desk, "takes-said")
    page.speech.toggle()
    grid.setCurrentIndex(grid.table.index(0, 3))
    page.takes.delete()
    until(page.undo.isVisible, "the way back")
    page.tabs.setCurrentIndex(1)
    until(lambda: len(grid.table.features) >= 48, "pictures of what was drawn")
    page.drawing.canvas.replay(SEVEN)
    look_at_both_sizes(desk, "takes-drawn")


def test_my_digits_without_a_microphone(
    open_desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODINV_TAKES", str(tmp_path / "my-digits"))
    desk = open_desk(DeafSound)
    page = desk.window.pages.turn_to("takes")
    until(lambda: NO_MICROPHONE in page.speech.message, "a word about the microphone")
    look_at_both_sizes(desk, "takes-no-microphone")
