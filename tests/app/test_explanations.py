"""Why a match is one: which pair is explained, when, and what is heard of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from desk import RATE, Desk, likeness, until, word
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from model.data.corpora import recording
from model.data.segmentation import normalise_digit
from model.data.speech import resample
from model.retrieval.attribution import Explanation, Heat
from model.types import Answer, Item, Match, Modality
from modinv_app.common.canvas import Canvas
from modinv_app.common.pictures import picture_of_heat, spectrogram_of_heat
from modinv_app.common.theme import heat_colour
from modinv_app.explore import explanations, sounds
from modinv_app.explore.explanations import Explanations, Pair
from modinv_app.explore.queries import Drawing, GalleryItem, Query, Recording, SoundFile
from modinv_app.explore.spectrogram_view import SpectrogramView
from modinv_app.explore.state import AppState, Reply
from modinv_app.explore.stroke_heat import StrokeHeat

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
PICTURE, FILTERBANK = np.ones((28, 28), np.float32), np.ones((100, 80), np.float32)
DRAWING = Drawing(1, (), np.zeros((8, 8), np.uint8))
SOUND = np.linspace(0, 1, 50, dtype=np.float32)


class FakeGallery:
    items = tuple(Item(index, IMAGE if index < 10 else SPEECH, index % 10, f"item {index}") for index in range(20))

    def key(self, index: int) -> str:
        return f"key {index}"

    def features(self, index: int) -> np.ndarray:
        return PICTURE if index < 10 else FILTERBANK


class FakeRetriever:
    """Explains by heat that is everywhere, and gives away what it is asked to emphasise."""

    def __init__(self) -> None:
        self.explained: list[int] = []
        self.emphasised: list[tuple[np.ndarray, int]] = []

    def explain(self, answer: Answer, match: int) -> Explanation:
        self.explained.append(match)
        heat = {SPEECH: Heat(FILTERBANK, np.ones(100, np.float32)), IMAGE: Heat(PICTURE, PICTURE)}
        return Explanation(heat[answer.modality], heat[answer.modality.other])

    def emphasise(self, samples: np.ndarray, rate: int, heat: Heat) -> tuple[np.ndarray, int]:
        assert heat.features is FILTERBANK
        self.emphasised.append((samples, rate))
        return samples, rate


class FakeModel(QObject):
    """Does what it is asked to when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.retriever = FakeRetriever()
        self.waiting: list[tuple] = []

    def consult(self, *task) -> None:
        self.waiting.append(task)

    def work(self) -> None:
        while self.waiting:
            work, done, _refused = self.waiting.pop(0)
            done(work(self.retriever))


class FakeUtterances:
    def __init__(self) -> None:
        self.expected: list[str] = []
        self.delivered: list[str] = []

    def expect(self, key: str) -> None:
        self.expected.append(key)

    def deliver(self, key: str, _samples: np.ndarray, _rate: int) -> None:
        self.delivered.append(key)


