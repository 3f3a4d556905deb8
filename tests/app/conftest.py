"""What every test of the window shares; this runs before Qt is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sound_card import SoundCard, what_is_missing

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sound_card: speaks and listens on a virtual sound card (PulseAudio)")


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A microphone to speak into and a loudspeaker to record."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with SoundCard().on() as card:
        yield card
