"""Co-occurrence: which image meets which utterance, and when."""

import collections

import numpy as np
import pytest
import torch

from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.recipes.recipe import MNIST_BATCHES
from model.types import Modality

CPU = torch.device("cpu")


def samples(modality, labels, corpus="test", first=0):
    """Samples whose every feature is their own number, so that they can be told apart in a batch."""
    labels = np.array(labels)
    size = (28, 28) if modality is Modality.IMAGE else (100, 80)
    features = np.arange(first, first + len(labels), dtype=np.float32)[:, None, None] * np.ones(size, np.float32)
    return Samples(corpus, modality, features, labels, tuple(map(str, range(len(labels)))))


def numbers(batch):
    return batch[:, 0, 0, 0].long()


IMAGES = samples(Modality.IMAGE, [7, 0, 3, 3, 9, 0, 7, 1, 1, 9, 3])
# Ten of each digit, mixed; and a smaller corpus with one of each in another order.
LARGE = samples(Modality.SPEECH, [(3 * i) % 10 for i in range(100)], "large")
SMALL = samples(Modality.SPEECH, [5, 0, 9, 1, 8, 2, 7, 3, 6, 4], "small", first=100)
SPOKEN = np.concatenate([LARGE.labels, SMALL.labels])


def sampler(seed=0, pairs=4, speech=(LARGE, SMALL), images=IMAGES):
    return PairSampler(images, speech, pairs, seed, CPU)


def batch(drawn_from, step):
    return drawn_from.batch(step, drawn_from.generator(step))


def test_pairs_are_of_one_digit_and_keep_their_features():
    drawn_from = sampler()
    for step in range(30):
        images, filterbanks, digits = batch(drawn_from, step)
        assert images.shape[1:] == (1, 28, 28)
        assert filterbanks.shape[1:] == (1, 100, 80)
        assert IMAGES.labels[numbers(images)].tolist() == digits.tolist()
        assert SPOKEN[numbers(filterbanks)].tolist() == digits.tolist()


def test_an_epoch_shows_each_image_once_and_the_last_batch_is_smaller():
    drawn_from = sampler()
    assert drawn_from.steps_per_epoch == 3
    for epoch in range(3):
        seen = [numbers(batch(drawn_from, 3 * epoch + step)[0]) for step in range(3)]
        assert [len(one) for one in seen] == [4, 4, 3]
        assert sorted(torch.cat(seen).tolist()) == list(range(11))


def test_epochs_differ_in_their_order():
    drawn_from = sampler(pairs=11)
    orders = {tuple(numbers(batch(drawn_from, epoch)[0]).tolist()) for epoch in range(5)}
    assert len(orders) == 5


def test_an_epoch_of_mnists_size_has_469_batches_of_128():
    labels = np.arange(60_000) % 10
    images = Samples("mnist", Modality.IMAGE, np.zeros((60_000, 1, 1), np.float32), labels, ())
    speech = Samples("speech", Modality.SPEECH, np.zeros((10, 1, 1), np.float32), np.arange(10), ())
    drawn_from = PairSampler(images, [speech], 128, 0, CPU)
    assert drawn_from.steps_per_epoch == MNIST_BATCHES == 469
    assert len(batch(drawn_from, 467)[0]) == 128
    assert len(batch(drawn_from, 468)[0]) == 60_000 - 468 * 128


def test_corpora_are_balanced_whatever_their_size_and_utterances_within_them():
    drawn_from = sampler(images=samples(Modality.IMAGE, [3] * 500), pairs=500)
    heard = torch.cat([numbers(batch(drawn_from, step)[1]) for step in range(8)])
    small = (heard >= 100).float().mean().item()
    assert small == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)
    counts = collections.Counter(heard[heard < 100].tolist())
    assert set(counts) == {i for i in range(100) if (3 * i) % 10 == 3}
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_step_gives_the_same_batch_in_any_sampler_and_any_order():
    first, again = sampler(seed=5), sampler(seed=5)
    forwards = [batch(first, step) for step in range(8)]
    backwards = [batch(again, step) for step in reversed(range(8))]
    for one, other in zip(forwards, reversed(backwards), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_seeds_and_steps_differ():
    orders = {tuple(numbers(batch(sampler(seed, pairs=11), 0)[0]).tolist()) for seed in range(5)}
    assert len(orders) == 5
    noise = {torch.rand(1, generator=sampler(seed).generator(step)).item() for seed in range(5) for step in range(20)}
    assert len(noise) == 100


def test_a_digit_without_utterances_is_refused_even_if_another_corpus_has_it():
    lacks_nine = samples(Modality.SPEECH, list(range(9)))
    with pytest.raises(ValueError, match="Every digit"):
        sampler(speech=(LARGE, lacks_nine))


def test_digits_without_images_need_no_utterances():
    only = sampler(images=samples(Modality.IMAGE, [1, 2, 1]), speech=(samples(Modality.SPEECH, [2, 1]),), pairs=3)
    images, filterbanks, _ = batch(only, 0)
    assert torch.equal(torch.tensor([1, 2, 1])[numbers(images)], torch.tensor([2, 1])[numbers(filterbanks)])


def test_drawing_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    batch(sampler(), 0)
    assert torch.equal(before, torch.random.get_rng_state())


def spoken(corpus, labels, seed):
    """Samples with waveforms of half a second of noise, whose filterbanks are all minus nines."""
    noise = np.random.default_rng(seed).standard_normal((len(labels), 4000), np.float32)
    waveforms = np.pad(0.1 * noise, ((0, 0), (0, 3600)))
    features = np.full((len(labels), 100, 80), -9.0, np.float32)
    names = tuple(map(str, range(len(labels))))
    return Samples(corpus, Modality.SPEECH, features, np.array(labels), names, waveforms=waveforms)


def test_a_share_of_the_utterances_is_distorted_and_pairs_stay_the_same():
    drawn_from = sampler(pairs=11, speech=(spoken("a", range(10), 0), spoken("b", range(10), 1)))
    counts = []
    for step in range(20):
        images, plain, digits = batch(drawn_from, step)
        again, filterbanks, same = drawn_from.batch(step, drawn_from.generator(step), 0.5)
        assert torch.equal(images, again)
        assert torch.equal(digits, same)
        assert plain.eq(-9).all()
        counts.append(int((filterbanks != -9).flatten(1).any(1).sum()))
        assert torch.equal(filterbanks, drawn_from.batch(step, drawn_from.generator(step), 0.5)[1])
    assert sum(counts) / (20 * 11) == pytest.approx(0.5, abs=0.1)


def test_filterbanks_are_not_changed_in_place_by_distortion():
    corpus = spoken("a", range(10), 0)
    drawn_from = sampler(pairs=11, speech=(corpus,))
    drawn_from.batch(0, drawn_from.generator(0), 1.0)
    assert batch(drawn_from, 0)[1].eq(-9).all()
    assert (corpus.features == -9).all()


def test_utterances_without_waveforms_can_not_be_distorted():
    drawn_from = sampler(speech=(spoken("a", range(10), 0), SMALL))
    with pytest.raises(ValueError, match="small"):
        drawn_from.batch(0, drawn_from.generator(0), 0.5)
