"""The pretrained layers of a speech encoder as part of an ONNX graph."""

from __future__ import annotations

import math

import numpy as np

from model.networks import architecture
from model.networks.onnx_graph import GraphBuilder

LAYERS = "speech.embedding.layers."
"""What the names of their weights in a checkpoint begin with."""


def embedding(builder: GraphBuilder, filterbanks: str) -> str:
    """Add :class:`model.networks.speech_embedding.SpeechEmbedding`: ``(n, 1, 100, 80)`` to ``(n, 7, 96)``."""
    value = _spectrum(builder, filterbanks)
    channels, last = 1, len(architecture.SPEECH_EMBEDDING) - 1
    for number, layer in enumerate(architecture.SPEECH_EMBEDDING):
        if isinstance(layer, architecture.MaxPooling):
            value = builder.node("MaxPool", [value], kernel_shape=layer.size, strides=layer.size)
            continue
        shape = (layer.channels, channels, *layer.kernel)
        weight = builder.weights(f"{LAYERS}{number}.weight", shape)
        bias = builder.weights(f"{LAYERS}{number}.bias", shape[:1])
        value = builder.node("Conv", [value, weight, bias], pads=layer.padding * 2)
        channels = layer.channels
        if number < last:
            value = builder.node("LeakyRelu", [value], alpha=architecture.SLOPE)
            value = builder.node("Clip", [value, _number(builder, architecture.LEAST)])
    features = builder.node("Squeeze", [value, builder.constant(np.array([3], np.int64))])
    return builder.node("Transpose", [features], perm=(0, 2, 1))


def _spectrum(builder: GraphBuilder, filterbanks: str) -> str:
    """As :meth:`model.networks.speech_embedding.SpeechEmbedding.spectrum`, ``(n, 1, 124, 32)``."""
    bands = architecture.pretrained_bands()
    powers = builder.node("Exp", [builder.node("Mul", [filterbanks, _number(builder, architecture.NATS)])])
    logarithms = builder.node("Log", [builder.node("MatMul", [powers, builder.constant(bands)])])
    spectrum = builder.node("Mul", [logarithms, _number(builder, 1 / math.log(10))])
    highest = builder.node("ReduceMax", [builder.node("Abs", [filterbanks])], axes=(3,))
    spoken = builder.node("Greater", [highest, _number(builder, 0)])
    loudest, quietest = (builder.node(extreme, [spectrum], axes=(2, 3)) for extreme in ("ReduceMax", "ReduceMin"))
    shape = np.array([1, 1, architecture.FRAMES_BEFORE, bands.shape[1]], np.int64)
    silence = builder.node("Expand", [quietest, builder.constant(shape)])
    padded = builder.node("Concat", [silence, builder.node("Where", [spoken, spectrum, quietest])], axis=2)
    level = builder.node("Sub", [_number(builder, architecture.LOUDEST), loudest])
    return builder.node("Add", [padded, level])


def _number(builder: GraphBuilder, value: float) -> str:
    return builder.constant(np.array(value, np.float32))
