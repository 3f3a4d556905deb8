"""A model on disk: a system's weights with everything that says how they came to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model.checkpoints import Header, UnusableCheckpoint, read, write_atomically
from model.recipes.recipe import Recipe
from model.systems import build
from model.systems.base import System
from model.systems.model_header import header_and_recipe, not_usable


def best_device(wanted: str = "auto") -> torch.device:
    """The device of that name; ``"auto"`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    ValueError
        If the device isn't there.
    """
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    available[:0] = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if wanted == "auto":
        return torch.device(available[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in available:
        raise ValueError(f"There is no device {wanted!r} here. There are: auto, {', '.join(available)}.")
    return torch.device(name)


def to_arrays(module: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """A module's parameters and buffers as numpy arrays, by name."""
    return {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}


def parameter_count(recipe: Recipe) -> int:
    """The number of weights that training a system changes, those of all its networks; nothing is initialised."""
    with torch.device("meta"):
        return sum(weights.numel() for weights in build(recipe).modules.parameters() if weights.requires_grad)


def fill(module: nn.Module, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """The inverse of :func:`to_arrays`, whatever the floating type; raises :class:`UnusableCheckpoint`."""
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise UnusableCheckpoint(f"The checkpoint holds weights that are no finite numbers ({name}).")
    try:
        module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except (RuntimeError, TypeError, ValueError) as error:
        raise UnusableCheckpoint("The checkpoint's weights don't fit this model's networks.") from error


def save_model(path: Path, system: System, header: Header, *, make_folder: bool = True) -> None:
    """Write the weights in float16 (about 20 MB), all or nothing; see :func:`model.checkpoints.write_atomically`."""
    arrays = {
        name: array.astype(np.float16) if array.dtype == np.float32 else array
        for name, array in to_arrays(system.modules).items()
    }
    write_atomically(path, arrays, header.to_dict(), make_folder=make_folder)


def load_model(path: Path, device: torch.device | str = "cpu") -> tuple[System, Header]:
    """The system and the header of a model's file, in evaluation mode; raises :class:`UnusableCheckpoint`."""
    arrays, values = read(path)
    with not_usable(path):
        header, recipe = header_and_recipe(values)
        system = build(recipe)
        fill(system.modules, arrays)
    system.modules.to(device).eval()
    return system, header
