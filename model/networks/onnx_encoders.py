"""The encoders as ONNX graphs, and run without torch.

A graph is made from the arrays of a checkpoint, so that there is one file of a model. It normalises and trims nothing:
its inputs are those of :meth:`model.systems.base.Encoder.encode`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from model.checkpoints import Arrays
from model.networks import architecture
from model.networks.onnx_graph import GraphBuilder, Network, expect
from model.networks.onnx_speech_embedding import LAYERS, embedding
from model.similarity import Gaussians, Similarity
from model.types import Modality

_INPUTS = {Modality.IMAGE: "images", Modality.SPEECH: "filterbanks"}
_PARTS = {
    "Conv": ("weight", "bias"),
    "Gemm": ("weight", "bias"),
    "BatchNormalization": ("weight", "bias", "running_mean", "running_var"),
}


class OnnxEncoders:
    """Both encoders of a checkpoint, run by ONNX Runtime with one thread.

    Attributes
    ----------
    similarity
        What matches are ranked by.
    """

    def __init__(self, arrays: Arrays, similarity: Similarity) -> None:
        """From the arrays of a checkpoint; raises ``UnusableCheckpoint`` if they are not those of the encoders."""
        self.similarity = similarity
        self._encoders = {modality: Network(graph(arrays, modality)) for modality in Modality}

    def encode(self, modality: Modality, features: npt.NDArray[np.floating[Any]]) -> Gaussians:
        """See :meth:`model.systems.base.Encoder.encode`."""
        return Gaussians(*self._encoders[modality].run(features))


def graph(arrays: Arrays, modality: Modality, metadata: Mapping[str, str] | None = None) -> onnx.ModelProto:
    """The encoder of a modality as an ONNX graph.

    Parameters
    ----------
    arrays
        Those of a checkpoint; half precision is kept in the graph, which computes in float32.
    modality
        Which of the two encoders.
    metadata
        Texts to keep in the file, by name.

    Returns
    -------
    onnx.ModelProto
        From ``images``, ``(n, 28, 28)`` in [0, 1], or ``filterbanks``, ``(n, 100, 80)`` normalised, to ``means`` and
        ``log_variances``, ``(n, 128)`` each. A model without variances has log variances of minus infinity.

    Raises
    ------
    UnusableCheckpoint
        If the arrays are not those of the paper's encoders.
    """
    builder, name = GraphBuilder(arrays), _INPUTS[modality]
    value = builder.node("Unsqueeze", [name, builder.constant(np.array([1], np.int64))])  # one channel
    if _pretrained(arrays, modality):
        value = embedding(builder, value)
    flat = False
    for operator, layer, attributes in _layers(arrays, modality):
        if operator == "Gemm" and not flat:
            value, flat = builder.node("Flatten", [value]), True
        weights = [builder.weights(f"{layer}.{part}") for part in _PARTS[operator]]
        value = builder.node(operator, [value, *weights], **attributes)
        if not layer.endswith("head") and not _normalised_next(arrays, layer):
            value = builder.node("Relu", [value])
    size = architecture.EMBEDDING_SIZE
    if len(arrays[f"{modality.value}.head.weight"]) == 2 * size:
        builder.node("Split", [value], ("means", "log_variances"), axis=1)
    else:
        builder.node("Identity", [value], "means")
        minus_infinity = builder.constant(np.array(-np.inf, np.float32))
        builder.node("Expand", [minus_infinity, builder.node("Shape", [value])], "log_variances")
    return builder.model(
        f"{modality.value} encoder",
        (name, architecture.INPUTS[modality]),
        [("means", (size,)), ("log_variances", (size,))],
        metadata,
    )


def _layers(arrays: Arrays, modality: Modality) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """ONNX operator, name and attributes of each layer that has weights, in their order.

    Raises ``UnusableCheckpoint`` if their shapes are not those of the paper's encoder.
    """
    body = f"{modality.value}.body."
    numbers = sorted({int(name.removeprefix(body).partition(".")[0]) for name in arrays if name.startswith(body)})
    pretrained = _pretrained(arrays, modality)
    convolutions = iter(() if pretrained else architecture.CONVOLUTIONS[modality])
    channels, units = 1, math.prod(architecture.FEATURES) if pretrained else architecture.FLATTENED[modality]
    hidden = False
    for number in numbers:
        name = f"{body}{number}"
        shape = arrays[f"{name}.weight"].shape if f"{name}.weight" in arrays else ()
        if len(shape) == 1:
            expect(shape == (units if hidden else channels,))
            yield "BatchNormalization", name, {"epsilon": 1e-5}
        elif len(shape) == 4:
            layer = next(convolutions, None)
            expect(layer is not None and shape == (layer.channels, channels, *layer.kernel))
            assert layer is not None
            channels = layer.channels
            yield "Conv", name, {"strides": layer.stride, "pads": layer.padding * 2}
        else:
            expect(shape == (architecture.HIDDEN_UNITS, units) and next(convolutions, None) is None)
            units, hidden = architecture.HIDDEN_UNITS, True
            yield "Gemm", name, {"transB": 1}
    head, size = f"{modality.value}.head", architecture.EMBEDDING_SIZE
    shape = arrays[f"{head}.weight"].shape if f"{head}.weight" in arrays else ()
    expect(hidden and shape in [(size, units), (2 * size, units)])
    yield "Gemm", head, {"transB": 1}


def _pretrained(arrays: Arrays, modality: Modality) -> bool:
    """Whether an encoder is the pretrained one of speech."""
    return modality is Modality.SPEECH and any(name.startswith(LAYERS) for name in arrays)


def _normalised_next(arrays: Arrays, name: str) -> bool:
    """Whether a batch norm follows a layer of an encoder's body."""
    body, _, number = name.rpartition(".")
    return f"{body}.{int(number) + 1}.running_mean" in arrays
