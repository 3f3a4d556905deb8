"""Where a word begins and ends among other sounds."""

import numpy as np
import pytest
import torch

from model.data import distortions
from model.data.endpoints import loudest_part
from model.data.speech import SpeechFrontEnd

RATE = 8000


def burst(seconds, level, seed=0):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_a_word_in_a_louder_background_is_cut_out():
    background = burst(2.0, 0.01)
    background[8000:12000] += burst(0.5, 0.2, 1)
    start, end = loudest_part(background, 0, len(background), RATE)
    assert start == pytest.approx(8000, abs=0.1 * RATE)
    assert end == pytest.approx(12000, abs=0.1 * RATE)
    assert start <= 8000
    assert end >= 12000


def test_the_stop_within_a_word_is_kept():
    sound = burst(1.5, 0.001)
    sound[3000:5000] += burst(0.25, 0.2, 1)
    sound[5600:6000] += burst(0.05, 0.05, 2)  # 75 ms later, as the t of "eight"
    start, end = loudest_part(sound, 0, len(sound), RATE)
    assert start <= 3000
    assert end >= 6000


@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.79])
def test_what_is_no_longer_than_a_word_is_kept(seconds):
    sound = burst(seconds, 0.1)
    sound[len(sound) // 2 :] /= 100
    assert loudest_part(sound, 0, len(sound), RATE) == (0, len(sound))


def test_digital_silence_is_no_background_to_measure():
    sound = np.concatenate(
        [np.zeros(RATE, np.float32), burst(0.9, 0.1), burst(0.3, 0.0005), np.zeros(RATE, np.float32)]
    )
    start, end = loudest_part(sound, RATE, round(2.2 * RATE), RATE)
    assert (start, end) == (RATE, pytest.approx(1.9 * RATE, abs=0.1 * RATE))


@pytest.mark.parametrize("name", ["one", "eight", "nine"])
def test_babble_hardly_lengthens_a_word(word, name):
    samples, rate = word(f"kokoro_af_bella/plain/{name}.opus")
    others = [word(f"kokoro_am_adam/plain/{other}.opus")[0] for other in ("two", "four", "seven")]
    padded = np.pad(samples, rate // 2)
    people = torch.from_numpy(np.stack([np.resize(other, len(padded)) for other in others]))
    babble = distortions.babble(people, 1, 4, torch.Generator().manual_seed(0))
    noisy = distortions.add_noise(torch.from_numpy(padded).unsqueeze(0), babble, 12, rate)[0].numpy()
    front_end = SpeechFrontEnd()
    assert len(front_end.trim(noisy, rate)) < 1.6 * len(front_end.trim(samples, rate))
