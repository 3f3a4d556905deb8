"""Noise for what was said: the query with noise, and the dial that turns it up."""

from __future__ import annotations

import numpy as np
import pytest
from desk import RATE, Desk, until, word
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QSlider
from pytestqt.qtbot import QtBot

from model.checkpoints import Header
from model.data.conditions import NOISE_LEVELS
from model.types import Item, Modality
from modinv_app.explore.noise_panel import NoisePanel, understood
from modinv_app.explore.queries import Drawing, GalleryItem, Noisy, Recording, continues, in_condition
from modinv_app.explore.sounds import sound_of

SOUND = Recording(np.sin(np.arange(4000, dtype=np.float32)), 8000)
DRAWING = Drawing(1, (), np.zeros((8, 8), np.uint8))


def header(**metrics: object) -> Header:
    return Header({}, {}, {}, 0, 0, "cpu", {}, metrics=metrics)


def measured(change: object = None) -> dict[str, object]:
    names = ["clean", *(f"{kind}-{level:g}" for kind in ("white", "pink", "babble") for level in NOISE_LEVELS)]
    recognition = [{"name": name, "right": 9 - (place % 7), "count": 10} for place, name in enumerate(names)]
    return {"speech": "10 utterances of 5 strangers", "recognition": recognition if change is None else change}


def test_noise_belongs_to_what_was_said_only() -> None:
    assert in_condition(DRAWING, "white-10") is DRAWING
    assert in_condition(GalleryItem(Item(0, Modality.IMAGE, 7, "x"), np.zeros((28, 28))), "white-10").name == "x"
    noisy = in_condition(SOUND, "white-10")
    assert isinstance(noisy, Noisy)
    assert noisy.name == "What you said + noise, 10 dB"
    other = in_condition(noisy, "babble-0")
    assert isinstance(other, Noisy)
    assert other.original is SOUND
    assert in_condition(noisy, "") is SOUND
    assert continues(other, noisy)
    assert continues(SOUND, noisy)
    assert not continues(Recording(SOUND.samples, 8000), noisy)


def test_the_sound_of_a_noisy_query_is_the_recording_and_its_noise() -> None:
    samples, rate = sound_of(Noisy(SOUND, "white-20"))
    noise = samples - SOUND.samples
    assert rate == 8000
    assert 20 * np.log10(SOUND.samples.std() / noise.std()) == pytest.approx(20, abs=0.5)
    assert (sound_of(Noisy(SOUND, "babble-5"))[0] != SOUND.samples).any()


@pytest.fixture
def panel(qtbot: QtBot) -> NoisePanel:
    found = NoisePanel()
    qtbot.addWidget(found)
    found.show()
    return found


def test_the_dial_chooses_a_level_and_the_box_a_kind(panel: NoisePanel, qtbot: QtBot) -> None:
    slider, kind = panel.findChild(QSlider), panel.findChild(QComboBox)
    chosen: list[str] = []
    panel.condition_chosen.connect(chosen.append)
    slider.setValue(4)
    qtbot.wait(100)
    assert chosen == [], "there is no noise while the section is closed"
    panel.open = True
    qtbot.waitUntil(lambda: chosen == ["white-10"])
    kind.setCurrentIndex(kind.findData("babble"))
    qtbot.waitUntil(lambda: chosen[-1] == "babble-10")
    for step in (5, 6, 5, 0):
        slider.setValue(step)
    qtbot.waitUntil(lambda: chosen[-1] == "")
    assert len(chosen) == 3, "levels that are passed are not asked for"
    slider.setValue(1)
    qtbot.waitUntil(lambda: chosen[-1] == "babble-30")
    panel.open = False
    qtbot.waitUntil(lambda: chosen[-1] == "")


def test_the_share_that_is_understood_is_told(panel: NoisePanel) -> None:
    panel.show_measured(*understood(header(conditions=measured())))
    panel.open = True
    panel.findChild(QSlider).setValue(3)
    texts = [label.text() for label in panel.findChildren(QLabel)]
    assert "15 dB" in texts
    assert "60% of 10 utterances of 5 strangers are understood here." in texts


@pytest.mark.parametrize(
    "metrics",
    [{}, {"conditions": 3}, {"conditions": measured([])}, {"conditions": measured([{"name": "clean", "count": 0}])}],
)
def test_a_model_that_was_not_measured_has_no_curve(metrics: dict[str, object]) -> None:
    assert understood(header(**metrics)) == ({}, "")


def test_noise_changes_the_answer_and_turning_it_down_brings_it_back(desk: Desk) -> None:
    explore = desk.window.explore
    explore.noise.open = True
    explore.queries.ask_sound(word("seven"), RATE)
    desk.await_found(Modality.IMAGE)
    clean = desk.state.reply.answer
    slider = explore.noise.findChild(QSlider)
    slider.setFocus()
    desk.key(Qt.Key.Key_Right)
    until(lambda: isinstance(desk.state.query, Noisy), "noise")
    slider.setValue(len(NOISE_LEVELS))
    until(lambda: desk.state.query.condition == "white-0", "more noise")
    until(
        lambda: desk.state.reply is None or not np.array_equal(desk.state.reply.answer.features, clean.features),
        "another answer",
    )
    slider.setValue(0)
    until(lambda: isinstance(desk.state.query, Recording), "no noise")
    until(
        lambda: desk.state.reply is not None and np.array_equal(desk.state.reply.answer.features, clean.features),
        "the answer without noise",
    )
    assert desk.state.reply.answer.guess == clean.guess
    assert not explore.queries.history.can_go_back, "it is one query all the time"
