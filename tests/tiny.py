"""Data and recipes so small that training takes moments."""

import gzip

import numpy as np
import soundfile
import torch

from model.data.pairs import PairSampler
from model.data.samples import Samples
from model.recipes.recipe import named
from model.runs.snapshots import draw_probe
from model.training.config import TrainingConfig
from model.types import Modality

SMALL = {"steps": 4, "batch_size": 4, "samples_per_input": 2}


def inputs(modality, size):
    """Five noisy examples each of four digits that are easy to tell apart."""
    labels = np.arange(20) % 4
    features = 0.2 * np.random.default_rng(1).random((20, *size), np.float32)
    for feature, label in zip(features, labels, strict=True):
        feature[:, 7 * label : 7 * label + 7] += 0.8
    spoken = ("",) * 20 if modality is Modality.SPEECH else ()
    return Samples("bars", modality, features, labels, ("",) * 20, spoken, spoken)


IMAGES = inputs(Modality.IMAGE, (28, 28))
SPEECH = inputs(Modality.SPEECH, (100, 80))


class Bars:
    """Hands out these inputs as if they were any corpora."""

    def __init__(self, images=IMAGES, curated=None):
        self.images = images
        self.curated = curated or {}

    def sampler(self, plan, device, _tell):
        return PairSampler(self.images, [SPEECH], plan.recipe.batch_size, plan.seed, device)

    def probe(self, _plan, _tell):
        return draw_probe(IMAGES, SPEECH)


def spoilt(step, seed=0, batch_size=SMALL["batch_size"]):
    """Images of which one, that first comes in a step, is no number."""
    numbered = np.tile(np.arange(20, dtype=np.float32)[:, None, None], (1, 28, 28))
    finder = PairSampler(
        Samples("", Modality.IMAGE, numbered, IMAGES.labels, ()), [SPEECH], batch_size, seed, torch.device("cpu")
    )
    chosen = int(finder.batch(step, finder.generator(step))[0][0, 0, 0, 0])
    features = IMAGES.features.copy()
    features[chosen] = np.nan
    return Samples("", Modality.IMAGE, features, IMAGES.labels, ())


def seeded(make, seed=0):
    """What a function makes of random weights, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def small(name="fast", **changes):
    """A recipe of four steps."""
    return named(name, **{**SMALL, **changes})


PLAN = TrainingConfig(small(), ("mnist", "fsdd"), device="cpu")
"""What such a run trains."""


def _write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def write_corpora(folder):
    """Files of MNIST and FSDD with a few inputs: bars at ten places for images, tones of ten pitches for speech."""
    (folder / "mnist").mkdir(parents=True)
    for prefix, count in (("train", 80), ("t10k", 30)):
        labels = np.arange(count) % 10
        images = np.zeros((count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[4:24, 3 + 2 * label : 6 + 2 * label] = 255
        _write_idx(folder / "mnist" / f"{prefix}-images-idx3-ubyte.gz", images)
        _write_idx(folder / "mnist" / f"{prefix}-labels-idx1-ubyte.gz", labels)
    (folder / "fsdd").mkdir()
    seconds = np.arange(4000) / 8000
    for digit in range(10):
        for take in (3, 4, 5, 6, 45, 46):  # takes up to 4 test, from 45 on validate, the others train
            tone = 0.5 * np.sin(2 * np.pi * (200 + 300 * digit + 10 * take) * seconds)
            soundfile.write(folder / "fsdd" / f"{digit}_theo_{take}.wav", tone, 8000)
    return folder
