"""Heat is where fading hurts a similarity, and the sound that goes with it is loud there."""

import numpy as np
import pytest
import torch
from toy_system import ToyRecipe, ToySystem, installed

from model import locations
from model.data.corpora import recording
from model.data.emphasis import FADED_DECIBELS, emphasise
from model.data.speech import FilterbankSettings, SpeechFrontEnd, utterance_in
from model.retrieval.attribution import Heat, floor, occlude
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.similarity import Gaussians
from model.systems.model_io import load_model
from model.types import Modality
from tests.benchmarks.attribution import deletion, gradients, integrated_gradients, occlusion, scores

IMAGE, SPEECH = Modality.IMAGE, Modality.SPEECH
SETTINGS = FilterbankSettings()
RATE = SETTINGS.sample_rate
TONE = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE).astype(np.float32)  # a second


@pytest.fixture(scope="module")
def retriever():
    return Retriever(*load_model(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))


@pytest.fixture
def linear():
    """A linear system: its first dimension weighs the ink of two tiles, and the energies of frame 30."""
    with installed():
        system = ToySystem(ToyRecipe(name="toy", system="toy"))
    for layer in (system.modules["image"], system.modules["speech"]):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    with torch.no_grad():
        system.modules["image"].weight[0].view(28, 28)[9:12, 9:12] = 2.0
        system.modules["image"].weight[0].view(28, 28)[12:15, 9:12] = -1.0
        system.modules["speech"].weight[0].view(100, 80)[30] = 1.0
    return system


def first_axis():
    """A posterior at 1 of the first dimension."""
    return Gaussians(np.eye(8, dtype=np.float32)[0], np.zeros(8, np.float32))


def test_the_heat_of_a_tile_is_what_its_ink_adds_to_the_similarity(linear):
    image = np.zeros((28, 28), np.float32)
    image[6:18, 10] = 0.5  # in four tiles, in which ink adds nothing, 2, -1 and nothing a pixel
    heat = occlude(linear, IMAGE, image, first_axis())
    expected = np.zeros((28, 28))
    expected[9:12, 9:12], expected[12:15, 9:12] = 3 * 0.5 * 2, -3 * 0.5
    assert heat.drops == pytest.approx(expected)
    assert heat.shares.max() == 1
    assert heat.shares == pytest.approx(np.maximum(expected, 0) / 3)


def test_the_heat_of_a_frame_is_what_its_energy_above_the_floor_adds(linear):
    filterbank = np.full((100, 80), -1.0, np.float32)
    filterbank[20:40, 5] = 1.0
    filterbank[60:] = 0  # padding
    heat = occlude(linear, SPEECH, filterbank, first_axis())
    expected = np.zeros(100)
    expected[28:33] = 2 * np.array([1, 2, 3, 2, 1]) / 3  # one band, from -1 to 1, by the parts of three that have it
    assert heat.drops == pytest.approx(expected)


def test_an_input_without_anything_has_no_heat(linear):
    for modality, shape in ((IMAGE, (28, 28)), (SPEECH, (100, 80))):
        heat = occlude(linear, modality, np.zeros(shape, np.float32), first_axis())
        assert not heat.drops.any()
        assert not heat.shares.any()


def test_speech_fades_to_its_floor_and_its_padding_stays():
    filterbank = np.random.default_rng(0).normal(size=(100, 80)).astype(np.float32)
    filterbank[70:] = 0
    faded = floor(SPEECH, filterbank)
    assert (faded[:70] == filterbank[:70].min()).all()
    assert not faded[70:].any()
    assert not floor(IMAGE, np.ones((28, 28), np.float32)).any()


def test_integrated_gradients_sum_to_the_difference_of_the_scores(retriever):
    gallery, system = retriever.gallery, load_model(locations.shipped_model())[0]
    for index in (3, 1200):
        modality, features = gallery.items[index].modality, gallery.features(index)
        nearest = retriever.ask_item(index).matches[0].item.index
        posterior = Gaussians(gallery.means[nearest], gallery.log_variances[nearest])
        heat = integrated_gradients(128)(system, modality, features, posterior)
        whole, faded = scores(system, modality, np.stack([features, floor(modality, features)]), posterior)
        assert heat.sum() == pytest.approx(float(whole - faded), rel=0.02)


