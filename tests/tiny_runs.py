"""Runs of a few steps, and what they leave behind."""

import hashlib

import torch
from tiny import IMAGES, SMALL, SPEECH

from model.checkpoints import read
from model.data.pairs import PairSampler
from model.recipes.recipe import named
from model.training.loop import Run, train

CPU = torch.device("cpu")
RECIPE = named("fast", **SMALL)


def sampler(recipe, seed=0, images=IMAGES):
    return PairSampler(images, [SPEECH], recipe.batch_size, seed, CPU)


def a_run(folder, recipe=RECIPE, seed=0, data=None, start=None):
    return Run(folder, recipe, seed, data or {"images": ["bars"], "speech": ["bars"]}, CPU, start)


def collect(source, seen):
    """Collect events, also those before an error."""
    for event in source:
        seen += [event]
    return seen


def events(folder, recipe=RECIPE, stop_after=None, seed=0, **kwargs):
    """All events of a run, stopped after some of its steps."""
    seen = []
    run = a_run(folder, recipe, seed, **kwargs)
    return collect(train(run, sampler(recipe, seed), lambda: len(seen) == stop_after), seen)


def assert_same_state(one, other, frozen=()):
    """Weights and the optimiser's state, bit by bit; ``frozen`` networks have no state."""
    ours, theirs = read(one / "resume.safetensors")[0], read(other / "resume.safetensors")[0]
    assert set(ours) == set(theirs)
    trained = [name for name in ours if name.startswith("weights/") and name.split("/")[1].split(".")[0] not in frozen]
    assert sum(name.startswith("optimiser/") for name in ours) == 3 * len(trained)
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


def started_from(path):
    return {
        "images": ["bars"],
        "speech": ["bars"],
        "started_from": {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
    }
