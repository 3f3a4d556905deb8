"""What training costs: a step of each recipe on each device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from model.bench.measuring import Row, Unmeasured, in_turn
from model.data.filterbanks import WAVEFORM_SAMPLES
from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.errors import out_of_memory
from model.recipes.recipe import RECIPES, Recipe
from model.runs.estimate import device_names
from model.systems import build
from model.training.loop import optimiser_of, take_step
from model.types import FloatArray, Modality

PAIRS = 128
"""Pairs of a batch, as many as the recipes have."""

_SIDE = 2048  # of the matrices
_ON_ACCELERATORS = 10  # times as many repeats: a step takes milliseconds there


def measure_steps(repeats: int) -> Iterator[Row | Unmeasured]:
    """Steps with all that belongs to them (pairs, augmentation, loss, gradients, Adam), over a product of two matrices.

    The matrices are 2048 x 2048 in float32. The arithmetic of a step is what its matrix products and convolutions take;
    the speed that it reaches is compared with that of the product. On devices with bfloat16 the recipes that use it may
    reach more.
    """
    for name, title in device_names():
        device = torch.device(name)
        where = f"cpu, threads: {torch.get_num_threads()}" if name == "cpu" else f"{name}, {title}"
        for recipe in RECIPES.values():
            try:
                yield from _measure(recipe, device, where, repeats)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                yield Unmeasured(f"A step of {recipe.name} was not measured on {name}, whose memory ran out.")


def _measure(recipe: Recipe, device: torch.device, where: str, repeats: int) -> Iterator[Row]:
    wait = _synchronisation(device)
    recipe = recipe.changed(batch_size=PAIRS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        system = build(recipe)
    system.modules.to(device).train()
    optimiser = optimiser_of(system)
    sampler = PairSampler(*_inputs(2 * PAIRS), PAIRS, 0, device)
    left, right = torch.rand(2, _SIDE, _SIDE, device=device)

    def step(number: int) -> None:
        take_step(number, system, optimiser, sampler)
        wait()

    def multiply(_number: int) -> None:
        left @ right
        wait()

    with FlopCounterMode(display=False) as counter:
        step(0)
    accelerator = device.type != "cpu"
    taken, base = map(
        median, in_turn(repeats * (_ON_ACCELERATORS if accelerator else 1), step, multiply, warm_up=3 * accelerator + 1)
    )
    product = "a 2048³ matrix product in float32"
    yield Row(f"Training step of {recipe.name} on {where}", 1000 * taken, "ms", product, 1000 * base)
    operations = counter.get_total_flops()
    yield Row(
        f"Speed of its arithmetic, {operations / 1e9:.1f} GFLOP",
        operations / taken / 1e9,
        "GFLOP/s",
        "the product's speed",
        2 * _SIDE**3 / base / 1e9,
    )


def _synchronisation(device: torch.device) -> Callable[[], None]:
    """A function that waits until a device has computed everything."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if device.type == "mps" else lambda: None


def _inputs(count: int) -> tuple[Samples, list[Samples]]:
    """As many random images, and random utterances."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % 10

    def drawn(*size: int) -> FloatArray:
        return random.random((count, *size), np.float32)

    images = Samples("random", Modality.IMAGE, drawn(28, 28), labels, ("",) * count)
    sounds = drawn(WAVEFORM_SAMPLES) * np.float32(0.1)
    return images, [Samples("random", Modality.SPEECH, drawn(100, 80), labels, ("",) * count, waveforms=sounds)]
