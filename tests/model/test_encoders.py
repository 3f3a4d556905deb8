"""The encoders against the paper: every layer, every size, every parameter counted by hand."""

from functools import partial

import pytest
import torch
from tiny import seeded
from torch import nn

from model.networks.architecture import EMBEDDING_SIZE, INPUTS
from model.networks.encoders import (
    Encoders,
    GaussianHead,
    ImageEncoder,
    PointHead,
    SpeechEncoder,
    TimeConvolution,
)
from model.types import Modality

HEAD = 512 * 256 + 256
IMAGE = (9 * 64 + 64) + (9 * 64 * 128 + 128) + (9 * 128 * 256 + 256) + (7 * 7 * 256 * 512 + 512) + HEAD
SPEECH = (80 * 64 + 64) + (3 * 64 * 128 + 128) + (3 * 128 * 256 + 256) + (25 * 256 * 512 + 512) + HEAD


def parameters(module):
    return sum(weight.numel() for weight in module.parameters())


def convolutions(encoder):
    layers = [layer for layer in encoder.body if isinstance(layer, nn.Conv2d)]
    return [(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride) for layer in layers]


@pytest.fixture(scope="module")
def encoders():
    return seeded(Encoders)


IMAGE_LAYERS = [(1, 64, (3, 3), (1, 1)), (64, 128, (3, 3), (2, 2)), (128, 256, (3, 3), (2, 2))]
SPEECH_LAYERS = [(1, 64, (1, 80), (1, 1)), (64, 128, (3, 1), (2, 1)), (128, 256, (3, 1), (2, 1))]


@pytest.mark.parametrize(
    ("make", "layers", "size", "counted"),
    [(ImageEncoder, IMAGE_LAYERS, IMAGE, 6_924_032), (SpeechEncoder, SPEECH_LAYERS, SPEECH, 3_537_088)],
)
def test_the_encoders_are_the_papers(make, layers, size, counted):
    encoder = make()
    assert convolutions(encoder) == layers
    assert parameters(encoder) == size == counted


@pytest.mark.parametrize(
    ("make", "size", "sizes"),
    [
        (ImageEncoder, (28, 28), [(64, 28, 28), (128, 14, 14), (256, 7, 7)]),
        (SpeechEncoder, (100, 80), [(64, 100, 1), (128, 50, 1), (256, 25, 1)]),
    ],
)
def test_sizes_between_the_layers(make, size, sizes):
    x, seen = torch.zeros(2, 1, *size), []
    for layer in make().body:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            seen.append(tuple(x.shape[1:]))
    assert seen == sizes
    assert x.shape == (2, 512)


@pytest.mark.parametrize(
    ("make", "layer", "norms"),
    [
        (ImageEncoder, "Conv2d", ([], [])),
        (SpeechEncoder, "TimeConvolution", ([], [])),
        (partial(SpeechEncoder, batch_norm=True), "TimeConvolution", (["BatchNorm2d"], ["BatchNorm1d"])),
    ],
)
def test_a_relu_after_each_layer_but_the_last(make, layer, norms):
    encoder = make()
    names = [type(layer).__name__ for layer in encoder.body if not isinstance(layer, nn.Flatten)]
    assert names == [layer, *norms[0], "ReLU"] * 3 + ["Linear", *norms[1], "ReLU"]
    assert isinstance(encoder.head, nn.Linear)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("channels", "time", "width", "kernel", "stride", "padding"),
    [(1, 100, 80, (1, 80), 1, 0), (64, 100, 1, (3, 1), 2, 1), (5, 7, 1, (3, 1), 2, 1), (5, 8, 2, (4, 2), 3, 2)],
)
def test_a_convolution_over_time_is_a_convolution(channels, time, width, kernel, stride, padding, memory):
    layers = [
        seeded(partial(kind, channels, 16, kernel, (stride, 1), (padding, 0))).to(memory_format=memory)
        for kind in (nn.Conv2d, TimeConvolution)
    ]
    inputs = [torch.rand(3, channels, time, width, generator=torch.Generator().manual_seed(1)) for _ in layers]
    results = []
    for layer, values in zip(layers, inputs, strict=True):
        values.requires_grad_()
        outputs = layer(values)
        (outputs * torch.arange(outputs.numel()).view_as(outputs) / outputs.numel()).sum().backward()
        results.append((outputs.detach(), values.grad, layer.weight.grad, layer.bias.grad))
    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_batch_norm_adds_a_scale_and_a_shift_a_channel():
    assert parameters(SpeechEncoder(batch_norm=True)) - SPEECH == 2 * (64 + 128 + 256 + 512)
    assert parameters(Encoders(batch_norm=True)) - parameters(Encoders()) == 2 * (64 + 128 + 256 + 512)


