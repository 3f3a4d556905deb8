"""A training step of each recipe, as a multiple of a 2048^3 matrix product timed between the steps."""

import json
import statistics

import torch

from model.datasets import Samples
from model.pairs import PairSampler
from model.recipes import FAST, PAPER
from model.results import Modality
from model.trained import build
from model.training import _step
from tests.benchmarks.machine import about, product, seconds

STEPS = 8


def samples(modality: Modality, *size: int) -> Samples:
    """As many random inputs as two batches take."""
    return Samples("random", modality, torch.rand(256, *size), torch.arange(256) % 10, ("",) * 256)


def main() -> None:
    """Print JSON: seconds a step, and the ratio, of each recipe."""
    images, speech = samples(Modality.IMAGE, 28, 28), samples(Modality.SPEECH, 100, 80)
    multiply = product()
    report: dict[str, object] = {"machine": about()}
    for recipe in (PAPER, FAST):
        encoders = build(recipe).train()
        optimiser = torch.optim.Adam(encoders.parameters(), fused=True)
        sampler = PairSampler(images, [speech], recipe.batch_pairs, 0, torch.device("cpu"))
        steps, products = [], []
        for number in range(STEPS):  # in turn, so that both meet the same load of the machine
            steps += seconds(lambda: _step(number, recipe, encoders, optimiser, sampler), 1, 1 if number == 0 else 0)  # noqa: B023
            products += seconds(multiply, 1, 0)
        step, base = statistics.median(steps), statistics.median(products)
        report[recipe.name] = {"step_seconds": step, "product_seconds": base, "ratio": step / base}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