class Scene(QObject):
    """Explanations of what a fake model answered."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.state, self.model, self.utterances = AppState(), FakeModel(), FakeUtterances()
        self.state.gallery = FakeGallery()
        self.explanations = Explanations(self.state, self.model, self.utterances)
        self.pairs: list[Pair | None] = []
        self.problems: list[str] = []
        self.explanations.pair_changed.connect(self.pairs.append)
        self.explanations.problem.connect(self.problems.append)

    def answer(self, query: Query, *nearest: int) -> None:
        matches = tuple(Match(FakeGallery.items[index], 9.0 - place) for place, index in enumerate(nearest))
        vector = np.zeros(128, np.float32)
        features = PICTURE if query.modality is IMAGE else FILTERBANK
        answer = Answer(
            query.modality, features, vector, vector, vector[None], matches, nearest[0] % 10, None, 1.0, 0.9, 3
        )
        self.state.set_query(query)
        self.state.set_reply(Reply(answer, {}))

    def until_asked(self, qtbot: QtBot) -> None:
        qtbot.waitUntil(lambda: bool(self.model.waiting), timeout=2000)


@pytest.fixture
def scene(qapp, monkeypatch) -> Scene:  # noqa: ARG001 (Qt first)
    for module in (explanations, sounds):
        monkeypatch.setattr(module, "recording", lambda key: (key, 1))
    monkeypatch.setattr(explanations, "_REST_MS", 1)
    return Scene()


def test_nothing_is_explained_unless_wanted(scene: Scene, qtbot: QtBot) -> None:
    scene.answer(DRAWING, 17, 13)
    qtbot.wait(20)
    assert not scene.model.waiting
    assert scene.pairs[-1].match.index == 17
    scene.explanations.set_wanted(True)
    scene.until_asked(qtbot)
    scene.explanations.set_wanted(False)
    scene.answer(DRAWING, 13)
    qtbot.wait(20)
    assert len(scene.model.waiting) == 1


def test_the_nearest_match_is_explained_or_the_chosen_one(scene: Scene, qtbot: QtBot) -> None:
    scene.explanations.set_wanted(True)
    scene.answer(DRAWING, 17, 13)
    assert scene.pairs[-1].explanation is None, "it takes a moment"
    for chosen, explained in ((None, 17), (13, 13), (19, 17)):  # 19 is no match
        scene.explanations.choose(chosen)
        scene.until_asked(qtbot)
        scene.model.work()
        assert scene.pairs[-1].match.index == explained
        assert scene.pairs[-1].explanation is not None
        assert scene.model.retriever.explained[-1] == explained


def test_an_explanation_of_a_former_answer_or_match_is_dropped(scene: Scene, qtbot: QtBot) -> None:
    scene.explanations.set_wanted(True)
    for change in (
        lambda: scene.answer(DRAWING, 13),
        lambda: scene.explanations.choose(17),
        lambda: scene.state.set_reply(None),
    ):
        scene.answer(DRAWING, 13, 17)
        scene.until_asked(qtbot)
        work, done, _refused = scene.model.waiting.pop(0)
        explanation = work(scene.model.retriever)
        change()
        done(explanation)
        assert scene.pairs[-1] is None or scene.pairs[-1].explanation is None
        assert work(scene.model.retriever) is None, "nor is it computed any more"
        scene.explanations.choose(None)
        scene.model.waiting.clear()


def test_a_new_query_is_not_explained_by_the_former_answer(scene: Scene, qtbot: QtBot) -> None:
    scene.explanations.set_wanted(True)
    scene.answer(DRAWING, 13)
    scene.state.set_query(Drawing(2, (), DRAWING.pixels))
    qtbot.wait(20)
    assert not scene.model.waiting


def test_what_is_heard_is_the_utterance_of_the_pair(scene: Scene, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "word.wav", SOUND, 8000, subtype="FLOAT")
    queries = (
        (DRAWING, 17, ("key 17", 1)),
        (GalleryItem(FakeGallery.items[12], FILTERBANK, "key 12"), 3, ("key 12", 1)),
        (Recording(SOUND, 16_000), 3, (SOUND, 16_000)),
        (SoundFile(tmp_path / "word.wav"), 3, (SOUND, 8000)),
    )
    for query, nearest, heard in queries:
        scene.answer(query, nearest)
        scene.explanations.hear()
        scene.model.work()
        found, rate = scene.model.retriever.emphasised[-1]
        assert rate == heard[1]
        assert np.all(found == heard[0])
    assert scene.utterances.expected == scene.utterances.delivered
    assert len(set(scene.utterances.expected)) == len(queries)


def test_without_an_answer_nothing_is_heard(scene: Scene) -> None:
    scene.explanations.hear()
    assert not scene.model.waiting
    assert not scene.utterances.expected


def test_a_recording_that_is_missing_is_said(scene: Scene) -> None:
    scene.answer(DRAWING, 17)
    scene.explanations.hear()
    _work, _done, refused = scene.model.waiting.pop()
    refused("The recording key 17 can't be found.")
    assert scene.problems == ["The recording key 17 can't be found."]


def test_hot_ink_has_another_colour_and_paper_has_none() -> None:
    image, heat = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    image[5, 9] = image[6, 9] = 1
    heat[5, 9] = heat[7, 9] = 1
    for paper, ink in (("white", "black"), ("black", "white")):
        painted = picture_of_heat(image, heat, QColor(paper), QColor(ink))
        hot, cold, ground = (painted.pixelColor(9, y) for y in (5, 6, 7))
        assert ground == QColor(paper)
        assert cold.saturation() == 0
        assert hot == heat_colour(dark=paper == "black")


def test_hot_frames_have_another_colour_low_frequencies_at_the_bottom() -> None:
    features, heat = np.full((100, 80), -3, np.float32), np.zeros(100, np.float32)
    features[20:40, 10] = 3
    heat[30] = 1
    painted = spectrogram_of_heat(features, heat)
    assert (painted.width(), painted.height()) == (100, 80)
    loud, hot, quiet, hot_but_quiet = (painted.pixelColor(*at) for at in ((25, 69), (30, 69), (25, 20), (30, 20)))
    assert hot == heat_colour(dark=True)
    assert quiet.lightness() < 20
    assert loud.lightness() > 100
    assert loud.saturation() < 50
    assert quiet.lightness() < hot_but_quiet.lightness() < hot.lightness()


def hot(desk: Desk) -> bool:
    return desk.window.explore.why.query.hot and desk.window.explore.why.match.hot


def orange(widget: QWidget) -> int:
    """How many pixels of a widget are in the colour of heat, more or less."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    rgb = pixels[:, : 3 * image.width()].reshape(-1, 3).astype(int)
    return int(((rgb[:, 0] > rgb[:, 2] + 80) & (rgb[:, 1] > rgb[:, 2] + 10)).sum())


