"""Make the voice activity detector that ships, from the one in the package silero-vad.

``python scripts/make_voice_activity.py`` writes ``assets/voice_activity/silero_vad_8khz.onnx``.

The package's graph takes one window at a time, and holds a network for 8 and one for 16 kHz. This is the network for
8 kHz, with the same weights, and takes all windows of a recording at once: convolutions see each window by itself, and
only the LSTM goes from one to the next.
"""

from __future__ import annotations

from importlib import resources

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

from model import locations

# Window and context are 288 samples, of which the last 32 are mirrored. The spectrum is 65 real and 65 imaginary parts.
_GRAPH = """
<ir_version: 8, opset_import: ["": 17], producer_name: "modinv">
voice_activity (float[n, 288] windows, float[1, 1, 128] hidden, float[1, 1, 128] cell)
    => (float[n] speech, float[1, 1, 128] next_hidden, float[1, 1, 128] next_cell)
    <int64[4] margin = {0, 0, 0, 32}, int64[1] channel = {1}, int64[2] parts = {65, 65},
     int64[3] sequence = {-1, 1, 128}, int64[2] steps = {-1, 128}, int64[1] flat = {-1}>
{
    padded = Pad <mode = "reflect"> (windows, margin)
    sound = Unsqueeze (padded, channel)
    spectrum = Conv <strides = [64]> (sound, stft)
    real, imaginary = Split <axis = 1> (spectrum, parts)
    real_squared = Mul (real, real)
    imaginary_squared = Mul (imaginary, imaginary)
    power = Add (real_squared, imaginary_squared)
    magnitude = Sqrt (power)
    conv0 = Conv <pads = [1, 1]> (magnitude, weight0, bias0)
    relu0 = Relu (conv0)
    conv1 = Conv <pads = [1, 1], strides = [2]> (relu0, weight1, bias1)
    relu1 = Relu (conv1)
    conv2 = Conv <pads = [1, 1], strides = [2]> (relu1, weight2, bias2)
    relu2 = Relu (conv2)
    conv3 = Conv <pads = [1, 1]> (relu2, weight3, bias3)
    relu3 = Relu (conv3)
    encoded = Reshape (relu3, sequence)
    states, next_hidden, next_cell =
        LSTM <hidden_size = 128> (encoded, lstm_input, lstm_hidden, lstm_bias, , hidden, cell)
    relu4 = Relu (states)
    activity = Reshape (relu4, steps)
    score = Gemm <transB = 1> (activity, weight4, bias4)
    probability = Sigmoid (score)
    speech = Reshape (probability, flat)
}
"""


def main() -> None:
    """Write the detector."""
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


def _weights(package: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The weights of the network for 8 kHz, by their names here."""
    (choice,) = (node for node in onnx.load_from_string(package).graph.node if node.op_type == "If")
    (network,) = (one.g for one in choice.attribute if one.name == "else_branch")
    constants = {
        node.output[0].rpartition("__")[2]: numpy_helper.to_array(node.attribute[0].t)
        for node in network.node
        if node.op_type == "Constant"
    }
    lstm = {name: _gates(constants[f"decoder.rnn.{name}"]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return {
        "stft": constants["stft.forward_basis_buffer"],
        **{f"weight{layer}": constants[f"encoder.{layer}.reparam_conv.weight"] for layer in range(4)},
        **{f"bias{layer}": constants[f"encoder.{layer}.reparam_conv.bias"] for layer in range(4)},
        "lstm_input": lstm["weight_ih"][None],
        "lstm_hidden": lstm["weight_hh"][None],
        "lstm_bias": np.concatenate([lstm["bias_ih"], lstm["bias_hh"]])[None],
        "weight4": constants["decoder.decoder.2.weight"][:, :, 0],
        "bias4": constants["decoder.decoder.2.bias"],
    }


def _gates(stacked: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """From PyTorch's order of gates (input, forget, cell, output) to that of ONNX (input, output, forget, cell)."""
    into, forget, cell, out = np.split(stacked, 4)
    return np.concatenate([into, out, forget, cell])


if __name__ == "__main__":
    main()
