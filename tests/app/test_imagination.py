"""What the model imagines: beside the matches, on the way from the former query, and at empty places of the map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from desk import RATE, SEVEN, Desk, pause, until, word
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QSlider

from model import locations, systems
from model.checkpoints import Header
from model.generation.generator import Generator
from model.recipes.recipe import named
from model.retrieval.projection import NeighbourMap
from model.retrieval.vote import majority
from model.similarity import Gaussians
from model.systems.model_io import load_model, save_model
from model.types import FloatArray, Modality
from modinv_app.common import settings as chosen
from modinv_app.common.check_box import CheckBox
from modinv_app.common.icons import IconButton
from modinv_app.explore.imagination import STEPS
from modinv_app.explore.imagined_panel import ImaginedPanel
from modinv_app.explore.state import Imagined

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH


@pytest.fixture(scope="module", autouse=True)
def _no_t_sne_of_other_models():
    # Fitting it takes ten seconds and more; where it comes from is tested with the projections.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NeighbourMap, "fit", lambda means, **_options: NeighbourMap(means, means[:, :2].copy()))
        yield


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load(locations.shipped_decoders())


@pytest.fixture(autouse=True)
def _recordings_answer(desk: Desk) -> None:
    panel(desk).voice = False
    desk.window.explore.map.choose("PCA")
    desk.window.explore.map.reset_view()


def panel(desk: Desk) -> ImaginedPanel:
    return desk.window.explore.imagined


def slider(desk: Desk) -> QSlider:
    return panel(desk).findChild(QSlider)


def why_not(desk: Desk) -> str:
    label = panel(desk).findChild(QLabel, "why not")
    return label.text() if label.isVisible() else ""


def imagine(desk: Desk, act: Callable[[], object]) -> FloatArray:
    """Do something, and wait for the picture that is imagined then."""
    before = desk.state.imagined
    act()
    until(lambda: desk.state.imagined not in (None, before), "something imagined")
    assert desk.state.imagined is not None
    return desk.state.imagined.picture


def say(desk: Desk, digit: str) -> None:
    desk.window.explore.speak.press()
    desk.sound.say(word(digit))
    pause(len(word(digit)) / RATE + 0.1)
    desk.window.explore.speak.release()
    desk.await_found(IMAGE)


def draw(desk: Desk) -> None:
    desk.draw(SEVEN)
    desk.await_found(SPEECH)


def settled(desk: Desk) -> Imagined:
    """What is imagined of the query that is answered, once the model's thread has done all that it was asked."""
    until(lambda: desk.state.imagined is not None, "something imagined")
    rest = desk.window.explore.imagination.findChild(QTimer)
    until(lambda: not rest.isActive(), "a pen at rest")
    done: list[bool] = []
    desk.root.model.when_idle(lambda _loaded: True, done.append)
    until(lambda: done, "the model's thread at rest")
    return desk.state.imagined


def read(desk: Desk, modality: Modality, features: FloatArray) -> int:
    """The digit that the model in use sees or hears in features."""
    retriever = desk.root.model.retriever
    posterior = retriever.encoder.encode(modality, features[None])
    query = Gaussians(posterior.means[0], posterior.log_variances[0])
    return majority(retriever.gallery.nearest(query, modality.other, 10))


def listen(desk: Desk, act: Callable[[], object]) -> FloatArray:
    """What the loudspeaker plays when something is done."""
    before = len(desk.sound.heard)
    act()
    until(lambda: desk.root.player.playing, "something to sound")
    until(lambda: not desk.root.player.playing, "the end of it")
    return desk.sound.heard[before:]


