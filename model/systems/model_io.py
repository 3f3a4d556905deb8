"""A model on disk: a system's weights with everything that says how they came to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from model.checkpoints import Header, UnusableCheckpoint, read, write_atomically
from model.data.speech import FilterbankSettings
from model.parsing import parse
from model.recipes.recipe import Recipe
from model.systems import build
from model.systems.base import System


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


def filterbank_of(header: Header) -> FilterbankSettings:
    """The settings of the filterbanks that a model was trained on: those of all features that are made here.

    Raises
    ------
    UnusableCheckpoint
        If they are others: the features of corpora and galleries would mean something else to the model.
    """
    try:
        wanted = parse(FilterbankSettings, header.filterbank, "the filterbank")
    except ValueError as error:
        raise UnusableCheckpoint(f"Its header can't be read: {error}.") from error
    ours, theirs = FilterbankSettings().to_dict(), wanted.to_dict()
    if differing := [f"{name} {theirs[name]} instead of {ours[name]}" for name in ours if theirs[name] != ours[name]]:
        raise UnusableCheckpoint(
            f"It was trained on other filterbanks than this version of modinv makes ({', '.join(differing)}). Use the "
            "version that trained it, or train a new model."
        )
    return wanted


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
    try:
        header = Header.from_dict(values)
        recipe = Recipe.from_dict(header.recipe)
        # Whoever reads the header finds what it left to the defaults.
        header = replace(header, recipe=recipe.to_dict(), filterbank=filterbank_of(header).to_dict())
        system = build(recipe)
        fill(system.modules, arrays)
    except (TypeError, ValueError) as error:
        raise UnusableCheckpoint(f"{path.name} is no model that this version can use: {error}") from error
    system.modules.to(device).eval()
    return system, header
