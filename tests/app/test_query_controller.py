"""The rules by which a question travels and its answer sounds."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from model.types import Answer, Item, Match, Modality
from modinv_app.explore.queries import Drawing
from modinv_app.explore.query_controller import QueryController
from modinv_app.explore.state import AppState, Reply

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
PIXELS = np.zeros((8, 8), np.uint8)
DRAWING = Drawing(1, (), PIXELS)
SOUND = np.zeros(100, np.float32)


class FakeModel(QObject):
    """Answers when it is told to."""

    replied = Signal(int, object)
    refused = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.latest_ticket = 0
        self.asked: list[object] = []

    def ask(self, *question: object) -> None:
        self.latest_ticket += 1
        self.asked.append(question[0])

    ask_drawing = ask_picture = ask_sound = ask_item = ask

    def forget(self) -> None:
        self.latest_ticket += 1

    def answer(self, ticket: int, reply: Reply) -> None:
        self.replied.emit(ticket, reply)


class FakeUtterances(QObject):
    """Plays what is delivered, if it is still wanted, until it is stopped."""

    playing_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.sounded: list[int] = []
        self.playing = False
        self._wanted: str | None = None

    def play(self, key: str) -> None:
        self._wanted = key
        self.asked.append(int(key))

    def deliver(self, index: int) -> None:
        if self._wanted == str(index):
            self._fall_silent()
            self.playing = True
            self.sounded.append(index)
            self.playing_changed.emit(str(index))

    def stop(self) -> None:
        self._wanted = None
        self._fall_silent()

    def _fall_silent(self) -> None:
        if self.playing:
            self.playing = False
            self.playing_changed.emit(None)


class FakeGallery:
    items = tuple(Item(index, IMAGE if index < 10 else SPEECH, index % 10, f"item {index}") for index in range(20))

    def key(self, index: int) -> str:
        return str(index)

    def features(self, index: int) -> np.ndarray:
        return np.zeros((28, 28) if index < 10 else (100, 80), np.float32)


class Scene:
    def __init__(self) -> None:
        self.state, self.model, self.utterances = AppState(), FakeModel(), FakeUtterances()
        self.state.gallery = FakeGallery()
        self.talk = QueryController(self.state, self.model, self.utterances)
        self.problems: list[tuple[Modality, str]] = []
        self.talk.problem.connect(lambda *problem: self.problems.append(problem))

    def answer(self, *nearest: int, ticket: int | None = None, reason: str = "") -> Reply:
        """Let the model answer, the latest question if nothing else is said."""
        items = [FakeGallery.items[index] for index in nearest]
        matches = tuple(Match(item, 9.0 - place) for place, item in enumerate(items))
        vector = np.zeros(128, np.float32)
        answer = Answer(
            items[0].modality.other,
            PIXELS,
            vector,
            vector,
            vector[None],
            matches,
            items[0].label,
            None,
            1.0,
            0.999,
            3,
            reason,
        )
        reply = Reply(answer, {})
        self.model.answer(self.model.latest_ticket if ticket is None else ticket, reply)
        return reply


@pytest.fixture
def scene(qapp) -> Scene:  # noqa: ARG001 (Qt first)
    return Scene()


def test_an_answer_shows_and_stays_quiet_while_the_pen_is_down(scene: Scene) -> None:
    scene.talk.ask_drawing(DRAWING)
    reply = scene.answer(17, 13)
    assert scene.state.reply is reply
    assert not scene.utterances.asked


def test_lifting_the_pen_before_the_answer_plays_the_answer_to_the_last_drawing_only(scene: Scene) -> None:
    for _ in range(3):
        scene.talk.ask_drawing(DRAWING)
    scene.talk.play_nearest()
    scene.answer(11, ticket=2)
    assert not scene.utterances.asked, "the drawing went on after that question"
    scene.answer(17, ticket=3)
    assert scene.utterances.asked == [17]
    scene.utterances.deliver(17)
    assert scene.utterances.sounded == [17]
    assert scene.state.playing == 17


def test_lifting_the_pen_after_the_answer_plays_it_once(scene: Scene) -> None:
    scene.talk.ask_drawing(DRAWING)
    scene.answer(17)
    scene.talk.play_nearest()
    assert scene.utterances.asked == [17]
    scene.talk.ask_drawing(DRAWING)
    scene.answer(13)
    assert scene.utterances.asked == [17], "another lift has to ask for it"


def test_images_make_no_sound(scene: Scene) -> None:
    scene.talk.ask_sound(SOUND, 16_000)
    scene.answer(3)
    scene.talk.play_nearest()
    assert not scene.utterances.asked


def test_of_two_clips_the_one_asked_for_last_sounds(scene: Scene) -> None:
    scene.talk.play(11)
    scene.talk.play(12)
    scene.utterances.deliver(11)
    assert not scene.utterances.sounded
    scene.utterances.deliver(12)
    assert scene.utterances.sounded == [12]


def test_a_clip_that_gives_way_to_another_ends_before_that_is_marked(scene: Scene) -> None:
    marks: list[int | None] = []
    scene.state.playing_changed.connect(marks.append)
    for index in (11, 12):
        scene.talk.play(index)
        scene.utterances.deliver(index)
    assert marks == [11, None, 12]
    scene.utterances.stop()
    assert marks[-1] is None


@pytest.mark.parametrize("ask", ["ask_sound", "ask_sound_file", "stop_playing"])
def test_speaking_silences_what_sounds_and_what_was_about_to(scene: Scene, ask: str) -> None:
    scene.talk.play(11)
    scene.utterances.deliver(11)
    scene.talk.play(12)
    arguments = {"ask_sound": (SOUND, 16_000), "ask_sound_file": ("seven.wav",), "stop_playing": ()}[ask]
    getattr(scene.talk, ask)(*arguments)
    assert not scene.utterances.playing
    scene.utterances.deliver(12)
    assert not scene.utterances.playing


def test_listening_takes_back_the_wish_to_hear_the_drawing(scene: Scene) -> None:
    scene.talk.ask_drawing(DRAWING)
    scene.talk.play_nearest()
    scene.talk.stop_playing()
    reply = scene.answer(17)
    assert scene.state.reply is reply
    assert not scene.utterances.asked


def test_forgetting_takes_the_answer_the_sound_and_the_wish_away(scene: Scene) -> None:
    scene.talk.ask_drawing(DRAWING)
    scene.answer(17)
    scene.talk.play_nearest()
    scene.utterances.deliver(17)
    before = scene.model.latest_ticket
    scene.talk.forget()
    assert scene.state.reply is None
    assert scene.state.playing is None
    assert not scene.utterances.playing
    assert scene.model.latest_ticket > before, "the model must know, for it may be at work"
    scene.talk.play_nearest()
    scene.talk.ask_drawing(DRAWING)
    scene.answer(13)
    assert scene.utterances.asked == [17], "there was nothing to play, and no wish may stay behind"


def test_an_utterance_that_becomes_the_query_sounds_itself(scene: Scene) -> None:
    scene.talk.ask_item(15, play=True)
    assert scene.utterances.asked == [15]
    scene.answer(5)
    assert scene.utterances.asked == [15]


@pytest.mark.parametrize("play", [True, False])
def test_an_image_that_becomes_the_query_sounds_by_its_nearest_utterance_if_wanted(scene: Scene, play: bool) -> None:
    scene.talk.ask_item(5, play)
    scene.answer(15)
    assert scene.utterances.asked == ([15] if play else [])


def test_what_is_rejected_sounds_only_when_somebody_asks_for_it(scene: Scene) -> None:
    scene.talk.ask_picture(PIXELS, play=True)
    scene.answer(15, reason="This does not look like a digit.")
    assert scene.utterances.asked == []
    scene.talk.play_nearest()
    assert scene.utterances.asked == []
    scene.talk.play_nearest(always=True)
    assert scene.utterances.asked == [15]


@pytest.mark.parametrize("play", [True, False])
def test_a_picture_sounds_if_wanted(scene: Scene, play: bool) -> None:
    scene.talk.ask_picture(PIXELS, play)
    scene.answer(15)
    assert scene.utterances.asked == ([15] if play else [])


@pytest.mark.parametrize("why", ["No speech was found.", ""])  # a failure was told elsewhere
def test_a_refusal_takes_the_former_answer_away_and_says_why(scene: Scene, why: str) -> None:
    scene.talk.ask_drawing(DRAWING)
    scene.answer(17)
    scene.talk.ask_sound_file("noise.wav")
    scene.model.refused.emit(scene.model.latest_ticket, why)
    assert scene.state.query is None
    assert scene.state.reply is None
    assert scene.problems == ([(SPEECH, why)] if why else [])


def test_a_query_that_is_not_answered_soon_takes_the_former_answer_away(scene: Scene, qtbot: QtBot) -> None:
    scene.talk.ask_drawing(DRAWING)
    scene.answer(17)
    scene.talk.ask_sound_file("long.flac")
    qtbot.waitUntil(lambda: scene.state.reply is None, timeout=1000)
    reply = scene.answer(3)
    assert scene.state.reply is reply


def test_an_answer_to_a_query_that_gave_way_is_dropped(scene: Scene) -> None:
    scene.talk.ask_sound(SOUND, 16_000)
    old = scene.model.latest_ticket
    scene.talk.ask_item(4)
    scene.answer(3, ticket=old)
    assert scene.state.reply is None
    assert scene.state.query.item.index == 4


def test_a_refusal_of_a_query_that_gave_way_is_dropped(scene: Scene) -> None:
    scene.talk.ask_sound_file("noise.wav")
    old = scene.model.latest_ticket
    scene.talk.ask_drawing(DRAWING)
    scene.model.refused.emit(old, "No speech was found.")
    reply = scene.answer(17)
    assert scene.state.query is DRAWING
    assert scene.state.reply is reply
    assert not scene.problems


def test_a_clip_of_the_former_query_does_not_sound_with_a_new_one(scene: Scene) -> None:
    scene.talk.ask_item(15)
    scene.talk.ask_drawing(DRAWING)
    scene.utterances.deliver(15)
    assert not scene.utterances.sounded


def test_going_back_asks_again_in_silence(scene: Scene) -> None:
    scene.talk.ask_picture(PIXELS, play=True)
    scene.answer(17)
    scene.utterances.deliver(17)
    scene.talk.ask_item(14)
    scene.answer(4)
    scene.talk.go_back()
    assert scene.model.asked[-1] is PIXELS
    assert not scene.utterances.playing
    reply = scene.answer(13)
    assert scene.state.reply is reply
    assert scene.utterances.asked == [17, 14]
    scene.talk.go_forward()
    assert scene.state.query.item.index == 14


def test_another_model_is_asked_the_same(scene: Scene) -> None:
    scene.talk.ask_again()
    assert not scene.model.asked
    scene.talk.ask_picture(PIXELS, play=False)
    scene.answer(17)
    scene.talk.ask_again()
    assert scene.model.asked == [PIXELS, PIXELS]
    reply = scene.answer(13)
    assert scene.state.reply is reply
    assert not scene.talk.history.can_go_back


def test_a_refused_picture_takes_the_wish_to_hear_it_along(scene: Scene) -> None:
    scene.talk.ask_picture(PIXELS, play=True)
    scene.model.refused.emit(scene.model.latest_ticket, "No digit stands out.")
    scene.talk.ask_drawing(DRAWING)
    scene.answer(17)
    assert not scene.utterances.asked
