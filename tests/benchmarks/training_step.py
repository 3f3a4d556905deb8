"""A training step of each recipe, as a multiple of a 2048^3 matrix product timed between the steps."""

import argparse
import json
import statistics
from functools import partial

import numpy as np
import torch

from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.recipes.recipe import FAST, PAPER
from model.systems import build
from model.training.loop import optimiser_of, take_step
from model.types import Modality
from tests.benchmarks.machine import about, product, seconds


def samples(modality: Modality, *size: int) -> Samples:
    """As many random inputs as two batches take."""
    features = np.random.default_rng(0).random((256, *size), np.float32)
    return Samples("random", modality, features, np.arange(256) % 10, ("",) * 256)


def main() -> None:
    """Print JSON: seconds a step, and the ratio, of each recipe."""
    parser = argparse.ArgumentParser(description="A training step of each recipe, as a multiple of a matrix product.")
    parser.add_argument("--steps", type=int, default=8, help="of each recipe")
    parser.add_argument("--pairs", type=int, default=128, help="of each step, as many as the recipes have")
    arguments = parser.parse_args()
    images, speech = samples(Modality.IMAGE, 28, 28), samples(Modality.SPEECH, 100, 80)
    multiply = product()
    report: dict[str, object] = {"machine": about()}
    for recipe in (PAPER, FAST):
        system = build(recipe)
        system.modules.train()
        optimiser = optimiser_of(system)
        sampler = PairSampler(images, [speech], arguments.pairs, 0, torch.device("cpu"))
        steps, products = [], []
        for number in range(arguments.steps):  # in turn, so that both meet the same load of the machine
            step = partial(take_step, number, system, optimiser, sampler)
            steps += seconds(step, 1, 1 if number == 0 else 0)
            products += seconds(multiply, 1, 0)
        taken, base = statistics.median(steps), statistics.median(products)
        report[recipe.name] = {"step_seconds": taken, "product_seconds": base, "ratio": taken / base}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