def test_gradients_of_a_place_are_those_of_a_small_step(retriever):
    gallery, system = retriever.gallery, load_model(locations.shipped_model())[0]
    image, other = gallery.features(3), Gaussians(gallery.means[1200], gallery.log_variances[1200])
    steepness = gradients(system, IMAGE, image, other, np.ones(1))[0]
    steepest = np.unravel_index(np.abs(steepness).argmax(), steepness.shape)  # kinks matter least
    step = np.zeros_like(image)
    step[steepest] = 5e-3
    before, after = scores(system, IMAGE, np.stack([image - step, image + step]), other)
    assert steepness[steepest] == pytest.approx((after - before) / 1e-2, rel=0.05)


def test_fading_what_is_hot_hurts_more_than_fading_at_random(retriever):
    gallery, generator = retriever.gallery, np.random.default_rng(0)
    for modality in Modality:
        places = range(gallery.places(modality).start, gallery.places(modality).stop, 20)
        falls = [
            deletion(retriever.encoder, gallery, modality, gallery.features(place), occlusion(), generator)[:2]
            for place in places
        ]
        hottest, random = np.transpose(falls)
        assert (hottest > random).mean() >= 0.9
        assert hottest.mean() > 2 * random.mean()


def test_an_explanation_is_of_both_sides_and_always_the_same(retriever):
    answer = retriever.ask_item(1200)
    match = answer.matches[0].item.index
    one, other = (retriever.explain(answer, match) for _ in range(2))
    assert one.query.drops.shape == (100,)
    assert one.match.drops.shape == (28, 28)
    assert (one.query.features == answer.features).all()
    assert (one.match.features == retriever.gallery.features(match)).all()
    assert one.of(SPEECH) is one.query
    assert one.of(IMAGE) is one.match
    assert (one.query.drops == other.query.drops).all()
    assert (one.match.drops == other.match.drops).all()


def level(samples):
    """Root mean square, in decibels."""
    return 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def shares_of(*hot):
    shares = np.zeros(100, np.float32)
    for span in hot:
        shares[span] = 1
    return shares


def test_heat_on_one_half_leaves_that_half_loud():
    half = RATE // 2
    for hot, loud, faded in (
        (slice(0, 50), slice(0, half - 800), slice(half + 800, None)),
        (slice(50, 100), slice(half + 800, None), slice(0, half - 800)),
    ):
        heard = emphasise(TONE, shares_of(hot))
        assert heard[loud] == pytest.approx(TONE[loud])
        assert level(heard[faded]) - level(TONE[faded]) == pytest.approx(FADED_DECIBELS, abs=0.1)


def test_there_are_no_clicks():
    heard = emphasise(np.ones(RATE, np.float32), shares_of(slice(20, 22), slice(60, 80)))
    assert np.abs(np.diff(heard)).max() < 0.01
    assert heard.max() == 1


@pytest.mark.parametrize("seconds", [0.3, 0.9, 1.0, 1.7])
def test_frames_are_where_the_front_end_has_them(seconds):
    """A beep is heard in the frames that its own filterbank calls loud, in short, long and cropped utterances."""
    utterance = np.full(round(seconds * RATE), 1e-4, np.float32)
    start = round(0.55 * len(utterance))
    utterance[start : start + 400] = TONE[:400]
    front_end = SpeechFrontEnd(SETTINGS)
    filterbank = front_end.filterbank(utterance)
    loudest = filterbank.max(axis=1) > 0.9 * filterbank.max()
    heard = emphasise(np.ones_like(utterance), loudest.astype(np.float32))
    middle = np.flatnonzero(heard == 1).mean()
    assert middle == pytest.approx(start + 200, abs=160)  # two frames
    assert heard[start + 200] == 1


def test_utterances_of_the_gallery_are_cut_as_their_features_were(retriever):
    gallery, front_end = retriever.gallery, SpeechFrontEnd(SETTINGS)
    for index in (1000, 1234, 1599):
        utterance = utterance_in(front_end, *recording(gallery.key(index)))
        assert front_end.filterbank(utterance) == pytest.approx(gallery.features(index), abs=0.01)


def test_the_emphasised_utterance_is_the_trimmed_one(retriever):
    samples, rate = recording(retriever.gallery.key(1234))
    features = retriever.gallery.features(1234)
    heard, at = retriever.emphasise(samples, rate, Heat(features, np.ones(100, np.float32)))
    utterance = utterance_in(SpeechFrontEnd(SETTINGS), samples, rate)
    assert at == RATE
    assert heard == pytest.approx(utterance)
