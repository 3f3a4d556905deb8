"""Where a word begins and ends among other sounds."""

import numpy as np
import pytest
import torch

from model.data import distortions
from model.data.endpoints import loudest_part, outstanding_part
from model.data.speech import SpeechFrontEnd, UnusableAudio, resample
from model.data.voice_activity import VoiceActivity, spans_of

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


def test_what_stands_out_of_a_recording_is_found():
    sound = burst(1.5, 0.01)
    sound[2000:2200] += burst(0.025, 0.3, 1)  # a click
    sound[8000:10000] += burst(0.25, 0.1, 2)
    start, end = outstanding_part(sound, RATE)
    assert start == pytest.approx(8000, abs=0.1 * RATE)
    assert end == pytest.approx(10000, abs=0.1 * RATE)


@pytest.mark.parametrize("key", ["kokoro_af_nicole/short-tract/oh.opus", "kokoro_jf_tebukuro/low/two.opus"])
def test_a_word_that_the_detector_doubts_is_found(word, key):
    samples, rate = word(key)
    sound = np.pad(resample(samples, rate, RATE), RATE // 5)
    speech = VoiceActivity().probabilities(0.5 * sound / np.abs(sound).max())
    assert spans_of(speech, len(sound)) == []
    assert 0.9 * len(samples) < len(SpeechFrontEnd().trim(samples, rate)) * rate / RATE < len(samples)


@pytest.mark.parametrize("exponent", [-0.2, 0, 1, 2])
@pytest.mark.parametrize("seconds", [0.3, 1, 3])
def test_nothing_stands_out_of_steady_noise(exponent, seconds):
    shape, generator = (20, round(seconds * RATE)), torch.Generator().manual_seed(0)
    for noise in distortions.coloured_noise(shape, RATE, torch.full((20, 1), exponent), generator):
        assert outstanding_part(0.1 * noise.numpy(), RATE) is None


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.03])
def test_a_click_does_not_stand_out(seconds):
    sound = burst(1.0, 0.001)
    sound[3000 : 3000 + round(seconds * RATE)] += 0.5
    assert outstanding_part(sound, RATE) is None


def test_a_knock_is_no_word_although_it_stands_out():
    sound = burst(1.0, 0.001)
    sound[3000:5000] += np.exp(-np.arange(2000) / 500) * burst(0.25, 0.3, 1)
    assert outstanding_part(sound, RATE)
    with pytest.raises(UnusableAudio, match="No speech"):
        SpeechFrontEnd().trim(sound, RATE)


@pytest.mark.parametrize("samples", [0, 1, 199])
def test_nothing_stands_out_of_less_than_a_frame(samples):
    assert outstanding_part(burst(samples / RATE, 0.1), RATE) is None


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
