"""What every test of the window shares; this runs before Qt is imported."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sound_card import SoundCard, what_is_missing

if TYPE_CHECKING:
    from desk import Desk

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    # A screen on which the window has room; relative, for a colon in the path would end it.
    screen = os.path.relpath(Path(__file__).with_name("screen.json"))
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sound_card: speaks and listens on a virtual sound card (PulseAudio)")


def pytest_sessionfinish() -> None:
    """Empty the clipboard: Qt would destroy what a test left there after Python has ended, and crash."""
    from PySide6.QtGui import QGuiApplication

    if QGuiApplication.instance() is not None:
        QGuiApplication.clipboard().clear()


@pytest.fixture(scope="session", autouse=True)
def _runs_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test looks at the user's runs, sweeps and takes, let alone changes them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MODINV_RUNS", "MODINV_SWEEPS", "MODINV_TAKES"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(autouse=True)
def _collect_in_this_thread() -> Iterator[None]:
    """As in the application: no other thread may destroy a test's widgets."""
    gc.disable()
    yield
    gc.collect(1)  # whatever the test made is young


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A microphone to speak into and a loudspeaker to record."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with SoundCard().on() as card:
        yield card


@pytest.fixture(scope="module")
def shared_desk(qapp, tmp_path_factory) -> Iterator[Desk]:  # noqa: ARG001 (Qt first)
    """The whole application with the model that ships: loaded once for all tests of a module."""
    from desk import Desk

    desk = Desk(tmp_path_factory.mktemp("settings") / "modinv.ini").open().ready()
    yield desk
    desk.close()


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """The same, tidied up before each test."""
    shared_desk.tidy()
    return shared_desk
