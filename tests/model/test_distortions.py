"""Noise, babble, rooms, clipping and few bits, at the levels that are asked for; and their random combinations."""

import numpy as np
import pytest
import torch

from model.data import distortions
from model.data.batched_log_mel import log_mel, normalise
from model.data.log_mel import FilterbankSettings
from model.data.speech import SpeechFrontEnd
from model.data.waveform_augmentation import WaveformAugmentation

RATE = 8000
SETTINGS = FilterbankSettings()


def randomness(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def words(word):
    """Three trimmed utterances, ``(3, 7600)``."""
    front_end = SpeechFrontEnd()
    trimmed = [front_end.trim(*word(f"kokoro_af_bella/plain/{name}.opus")) for name in ("zero", "three", "six")]
    return torch.from_numpy(np.stack([np.pad(one, (0, 7600 - len(one))) for one in trimmed]))


def tone(count=2):
    time = torch.arange(RATE) / RATE
    return (0.3 * torch.sin(2 * torch.pi * 440 * time)).repeat(count, 1)


@pytest.mark.parametrize(("exponent", "decibels_per_octave"), [(0.0, 0.0), (1.0, -3.01), (2.0, -6.02)])
def test_noise_has_its_colour_and_unit_power(exponent, decibels_per_octave):
    noise = distortions.coloured_noise((8, 4 * RATE), RATE, exponent, randomness())
    assert noise.square().mean(1) == pytest.approx(torch.ones(8))
    power = torch.fft.rfft(noise).abs().square().mean(0)
    low, high = (power[4 * start : 8 * start].mean() for start in (500, 1000))
    assert 10 * torch.log10(high / low) == pytest.approx(decibels_per_octave, abs=0.3)


@pytest.mark.parametrize("decibels", [20.0, 0.0, -5.0])
def test_noise_is_added_at_its_ratio_to_the_speech_without_its_pauses(decibels):
    speech = tone()
    speech[:, RATE // 2 :] = 0
    noise = distortions.coloured_noise((2, RATE), RATE, 0.0, randomness())
    added = distortions.add_noise(speech, noise, decibels, RATE) - speech
    ratio = 10 * torch.log10(speech[:, : RATE // 2].square().mean(1) / added.square().mean(1))
    assert ratio == pytest.approx(torch.full((2,), decibels), abs=0.2)


def test_babble_is_of_several_people():
    people = torch.eye(5).repeat_interleave(200, 1) + 0.0  # each speaks at a time of their own
    one = distortions.babble(people, 3, 1, randomness())
    many = distortions.babble(people, 3, torch.tensor([[1], [3], [6]]), randomness())
    assert one.square().mean(1) == pytest.approx(torch.ones(3))
    busy = (many.abs() > 0).float().mean(1)
    assert busy[0] < busy[1] < busy[2]


def test_a_room_rings_for_its_time():
    click = torch.zeros(1, 2 * RATE)
    click[0, 100] = 1
    ringing = distortions.reverberate(click, 0.5, 0.0, RATE, randomness())
    energy = ringing[0, 100:].square()
    assert energy[1:].sum() == pytest.approx(1, rel=1e-3)  # as much as the direct sound
    early, late = energy[200:600].mean(), energy[2200:2600].mean()  # a quarter of a second apart: 30 dB
    assert 10 * torch.log10(early / late) == pytest.approx(30, abs=2)


def test_clipping_cuts_off_at_full_scale():
    clipped = distortions.clip(tone(), 18)
    assert clipped.abs().max() == 1
    assert (clipped.abs() == 1).float().mean() > 0.9
    torch.testing.assert_close(distortions.clip(tone(), 0), distortions.at_peak(tone(), 0))


def test_few_bits_leave_few_values():
    assert len(distortions.quantise(distortions.at_peak(tone(1), 0), 3).unique()) == 9
    assert distortions.at_peak(tone(), -40).abs().max() == pytest.approx(0.01)


def test_a_filter_has_its_gains():
    gains = torch.tensor([[0.0, -20.0, -40.0], [6.0, 6.0, 6.0]])
    for frequency, expected in ((2000, 0.1), (3000, 10 ** (-30 / 20))):
        sine = torch.sin(2 * torch.pi * frequency * torch.arange(RATE) / RATE).repeat(2, 1)
        found = distortions.filtered(sine, gains)
        assert found.square().mean(1).sqrt() == pytest.approx(
            torch.tensor([expected, 10 ** (6 / 20)]) / 2**0.5, rel=0.01
        )


def test_distorted_utterances_remain_speech_of_the_same_shape(words):
    augmentation = WaveformAugmentation(words, SETTINGS, torch.device("cpu"))
    chosen = torch.tensor([0, 1, 2] * 20)
    found = augmentation.filterbanks(chosen, randomness(3))
    assert found.shape == (60, 1, 100, 80)
    assert found.isfinite().all()
    torch.testing.assert_close(found, augmentation.filterbanks(chosen, randomness(3)))
    spoken = (found != 0).any(-1).squeeze(1)
    lengths = spoken.sum(1)
    assert lengths.min() >= 10
    assert lengths.max() <= 100
    for filterbank, length in zip(found[:, 0], lengths.tolist(), strict=True):
        if length < 100:  # a longer one was cropped after it was normalised
            assert filterbank[:length].mean().abs() < 1e-4
        assert filterbank[length:].eq(0).all()


def test_each_distortion_is_another(words):
    augmentation = WaveformAugmentation(words, SETTINGS, torch.device("cpu"))
    found = augmentation.filterbanks(torch.zeros(50, dtype=torch.long), randomness()).flatten(1)
    distances = torch.cdist(found, found) + torch.eye(50) * 1e6
    assert distances.min() > 1


def test_some_utterances_end_before_the_word_does(words):
    augmentation = WaveformAugmentation(words, SETTINGS, torch.device("cpu"))
    whole = int((words[0] != 0).nonzero().max()) / SETTINGS.shift_samples  # frames
    found = augmentation.filterbanks(torch.zeros(400, dtype=torch.long), randomness(1))
    lengths = (found != 0).any(-1).squeeze(1).sum(1) / whole
    share = float((lengths < 0.8).float().mean())  # detection alone moves either end by five frames
    assert 0.02 < share < 0.1
    assert lengths.min() > 0.35


def test_filterbanks_of_a_batch_are_those_of_the_front_end(words):
    front_end = SpeechFrontEnd()
    lengths = [int(np.flatnonzero(word)[-1]) + 1 for word in words]
    counts = torch.tensor([1 + (length - 200) // 80 for length in lengths])
    found = normalise(log_mel(words, SETTINGS), torch.zeros_like(counts), counts, SETTINGS)
    for filterbank, word, length in zip(found, words, lengths, strict=True):
        np.testing.assert_allclose(filterbank, front_end.filterbank(word[:length].numpy()), atol=1e-4)
