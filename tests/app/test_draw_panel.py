"""The draw panel: what is drawn, dropped, pasted and undone, and what it tells of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from answers import answer_with
from pens import drag, place, stylus, touch
from PySide6.QtCore import QBuffer, QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from strokes import mnist_to_strokes

from model.data.images import GreyPicture, read_picture
from model.data.segmentation import normalise_digit
from model.types import Certainty
from modinv_app.common.canvas import Canvas
from modinv_app.explore.draw import DrawPanel
from modinv_app.explore.verdict import SeenPicture

ROOT = Path(__file__).parents[2]

SEVEN = json.loads((ROOT / "assets" / "self_check" / "seven.json").read_text())
Heard = list[tuple[str, object]]

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen screen has none


@pytest.fixture
def panel(qtbot: QtBot) -> DrawPanel:
    panel = DrawPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 520)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


@pytest.fixture
def heard(panel: DrawPanel) -> Heard:
    """Everything that the panel tells, in order."""
    told: Heard = []
    for name in ("drawing_changed", "picture_opened", "failed", "paste_failed"):
        getattr(panel, name).connect(lambda value, name=name: told.append((name, value)))
    for name in ("pen_lifted", "cleared"):
        getattr(panel, name).connect(lambda name=name: told.append((name, None)))
    return told


@pytest.fixture
def canvas(panel: DrawPanel) -> Canvas:
    return panel.findChild(Canvas)


def button(panel: DrawPanel, name: str) -> QToolButton:
    return next(found for found in panel.findChildren(QToolButton) if found.accessibleName() == name)


def names(heard: Heard) -> list[str]:
    return [name for name, _ in heard]


def drawing(heard: Heard) -> np.ndarray:
    return next(value.pixels for name, value in reversed(heard) if name == "drawing_changed")


def digit_picture() -> QImage:
    image = QImage(120, 120, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    for step in range(80):
        for across in range(10):
            image.setPixelColor(55 + across, 20 + step, Qt.GlobalColor.black)
    return image


def drop(panel: QWidget, data: QMimeData) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(panel, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(panel, QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, left, none))


def test_a_mouse_draws_a_digit(canvas: Canvas, heard: Heard) -> None:
    drag(canvas, (0.25, 0.2), (0.75, 0.2), (0.4, 0.8))
    assert names(heard)[-2:] == ["drawing_changed", "pen_lifted"]
    array = drawing(heard)
    assert array.dtype == np.uint8
    assert array.max() == 255
    assert array[0].max() == 0
    seen = normalise_digit(array)
    assert seen[4:8, 8:18].max() > 0.9  # the bar
    assert seen[18:, 20:].max() == 0  # nothing to the right of the stem


def test_lifting_a_pen_that_rests_does_not_tell_the_same_drawing_again(canvas: Canvas, heard: Heard) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, pos=place(canvas, 0.3, 0.3))
    QTest.mouseMove(canvas, place(canvas, 0.6, 0.6))
    QTest.qWait(50)  # three frames
    before = names(heard)
    assert before.count("drawing_changed") == 2
    QTest.mouseRelease(canvas, left, pos=place(canvas, 0.6, 0.6))
    assert names(heard) == [*before, "pen_lifted"]
    QTest.mousePress(canvas, left, pos=place(canvas, 0.3, 0.6))
    QTest.mouseRelease(canvas, left, pos=place(canvas, 0.3, 0.7))
    assert names(heard)[-2:] == ["drawing_changed", "pen_lifted"]


def test_the_other_mouse_buttons_do_not_draw(canvas: Canvas, heard: Heard) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.RightButton, pos=place(canvas, 0.5, 0.5))
    QTest.mouseRelease(canvas, Qt.MouseButton.RightButton, pos=place(canvas, 0.6, 0.6))
    assert heard == []


def test_replaying_takes_the_way_of_the_pen(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    points = [(0.25, 0.25), (0.75, 0.25), (0.5, 0.75)]
    drag(canvas, *points)
    by_mouse = drawing(heard)
    panel.clear()
    panel.replay([points])
    assert names(heard)[-1] == "pen_lifted"
    assert np.abs(drawing(heard).astype(int) - by_mouse).mean() < 4


def test_digits_of_mnist_drawn_again_are_seen_as_they_were(panel: DrawPanel, heard: Heard) -> None:
    with gzip.open(ROOT / "assets" / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        digits = np.frombuffer(file.read(16 + 20 * 784)[16:], np.uint8).reshape(-1, 28, 28)
    likeness = []
    for digit in digits:
        panel.clear()
        panel.replay(mnist_to_strokes(digit))
        seen = normalise_digit(drawing(heard))
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        likeness.append(max(np.corrcoef(np.roll(seen, s, (0, 1)).ravel(), digit.ravel())[0, 1] for s in shifts))
    assert np.mean(likeness) > 0.85


def test_strokes_end_up_equally_wide_however_large_the_digit_is_drawn(panel: DrawPanel, heard: Heard) -> None:
    inks = []
    for size in (0.1, 0.3, 0.9):
        panel.clear()
        panel.replay([[(0.05 + size * x, 0.05 + size * y) for x, y in stroke] for stroke in SEVEN])
        inks.append(normalise_digit(drawing(heard)).sum())
    assert max(inks) / min(inks) < 1.15


def test_a_stroke_at_the_edge_stays_whole(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    drag(canvas, (0.5, 0.1), (0.5, 0.9))
    middle = normalise_digit(drawing(heard))
    panel.clear()
    drag(canvas, (0.0, 0.1), (0.0, 0.9))
    edge = normalise_digit(drawing(heard))
    assert np.abs(edge - middle).mean() < 0.01
    shot = canvas.grab().toImage()
    ink = [x for x in range(2, shot.width() - 2) if shot.pixelColor(x, shot.height() // 2).lightness() < 60]
    assert len(ink) * canvas.width() / shot.width() > 0.07 * canvas.width()


def test_a_dot_is_a_drawing(canvas: Canvas, heard: Heard) -> None:
    drag(canvas, (0.5, 0.5))
    assert drawing(heard).max() == 255


def test_drawing_tells_at_most_once_a_frame_and_the_end_at_once(qtbot: QtBot, canvas: Canvas, heard: Heard) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, 0.2, 0.2))
    assert names(heard) == ["drawing_changed"]
    for step in range(100):
        QTest.mouseMove(canvas, place(canvas, 0.2 + step * 0.006, 0.2))
    during = len(heard)
    assert during < 60
    before = drawing(heard)
    qtbot.wait(40)
    assert len(heard) <= during + 1
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, 0.2, 0.9))
    assert names(heard)[-2:] == ["drawing_changed", "pen_lifted"]
    assert not np.array_equal(drawing(heard), before)
    count = len(heard)
    qtbot.wait(40)
    assert len(heard) == count


def test_undo_and_redo_go_stroke_by_stroke(panel: DrawPanel, heard: Heard) -> None:
    panel.replay([[(0.2, 0.2), (0.8, 0.2)]])
    one = drawing(heard)
    panel.replay([[(0.5, 0.2), (0.5, 0.9)]])
    two = drawing(heard)
    lifted = names(heard).count("pen_lifted")
    button(panel, "Undo").click()
    assert np.array_equal(drawing(heard), one)
    button(panel, "Redo").click()
    assert np.array_equal(drawing(heard), two)
    panel.undo()
    panel.undo()
    assert names(heard)[-1] == "cleared"
    assert not button(panel, "Undo").isEnabled()
    assert not button(panel, "Clear").isEnabled()
    count = len(heard)
    panel.undo()
    assert len(heard) == count
    assert names(heard).count("pen_lifted") == lifted  # undoing plays nothing


def test_a_new_stroke_forgets_what_was_undone(panel: DrawPanel) -> None:
    panel.replay([[(0.2, 0.2), (0.8, 0.2)]])
    panel.undo()
    assert button(panel, "Redo").isEnabled()
    panel.replay([[(0.5, 0.2), (0.5, 0.9)]])
    assert not button(panel, "Redo").isEnabled()


def test_clear_empties_everything_and_can_be_undone(panel: DrawPanel, heard: Heard) -> None:
    empty = panel.grab().toImage()
    panel.replay(SEVEN)
    panel.show_answer(answer_with(normalise_digit(drawing(heard)), 7))
    drawn = drawing(heard)
    assert panel.findChild(SeenPicture).grab().toImage() != empty
    button(panel, "Clear").click()
    assert names(heard)[-1] == "cleared"
    button(panel, "Undo").setEnabled(False)  # the only thing that may differ from the start
    assert panel.grab().toImage() == empty
    panel.undo()
    assert np.array_equal(drawing(heard), drawn)


def test_clear_during_a_stroke_leaves_nothing(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, 0.2, 0.2))
    panel.clear()
    QTest.mouseMove(canvas, place(canvas, 0.6, 0.6))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(canvas, 0.6, 0.6))
    assert names(heard)[-1] == "cleared"
    assert "pen_lifted" not in names(heard)


def test_the_keyboard_undoes_redoes_and_clears(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    panel.replay(SEVEN)
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert names(heard)[-1] == "cleared"
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert names(heard)[-1] == "drawing_changed"
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert names(heard)[-1] == "cleared"


def test_a_drawing_scales_with_the_window(qtbot: QtBot, panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    drag(canvas, (0.25, 0.25), (0.75, 0.25), (0.5, 0.75))
    before, side = drawing(heard), canvas.width()
    for _ in range(2):  # it is never higher than its width lets its canvas be
        panel.resize(500, 760)
        qtbot.wait(10)
    qtbot.waitUntil(lambda: canvas.width() > side)
    qtbot.waitUntil(lambda: canvas.width() == canvas.height())
    panel.clear()
    panel.undo()
    assert np.array_equal(drawing(heard), before)
    assert canvas.grab().toImage().pixelColor(place(canvas, 0.5, 0.25)).lightness() < 60


def test_a_finger_draws_what_a_mouse_draws(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    points = [(0.25, 0.25), (0.75, 0.25), (0.5, 0.75)]
    drag(canvas, *points)
    by_mouse = drawing(heard)
    panel.clear()
    touch(canvas, *points)
    assert names(heard).count("pen_lifted") == 2
    assert np.array_equal(drawing(heard), by_mouse)


def test_a_second_finger_does_not_join_in(canvas: Canvas, heard: Heard) -> None:
    screen = QTest.createTouchDevice()
    QTest.touchEvent(canvas, screen).press(0, place(canvas, 0.3, 0.2)).commit()
    QTest.touchEvent(canvas, screen).stationary(0).press(1, place(canvas, 0.9, 0.9)).commit()
    QTest.touchEvent(canvas, screen).move(0, place(canvas, 0.3, 0.6)).stationary(1).commit()
    QTest.touchEvent(canvas, screen).release(0, place(canvas, 0.3, 0.7)).stationary(1).commit()
    assert names(heard)[-1] == "pen_lifted"
    QTest.touchEvent(canvas, screen).release(1, place(canvas, 0.9, 0.9)).commit()
    assert names(heard).count("pen_lifted") == 1
    seen = normalise_digit(drawing(heard))
    assert np.ptp(np.flatnonzero((seen > 0.2).any(axis=0))) < 6  # a one


def test_a_pen_draws_wider_where_it_is_pressed(panel: DrawPanel, canvas: Canvas, heard: Heard) -> None:
    ink = []
    for pressure in (0.1, 0.9):
        panel.clear()
        stylus(canvas, QEvent.Type.TabletPress, 0.3, 0.2, pressure)
        stylus(canvas, QEvent.Type.TabletMove, 0.7, 0.5, pressure)
        stylus(canvas, QEvent.Type.TabletRelease, 0.3, 0.8, 0.0)
        assert names(heard)[-1] == "pen_lifted"
        ink.append(int(drawing(heard).sum()))
    assert 1.4 < ink[1] / ink[0] < 2.5


def test_the_palm_beside_the_pen_draws_nothing(canvas: Canvas, heard: Heard) -> None:
    stylus(canvas, QEvent.Type.TabletPress, 0.5, 0.2, 0.5)
    touch(canvas, (0.9, 0.9), (0.95, 0.95))
    assert "pen_lifted" not in names(heard)
    stylus(canvas, QEvent.Type.TabletMove, 0.5, 0.8, 0.5)
    stylus(canvas, QEvent.Type.TabletRelease, 0.5, 0.8, 0.0)
    assert names(heard).count("pen_lifted") == 1


def test_a_pasted_picture_is_laid_down_and_undone(qtbot: QtBot, panel: DrawPanel, heard: Heard) -> None:
    panel.replay(SEVEN)
    QGuiApplication.clipboard().setImage(digit_picture())
    with qtbot.waitSignal(panel.picture_opened) as opened:
        button(panel, "Paste a picture").click()
    assert opened.args[0].shape == (120, 120)
    assert normalise_digit(opened.args[0]).max() == 1
    panel.undo()
    assert names(heard)[-1] == "drawing_changed"
    panel.redo()
    assert names(heard)[-1] == "picture_opened"
    panel.replay(SEVEN)  # drawing begins on a new sheet
    assert names(heard)[-1] == "pen_lifted"


def test_pasting_nothing_says_so(panel: DrawPanel, heard: Heard) -> None:
    QGuiApplication.clipboard().setText("seven")
    panel.paste()
    assert names(heard) == ["paste_failed"]
    assert "clipboard" in str(heard[0][1])


@pytest.mark.parametrize("as_file", [True, False])
def test_a_picture_can_be_dropped(qtbot: QtBot, panel: DrawPanel, tmp_path: Path, as_file: bool) -> None:
    data = QMimeData()
    if as_file:
        assert digit_picture().save(str(tmp_path / "one.png"))
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.png"))])
    else:
        data.setImageData(digit_picture())
    with qtbot.waitSignal(panel.picture_opened) as opened:
        drop(panel, data)
    assert opened.args[0].shape == (120, 120)


def test_what_others_copy_is_decoded_as_files_are(qtbot: QtBot, panel: DrawPanel, heard: Heard) -> None:
    buffer = QBuffer()
    assert digit_picture().save(buffer, "PNG")
    data = QMimeData()
    data.setData("image/png", buffer.data())
    data.setImageData(QImage(7, 7, QImage.Format.Format_RGB32))  # what Qt would make of it
    with qtbot.waitSignal(panel.picture_opened) as opened:
        drop(panel, data)
    assert opened.args[0].shape == (120, 120)
    vector = QMimeData()
    vector.setData("image/svg+xml", b"<svg/>")
    vector.setImageData(digit_picture())
    QGuiApplication.clipboard().setMimeData(vector)
    panel.paste()
    assert names(heard)[-1] == "paste_failed"


def test_a_corrupt_file_is_told_and_loses_nothing(qtbot: QtBot, panel: DrawPanel, heard: Heard, tmp_path: Path) -> None:
    panel.replay(SEVEN)
    count = len(heard)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(broken))])
    with qtbot.waitSignal(panel.failed) as failed:
        drop(panel, data)
    assert "picture" in failed.args[0]
    assert names(heard)[count:] == ["failed"]
    panel.undo()
    assert names(heard)[-1] == "cleared"


def test_open_reads_the_chosen_file(qtbot: QtBot, panel: DrawPanel, tmp_path: Path) -> None:
    assert digit_picture().save(str(tmp_path / "one.png"))
    panel.open_file()
    dialog = panel.findChild(QFileDialog)
    with qtbot.waitSignal(panel.picture_opened):
        dialog.fileSelected.emit(str(tmp_path / "one.png"))
    dialog.close()


def test_who_clears_or_draws_does_not_get_a_late_picture(
    qtbot: QtBot, panel: DrawPanel, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    def note(source: bytes) -> GreyPicture:
        picture = read_picture(source)
        read.append(picture)
        return picture

    monkeypatch.setattr("model.data.images.read_picture", note)
    for count, act in enumerate((panel.clear, lambda: panel.replay(SEVEN)), 1):
        QGuiApplication.clipboard().setImage(digit_picture())
        panel.paste()
        act()
        qtbot.waitUntil(lambda count=count: len(read) == count)
        qtbot.wait(20)
        assert "picture_opened" not in names(heard)


def test_the_guess_is_shown_in_words(panel: DrawPanel) -> None:
    panel.show_answer(answer_with(np.zeros((28, 28)), 7, Certainty.NOT_SURE, 1))
    assert {"7", "not sure", "perhaps 1"} <= {label.text() for label in panel.findChildren(QLabel)}
    panel.show_answer(answer_with(np.zeros((28, 28)), 7))
    words = {label.text() for label in panel.findChildren(QLabel)}
    assert {"7", "sure"} <= words
    assert not any("perhaps" in word or "%" in word for word in words)
    assert any("confidence over 0.99" in word for word in words)
    panel.show_answer(answer_with(np.zeros((28, 28)), 7, reason="This does not look like a digit."))
    words = {label.text() for label in panel.findChildren(QLabel)}
    assert {"?", "not a digit", "nearest is 7"} <= words
    assert not {"7", "sure"} & words


def test_a_guess_of_the_users_takes_says_so_and_claims_no_confidence(panel: DrawPanel) -> None:
    panel.show_answer(answer_with(np.zeros((28, 28)), 7, Certainty.NOT_SURE, 1, overruled=1))
    words = {label.text() for label in panel.findChildren(QLabel) if label.isVisible()}
    assert {"7", "by your takes", "the model: 1"} <= words
    assert not any("confidence" in word or "perhaps" in word for word in words)


def test_playing_can_be_switched_off(panel: DrawPanel) -> None:
    assert panel.play_on_lift
    panel.play_on_lift = False
    assert not panel.play_on_lift


def test_the_seen_pixels_are_crisp(panel: DrawPanel) -> None:
    features = np.zeros((28, 28), np.float32)
    features[10, 12] = 1
    panel.show_answer(answer_with(features, 0))
    shot = panel.findChild(SeenPicture).grab().toImage()
    ink = {(x, y) for x in range(shot.width()) for y in range(shot.height()) if shot.pixelColor(x, y).lightness() < 40}
    assert ink == {(x, y) for x in range(37, 40) for y in range(31, 34)}
