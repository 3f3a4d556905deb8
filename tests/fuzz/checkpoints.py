"""Damaged files of safetensors: models, what runs resume from, galleries, snapshots, results of sweeps."""

from __future__ import annotations

import itertools
import json
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from model import locations
from model.checkpoints import Arrays, Header, UnusableCheckpoint, read, write_atomically
from model.data.pairs import PairSampler
from model.data.speech import FilterbankSettings
from model.evaluation.sweep_results import SweepResults
from model.recipes.recipe import FAST, Recipe
from model.retrieval.gallery import Gallery
from model.runs.values import Snapshot
from model.similarity import Gaussians
from model.systems import model_io as trained
from model.training import loop as training
from model.training.loop import Run, train

from ._damage import damaged
from ._json import damaged_json

SAMPLE = 45

_DATA = {"images": ["mnist"], "speech": ["fsdd"]}


class _Small:
    """In place of a system, whose networks would make each case 20 MB."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.modules = nn.ModuleDict({"layer": nn.Conv2d(1, 2, 3)})


def valid() -> dict[str, bytes]:
    """One small file of each kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header = Header(FAST.to_dict(), FilterbankSettings().to_dict(), _DATA, 0, 3, "cpu", {"torch": "2"})
        system = _Small(FAST)
        trained.save_model(folder / "model", system, header)  # type: ignore[arg-type]
        weights = trained.to_arrays(system.modules)
        arrays = {f"weights/{name}": array for name, array in weights.items()}
        for number, array in enumerate(weights.values()):
            arrays[f"optimiser/{number}/step"] = np.ones(1, np.float32)
            arrays[f"optimiser/{number}/exp_avg"] = arrays[f"optimiser/{number}/exp_avg_sq"] = array
        write_atomically(folder / "resume", arrays, header.to_dict())
        means = np.zeros((4, 8), np.float32)
        Snapshot(3, means, means, np.ones((4, 2), np.float32), {"quick_svm": 0.5}).save(folder / "snapshot")
        _few_items(locations.shipped_gallery(), folder / "gallery")
        _few_items(locations.shipped_sweep(), folder / "sweep")
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _few_items(shipped: Path, path: Path) -> None:
    """A gallery or a sweep with three images and three utterances of the one that ships."""
    arrays, header = read(shipped)
    images, every = len(arrays["image_features"]), len(arrays["labels"])
    places = [0, 1, 2, images, images + 1, images + 2]
    few = {}
    for name, array in arrays.items():
        axis = 1 if name in ("embeddings", "coordinates") else 0
        if name in ("image_features", "speech_features"):
            few[name] = array[:3]
        elif array.ndim > axis and array.shape[axis] == every:
            few[name] = array.take(places, axis)
    for name in ("sources", "speakers"):
        header[name] = [header[name][place] for place in places]
    header["keys"] = header["keys"][:3]
    write_atomically(path, few, header)


def cases(count: int, seed: int) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Each kind in turn: its bytes, its header or one of its arrays damaged."""
    rng = np.random.default_rng(seed)
    files = valid()
    for number, name in zip(range(count), itertools.cycle(sorted(files)), strict=False):
        injure: Callable[..., tuple[str, bytes]] = (damaged, _other_header, _other_array)[number // len(files) % 3]
        words, content = injure(files[name], files, rng)
        yield f"{name}: {words}", (name, content)


def _other_header(content: bytes, _files: object, rng: np.random.Generator) -> tuple[str, bytes]:
    """JSON within the JSON of safetensors, changed."""
    size = struct.unpack("<Q", content[:8])[0]
    outer = json.loads(content[8 : 8 + size])
    if rng.random() < 0.3:  # what safetensors itself says
        words, changed = damaged_json(outer, rng)
    else:
        words, inner = damaged_json(json.loads(outer["__metadata__"]["modinv"]), rng)
        outer["__metadata__"]["modinv"] = inner.decode("utf-8", "replace")
        changed = json.dumps(outer).encode()
    return words, struct.pack("<Q", len(changed)) + changed + content[8 + size :]


def _other_array(content: bytes, _files: object, rng: np.random.Generator) -> tuple[str, bytes]:
    """An array that is gone, or of other numbers, sizes or type."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        arrays, header = read(path)
        name = sorted(arrays)[int(rng.integers(len(arrays)))]
        array = arrays.pop(name)
        words, changes = "gone", dict[str, Callable[[], Any]]()
        changes["NaN"] = lambda: np.full_like(array, np.nan if array.dtype.kind == "f" else 255)
        changes["infinite"] = lambda: np.full_like(array, np.inf if array.dtype.kind == "f" else 11)
        changes["one row less"] = lambda: array[:-1]
        changes["flat"] = lambda: array.reshape(-1)
        changes["nothing"] = lambda: array[:0]
        changes["float64"] = lambda: array.astype(np.float64)
        changes["int8"] = lambda: np.zeros(array.shape, np.int8)
        changes["a number"] = lambda: np.zeros(1, array.dtype)
        if rng.random() > 0.1:
            words = sorted(changes)[int(rng.integers(len(changes)))]
            arrays[name] = changes[words]()
        write_atomically(path, arrays, header)
        return f"{name} {words}", path.read_bytes()


def use(case: tuple[str, bytes]) -> str:
    """Load it as what it was."""
    name, content = case
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.safetensors"
        path.write_bytes(content)
        with patch.object(trained, "build", _Small), patch.object(training, "build", _Small):
            try:
                _USES[name](path)
            except UnusableCheckpoint:
                return "refused"
        return "loaded"


def _use_model(path: Path) -> None:
    system, header = trained.load_model(path)
    _all_finite(trained.to_arrays(system.modules))
    _ = header.recipe["lambda_ig"], header.recipe["name"], header.data["images"], header.data["speech"]
    FilterbankSettings(**header.filterbank)


def _use_resume(path: Path) -> None:
    run = Run(path.parent, FAST, 0, dict(_DATA), torch.device("cpu"))
    for _ in train(run, _NO_PAIRS, lambda: True):
        pass


def _use_gallery(path: Path) -> None:
    gallery = Gallery.load(path)
    for item in gallery.items:
        gallery.features(item.index)
    if len(gallery.means):
        gallery.nearest(Gaussians(gallery.means[0], gallery.log_variances[0]), gallery.items[0].modality.other, 3)


def _use_snapshot(path: Path) -> None:
    snapshot = Snapshot.load(path)
    assert len(snapshot.means) == len(snapshot.log_variances) == len(snapshot.coordinates)


def _use_sweep(path: Path) -> None:
    results = SweepResults.load(path)
    for lambda_ig in results.lambdas:
        results.purity(lambda_ig)
        results.modality_svm(lambda_ig)
        results.p_at_1(lambda_ig, results.items[0].modality)


def _all_finite(arrays: Arrays) -> None:
    assert all(np.isfinite(array).all() for array in arrays.values())


_NO_PAIRS: PairSampler = None  # type: ignore[assignment]  # it is stopped before the first step
_USES = {
    "model": _use_model,
    "resume": _use_resume,
    "gallery": _use_gallery,
    "snapshot": _use_snapshot,
    "sweep": _use_sweep,
}
