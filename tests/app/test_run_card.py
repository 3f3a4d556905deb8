"""What a run's card says while the run trains: how long it takes, and that it is about to pause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from run_folders import make_run

from model.runs.store import RunInfo, RunStore
from modinv_app.common.run_entry import RunEntry
from modinv_app.train import run_card
from modinv_app.train.run_card import RunCard
from modinv_app.train.run_comparison import choices


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(run_card, "time", clock)
    return clock


@pytest.fixture
def card(qtbot: QtBot, clock: Clock) -> Iterator[RunCard]:  # noqa: ARG001
    card = RunCard()
    qtbot.addWidget(card)
    card.show()
    return card


@pytest.fixture
def info(tmp_path) -> RunInfo:
    return replace(make_run(RunStore(tmp_path), "a run", "stopped").info(), state="running", steps=1000, step=1)


def progress(card: RunCard) -> str:
    return card.findChild(QLabel, "progress").text()


def button(card: RunCard, text: str) -> QPushButton | None:
    shown = [button for button in card.findChildren(QPushButton) if button.isVisible()]
    return next((button for button in shown if button.text() == text), None)


def train(card: RunCard, clock: Clock, info: RunInfo, steps: range, seconds: float) -> None:
    for step in steps:
        clock.now += seconds
        card.show_run(replace(info, step=step), usable=False)


def test_the_time_left_follows_the_steps(card: RunCard, clock: Clock, info: RunInfo) -> None:
    card.show_run(info, usable=False)
    assert progress(card).endswith("…"), "nobody can know"
    train(card, clock, info, range(10, 201, 10), 5.0)
    assert progress(card).endswith("about 7 min left")
    train(card, clock, info, range(210, 801, 10), 1.0)
    assert progress(card).endswith("about 23 s left"), "a minute at a new pace makes the old one forgotten"


def test_the_time_left_does_not_stand_still(card: RunCard, clock: Clock, info: RunInfo) -> None:
    card.show_run(info, usable=False)
    train(card, clock, info, range(10, 981, 10), 1.0)
    said = []
    for _ in range(60):  # nothing is heard for a minute
        clock.now += 1
        card._tick.timeout.emit()
        said.append(progress(card))
    assert said[0].endswith("almost done")
    assert len(set(said[-30:])) == 30, "it grows while the run hangs"


def test_the_card_says_what_the_user_has_changed_in_the_data(card: RunCard, info: RunInfo) -> None:
    def shown() -> str:
        return " ".join(label.text() for label in card.findChildren(QLabel) if label.isVisible())

    card.show_run(info, usable=False)
    assert "mnist, voices · seed 0" in shown()
    curated = {"mnist": {"excluded": 3, "relabelled": 2, "sha256": "0"}, "voices": {"excluded": 0, "relabelled": 1}}
    card.show_run(replace(info, data={**info.data, "curated": curated}), usable=False)
    said = "mnist, voices, changed by you: mnist (3 left out, 2 relabelled) and voices (1 relabelled) · seed 0"
    assert said in shown()


def test_runs_are_compared_by_what_the_user_has_changed_in_their_data(tmp_path) -> None:
    record = make_run(RunStore(tmp_path), "a run")
    info = record.info()
    assert choices(RunEntry.of(record, info, {}))["Changed by you"] == "nothing"
    changed = replace(info, data={"curated": {"mnist": {"excluded": 3, "relabelled": 0}}})
    assert choices(RunEntry.of(record, changed, {}))["Changed by you"] == "mnist (3 left out)"


def test_pausing_shows_at_once(card: RunCard, clock: Clock, info: RunInfo) -> None:
    card.show_run(info, usable=False)
    wanted = []
    card.wanted.connect(wanted.append)
    button(card, "Pause").click()
    assert wanted == ["pause"]
    assert not button(card, "Pausing…").isEnabled()
    assert button(card, "Stop").isEnabled(), "a run that is about to pause can be stopped"
    card.show_run(replace(info, step=11), usable=False)
    assert button(card, "Pausing…"), "still on its way"
    card.show_run(replace(info, state="paused", step=11), usable=False)
    assert button(card, "Continue").isEnabled()
    card.show_run(replace(info, step=12), usable=False)
    assert button(card, "Pause").isEnabled()
    clock.now += 1000
    assert progress(card).endswith("…"), "a pause is no part of the pace"
