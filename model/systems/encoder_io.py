"""Models from files, for answering queries: without torch, where the networks are the paper's encoders."""

from __future__ import annotations

from pathlib import Path

from model import systems
from model.checkpoints import Header, read, read_header
from model.networks.onnx_decoders import OnnxDecoders
from model.networks.onnx_encoders import OnnxEncoders
from model.systems.base import Encoder
from model.systems.encoder_system import EncoderSystem
from model.systems.generative import GenerativeSystem
from model.systems.model_header import header_and_recipe, not_usable


def has_decoders(path: Path) -> bool:
    """Whether a model's system decodes, too; raises ``UnusableCheckpoint`` if the file is none of a model."""
    with not_usable(path):
        _, recipe = header_and_recipe(read_header(path))
        return hasattr(systems.find(recipe.system), "decode")


def load_encoder(path: Path) -> tuple[Encoder, Header]:
    """What encodes queries, and the header, of a model's file.

    Systems of this package are run by ONNX Runtime, with their decoders, if they have some. Those of other packages are
    loaded with torch, as by :func:`model.systems.model_io.load_model`.

    Raises
    ------
    UnusableCheckpoint
        If the file is none, or damaged.
    """
    arrays, values = read(path)
    with not_usable(path):
        header, recipe = header_and_recipe(values)
        system = systems.find(recipe.system)
        if issubclass(system, EncoderSystem):
            networks = OnnxDecoders if issubclass(system, GenerativeSystem) else OnnxEncoders
            return networks(arrays, system.similarity_of(recipe)), header
    from model.systems.model_io import load_model  # late: it imports torch

    return load_model(path)
