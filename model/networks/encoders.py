"""Encoders to diagonal Gaussians: of images and log mel filterbanks as in the paper, and a pretrained one of speech."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from model.networks import architecture
from model.networks.posterior import DiagonalGaussian
from model.networks.speech_embedding import SpeechEmbedding
from model.types import Modality


class GaussianHead(nn.Linear):
    """The last, linear layer: 512 hidden units to the mean and the log-variance of the posterior.

    Parameters
    ----------
    initial_log_variance
        ``None`` leaves PyTorch's initialisation. A number starts the log-variance there, almost independent of
        the input (its weights are scaled by 0.1). From the default, unit variance in 128 dimensions drowns the
        signal (the dot product of two unit Gaussians has a standard deviation of 11) and high learning rates
        collapse every input onto one posterior.
    """

    def __init__(self, initial_log_variance: float | None = None) -> None:
        super().__init__(architecture.HIDDEN_UNITS, 2 * architecture.EMBEDDING_SIZE)
        if initial_log_variance is not None:
            with torch.no_grad():
                self.weight[architecture.EMBEDDING_SIZE :].mul_(0.1)
                self.bias[architecture.EMBEDDING_SIZE :].fill_(initial_log_variance)

    def posterior(self, hidden: Tensor) -> DiagonalGaussian:
        """Hidden units ``(n, 512)`` to posteriors, in float32 whatever the precision before.

        The layer leaves autocast: bfloat16 has eight significant bits, and would lose the rest before any sum.
        """
        with torch.autocast(hidden.device.type, enabled=False):
            mean, log_variance = self(hidden.float()).chunk(2, dim=-1)
        return DiagonalGaussian(mean, log_variance)


class PointHead(nn.Linear):
    """The last, linear layer of encoders without variance: 512 hidden units to the embedding."""

    def __init__(self) -> None:
        super().__init__(architecture.HIDDEN_UNITS, architecture.EMBEDDING_SIZE)

    def posterior(self, hidden: Tensor) -> DiagonalGaussian:
        """Hidden units ``(n, 512)`` to posteriors of zero variance, in float32 as those of :class:`GaussianHead`."""
        with torch.autocast(hidden.device.type, enabled=False):
            return DiagonalGaussian.points(self(hidden.float()))


Head = GaussianHead | PointHead


def _body(modality: Modality, batch_norm: bool = False) -> nn.Sequential:
    """All layers of an encoder but the last."""
    convolution = TimeConvolution if modality is Modality.SPEECH else nn.Conv2d
    layers: list[nn.Module] = []
    channels = 1
    for layer in architecture.CONVOLUTIONS[modality]:
        layers.append(convolution(channels, layer.channels, layer.kernel, layer.stride, layer.padding))
        channels = layer.channels
        layers.extend([nn.BatchNorm2d(channels), nn.ReLU()] if batch_norm else [nn.ReLU()])
    layers.extend([nn.Flatten(), nn.Linear(architecture.FLATTENED[modality], architecture.HIDDEN_UNITS)])
    layers.extend([nn.BatchNorm1d(architecture.HIDDEN_UNITS), nn.ReLU()] if batch_norm else [nn.ReLU()])
    return nn.Sequential(*layers)


class ImageEncoder(nn.Module):
    """28x28 images to posteriors (Section 5 of the paper): three 3x3 convolutions, one hidden layer, one linear.

    Parameters
    ----------
    head
        Makes the last layer.
    """

    def __init__(self, head: Callable[[], Head] = GaussianHead) -> None:
        super().__init__()
        self.body = _body(Modality.IMAGE)
        self.head = head()

    def forward(self, images: Tensor) -> DiagonalGaussian:
        """Images ``(n, 1, 28, 28)`` in [0, 1] to posteriors ``(n, 128)``."""
        return self.head.posterior(self.body(images))


class TimeConvolution(nn.Conv2d):
    """A convolution over time whose kernel covers all of the other axis, computed as one matrix product.

    oneDNN's kernels for AVX2 take twice the time of the product on such shapes, and four times for the first layer,
    whose windows are the frames themselves. Weights are those of a :class:`torch.nn.Conv2d`.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs ``(n, channels, time, width)`` to ``(n, outputs, time, 1)`` in the memory format channels_last."""
        size, step, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        frames = inputs.permute(0, 2, 3, 1).flatten(2)
        if padding:
            frames = pad(frames, (0, 0, padding, padding))
        end = frames.shape[1] - size + 1
        windows = [frames[:, place : end + place : step] for place in range(size)]
        rows = torch.cat(windows, -1) if size > 1 else windows[0]
        outputs = linear(rows, self.weight.permute(0, 2, 3, 1).flatten(1), self.bias)
        return outputs.permute(0, 2, 1).unsqueeze(-1)


class SpeechEncoder(nn.Module):
    """100 frames of 80 log mel energies to posteriors: the encoder of Hsu, Zhang, Glass 2017 (arXiv 1704.04222).

    Parameters
    ----------
    batch_norm
        Normalise every convolution and the hidden layer, as Hsu's released configuration does. The paper takes "the
        same architecture" and does not say.
    head
        Makes the last layer.
    """

    def __init__(self, batch_norm: bool = False, head: Callable[[], Head] = GaussianHead) -> None:
        super().__init__()
        self.body = _body(Modality.SPEECH, batch_norm)
        self.head = head()

    def forward(self, filterbanks: Tensor) -> DiagonalGaussian:
        """Filterbanks ``(n, 1, 100, 80)``, time x frequency, normalised per utterance, to posteriors ``(n, 128)``."""
        return self.head.posterior(self.body(filterbanks))


class PretrainedSpeechEncoder(nn.Module):
    """100 frames of 80 log mel energies to posteriors: pretrained convolutions, one hidden layer, one linear.

    Parameters
    ----------
    head
        Makes the last layer.
    """

    def __init__(self, head: Callable[[], Head] = GaussianHead) -> None:
        super().__init__()
        self.embedding = SpeechEmbedding()
        features = math.prod(architecture.FEATURES)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(features, architecture.HIDDEN_UNITS), nn.ReLU())
        self.head = head()

    def forward(self, filterbanks: Tensor) -> DiagonalGaussian:
        """Filterbanks ``(n, 1, 100, 80)``, time x frequency, normalised per utterance, to posteriors ``(n, 128)``."""
        return self.head.posterior(self.body(self.embedding(filterbanks)))


class Encoders(nn.Module):
    """Both encoders, one for each modality.

    Parameters
    ----------
    batch_norm, head
        As theirs.
    pretrained
        Whether the speech encoder is a :class:`PretrainedSpeechEncoder`, which has no batch norm.
    """

    def __init__(
        self, batch_norm: bool = False, head: Callable[[], Head] = GaussianHead, pretrained: bool = False
    ) -> None:
        super().__init__()
        self.image = ImageEncoder(head)
        self.speech = PretrainedSpeechEncoder(head) if pretrained else SpeechEncoder(batch_norm, head)

    def initialise_by_he(self) -> None:
        """Draw the weights of all layers but the last anew, so that ReLUs keep the variance of their inputs.

        By He et al. 2015 (doi:10.1109/ICCV.2015.123); biases are 0. PyTorch's own initialisation loses five sixths of
        the variance in each layer.
        """
        for encoder in (self.image, self.speech):
            for layer in encoder.body:
                if isinstance(layer, (nn.Conv2d, nn.Linear)):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                    assert layer.bias is not None
                    nn.init.zeros_(layer.bias)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.image.head.weight.device

    @torch.inference_mode()
    def encode(self, modality: Modality, features: Tensor, batch: int = 128) -> DiagonalGaussian:
        """Posteriors of any number of inputs, on the CPU, in slices of ``batch`` so that memory stays bounded.

        Parameters
        ----------
        features
            ``(n, 28, 28)`` images in [0, 1] or ``(n, 100, 80)`` filterbanks, of any floating type.
        """
        encoder = self.image if modality is Modality.IMAGE else self.speech
        self.eval()
        parts = [encoder(part.unsqueeze(1).to(self.device, torch.float32)) for part in torch.split(features, batch)]
        return DiagonalGaussian(
            torch.cat([part.mean.cpu() for part in parts]),
            torch.cat([part.log_variance.cpu() for part in parts]),
        )