def test_posteriors_are_finite_and_in_float32(encoders):
    for encoder, size in ((encoders.image, (28, 28)), (encoders.speech, (100, 80))):
        with torch.autocast("cpu", torch.bfloat16):
            posterior = encoder(torch.rand(3, 1, *size))
        assert posterior.mean.shape == posterior.log_variance.shape == (3, 128)
        assert posterior.mean.dtype == posterior.log_variance.dtype == torch.float32
        assert posterior.mean.isfinite().all()
        assert posterior.log_variance.isfinite().all()


def test_mean_and_log_variance_are_the_halves_of_the_last_layer(encoders):
    hidden = torch.rand(2, 512)
    head = encoders.image.head
    posterior = head.posterior(hidden)
    torch.testing.assert_close(posterior.mean, hidden @ head.weight[:128].T + head.bias[:128])
    torch.testing.assert_close(posterior.log_variance, hidden @ head.weight[128:].T + head.bias[128:])


def test_an_initial_log_variance_starts_it_there_and_leaves_the_mean():
    heads = []
    for start in (None, -4.0):
        torch.manual_seed(3)
        heads.append(GaussianHead(start))
    hidden = torch.randn(64, 512)
    default, low = (head.posterior(hidden) for head in heads)
    assert torch.equal(default.mean, low.mean)
    assert low.log_variance.mean().item() == pytest.approx(-4, abs=0.02)
    bias = heads[0].bias[128:]
    torch.testing.assert_close(low.log_variance + 4, (default.log_variance - bias) * 0.1, rtol=1e-4, atol=1e-5)


def test_an_initial_log_variance_reaches_both_encoders():
    encoders = Encoders(head=partial(GaussianHead, -4.0))
    for head in (encoders.image.head, encoders.speech.head):
        assert (head.bias[128:] == -4).all()


def test_encoders_without_variance_embed_in_points():
    encoders = Encoders(head=PointHead)
    assert parameters(encoders) == IMAGE + SPEECH - 2 * (512 * EMBEDDING_SIZE + EMBEDDING_SIZE)
    posterior = encoders.encode(Modality.IMAGE, torch.rand(2, 28, 28))
    assert (posterior.log_variance == -torch.inf).all()
    assert torch.equal(posterior.sample(3), posterior.mean.unsqueeze(1).expand(-1, 3, -1))


@pytest.mark.parametrize(("modality", "size"), [(Modality.IMAGE, (28, 28)), (Modality.SPEECH, (100, 80))])
def test_slices_encode_as_one_go_does(encoders, modality, size):
    features = torch.rand(7, *size)
    whole = encoders.encode(modality, features)
    sliced = encoders.encode(modality, features, batch=3)
    assert whole.mean.shape == (7, 128)
    torch.testing.assert_close(sliced.mean, whole.mean)
    torch.testing.assert_close(sliced.log_variance, whole.log_variance)
    assert not torch.equal(whole.mean[0], whole.mean[6])


def test_encode_uses_the_encoder_of_the_modality_without_gradients(encoders):
    images = torch.rand(2, 28, 28)
    encoded = encoders.encode(Modality.IMAGE, images.double())
    torch.testing.assert_close(encoded.mean, encoders.image(images.unsqueeze(1)).mean.detach())
    assert not encoded.mean.requires_grad


@pytest.mark.parametrize(("modality", "size"), [(Modality.IMAGE, (28, 28)), (Modality.SPEECH, (100, 80))])
def test_under_autocast_the_head_computes_in_float32(modality, size):
    encoder = getattr(Encoders(), modality.value)
    features = torch.rand(3, 1, *size)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = encoder.body(features)
        posterior = encoder(features)
    assert hidden.dtype == torch.bfloat16
    exact = encoder.head(hidden.float())
    assert torch.equal(torch.cat([posterior.mean, posterior.log_variance], dim=-1), exact)
    assert not torch.equal(exact, exact.bfloat16().float()), "nor is it rounded afterwards"


def test_encode_does_not_let_inputs_of_a_batch_change_each_other():
    encoders = Encoders(batch_norm=True).train()
    features = torch.rand(4, 100, 80)
    together = encoders.encode(Modality.SPEECH, features).mean
    alone = encoders.encode(Modality.SPEECH, features[:1]).mean
    torch.testing.assert_close(alone, together[:1])


@pytest.mark.parametrize("modality", list(Modality))
def test_the_initialisation_of_he_keeps_the_variance_of_activations(modality):
    """Half of a symmetric input's square is left by each ReLU, which the weights make up for."""

    def left(encoders):
        encoder = encoders.image if modality is Modality.IMAGE else encoders.speech
        inputs = torch.randn((8, 1, *INPUTS[modality]), generator=torch.Generator().manual_seed(0))
        return float(encoder.body(inputs).square().mean() / inputs.square().mean())

    def by_he():
        encoders = Encoders()
        encoders.initialise_by_he()
        return encoders

    with torch.no_grad():
        assert left(seeded(by_he)) > 0.3
        assert left(seeded(Encoders)) < 0.02
