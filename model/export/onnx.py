"""A model's encoders as ONNX files, for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model import systems
from model.checkpoints import UnusableCheckpoint, read, write_bytes_atomically
from model.networks.architecture import INPUTS
from model.networks.onnx_encoders import OnnxEncoders, graph
from model.systems.encoder_system import EncoderSystem
from model.systems.model_header import header_and_recipe, not_usable
from model.types import Modality

METADATA = "modinv"
"""The name under which a file has the header of the model, as JSON: recipe, data, seed, settings of the filterbanks."""


def write_onnx(model: Path, folder: Path) -> Iterator[Path]:
    """Write ``image_encoder.onnx`` and ``speech_encoder.onnx``; yields each file when it is written.

    Inputs and outputs are as of :func:`model.networks.onnx_encoders.graph`.

    Raises
    ------
    UnusableCheckpoint
        If the model's networks are not the paper's encoders.
    OSError
        If a file can't be written.
    """
    arrays, values = read(model)
    with not_usable(model):
        header, recipe = header_and_recipe(values)
        if not issubclass(systems.find(recipe.system), EncoderSystem):
            raise UnusableCheckpoint(f"the system {recipe.system} has networks of its own, which can't be exported")
        metadata = {METADATA: json.dumps(header.to_dict())}
        graphs = {modality: graph(arrays, modality, metadata) for modality in Modality}
    for modality, made in graphs.items():
        path = folder / f"{modality.value}_encoder.onnx"
        write_bytes_atomically(path, made.SerializeToString())
        yield path


def difference_from_torch(model: Path) -> float:
    """The greatest difference of means and log variances that ONNX Runtime and torch compute of noise.

    Raises ``ModuleNotFoundError`` without torch.
    """
    from model.systems.model_io import load_model  # late: it imports torch

    system, _ = load_model(model)
    encoders = OnnxEncoders(read(model)[0], system.similarity)
    random, found = np.random.default_rng(0), 0.0
    for modality in Modality:
        inputs = random.random((32, *INPUTS[modality]), np.float32)
        for one, other in zip(encoders.encode(modality, inputs), system.encode(modality, inputs), strict=True):
            same = one == other  # minus infinity, of points
            found = max(found, float(np.abs(np.where(same, 0, one) - np.where(same, 0, other)).max()))
    return found
