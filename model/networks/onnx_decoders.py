"""Decoders as ONNX graphs, and run without torch; made from the arrays of a checkpoint, as the encoders are."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from model.checkpoints import Arrays
from model.networks import architecture
from model.networks.onnx_encoders import OnnxEncoders
from model.networks.onnx_graph import GraphBuilder, Network, expect
from model.similarity import Similarity
from model.types import FloatArray, Modality


class OnnxDecoders(OnnxEncoders):
    """Encoders and decoders of a checkpoint, run by ONNX Runtime with one thread."""

    def __init__(self, arrays: Arrays, similarity: Similarity) -> None:
        """From the arrays of a checkpoint; raises ``UnusableCheckpoint`` if they are not those of the networks."""
        super().__init__(arrays, similarity)
        self._decoders = {modality: Network(decoder_graph(arrays, modality)) for modality in Modality}

    def decode(self, modality: Modality, embeddings: FloatArray) -> FloatArray:
        """See :meth:`model.systems.base.Decoder.decode`."""
        return self._decoders[modality].run(embeddings)[0]


def decoder_graph(arrays: Arrays, modality: Modality) -> onnx.ModelProto:
    """The decoder of a modality as an ONNX graph.

    Returns
    -------
    onnx.ModelProto
        From ``embeddings``, ``(n, 128)``, to ``features``: images ``(n, 28, 28)`` in [0, 1], or normalised filterbanks
        ``(n, 100, 80)``.

    Raises
    ------
    UnusableCheckpoint
        If the arrays are not those of this decoder.
    """
    builder, body = GraphBuilder(arrays), f"{modality.value}_decoder.body."
    value = "embeddings"
    number, units = 0, architecture.EMBEDDING_SIZE
    for outputs in (architecture.HIDDEN_UNITS, architecture.FLATTENED[modality]):
        value = _layer(builder, arrays, f"{body}{number}", value, (outputs, units), "Gemm", transB=1)
        value = builder.node("Relu", [value])
        number, units = number + 2, outputs
    channels, height, width = architecture.UNFLATTENED[modality]
    value = builder.node("Reshape", [value, builder.constant(np.array([-1, channels, height, width], np.int64))])
    number += 1
    layers = architecture.DECONVOLUTIONS[modality]
    for layer in layers:
        sides = (channels, layer.channels) if layer.transposed else (layer.channels, channels)
        attributes = {"strides": layer.stride, "pads": layer.padding * 2}
        if layer.transposed:
            attributes["output_padding"] = layer.output_padding
        operator = "ConvTranspose" if layer.transposed else "Conv"
        value = _layer(builder, arrays, f"{body}{number}", value, (*sides, *layer.kernel), operator, **attributes)
        if layer is not layers[-1]:
            value = builder.node("Relu", [value])
        number, channels = number + 2, layer.channels
    if modality is Modality.IMAGE:
        value = builder.node("Sigmoid", [value])
    builder.node("Squeeze", [value, builder.constant(np.array([1], np.int64))], "features")
    features = ("features", architecture.INPUTS[modality])
    return builder.model(f"{modality.value} decoder", ("embeddings", (architecture.EMBEDDING_SIZE,)), [features])


def _layer(
    builder: GraphBuilder,
    arrays: Arrays,
    name: str,
    value: str,
    shape: tuple[int, ...],
    operator: str,
    **attributes: Any,
) -> str:
    """Add a layer whose weights must have this shape; its output."""
    expect(f"{name}.weight" in arrays and arrays[f"{name}.weight"].shape == shape)
    return builder.node(
        operator, [value, builder.weights(f"{name}.weight"), builder.weights(f"{name}.bias")], **attributes
    )
