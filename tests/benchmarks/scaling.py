"""How computing time grows with the size of a batch, of a gallery and of a corpus: processor seconds and exponents."""

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from model.bench.measuring import about
from model.bench.queries import large_gallery
from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.data.speech import SpeechFrontEnd
from model.networks import data_parallel
from model.recipes.recipe import FAST, Recipe
from model.retrieval.projection import NeighbourMap, PrincipalComponents
from model.systems import build
from model.systems.base import Batch
from model.training.loop import optimiser_of, take_step, trained_parameters
from model.types import Modality

Work = Callable[[], object]
_SIZE = 128  # of embeddings
_MATCHES = 10


def least_seconds(works: list[Work], repeats: int) -> list[float]:
    """The least processor seconds of each work, which are done in turn."""
    least = [math.inf] * len(works)
    for _ in range(repeats):
        for place, work in enumerate(works):
            started = time.process_time()
            work()
            least[place] = min(least[place], time.process_time() - started)
    return least


def measured(works: dict[int, Work], repeats: int) -> dict[str, object]:
    """Processor seconds of works by size, and the exponent between each size and the next."""
    found = dict(zip(works, least_seconds(list(works.values()), repeats), strict=True))
    exponents = {
        f"{a}-{b}": round(math.log(found[b] / found[a]) / math.log(b / a), 2) for a, b in itertools.pairwise(found)
    }
    return {"seconds": found, "exponents": exponents}


def inputs(count: int) -> tuple[Samples, Samples]:
    """So many random images and utterances."""
    random, digits = np.random.default_rng(0), np.arange(count) % 10
    pictures, filterbanks = (random.random((count, *size), np.float32) for size in ((28, 28), (100, 80)))
    images = Samples("random", Modality.IMAGE, pictures, digits, ("",) * count)
    return images, Samples("random", Modality.SPEECH, filterbanks, digits, ("",) * count)


def step(field: str, count: int) -> Work:
    """A training step of the recipe ``fast`` with another value of a field, on random inputs."""
    recipe = FAST.changed(**{field: count})
    images, speech = inputs(recipe.batch_size)
    sampler = PairSampler(images, [speech], recipe.batch_size, 0, torch.device("cpu"))
    system = build(recipe)
    system.modules.train()
    optimiser = optimiser_of(system)
    return lambda: take_step(0, system, optimiser, sampler)


def parts(recipe: Recipe, repeats: int) -> dict[str, float]:
    """Processor seconds of what several processes divide of a step, and of what each of them does in full."""
    images, speech = inputs(recipe.batch_size)
    sampler = PairSampler(images, [speech], recipe.batch_size, 0, torch.device("cpu"))
    system = build(recipe)
    system.modules.train()
    generator = sampler.generator(0)
    batch = Batch(*sampler.batch(0, generator))
    optimiser = optimiser_of(system)

    def encode() -> None:
        posteriors = system.posteriors(batch)  # type: ignore[attr-defined]
        torch.autograd.backward(sum(side.mean.sum() + side.log_variance.sum() for side in posteriors))

    encode()
    gradients = [parameter.grad for parameter in trained_parameters(system) if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    copy = torch.empty_like(flat)
    works: dict[str, Work] = {
        "whole_step": step("batch_size", recipe.batch_size),
        "encoders": encode,
        "adam": optimiser.step,
        "copy_of_gradients": lambda: copy.copy_(flat),
    }
    return dict(zip(works, least_seconds(list(works.values()), repeats), strict=True))


def rank(count: int) -> Work:
    """The nearest utterances of a gallery to a picture."""
    gallery, query = large_gallery(count)
    return lambda: gallery.nearest(query, Modality.SPEECH, _MATCHES)


def place(count: int) -> Work:
    """A query's place in a t-SNE map that is there."""
    generator = np.random.default_rng(0)
    fitted = NeighbourMap(
        generator.standard_normal((count, _SIZE), np.float32), generator.standard_normal((count, 2), np.float32)
    )
    query = np.zeros((1, _SIZE), np.float32)
    return lambda: fitted.place(query)


def components(count: int) -> Work:
    """A PCA map."""
    embeddings = np.random.default_rng(0).standard_normal((count, _SIZE), np.float32)
    return lambda: PrincipalComponents.fit(embeddings)


def neighbours(count: int) -> Work:
    """A t-SNE map of ten clusters."""
    generator = np.random.default_rng(0)
    centres = 8 * generator.standard_normal((10, _SIZE), np.float32)
    embeddings = centres[np.arange(count) % 10] + generator.standard_normal((count, _SIZE), np.float32)
    return lambda: NeighbourMap.fit(embeddings)


def filterbanks(count: int) -> Work:
    """Filterbanks of half-second utterances, as of a corpus that is loaded for the first time."""
    utterances = list(np.random.default_rng(0).uniform(-0.5, 0.5, (count, 4000)).astype(np.float32))
    front_end = SpeechFrontEnd()
    return lambda: [front_end.filterbank(utterance) for utterance in utterances]


def sizes(text: str) -> list[int]:
    """Numbers with commas between, ascending."""
    return sorted(int(float(number)) for number in text.split(","))


def main() -> None:
    """Print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=sizes, default="32,64,128,256", help="pairs of a step")
    parser.add_argument("--samples", type=sizes, default="1,8,16,32", help="embeddings drawn from each posterior")
    parser.add_argument("--items", type=sizes, default="1e3,1e4,1e5,1e6", help="of galleries")
    parser.add_argument("--projected", type=sizes, default="1e3,1e4,1e5", help="items of a PCA map")
    parser.add_argument("--mapped", type=sizes, default="1e3,2e3,4e3", help="items of a t-SNE map")
    parser.add_argument("--utterances", type=sizes, default="100,300,1000", help="of a corpus")
    parser.add_argument("--repeats", type=int, default=3, help="of each; maps are fitted once")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with data_parallel.joined("cpu"), threadpool_limits(1):
        if data_parallel.size() > 1:  # started by torchrun
            print(json.dumps({"step_of_this_process": least_seconds([step("batch_size", 128)], arguments.repeats)[0]}))
            return
        report: dict[str, object] = {"machine": about(), "parts_of_a_step": parts(FAST, arguments.repeats)}
        for name, chosen, make, repeats in (
            ("step_by_batch", arguments.batches, partial(step, "batch_size"), arguments.repeats),
            (
                "step_by_samples",
                arguments.samples,
                partial(step, "samples_per_input"),
                arguments.repeats,
            ),
            ("ranking", arguments.items, rank, arguments.repeats),
            ("placing", arguments.items, place, arguments.repeats),
            ("pca", arguments.projected, components, arguments.repeats),
            ("tsne", arguments.mapped, neighbours, 1),
            ("filterbanks", arguments.utterances, filterbanks, arguments.repeats),
        ):
            report[name] = measured({count: make(count) for count in chosen}, repeats)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
