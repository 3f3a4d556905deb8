"""One query at a time is *the* query: everything that the window shows belongs to it, or rests."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from desk import RATE, SEVEN, Desk, files, pause, until, word
from pens import place
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from query_marker import query_marker

from model.retrieval.retriever import Retriever
from model.types import Certainty, Modality
from modinv_app.common.icons import IconButton
from modinv_app.explore.queries import Drawing, GalleryItem
from modinv_app.explore.query_bar import QueryBar

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture(autouse=True)
def _quiet(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False


def click_on_map(desk: Desk, modality: Modality, digit: int) -> GalleryItem:
    """Click an item of a digit, and wait until it is the query and answered."""
    items = desk.state.gallery.items
    index = next(item.index for item in items if item.modality is modality and item.label == digit)
    widget, at = desk.on_map(index)
    QTest.mouseMove(widget, at)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
    desk.await_found(modality.other)
    assert isinstance(desk.state.query, GalleryItem)
    return desk.state.query


def name(desk: Desk) -> str:
    bar = desk.window.explore.bar
    return next(label.text() for label in bar.findChildren(QLabel) if label.accessibleName().startswith("Query"))


def guesses(desk: Desk) -> tuple[str, str]:
    return desk.guess(desk.window.explore.draw), desk.guess(desk.window.explore.speak)


def tap(desk: Desk) -> None:
    """Touch the button to speak, and wait for the complaint."""
    until(lambda: desk.root.recorder.running, "the microphone")
    desk.window.explore.speak.press()
    desk.window.explore.speak.release()
    until(lambda: "Too short" in desk.spoken_message, "the complaint")


def rests(desk: Desk) -> bool:
    """Whether no answer shows anywhere."""
    on_map = query_marker(desk.window.explore.map)
    seen = desk.window.explore.draw.seen
    return guesses(desk) == ("", "") and not desk.found and on_map is None and seen is None


def test_a_drawing_gives_way_to_an_image_of_the_map(desk: Desk) -> None:
    desk.draw([[(0.3, 0.2), (0.7, 0.2)], [(0.3, 0.2), (0.3, 0.5), (0.6, 0.5), (0.7, 0.7), (0.5, 0.85), (0.3, 0.8)]])
    desk.await_found(SPEECH)
    query = click_on_map(desk, IMAGE, 7)
    sheet = desk.canvas.sheet
    assert not sheet.strokes, "the drawing would lie beside the verdict of another query"
    np.testing.assert_allclose(sheet.picture / 255, query.features, atol=1 / 255)
    assert query.name in sheet.source
    assert query.name in desk.canvas.accessibleDescription()
    answer = desk.state.reply.answer
    assert guesses(desk) == ("?" if answer.rejected else str(answer.guess), "")
    np.testing.assert_array_equal(desk.window.explore.draw.seen, desk.state.reply.answer.features)
    assert name(desk) == query.name


def test_a_drawing_gives_way_to_an_utterance_of_the_map(desk: Desk) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    query = click_on_map(desk, SPEECH, 3)
    assert desk.canvas.sheet.is_empty
    assert desk.window.explore.draw.seen is None
    assert desk.sees_spectrogram
    assert guesses(desk) == ("", str(desk.state.reply.answer.guess))
    assert name(desk) == query.name


def test_a_drawing_gives_way_to_what_is_said_and_a_new_one_begins_on_clean_paper(desk: Desk) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    desk.window.explore.queries.ask_sound(word("three"), RATE)
    desk.await_found(IMAGE)
    assert desk.canvas.sheet.is_empty
    assert desk.window.explore.draw.seen is None
    assert guesses(desk)[0] == ""
    desk.draw([[(0.5, 0.2), (0.5, 0.8)]])
    desk.await_found(SPEECH)
    assert len(desk.canvas.sheet.strokes) == 1
    assert not desk.sees_spectrogram
    assert guesses(desk)[1] == ""


def test_an_utterance_that_is_too_short_leaves_no_answer(desk: Desk) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    tap(desk)
    assert rests(desk)
    assert desk.canvas.dimmed
    assert desk.canvas.sheet.strokes, "the drawing is dimmed, not lost"
    desk.key(Qt.Key.Key_Left, ALT)
    desk.await_found(SPEECH)
    assert not desk.canvas.dimmed
    tap(desk)
    desk.draw([[(0.2, 0.8), (0.5, 0.85), (0.8, 0.8)]])
    desk.await_found(SPEECH)
    assert not desk.canvas.dimmed
    assert len(desk.canvas.sheet.strokes) == len(SEVEN) + 1, "it can be gone on with"


@pytest.mark.parametrize("suffix", ["wav", "png"])
def test_a_file_without_a_digit_leaves_no_answer(desk: Desk, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"nothing.{suffix}"
    panel = desk.window.explore.speak if suffix == "wav" else desk.window.explore.draw
    if suffix == "wav":
        soundfile.write(path, np.zeros(RATE), RATE)
    else:
        Image.new("L", (200, 200), 255).save(path)
    desk.draw()
    desk.await_found(SPEECH)
    drawn = desk.state.query
    desk.drop(files(path), panel)
    until(lambda: desk.state.query is None, "the refusal")
    assert rests(desk)
    assert name(desk) == "No query"
    desk.key(Qt.Key.Key_Left, ALT)
    desk.await_found(SPEECH)
    assert desk.state.query is drawn
    assert desk.canvas.sheet.strokes == drawn.strokes


def test_an_unreadable_picture_leaves_no_answer(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "seven.png").write_bytes(b"seven")
    desk.draw()
    desk.await_found(SPEECH)
    desk.drop(files(tmp_path / "seven.png"), desk.window.explore.draw)
    until(desk.window.messages.text, "a message")
    assert rests(desk)
    assert desk.canvas.dimmed


def test_back_and_forward_walk_over_the_queries_and_a_drawing_can_be_gone_on_with(desk: Desk) -> None:
    desk.draw()
    desk.await_found(SPEECH)
    drawn = desk.canvas.sheet
    image = click_on_map(desk, IMAGE, 7)
    desk.window.explore.queries.ask_sound(word("three"), RATE)
    desk.await_found(IMAGE)
    desk.key(Qt.Key.Key_Left, ALT)
    desk.await_found(SPEECH)
    assert desk.state.query is image
    assert image.name in desk.canvas.sheet.source
    desk.key(Qt.Key.Key_Left, ALT)
    desk.await_found(SPEECH)
    assert desk.canvas.sheet.strokes == drawn.strokes
    assert guesses(desk) == ("7", "")
    desk.draw([[(0.2, 0.8), (0.5, 0.85), (0.8, 0.8)]])
    desk.await_found(SPEECH)
    assert desk.canvas.sheet.strokes[:-1] == drawn.strokes
    desk.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.canvas.sheet.strokes == drawn.strokes
    for query_modality in (IMAGE, SPEECH):
        desk.key(Qt.Key.Key_Right, ALT)
        desk.await_found(query_modality.other)
    assert name(desk) == "What you said"
    assert desk.sees_spectrogram
    assert desk.canvas.sheet.is_empty
    assert not desk.played


def test_the_buttons_lead_where_there_is_a_query(desk: Desk) -> None:
    bar = desk.window.findChild(QueryBar)
    back, forward = bar.findChildren(IconButton)
    assert "Back" in back.accessibleName()
    assert "Forward" in forward.accessibleName()
    desk.draw()
    desk.await_found(SPEECH)
    click_on_map(desk, IMAGE, 7)
    assert back.isEnabled()
    assert not forward.isEnabled()
    assert not desk.window.commands["forward"].isEnabled()
    QTest.mouseClick(back, Qt.MouseButton.LeftButton)
    desk.await_found(SPEECH)
    assert isinstance(desk.state.query, Drawing)
    assert forward.isEnabled()
    assert desk.window.commands["forward"].isEnabled()
    desk.window.pages.turn_to("train")
    assert not desk.window.commands["forward"].isEnabled(), "a query that nobody sees would change"
    desk.window.pages.turn_to("explore")
    assert desk.window.commands["forward"].isEnabled()


def test_clear_empties_and_back_brings_the_query_back(desk: Desk) -> None:
    click_on_map(desk, SPEECH, 3)
    desk.key(Qt.Key.Key_Delete)
    assert rests(desk)
    assert not desk.sees_spectrogram
    desk.key(Qt.Key.Key_Left, ALT)
    desk.await_found(IMAGE)
    assert desk.sees_spectrogram


def test_the_verdict_is_a_word_and_never_a_percentage(desk: Desk) -> None:
    house = [[(0.2, 0.85), (0.2, 0.45), (0.5, 0.15), (0.8, 0.45), (0.8, 0.85), (0.2, 0.85)]]
    fence = [[(x, 0.1), (x, 0.9)] for x in (0.3, 0.5, 0.7)] + [[(0.1, y), (0.9, y)] for y in (0.35, 0.65)]
    for strokes in (SEVEN, house, fence):
        desk.window.commands["clear"].trigger()
        desk.draw(strokes)
        desk.await_found(SPEECH)
        pause(0.05)
        shown = {label.text() for label in desk.window.explore.findChildren(QLabel) if label.isVisible()}
        assert shown & {*Certainty, "not a digit"}
        assert not any("%" in text for text in shown)
        answer = desk.state.reply.answer
        assert not (answer.rejected and strokes is SEVEN)
        assert answer.rejected or strokes is not fence
        assert ("not a digit" in shown) == (f"nearest is {answer.nearest}" in shown) == answer.rejected
        assert (answer.certainty in shown) != answer.rejected
        assert (f"perhaps {answer.runner_up}" in shown) == (
            not answer.rejected and answer.certainty is not Certainty.SURE
        )


def test_lifting_the_pen_abandons_the_answer_to_an_earlier_state(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read, encoded = Retriever.drawing_features, []
    reading, lifted = threading.Event(), threading.Event()

    def read_slowly(self, picture):
        reading.set()
        lifted.wait(20)
        return read(self, picture)

    answer = Retriever.ask_features
    monkeypatch.setattr(Retriever, "drawing_features", read_slowly)
    monkeypatch.setattr(Retriever, "ask_features", lambda *given: encoded.append(given[2]) or answer(*given))
    (points,) = SEVEN
    QTest.mousePress(desk.canvas, Qt.MouseButton.LeftButton, pos=place(desk.canvas, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(desk.canvas, place(desk.canvas, *point))
    until(reading.is_set, "the answer to a state of the drawing on its way")
    QTest.mouseRelease(desk.canvas, Qt.MouseButton.LeftButton, pos=place(desk.canvas, *points[-1]))
    lifted.set()
    desk.await_found(SPEECH)
    assert len(encoded) == 1, "an earlier state was encoded, too"
    np.testing.assert_array_equal(desk.state.reply.answer.features, encoded[0])


def test_a_recording_that_ends_while_one_draws_does_not_break_the_stroke_off(desk: Desk) -> None:
    left, (points,) = Qt.MouseButton.LeftButton, SEVEN
    half = len(points) // 2
    desk.draw()
    QTest.mousePress(desk.canvas, left, pos=place(desk.canvas, *points[0]))
    for point in points[1:half]:
        QTest.mouseMove(desk.canvas, place(desk.canvas, *point))
    desk.window.explore.queries.ask_sound(word("three"), RATE)
    desk.await_found(IMAGE)
    for point in points[half:]:
        QTest.mouseMove(desk.canvas, place(desk.canvas, *point))
    QTest.mouseRelease(desk.canvas, left, pos=place(desk.canvas, *points[-1]))
    desk.await_found(SPEECH)
    assert isinstance(desk.state.query, Drawing)
    assert len(desk.state.query.strokes) == 1, "the first stroke belongs to the query before"
    assert desk.state.reply.answer.guess == 7