def hears(desk: Desk, sound: FloatArray) -> int:
    return desk.root.model.retriever.ask_sound(np.pad(sound, RATE // 5), RATE).nearest


@pytest.mark.parametrize("digit", ["zero", "three"])
def test_what_was_said_is_imagined_as_a_picture_that_the_encoder_reads(desk: Desk, digit: str) -> None:
    say(desk, digit)
    assert read(desk, IMAGE, settled(desk).picture) == {"zero": 0, "three": 3}[digit]
    assert any("Nobody drew or said this" in label.text() for label in panel(desk).findChildren(QLabel))


def test_a_drawing_is_imagined_as_speech(desk: Desk) -> None:
    draw(desk)
    assert read(desk, SPEECH, settled(desk).filterbank) == 7


def test_with_the_switch_on_the_imagined_voice_answers_a_drawing(desk: Desk) -> None:
    panel(desk).voice = True
    play = next(box for box in desk.window.explore.draw.findChildren(CheckBox) if box.text().startswith("Play"))
    assert play.text() == "Play the imagined voice"
    heard = listen(desk, lambda: desk.draw(SEVEN))
    assert hears(desk, heard) == 7
    assert not desk.played, "no recording"
    assert not np.array_equal(heard, listen(desk, desk.window.commands["play"].trigger)), "on request, the recording"
    assert len(desk.played) == 1
    panel(desk).voice = False
    assert play.text() == "Play the nearest match"


def test_with_the_switch_off_the_nearest_recording_answers(desk: Desk) -> None:
    listen(desk, lambda: desk.draw(SEVEN))
    assert len(desk.played) == 1


def test_what_is_no_digit_is_not_answered_by_a_voice_either(desk: Desk) -> None:
    panel(desk).voice = True
    cross = [[(0.1, 0.1), (0.9, 0.9)], [(0.9, 0.1), (0.1, 0.9)], [(0.5, 0.05), (0.5, 0.95)], [(0.05, 0.5), (0.95, 0.5)]]
    desk.window.explore.draw.play_on_lift = False  # until it is complete
    desk.draw(cross[:-1])
    desk.await_found(SPEECH)
    desk.window.explore.draw.play_on_lift = True
    desk.draw(cross[-1:])
    desk.await_found(SPEECH)
    assert desk.state.reply.answer.rejected
    settled(desk)
    pause(0.2)
    assert not desk.root.player.playing


def test_the_walk_leads_from_the_former_query_to_this_one(desk: Desk, generator: Generator) -> None:
    desk.window.explore.draw.play_on_lift = False
    say(desk, "zero")
    former = settled(desk).picture
    zero = desk.state.reply.answer.mean
    draw(desk)
    present = settled(desk).picture
    seven = desk.state.reply.answer.mean
    assert slider(desk).isEnabled()
    assert slider(desk).value() == STEPS - 1

    at_the_start = imagine(desk, lambda: slider(desk).setValue(0))
    np.testing.assert_allclose(at_the_start, former, atol=1e-6)
    middle = imagine(desk, lambda: slider(desk).setValue((STEPS - 1) // 2))
    np.testing.assert_allclose(middle, generator.pictures(((zero + seven) / 2)[None])[0], atol=1e-4)
    place, ends = desk.state.imagined.places["PCA"], desk.state.imagined.ends
    np.testing.assert_allclose(place, ends["PCA"].mean(axis=0), atol=1e-4)
    assert set(ends) == {"PCA"}, "no straight line in the other map"
    at_the_end = imagine(desk, lambda: slider(desk).setValue(STEPS - 1))
    np.testing.assert_allclose(at_the_end, present, atol=1e-6)
    assert not desk.state.imagined.places, "the query itself, which is in the map already"


def test_a_walk_is_silent_until_the_slider_is_let_go(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False
    say(desk, "three")
    draw(desk)
    settled(desk)
    slider(desk).setSliderDown(True)
    for step in (30, 20, 10, 0):
        imagine(desk, lambda step=step: slider(desk).setValue(step))
    pause(0.4)
    assert not desk.root.player.playing
    heard = listen(desk, lambda: slider(desk).setSliderDown(False))
    assert hears(desk, heard) == 3


def test_keys_on_the_slider_are_heard_once_they_rest(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False
    say(desk, "zero")
    draw(desk)
    settled(desk)
    slider(desk).setFocus()
    assert len(listen(desk, lambda: QTest.keyClick(slider(desk), Qt.Key.Key_Left)))


def test_there_is_no_walk_without_a_former_query(desk: Desk) -> None:
    assert not slider(desk).isEnabled()
    assert desk.state.imagined is None
    assert not next(button for button in panel(desk).findChildren(IconButton)).isEnabled()


def test_a_stroke_of_the_same_drawing_is_no_new_query(desk: Desk) -> None:
    desk.window.explore.draw.play_on_lift = False
    say(desk, "zero")
    former = settled(desk).picture
    draw(desk)
    desk.draw([[(0.3, 0.5), (0.6, 0.5)]])
    desk.await_found(SPEECH)
    settled(desk)
    np.testing.assert_allclose(imagine(desk, lambda: slider(desk).setValue(0)), former, atol=1e-6)


def test_an_empty_place_of_the_plane_is_imagined(desk: Desk, generator: Generator) -> None:
    places: list[FloatArray] = []
    desk.window.explore.map.place_clicked.connect(places.append)
    widget, _ = desk.on_map(0)
    corner = QPoint(12, 12)
    picture = imagine(desk, lambda: QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=corner))
    assert desk.state.query is None, "it is no query"
    plane = desk.root.model._loaded.maps["PCA"]
    np.testing.assert_allclose(picture, generator.pictures(plane.embeddings_at(places[0][None]))[0], atol=1e-5)
    np.testing.assert_allclose(desk.state.imagined.places["PCA"], places[0], atol=1e-3)
    assert not desk.root.player.playing
    desk.window.commands["clear"].trigger()
    assert desk.state.imagined is None
    panel(desk).voice = True
    heard = listen(desk, lambda: QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=corner + QPoint(30, 0)))
    assert len(heard)


def test_in_the_other_map_empty_places_say_where_it_works(desk: Desk) -> None:
    said: list[str] = []
    desk.window.explore.status_changed.connect(said.append)
    desk.window.explore.map.choose("t-SNE")
    widget, _ = desk.on_map(0)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(12, 12))
    until(lambda: said, "a word")
    assert "PCA" in said[-1]
    assert desk.state.imagined is None


def test_a_voice_gives_way_to_what_is_played_after_it(desk: Desk) -> None:
    panel(desk).voice = True
    desk.window.explore.draw.play_on_lift = False
    draw(desk)
    settled(desk)
    desk.window.explore.imagination.speak()
    desk.window.commands["play"].trigger()
    until(lambda: desk.played, "the recording")
    until(lambda: not desk.root.player.playing, "the end of it")
    desk.window.explore.imagination.speak()
    desk.window.commands["stop_playing"].trigger()
    pause(0.3)
    assert not desk.root.player.playing


# Other models


def use(desk: Desk, path: Path) -> None:
    headers: list[Header] = []
    desk.root.model.ready.connect(headers.append)
    desk.window.use_model(str(path))
    until(lambda: headers, "another model", 60)


@pytest.fixture
def shipped_again(desk: Desk) -> Iterator[None]:
    yield
    if desk.root.model.file != locations.shipped_model():
        use(desk, locations.shipped_model())


@pytest.mark.usefixtures("shipped_again")
def test_without_decoders_a_reason_is_shown_and_recordings_answer(desk: Desk, tmp_path: Path) -> None:
    encoders, header = load_model(locations.shipped_model())
    encoders.modules.image.head.bias.data[0] += 0.1  # the shipped decoders are not of these encoders
    save_model(tmp_path / "another.safetensors", encoders, header)
    panel(desk).voice = True
    use(desk, tmp_path / "another.safetensors")
    heard = listen(desk, lambda: desk.draw(SEVEN))
    assert "no decoders" in why_not(desk)
    assert not slider(desk).isVisible()
    assert len(heard)
    assert len(desk.played) == 1, "a recording, in place of the voice that is missing"
    assert desk.state.imagined is None

    use(desk, locations.shipped_model())
    assert not why_not(desk)
    assert read(desk, SPEECH, settled(desk).filterbank) == 7
    assert not slider(desk).isEnabled(), "embeddings of another model are no end of a walk"


@pytest.mark.usefixtures("shipped_again")
def test_a_model_with_decoders_of_its_own_uses_them(desk: Desk, tmp_path: Path) -> None:
    torch.manual_seed(0)
    path, system = tmp_path / "own.safetensors", systems.build(named("fast", system="generative"))
    _, header = load_model(locations.shipped_model())
    save_model(path, system, replace(header, recipe=system.recipe.to_dict(), confidence={}))
    use(desk, path)
    desk.window.explore.draw.play_on_lift = False
    draw(desk)
    picture = settled(desk).picture
    own = Generator.load(path).pictures(desk.state.reply.answer.mean[None])[0]
    np.testing.assert_allclose(picture, own, atol=1e-5)


def test_the_choice_of_the_voice_is_remembered(desk: Desk) -> None:
    panel(desk).voice = True
    settings = desk.root.settings
    settings.set(chosen.IMAGINED_VOICE, panel(desk).voice)
    panel(desk).voice = False
    desk.window.explore.restore()
    assert panel(desk).voice
