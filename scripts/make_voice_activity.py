"""Make the voice activity detector that ships, from the one in the package silero-vad.

``python scripts/make_voice_activity.py`` writes ``assets/voice_activity/silero_vad_8khz.onnx``.

The package's graph takes one window at a time, and holds a network for 8 and one for 16 kHz. This is the network for
8 kHz, with the same weights, and takes all windows of a recording at once. Its convolutions stay within a window, of
which they make four frames, then two, then one: as products of matrices they take a quarter of the time. Only the LSTM
goes from one window to the next.
"""

from __future__ import annotations

import argparse
from importlib import resources

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

from model import locations

FloatArray = npt.NDArray[np.float32]

_SAMPLES, _MIRRORED = 288, 32  # of a window and its context; the last of them are appended in reverse order
_FRAMES = 4  # of the spectrum, with 65 bins each
_STRIDES = (1, 2, 2, 1)  # of the convolutions after it
_GRAPH = """
<ir_version: 8, opset_import: ["": 17], producer_name: "modinv">
voice_activity (float[n, 288] windows, float[1, 1, 128] hidden, float[1, 1, 128] cell)
    => (float[n] speech, float[1, 1, 128] next_hidden, float[1, 1, 128] next_cell)
    <int64[2] parts = {260, 260}, int64[3] sequence = {-1, 1, 128}, int64[2] steps = {-1, 128}, int64[1] flat = {-1}>
{
    spectrum = MatMul (windows, stft)
    real, imaginary = Split <axis = 1> (spectrum, parts)
    real_squared = Mul (real, real)
    imaginary_squared = Mul (imaginary, imaginary)
    power = Add (real_squared, imaginary_squared)
    magnitude = Sqrt (power)
    dense0 = Gemm (magnitude, weight0, bias0)
    relu0 = Relu (dense0)
    dense1 = Gemm (relu0, weight1, bias1)
    relu1 = Relu (dense1)
    dense2 = Gemm (relu1, weight2, bias2)
    relu2 = Relu (dense2)
    dense3 = Gemm (relu2, weight3, bias3)
    relu3 = Relu (dense3)
    encoded = Reshape (relu3, sequence)
    states, next_hidden, next_cell =
        LSTM <hidden_size = 128> (encoded, lstm_input, lstm_hidden, lstm_bias, , hidden, cell)
    relu4 = Relu (states)
    activity = Reshape (relu4, steps)
    score = Gemm (activity, weight4, bias4)
    probability = Sigmoid (score)
    speech = Reshape (probability, flat)
}
"""


def main() -> None:
    """Write the detector."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    target = locations.voice_activity_detector()
    target.write_bytes(made_of((resources.files("silero_vad.data") / "silero_vad.onnx").read_bytes()))
    print(f"Wrote {target}.")


def made_of(package: bytes) -> bytes:
    """The detector that ships, of the package's file."""
    model = parser.parse_model(_GRAPH)
    for name, array in _weights(package).items():
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
    onnx.checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised


def _weights(package: bytes) -> dict[str, FloatArray]:
    """The weights of the network for 8 kHz, by their names here."""
    (choice,) = (node for node in onnx.load_from_string(package).graph.node if node.op_type == "If")
    (network,) = (one.g for one in choice.attribute if one.name == "else_branch")
    constants = {
        node.output[0].rpartition("__")[2]: numpy_helper.to_array(node.attribute[0].t)
        for node in network.node
        if node.op_type == "Constant"
    }
    lstm = {name: _gates(constants[f"decoder.rnn.{name}"]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    found = {
        "stft": _mirrored(_dense(constants["stft.forward_basis_buffer"], _SAMPLES + _MIRRORED, 64, 0)),
        "lstm_input": lstm["weight_ih"][None],
        "lstm_hidden": lstm["weight_hh"][None],
        "lstm_bias": np.concatenate([lstm["bias_ih"], lstm["bias_hh"]])[None],
        "weight4": constants["decoder.decoder.2.weight"][0],
        "bias4": constants["decoder.decoder.2.bias"],
    }
    frames = _FRAMES
    for layer, stride in enumerate(_STRIDES):
        weight, bias = (constants[f"encoder.{layer}.reparam_conv.{name}"] for name in ("weight", "bias"))
        found[f"weight{layer}"] = _dense(weight, frames, stride, 1)
        frames = (frames - 1) // stride + 1
        found[f"bias{layer}"] = np.repeat(bias, frames)
    return found


def _dense(weight: FloatArray, frames: int, stride: int, padding: int) -> FloatArray:
    """A convolution ``(out, in, taps)`` over some frames as a matrix, ``(in * frames, out * frames of the result)``."""
    out, into, taps = weight.shape
    results = (frames + 2 * padding - taps) // stride + 1
    matrix = np.zeros((into, frames, out, results), np.float32)
    for result in range(results):
        for tap in range(taps):
            frame = result * stride + tap - padding
            if 0 <= frame < frames:
                matrix[:, frame, :, result] = weight[:, :, tap].T
    return matrix.reshape(into * frames, out * results)


def _mirrored(matrix: FloatArray) -> FloatArray:
    """A matrix of samples and of the last ones in reverse order, but for the very last, as one of the samples alone."""
    folded = matrix[:_SAMPLES].copy()
    folded[_SAMPLES - 1 - _MIRRORED : -1] += matrix[_SAMPLES:][::-1]
    return folded


def _gates(stacked: FloatArray) -> FloatArray:
    """From PyTorch's order of gates (input, forget, cell, output) to that of ONNX (input, output, forget, cell)."""
    into, forget, cell, out = np.split(stacked, 4)
    return np.concatenate([into, out, forget, cell])


if __name__ == "__main__":
    main()
