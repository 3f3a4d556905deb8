"""The page My digits in the whole window: people, saying and drawing, takes, the gallery, folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from desk import SEVEN, DeafSound, Desk, pause, until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from model.data.corpora.voices import Voices
from model.data.speech import resample
from model.data.takes import Take, TakeStore
from model.types import WORDS, Modality
from modinv_app.audio.simulated import RATE
from modinv_app.takes.page import TakesPage

pytestmark = pytest.mark.timeout(180)
IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
INK = np.zeros((112, 112), np.uint8)
INK[20:90, 50:60] = 255


def voice(digit: int, name: str = "kokoro_af_bella") -> tuple[np.ndarray, int]:
    """A shipped voice that says a digit."""
    return Voices().clip(f"{name}/plain/{WORDS[digit]}.opus")


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TakeStore:
    monkeypatch.setenv("MODINV_TAKES", str(tmp_path / "my-digits"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return TakeStore()


@pytest.fixture
def own_desk(qapp, takes: TakeStore, tmp_path: Path) -> Iterator[Desk]:  # noqa: ARG001 (Qt first)
    desk = Desk(tmp_path / "settings.ini").open().ready()
    yield desk
    desk.close()


def page_of(desk: Desk) -> TakesPage:
    desk.window.pages.turn_to("takes")
    page = desk.window.pages.built["takes"]
    assert isinstance(page, TakesPage)
    pause(0.1)
    return page


def listed(page: TakesPage, count: int, person: str | None = None) -> list[Take]:
    """The takes that are listed, once there are so many."""

    def there() -> list[Take]:
        return [t for t in page._library.listing.takes if person in (None, t.person)]

    until(lambda: len(there()) == count, f"{count} takes")
    return there()


def select(page: TakesPage, take: Take) -> None:
    grid = page.takes.grid
    row = grid.table.columns[take.label].index(take)
    grid.selectionModel().clearSelection()
    grid.setCurrentIndex(grid.table.index(row, take.label))
    grid.setFocus()


def test_three_words_that_are_said_become_three_takes_of_a_first_visitor(own_desk: Desk, takes: TakeStore) -> None:
    page = page_of(own_desk)
    assert page.people.person is None
    page.speech.button.click()
    assert "room" in page.speech.message
    until(lambda: page.speech.state == "listening" and "Listening" in page.speech.message, "that it listens")
    until(lambda: page.people.person == "Person 1", "somebody who speaks")
    asked = []
    for count in range(1, 4):
        digit = page.prompt.digits[0]
        asked.append(digit)
        samples, rate = voice(digit)
        own_desk.sound.say(np.concatenate([np.zeros(RATE // 5, np.float32), resample(samples, rate, RATE)]))
        until(lambda count=count: len(page._library.listing.takes) == count, f"take {count}")
        assert page.prompt.digits[0] != digit
    page.speech.button.click()
    assert page.speech.state == "idle"

    found = takes.takes("Person 1")
    assert [take.label for take in found] == asked
    assert all(take.modality is SPEECH for take in found)
    assert page._wizard_card.aside.text() == "3 of 100"
    until(lambda: len(page.takes.grid.table.features) == 3, "pictures of the takes")
    assert page.doubt.question == "", "the model agrees with each"


def test_a_word_that_sounds_like_another_is_asked_about_and_goes_as_the_answer_says(
    own_desk: Desk, takes: TakeStore
) -> None:
    takes.add_person("Ann")
    page = page_of(own_desk)
    until(lambda: page.people.person == "Ann", "Ann")
    wrong = (page.prompt.digits[0] + 1) % 10

    def say_wrong(count: int) -> int:
        asked = page.prompt.digits[0]
        samples, rate = voice(wrong)
        page.maker.keep_sound(samples, rate, "a microphone")
        assert page.prompt.digits[0] != asked, "nobody waits for the model"
        listed(page, count)
        until(lambda: page.doubt.question, "a question")
        assert page.doubt.isVisible()
        assert f"a {WORDS[wrong]}. Keep it as “{WORDS[asked]}”?" in page.doubt.question.replace("an e", "a e")
        return asked

    asked = say_wrong(1)
    page.doubt.again.click()
    listed(page, 0)
    assert page.prompt.digits[0] == asked, "it is asked for again"
    assert not page.doubt.isVisible()

    assert say_wrong(1) == asked
    page.doubt.believe.click()
    until(lambda: [take.label for take in page._library.listing.takes] == [wrong], "another label")

    until(lambda: page.prompt.digits[0] == asked, "the same digit")
    say_wrong(2)
    page.doubt.keep.click()
    assert sorted(take.label for take in listed(page, 2)) == sorted([asked, wrong])


def test_after_ten_rounds_it_stops_and_goes_on_when_more_are_wanted(own_desk: Desk, takes: TakeStore) -> None:
    for digit in range(10):
        for _ in range(9 if digit == 4 else 10):
            takes.add_drawing("Ann", digit, INK)
            takes.add_speech("Ann", digit, *voice(digit))
    page = page_of(own_desk)
    until(lambda: page.prompt.digits == [4], "the last digit", 40)
    page.maker.keep_sound(*voice(4), "a microphone")
    until(lambda: page.prompt.digits == [], "the end")
    assert page.speech.message == "All takes are there. Try them on Explore."
    page.speech.button.click()
    assert len(page.prompt.digits) == 2
    page.speech.button.click()

    page.tabs.setCurrentIndex(1)
    assert page.prompt.digits == [4]
    page.drawing.canvas.replay(SEVEN)
    page.drawing.next.click()
    until(lambda: page.prompt.digits == [], "the end")
    assert not page.drawing.canvas.isEnabled()
    assert page.drawing.next.text() == "Another ten rounds"
    page.drawing.next.click()
    assert page.drawing.canvas.isEnabled()
    assert len(page.prompt.digits) == 2
    until(lambda: len(takes.takes()) == 200, "that all are saved")


def test_words_that_are_said_on_this_page_are_no_queries(own_desk: Desk) -> None:
    own_desk.key(Qt.Key.Key_H)
    page_of(own_desk)
    own_desk.sound.say(resample(*voice(7), RATE))
    pause(2)
    assert own_desk.state.query is None
    own_desk.window.pages.turn_to("explore")
    pause(0.5)
    own_desk.sound.say(resample(*voice(7), RATE))
    own_desk.await_found(IMAGE)


def test_silence_is_not_kept(own_desk: Desk, takes: TakeStore) -> None:
    takes.add_person("Ann")
    page = page_of(own_desk)
    until(lambda: page.people.person == "Ann", "Ann")
    digit = page.prompt.digits[0]
    noise = np.random.default_rng(0).normal(0, 0.02, RATE).astype(np.float32)
    page.maker.keep_sound(noise, RATE, "a microphone")
    until(lambda: page.speech.message.startswith("Not kept: No speech was found"), "a reason")
    listed(page, 0)
    assert page.prompt.digits[0] == digit


def test_drawings_become_takes_when_the_pen_rests_or_by_return(own_desk: Desk, takes: TakeStore) -> None:
    page = page_of(own_desk)
    page.tabs.setCurrentIndex(1)
    digit = page.prompt.digits[0]
    page.drawing.canvas.replay(SEVEN)
    (drawn,) = listed(page, 1)
    assert (drawn.person, drawn.label, drawn.modality) == ("Person 1", digit, IMAGE)
    assert page.drawing.canvas.sheet.is_empty
    page.drawing.canvas.replay(SEVEN)
    page.drawing.canvas.setFocus()
    QTest.keyClick(page.drawing.canvas, Qt.Key.Key_Return)
    assert page.drawing.canvas.sheet.is_empty
    listed(page, 2)
    assert [take.modality for take in takes.takes()] == [IMAGE, IMAGE]
    assert digit != 7
    until(lambda: page.doubt.question.startswith("That looked like a seven. Keep it as"), "what the model thinks")


def test_takes_are_relabelled_left_out_deleted_and_brought_back_by_keys(own_desk: Desk, takes: TakeStore) -> None:
    first = takes.add_speech("Ann", 9, *voice(5))
    takes.add_speech("Ann", 3, *voice(3))
    page = page_of(own_desk)
    listed(page, 2)
    select(page, first)
    grid = page.takes.grid
    QTest.keyClick(grid, Qt.Key.Key_5)
    until(lambda: [take.label for take in takes.takes()] == [5, 3], "another label")
    until(lambda: [take.label for take in grid.chosen_takes()] == [5], "that it stays selected")
    QTest.keyClick(grid, Qt.Key.Key_X)
    until(lambda: takes.takes()[0].excluded, "that it is left out")
    until(lambda: page.takes.exclude_button.text() == "Take in again", "the way back")
    assert page._wizard_card.aside.text() == "1 of 100"
    QTest.keyClick(grid, Qt.Key.Key_Delete)
    listed(page, 1)
    assert page.undo.isVisible()
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [(take.label, take.excluded) for take in listed(page, 2)] == [(5, True), (3, False)]


def test_people_are_added_renamed_deleted_and_brought_back(own_desk: Desk, takes: TakeStore) -> None:
    takes.add_speech("Ann", 3, *voice(3))
    page = page_of(own_desk)
    until(lambda: page.people.person == "Ann", "Ann")
    page.people.name.setText("Bob")
    QTest.keyClick(page.people.name, Qt.Key.Key_Return)
    until(lambda: page.people.person == "Bob", "Bob")
    assert page.takes.grid.table.take_at(page.takes.grid.table.index(0, 3)) is None
    page.people.list.setFocus()
    QTest.keyClick(page.people.list, Qt.Key.Key_F2)
    editor = page.people.list.findChild(QLineEdit)
    editor.setText("Rob")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    until(lambda: page.people.person == "Rob" and takes.people() == ["Ann", "Rob"], "Rob")
    page.people.want("Ann")
    QTest.keyClick(page.people.list, Qt.Key.Key_Delete)
    until(lambda: page.people.person == "Rob", "the next one")
    assert takes.people() == ["Rob"]
    page.undo.undo_wanted.emit()
    until(lambda: takes.people() == ["Ann", "Rob"], "Ann again")
    listed(page, 1)
    page.people.name.setText("rob")
    warned: list[str] = []
    page.warned.connect(warned.append)
    page.people.add()
    until(lambda: warned, "that there is a Rob")
    assert "already" in warned[0]


def test_a_drawn_digit_plays_ones_own_voice_and_the_choice_is_remembered(
    own_desk: Desk, takes: TakeStore, tmp_path: Path
) -> None:
    shipped = len(own_desk.state.gallery.items)
    for digit in range(10):
        takes.add_speech("Ann", digit, *voice(digit, "kokoro_am_adam"))
    takes.add_drawing("Ann", 1, INK)
    page = page_of(own_desk)
    listed(page, 11)
    assert len(own_desk.state.gallery.items) == shipped, "not while nobody sees it"
    own_desk.window.pages.turn_to("explore")
    until(lambda: len(own_desk.state.gallery.items) == shipped + 11, "the takes in the gallery")
    assert all(len(places) == shipped + 11 for places in own_desk.state.maps.values())

    own_desk.draw()
    found = own_desk.await_found(SPEECH)
    assert [item.speaker for item in found] == 10 * ["Ann"]
    assert (found[0].label, own_desk.guess(own_desk.window.explore.draw)) == (7, "7")
    until(lambda: own_desk.played, "something to sound")
    assert own_desk.state.gallery.items[own_desk.played[0]] == found[0]

    page = page_of(own_desk)
    select(page, next(take for take in takes.takes() if take.label == 7))
    page.takes.exclude()
    until(lambda: any(take.excluded for take in page._library.listing.takes), "that it is left out")
    own_desk.window.pages.turn_to("explore")
    until(lambda: len(own_desk.state.gallery.items) == shipped + 10, "a smaller gallery")
    found = own_desk.await_found(SPEECH)
    assert {item.label for item in found} == {7}, "it is asked again; without a seven of one's own all sevens answer"
    page.answers.setCurrentIndex(page.answers.findData("shipped"))
    page.answers.activated.emit(page.answers.currentIndex())
    until(lambda: len(own_desk.state.gallery.items) == shipped, "the shipped gallery")
    own_desk.close()

    again = Desk(tmp_path / "settings.ini").open().ready()
    until(lambda: again.root.services.takes.listing.takes, "the takes")
    pause(0.3)
    assert len(again.state.gallery.items) == shipped
    again.root.services.takes.set_answers("both")
    until(lambda: len(again.state.gallery.items) == shipped + 10, "the takes in the gallery of another session")
    again.close()


def test_a_query_of_the_gallery_stays_what_it_is_when_takes_join(own_desk: Desk, takes: TakeStore) -> None:
    gallery = own_desk.state.gallery
    item = next(item for item in gallery.items if item.modality is SPEECH and item.label == 4)
    own_desk.window.explore.queries.ask_item(item.index)
    before = [found.source for found in own_desk.await_found(IMAGE)]
    takes.add_drawing("Ann", 1, INK)
    own_desk.root.services.takes.refresh()
    until(lambda: len(own_desk.state.gallery.items) == len(gallery.items) + 1, "the drawing in the gallery")
    until(lambda: own_desk.state.reply is not None, "an answer")
    assert [found.source for found in own_desk.await_found(IMAGE)] == before


def test_folders_are_exported_and_imported(own_desk: Desk, takes: TakeStore, tmp_path: Path) -> None:
    takes.add_speech("Ann", 3, *voice(3))
    takes.add_drawing("Bob", 1, INK)
    page = page_of(own_desk)
    listed(page, 2)
    told: list[str] = []
    page.informed.connect(told.append)
    page._export(str(tmp_path / "out"))
    until(lambda: told, "that they are exported")
    assert told == [f"Exported 2 takes to {tmp_path / 'out'}."]
    page._library.delete_person("Ann")
    listed(page, 1)
    (tmp_path / "out" / "Cy" / "7").mkdir(parents=True)
    (tmp_path / "out" / "Cy" / "7" / "bad.wav").write_bytes(b"no sound")
    warned: list[str] = []
    page.warned.connect(warned.append)
    page._import(str(tmp_path / "out"))
    until(lambda: warned, "what came in")
    assert warned[0].startswith("Imported one take. One was there already. Not Cy/7/bad.wav: ")
    listed(page, 2)
    page._import(str(tmp_path / "settings"))
    until(lambda: len(warned) == 2, "that there is nothing")
    assert "holds no labelled takes" in warned[1]


def test_without_a_microphone_one_can_draw_and_import(qapp, takes: TakeStore, tmp_path: Path) -> None:  # noqa: ARG001
    desk = Desk(tmp_path / "settings.ini", DeafSound).open()
    until(lambda: desk.state.model is not None, "the model", 60)
    page = page_of(desk)
    until(lambda: "no microphone" in page.speech.message.lower(), "a word about the microphone")
    assert "draw" in page.speech.message
    assert not page.speech.button.isEnabled()
    page.tabs.setCurrentIndex(1)
    page.drawing.canvas.replay(SEVEN)
    page.drawing.take()
    listed(page, 1)
    desk.close()


def test_takes_that_cannot_be_saved_are_told(own_desk: Desk, takes: TakeStore) -> None:
    takes.folder.write_text("a file where the folder should be")
    page = page_of(own_desk)
    failed: list[str] = []
    page.failed.connect(lambda words, _details: failed.append(words))
    page.people.add()
    until(lambda: failed, "what is wrong")
    assert "can't be read or saved" in failed[0]
