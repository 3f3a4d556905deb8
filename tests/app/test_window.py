"""The window as a person uses it: the real model, a rehearsed sound card, real mouse and key events."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from desk import SEVEN, Desk, files, likeness, pause, until, word
from pens import place
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel
from query_marker import query_marker
from strokes import mnist_to_strokes

from model.data.corpora.mnist import Mnist
from model.retrieval.retriever import Retriever
from model.types import Modality
from modinv_app.audio.simulated import RATE
from modinv_app.explore.match_view import MatchView
from modinv_app.shell.shortcut_sheet import ShortcutSheet

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


@pytest.fixture
def slow_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that takes its time over pictures."""
    read = Retriever.drawing_features

    def read_slowly(self, *arguments):
        time.sleep(0.3)
        return read(self, *arguments)

    monkeypatch.setattr(Retriever, "drawing_features", read_slowly)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Thirty MNIST test digits, three of each, (30, 28, 28) in [0, 1], and their labels."""
    test = Mnist().load("test")
    labels = np.asarray(test.labels)
    chosen = np.concatenate([np.flatnonzero(labels == digit)[10:13] for digit in range(10)])
    return np.asarray(test.features)[chosen], labels[chosen]


def majority(items) -> int:
    labels = [item.label for item in items]
    return max(set(labels), key=labels.count)


def empty(desk: Desk) -> bool:
    """Whether nothing of any answer is to be seen."""
    page = desk.window.explore
    nothing = desk.state.reply is None and not desk.found and query_marker(page.map) is None
    return nothing and not desk.guess(page.draw) and not desk.guess(page.speak) and not desk.sees_spectrogram


def test_a_drawn_seven_is_answered_with_sevens_and_the_nearest_sounds(desk: Desk) -> None:
    before = len(desk.sound.heard)
    desk.draw()
    found = desk.await_found(SPEECH)
    assert majority(found) == 7
    assert desk.guess(desk.window.explore.draw) == "7"
    assert not desk.guess(desk.window.explore.speak)
    until(lambda: desk.played, "something to sound")
    assert desk.played == [found[0].index]
    until(lambda: not desk.root.player.playing, "the end of it")
    assert likeness(desk.sound.heard[before:], desk.clip(found[0].index)) > 0.95


def test_the_map_shows_the_query_in_either_projection(desk: Desk) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    for key in (Qt.Key.Key_1, Qt.Key.Key_2):
        desk.key(key)
        pause(0.05)
        at = query_marker(desk.window.explore.map)
        assert at is not None
        assert desk.window.explore.map.rect().contains(at)


def test_answers_come_while_the_pen_is_down_and_nothing_sounds_before_it_is_lifted(desk: Desk) -> None:
    (points,) = SEVEN
    QTest.mousePress(desk.canvas, Qt.MouseButton.LeftButton, pos=place(desk.canvas, *points[0]))
    replies = []
    desk.state.reply_changed.connect(replies.append)
    for point in points[1:]:
        QTest.mouseMove(desk.canvas, place(desk.canvas, *point))
        pause(0.03)
    until(lambda: len(replies) > 3, "live answers")
    assert desk.found
    assert not desk.played
    QTest.mouseRelease(desk.canvas, Qt.MouseButton.LeftButton, pos=place(desk.canvas, *points[-1]))
    until(lambda: desk.played, "something to sound")
    pause(0.3)
    assert len(desk.played) == 1


def test_the_switch_keeps_lifting_the_pen_quiet(desk: Desk) -> None:
    switch = next(box for box in desk.window.explore.draw.findChildren(QCheckBox) if "Play" in box.text())
    switch.click()
    desk.draw()
    desk.await_found(SPEECH)
    pause(0.3)
    assert not desk.played


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_clear_empties_every_result(desk: Desk, key: Qt.Key) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    until(lambda: desk.root.player.playing, "something to sound")
    desk.key(key)
    assert empty(desk)
    assert not desk.root.player.playing
    desk.window.explore.queries.ask_sound(word(), RATE)
    desk.await_found(IMAGE)
    desk.key(key)
    assert empty(desk)


@pytest.mark.usefixtures("slow_model")
def test_no_answer_arrives_after_clear(desk: Desk) -> None:
    desk.draw()
    pause(0.1)
    desk.key(Qt.Key.Key_Delete)
    pause(0.8)
    assert empty(desk)
    assert not desk.played


def test_undo_and_redo_ask_again(desk: Desk) -> None:
    desk.draw()
    desk.draw([[(0.2, 0.8), (0.5, 0.85), (0.8, 0.8)]])
    desk.await_found(SPEECH)
    both = desk.state.reply
    desk.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(lambda: desk.state.reply is not both, "an answer to one stroke")
    assert majority(desk.found) == 7
    desk.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    until(lambda: np.array_equal(desk.state.reply.answer.mean, both.answer.mean), "the answer to both strokes")
    for _ in range(2):
        desk.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert empty(desk)


def test_a_seven_said_while_the_space_bar_is_held_finds_sevens(desk: Desk) -> None:
    said = word()
    QTest.keyPress(desk.window.focusWidget(), Qt.Key.Key_Space)
    desk.sound.say(said)
    pause(len(said) / RATE + 0.2)
    QTest.keyRelease(desk.window.focusWidget(), Qt.Key.Key_Space)
    assert majority(desk.await_found(IMAGE)) == 7
    assert desk.guess(desk.window.explore.speak) == "7"
    assert desk.sees_spectrogram
    assert not desk.played, "images make no sound"


def test_a_held_space_bar_that_repeats_is_one_press(desk: Desk) -> None:
    takes = []
    desk.root.recorder.take_finished.connect(lambda *_take: takes.append(1))
    said = word("three")
    QTest.keyPress(desk.window.focusWidget(), Qt.Key.Key_Space)
    desk.sound.say(said)
    for _ in range(10):
        QTest.simulateEvent(
            desk.window.focusWidget(), True, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", True
        )
        pause(len(said) / RATE / 10 + 0.02)
    QTest.keyRelease(desk.window.focusWidget(), Qt.Key.Key_Space)
    assert majority(desk.await_found(IMAGE)) == 3
    assert len(takes) == 1


def test_a_button_that_was_reached_by_tab_keeps_its_space_bar(desk: Desk) -> None:
    switch = next(box for box in desk.window.explore.draw.findChildren(QCheckBox) if "Play" in box.text())
    switch.setFocus(Qt.FocusReason.TabFocusReason)
    listened = []
    desk.window.explore.speak.listening_started.connect(lambda: listened.append(1))
    desk.key(Qt.Key.Key_Space)
    assert not switch.isChecked()
    assert not listened


def test_hands_free_takes_one_word_after_the_other(desk: Desk) -> None:
    desk.key(Qt.Key.Key_H)
    assert desk.window.commands["hands_free"].isChecked()
    until(lambda: desk.spoken_message, "words")
    pause(1)
    for said, digit in (("seven", 7), ("three", 3)):
        before = desk.state.reply
        desk.sound.say(word(said))
        until(lambda before=before: desk.state.reply is not before and desk.found, f"an answer to {said}")
        assert majority(desk.found) == digit
    desk.key(Qt.Key.Key_H)
    before = desk.state.reply
    desk.sound.say(word("nine"))
    pause(1.2)
    assert desk.state.reply is before


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_dropped_sound_file_is_answered(desk: Desk, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sieben äö.{suffix}"
    soundfile.write(path, word(), RATE)
    desk.drop(files(path), desk.window.explore.speak)
    assert majority(desk.await_found(IMAGE)) == 7


def test_speaking_silences_what_plays(desk: Desk) -> None:
    desk.draw()
    until(lambda: desk.root.player.playing, "something to sound")
    QTest.keyPress(desk.window.focusWidget(), Qt.Key.Key_Space)
    assert not desk.root.player.playing
    QTest.keyRelease(desk.window.focusWidget(), Qt.Key.Key_Space)
    until(lambda: "Too short" in desk.spoken_message, "a word about it")


def test_pictures_are_pasted_and_dropped(desk: Desk, digits, tmp_path: Path) -> None:
    pixels = np.ascontiguousarray(255 * (1 - digits[0][21].reshape(28, 28)), np.uint8)
    image = QImage(pixels.data, 28, 28, 28, QImage.Format.Format_Grayscale8).scaled(280, 280)
    QGuiApplication.clipboard().setImage(image)
    desk.key(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert majority(desk.await_found(SPEECH)) == 7
    until(lambda: desk.played, "something to sound")
    desk.tidy()
    image.save(str(tmp_path / "seven.png"))
    desk.drop(files(tmp_path / "seven.png"), desk.window.explore.draw)
    assert majority(desk.await_found(SPEECH)) == 7
    desk.tidy()
    data = QMimeData()
    data.setImageData(image)
    desk.drop(data, desk.window.explore.draw)
    assert majority(desk.await_found(SPEECH)) == 7


def test_nine_of_ten_mnist_digits_drawn_by_hand_are_understood(desk: Desk, digits) -> None:
    desk.window.explore.draw.play_on_lift = False
    right = 0
    for picture, label in zip(*digits, strict=True):
        desk.window.commands["clear"].trigger()
        desk.draw(mnist_to_strokes(picture.reshape(28, 28)))
        right += majority(desk.await_found(SPEECH)) == label
    assert right >= 27


def test_nine_of_ten_mnist_digits_pasted_are_understood(desk: Desk, digits) -> None:
    desk.window.explore.draw.play_on_lift = False
    right = 0
    for picture, label in zip(*digits, strict=True):
        desk.window.commands["clear"].trigger()
        pixels = np.ascontiguousarray(255 * picture.reshape(28, 28), np.uint8)
        QGuiApplication.clipboard().setImage(QImage(pixels.data, 28, 28, 28, QImage.Format.Format_Grayscale8).copy())
        desk.key(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        right += majority(desk.await_found(SPEECH)) == label
    assert right >= 27


@pytest.mark.parametrize("modality", [IMAGE, SPEECH])
def test_a_click_on_the_map_makes_the_point_the_query(desk: Desk, modality: Modality) -> None:
    items = desk.state.gallery.items
    index = next(item.index for item in items if item.modality is modality)
    widget, at = desk.on_map(index)
    QTest.mouseMove(widget, at)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
    found = desk.await_found(modality.other)
    asked = desk.state.query.item  # points lie on each other: it may be a neighbour
    assert asked.modality is modality
    until(lambda: desk.played, "something to sound")
    assert desk.played == [asked.index if modality is SPEECH else found[0].index]


def test_a_click_plays_a_match_and_another_makes_it_the_query(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False
    desk.draw()
    second = desk.await_found(SPEECH)[1].index
    view = desk.window.explore.matches.findChild(MatchView)
    row = view.visualRect(view.matches.index(1))
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    until(lambda: desk.played == [second], "the second match to sound")
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    found = desk.await_found(IMAGE)
    assert desk.state.query.item.index == second
    tile = view.visualRect(view.matches.index(0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=tile.center())
    desk.await_found(SPEECH)
    assert desk.state.query.item.index == found[0].index


def test_keys_play_and_walk_through_the_matches(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False
    desk.draw()
    found = desk.await_found(SPEECH)
    desk.key(Qt.Key.Key_P)
    until(lambda: desk.played == [found[0].index], "the nearest to sound")
    view = desk.window.explore.matches.findChild(MatchView)
    for key, row in ((Qt.Key.Key_J, 0), (Qt.Key.Key_J, 1), (Qt.Key.Key_J, 2), (Qt.Key.Key_K, 1)):
        desk.key(key)
        assert view.selected_row() == row
    view.setFocus()
    desk.key(Qt.Key.Key_Return)
    until(lambda: desk.played[-1] == found[1].index, "the chosen one to sound")
    desk.key(Qt.Key.Key_J)
    desk.key(Qt.Key.Key_P)
    until(lambda: desk.played[-1] == found[2].index, "the one chosen after it to sound")
    desk.key(Qt.Key.Key_Period)
    assert not desk.root.player.playing
    assert desk.state.playing is None


def test_the_sheet_lists_every_shortcut(desk: Desk) -> None:
    desk.key(Qt.Key.Key_F1)
    until(lambda: any(sheet.isVisible() for sheet in desk.window.findChildren(ShortcutSheet)), "the sheet")
    sheet = next(sheet for sheet in desk.window.findChildren(ShortcutSheet) if sheet.isVisible())
    listed = {label.text() for label in sheet.findChildren(QLabel)}
    for action in desk.window.commands.all():
        if action.shortcuts():
            assert any(action.text().replace("&", "").rstrip("…") in text for text in listed), action.text()
    assert "Hold to speak" in listed
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
