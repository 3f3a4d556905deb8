"""The pretrained speech encoder: what it sees of a filterbank, what it begins with, and what trains."""

import numpy as np
import pytest
import torch
from tiny import seeded, small
from torch import nn

from model import locations
from model.checkpoints import UnusableCheckpoint, read, write_atomically
from model.networks.encoders import PretrainedSpeechEncoder
from model.networks.speech_embedding import SpeechEmbedding
from model.retrieval.gallery import Gallery
from model.systems import build
from model.training.loop import trained_parameters
from model.types import Modality

FRAMES = 40


@pytest.fixture(scope="module")
def embedding():
    return SpeechEmbedding().eval()


def utterance():
    """A filterbank of 40 frames, and zeros after them."""
    filterbank = torch.zeros(1, 1, 100, 80)
    filterbank[:, :, :FRAMES] = torch.randn(1, 1, FRAMES, 80, generator=torch.Generator().manual_seed(0))
    return filterbank


def test_bands_keep_their_order_and_power(embedding):
    for band in (10, 20, 40, 60, 75):
        filterbank = utterance()
        filterbank[:, :, :FRAMES, band] += 6
        loudest = embedding.spectrum(filterbank)[0, 0, 24 : 24 + FRAMES].mean(0).argmax().item()
        assert loudest == pytest.approx(band * 32 / 80, abs=1)


def test_the_spectrum_is_as_loud_as_the_embedding_expects(embedding):
    for gain in (0.5, 1.0, 3.0):
        assert embedding.spectrum(gain * utterance()).max().item() == pytest.approx(12, abs=1e-4)


def test_around_the_utterance_it_is_as_quiet_as_its_quietest_band(embedding):
    spectrum = embedding.spectrum(utterance())[0, 0]
    assert spectrum.shape == (124, 32)
    spoken = spectrum[24 : 24 + FRAMES]
    around = torch.cat([spectrum[:24], spectrum[24 + FRAMES :]])
    torch.testing.assert_close(around, spoken.min().expand_as(around))


def test_silence_has_features_too(embedding):
    features = embedding(torch.zeros(2, 1, 100, 80))  # augmentation may shift a very short utterance out of sight
    assert features.isfinite().all()


def test_sizes(embedding):
    sizes = []
    for layer in embedding.layers:
        if isinstance(layer, nn.MaxPool2d):
            layer.register_forward_hook(lambda _layer, _inputs, outputs: sizes.append(tuple(outputs.shape[1:])))
    assert embedding(utterance()).shape == (1, 7, 96)
    assert sizes == [(24, 60, 16), (48, 56, 8), (72, 26, 4), (96, 22, 2), (96, 9, 1)]


@pytest.fixture(scope="module")
def voices(embedding):
    """Features of every third utterance of the shipped gallery, with digits and speakers."""
    gallery = Gallery.load(locations.shipped_gallery())
    items = [item for item in gallery.items if item.modality is Modality.SPEECH][::3]
    filterbanks = torch.from_numpy(gallery.speech_features[::3].astype(np.float32)).unsqueeze(1)
    with torch.inference_mode():
        features = torch.cat([embedding(part) for part in torch.split(filterbanks, 32)])
    return features, torch.tensor([item.label for item in items]), np.array([item.speaker for item in items])


def test_features_of_voices_have_about_zero_mean_and_unit_variance(voices):
    features = voices[0].flatten(0, 1)
    assert features.mean(0).abs().mean() < 0.2
    assert 0.8 < features.std() < 1.2


def test_the_features_tell_words_of_other_speakers_apart_before_any_training(voices):
    features, digits, speakers = voices
    known = torch.from_numpy(np.isin(speakers, np.unique(speakers)[::2]))
    nearest = torch.cdist(features[~known].flatten(1), features[known].flatten(1)).argmin(1)
    assert (digits[known][nearest] == digits[~known]).float().mean() > 0.6


def test_only_the_last_convolutions_train():
    encoder = PretrainedSpeechEncoder()
    convolutions = [layer for layer in encoder.embedding.layers if isinstance(layer, nn.Conv2d)]
    assert [layer.weight.requires_grad for layer in convolutions] == [False] * 11 + [True] * 9
    system = seeded(lambda: build(small(speech_encoder="pretrained")))
    assert len(trained_parameters(system)) == len(list(system.modules.parameters())) - 22


def test_he_initialisation_leaves_what_is_pretrained():
    first, second = (
        build(small(speech_encoder="pretrained", initialisation=name)).modules.speech for name in ("pytorch", "he")
    )
    for one, other in zip(first.embedding.parameters(), second.embedding.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first.body[1].weight, second.body[1].weight)


def test_damaged_weights_are_named(tmp_path, monkeypatch):
    arrays, header = read(locations.speech_embedding())
    arrays["3.weight"] = arrays["3.weight"][:5]
    file = tmp_path / "speech_embedding.safetensors"
    write_atomically(file, arrays, header)
    monkeypatch.setattr(locations, "speech_embedding", lambda: file)
    with pytest.raises(UnusableCheckpoint, match=r"speech_embedding\.safetensors is damaged"):
        SpeechEmbedding()
