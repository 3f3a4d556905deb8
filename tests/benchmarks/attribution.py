"""Attributions by the deletion check: fading the hottest tenth of an input against fading a random tenth of it."""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from model import locations
from model.bench.measuring import about, percentiles
from model.data.corpora import find
from model.data.samples import Samples
from model.retrieval.attribution import floor, occlude
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians, similarities
from model.systems.base import System
from model.systems.encoder_system import EncoderSystem
from model.systems.model_io import load_model
from model.types import FloatArray, Modality

CORPORA = {Modality.IMAGE: "mnist", Modality.SPEECH: "fsdd"}
SHARE = 0.1
"""Of the pixels with ink, or of the frames above the utterance's floor, that are faded."""

Attribute = Callable[[System, Modality, FloatArray, Gaussians], FloatArray]
"""Heat of an input, ``(28, 28)`` or ``(100,)``, as `attribution.occlude` has it."""


def scores(system: System, modality: Modality, inputs: FloatArray, other: Gaussians) -> FloatArray:
    """Similarities of inputs with one posterior, ``(n,)``."""
    return similarities(system.similarity, system.encode(modality, inputs), other)


def integrated_gradients(steps: int) -> Attribute:
    """Sundararajan, Taly and Yan 2017 (arXiv 1703.01365), from the faded input, by the midpoint rule.

    The attributions of all numbers of an input sum to the difference of the scores of the input and of the faded one.
    """

    def attribute(system: System, modality: Modality, features: FloatArray, other: Gaussians) -> FloatArray:
        steepness = gradients(system, modality, features, other, (np.arange(steps) + 0.5) / steps).mean(0)
        return whole(modality, steepness * (features - floor(modality, features)))

    return attribute


def gradient_times_input(system: System, modality: Modality, features: FloatArray, other: Gaussians) -> FloatArray:
    """Shrikumar et al. 2016 (arXiv 1605.01713): integrated gradients with the last point alone."""
    return whole(
        modality,
        gradients(system, modality, features, other, np.ones(1))[0] * (features - floor(modality, features)),
    )


def gradients(
    system: System, modality: Modality, features: FloatArray, other: Gaussians, places: np.ndarray
) -> FloatArray:
    """Gradients of the score at places on the way from the faded input, 0, to the input, 1."""
    assert isinstance(system, EncoderSystem)
    faded = floor(modality, features)
    inputs = faded + places[:, None, None].astype(np.float32) * (features - faded)
    leaf = torch.from_numpy(inputs).requires_grad_()
    encoder = system.modules.image if modality is Modality.IMAGE else system.modules.speech
    posterior = encoder(leaf.unsqueeze(1))
    fixed = Gaussians(*(torch.from_numpy(side) for side in other))
    found = similarities(system.similarity, Gaussians(posterior.mean, posterior.log_variance), fixed, torch)
    return torch.autograd.grad(found.sum(), leaf)[0].numpy()


def whole(modality: Modality, heat: FloatArray) -> FloatArray:
    """Of frames instead of single energies, for speech."""
    return heat if modality is Modality.IMAGE else heat.sum(1)


def occlusion(size: int | None = None) -> Attribute:
    """In parts of this size: tiles of so many pixels, or so many frames; by default as in the window."""

    def attribute(system: System, modality: Modality, features: FloatArray, other: Gaussians) -> FloatArray:
        return occlude(system, modality, features, other, size).drops

    return attribute


METHODS: dict[str, Attribute] = {
    "occlusion": occlusion(),
    **{f"occlusion in parts of {size}": occlusion(size) for size in (1, 2, 4)},
    "gradient times input": gradient_times_input,
    **{f"integrated gradients in {steps} steps": integrated_gradients(steps) for steps in (8, 32)},
}


def deletion(
    system: System,
    gallery: Gallery,
    modality: Modality,
    features: FloatArray,
    attribute: Attribute,
    generator: np.random.Generator,
) -> tuple[float, float, float]:
    """How much the score of an input with its nearest item falls without its hottest tenth, and without a random one.

    Returns
    -------
    tuple
        Both falls, and the seconds that the attribution took.
    """
    own = Gaussians(*(side[0] for side in system.encode(modality, features[None])))
    nearest = gallery.nearest(own, modality.other, 1)[0].item.index
    other = Gaussians(gallery.means[nearest], gallery.log_variances[nearest])
    started = time.perf_counter()
    heat = attribute(system, modality, features, other)
    seconds = time.perf_counter() - started
    faded = floor(modality, features)
    differs = features != faded
    places = np.flatnonzero(differs if modality is Modality.IMAGE else differs.any(axis=1))
    count = max(1, round(SHARE * len(places)))
    hottest = places[np.argsort(-heat.reshape(-1)[places], kind="stable")[:count]]
    inputs = np.stack([features] * 3)
    for one, gone in zip(inputs[1:], (hottest, generator.choice(places, count, replace=False)), strict=True):
        if modality is Modality.IMAGE:
            one.reshape(-1)[gone] = faded.reshape(-1)[gone]
        else:
            one[gone] = faded[gone]
    whole, without_hottest, without_random = scores(system, modality, inputs, other)
    return float(whole - without_hottest), float(whole - without_random), seconds


def drawn(samples: Samples, count: int) -> FloatArray:
    """Features of random samples, always the same ones."""
    places = np.random.default_rng(0).permutation(len(samples))[:count]
    return samples.features[places]


def main() -> None:
    """Print JSON: by modality and method, how often the hottest tenth matters more, mean falls, and milliseconds."""
    parser = argparse.ArgumentParser(description="The deletion check of attributions, on the shipped model.")
    parser.add_argument(
        "--split", default="validation", choices=["validation", "test"], help="test: final results only"
    )
    parser.add_argument("--count", type=int, default=200, help="inputs of each modality; two at least")
    parser.add_argument("--method", action="append", choices=list(METHODS), help="only these")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("MODINV_DATA"), help="folder of the corpora")
    chosen = parser.parse_args()
    torch.set_num_threads(1)  # as the window has it
    (system, _), gallery = load_model(locations.shipped_model()), Gallery.load(locations.shipped_gallery())
    report: dict[str, object] = {**about(), "split": chosen.split}
    for modality, corpus in CORPORA.items():
        features = drawn(find(corpus)(chosen.data_dir).load(chosen.split), chosen.count)
        for method in chosen.method or METHODS:
            generator = np.random.default_rng(1)
            results = [deletion(system, gallery, modality, one, METHODS[method], generator) for one in features]
            hottest, random, seconds = np.transpose(results)
            report[f"{modality}: {method}"] = {
                "inputs": len(features),
                "hottest_falls_more": float((hottest > random).mean()),
                "fall_without_hottest": float(hottest.mean()),
                "fall_without_random": float(random.mean()),
                "milliseconds": {name: 1000 * value for name, value in percentiles(seconds.tolist()).items()},
            }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
