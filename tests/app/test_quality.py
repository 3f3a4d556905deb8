"""What is said about a room, and about a word in it."""

from __future__ import annotations

import numpy as np
import pytest

from modinv_app.audio.quality import background, problem_with

RATE = 16_000


def noise(level: float, seconds: float = 1.2) -> np.ndarray:
    """White noise of a level in dBFS."""
    drawn = np.random.default_rng(0).normal(0, 10 ** (level / 20), round(seconds * RATE))
    return drawn.astype(np.float32)


@pytest.mark.parametrize(("level", "words"), [(-70, ""), (-45, "some noise"), (-30, "loud here")])
def test_a_room_is_measured(level: float, words: str) -> None:
    measured, advice = background(noise(level))
    assert measured == pytest.approx(level, abs=1)
    assert (words in advice) if words else advice == ""


def test_a_door_that_slams_is_no_noise_of_the_room() -> None:
    room = noise(-70)
    room[1000:3000] = 0.9
    assert background(room)[0] == pytest.approx(-70, abs=1)


def test_a_word_has_to_be_louder_than_the_room() -> None:
    word = noise(-40)
    assert problem_with(word, 1) is None
    assert problem_with(word, 1, noise=-70) is None
    problem = problem_with(word, 1, noise=-38)
    assert problem is not None
    assert "than the room" in problem.message
    assert not problem.usable