def test_heat_lies_over_the_part_of_a_drawing_that_the_encoder_saw_there(qtbot: QtBot) -> None:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    overlay = StrokeHeat(canvas)
    canvas.resize(280, 280)
    canvas.show()
    canvas.replay([[(0.6, 0.2), (0.6, 0.4), (0.6, 0.6)]])  # a bar, off the centre
    features = normalise_digit(canvas.raster())
    shares = np.zeros((28, 28), np.float32)
    shares[: int(np.flatnonzero(features.any(1)).mean())] = 1  # the upper half
    assert not orange(canvas)
    overlay.show_heat(canvas.sheet.strokes, features, shares)
    image = canvas.grab().toImage()
    upper, lower = (image.pixelColor(round(0.6 * 280), round(y * 280)) for y in (0.25, 0.55))
    assert upper.hsvSaturation() > 150
    assert lower.hsvSaturation() < 40
    assert image.pixelColor(round(0.3 * 280), round(0.3 * 280)) == image.pixelColor(20, 20), "paper stays as it is"
    canvas.replay([[(0.3, 0.2), (0.3, 0.6)]])
    assert not orange(canvas), "that was the heat of another drawing"
    assert len(canvas.sheet.strokes) == 2


def test_a_spectrogram_shows_heat_until_there_is_another(qtbot: QtBot) -> None:
    view = SpectrogramView()
    qtbot.addWidget(view)
    view.resize(200, 150)
    features = np.random.default_rng(0).normal(size=(100, 80)).astype(np.float32)
    view.show_features(features)
    plain = view.grab().toImage()
    view.show_heat(np.r_[np.ones(50), np.zeros(50)].astype(np.float32))
    assert view.grab().toImage() != plain
    assert view.grab().toImage().pixelColor(150, 75).hsvSaturation() < 60, "grey where nothing matters"
    view.show_features(features)
    assert view.grab().toImage() == plain


@pytest.fixture
def curious(desk: Desk):
    """With the section open."""
    desk.window.explore.draw.play_on_lift = False
    desk.key(Qt.Key.Key_W)
    yield desk
    desk.window.explore.why.open = False


def test_a_drawing_and_a_chosen_match_are_explained(curious: Desk) -> None:
    desk, why = curious, curious.window.explore.why
    assert desk.window.commands["why"].isChecked()
    assert why.match.isVisible()
    desk.draw()
    found = desk.await_found(SPEECH)
    until(lambda: hot(desk), "heat")
    assert orange(desk.canvas) > 100
    assert why.query.accessibleName() == "Your drawing"
    assert why.match.accessibleName() == found[0].source
    desk.key(Qt.Key.Key_J)
    desk.key(Qt.Key.Key_J)
    assert why.match.accessibleName() == found[1].source
    assert not hot(desk), "that was the heat of another match"
    assert not orange(desk.canvas)
    until(lambda: hot(desk), "heat")
    desk.window.commands["clear"].trigger()
    assert not hot(desk)
    desk.draw()
    found = desk.await_found(SPEECH)
    assert why.match.accessibleName() == found[0].source, "none is chosen any more"
    desk.window.commands["clear"].trigger()
    assert not why.findChild(QPushButton).isEnabled()
    desk.key(Qt.Key.Key_W)
    assert not why.match.isVisible()
    assert not desk.window.commands["why"].isChecked()


def test_what_mattered_is_heard_louder_than_the_rest(curious: Desk) -> None:
    desk = curious
    desk.draw()
    found = desk.await_found(SPEECH)
    before = len(desk.sound.heard)
    desk.key(Qt.Key.Key_M)
    until(lambda: desk.root.player.playing, "something to sound")
    until(lambda: not desk.root.player.playing, "the end of it")
    heard = desk.sound.heard[before:]
    retriever = desk.root.model._loaded.retriever
    explanation = retriever.explain(desk.state.reply.answer, found[0].index)
    expected, rate = retriever.emphasise(*recording(desk.state.gallery.key(found[0].index)), explanation.match)
    assert likeness(heard, resample(expected, rate, RATE)) > 0.95
    assert likeness(heard, desk.clip(found[0].index)) < 0.95
    assert not desk.played, "no match is marked"


def test_what_was_said_can_be_heard_so_too(curious: Desk) -> None:
    desk = curious
    desk.window.explore.queries.ask_sound(word(), RATE)
    desk.await_found(IMAGE)
    until(lambda: hot(desk), "heat")
    assert desk.window.explore.why.query.accessibleName() == "What you said"
    before = len(desk.sound.heard)
    desk.window.explore.why.findChild(QPushButton).click()
    until(lambda: desk.root.player.playing and len(desk.sound.heard) > before, "something to sound")
    desk.key(Qt.Key.Key_Period)
    until(lambda: not desk.root.player.playing, "silence")


def test_speaking_cancels_what_was_about_to_be_heard(curious: Desk) -> None:
    desk = curious
    desk.draw()
    desk.await_found(SPEECH)
    until(lambda: hot(desk), "heat")
    desk.key(Qt.Key.Key_M)
    desk.window.explore.queries.stop_playing()
    done = []
    desk.root.model.consult(lambda _retriever: True, done.append, done.append)
    until(lambda: done, "what was asked before")
    assert not desk.root.player.playing
