"""A model on disk and the device it runs on."""

import json

import numpy as np
import pytest
import torch
from tiny import seeded

from model.checkpoints import Header, UnusableCheckpoint, read, write_atomically
from model.data.speech import FilterbankSettings
from model.networks.encoders import Encoders
from model.recipes.recipe import FAST, PAPER, named
from model.systems import build
from model.systems.model_io import best_device, fill, load_model, save_model, to_arrays
from model.types import Modality

PLAIN = named("paper", batch_norm=False)


def header(recipe=PLAIN, **changes):
    values = {
        "recipe": recipe.to_dict(),
        "filterbank": FilterbankSettings().to_dict(),
        "data": {"images": ["mnist"], "speech": ["fsdd"]},
        "seed": 1,
        "step": 2,
        "device": "cpu",
        "versions": {},
    }
    return Header(**{**values, **changes})


@pytest.fixture(scope="module")
def system():
    return seeded(lambda: build(PLAIN))


@pytest.fixture(scope="module")
def saved(system, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save_model(path, system, header())
    return path


def test_a_model_comes_back_in_half_precision_and_small(saved, system):
    loaded, about = load_model(saved)
    assert about.to_dict() == json.loads(json.dumps(header().to_dict()))
    assert not loaded.modules.training
    assert saved.stat().st_size == pytest.approx(2 * 10_461_120, rel=0.01)
    for name, weight in system.modules.state_dict().items():
        torch.testing.assert_close(loaded.modules.state_dict()[name], weight.half().float(), rtol=0, atol=0)
    features = np.random.default_rng(0).random((3, 28, 28), np.float32)
    ours, theirs = (one.encode(Modality.IMAGE, features) for one in (loaded, system))
    np.testing.assert_allclose(ours.means, theirs.means, rtol=0, atol=2e-3)


def test_batch_norm_and_its_statistics_come_back(tmp_path):
    recipe = named("fast", batch_norm=True)
    original = build(recipe)
    original.modules.train()
    original.modules.speech(torch.randn(8, 1, 100, 80))
    save_model(tmp_path / "x.safetensors", original, header(recipe))
    loaded, _ = load_model(tmp_path / "x.safetensors")
    statistics = [name for name in original.modules.state_dict() if "running" in name or "tracked" in name]
    assert len(statistics) == 4 * 3
    kept = loaded.modules.state_dict()
    for name in statistics:
        torch.testing.assert_close(
            kept[name], original.modules.state_dict()[name], rtol=1e-3, atol=1e-4, check_stride=False
        )


def test_build_follows_the_recipe():
    for recipe in (FAST, named("fast", batch_norm=True)):
        layers = build(recipe).modules.modules()
        assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in layers) == recipe.batch_norm
    assert (build(FAST).modules.image.head.bias[128:] == -4).all()
    assert not (build(PAPER).modules.image.head.bias[128:] == -4).any()


def test_fill_is_the_inverse_of_to_arrays(system):
    other = Encoders()
    fill(other, to_arrays(system.modules))
    for name, weight in system.modules.state_dict().items():
        assert torch.equal(other.state_dict()[name], weight)


def test_weights_of_other_networks_are_refused_by_name(tmp_path):
    path = tmp_path / "other.safetensors"
    save_model(path, build(PLAIN), header(PAPER))
    with pytest.raises(UnusableCheckpoint, match=r"other\.safetensors.*don't fit"):
        load_model(path)


def test_weights_of_another_shape_are_refused(system):
    arrays = to_arrays(system.modules) | {"image.head.bias": np.zeros(7, np.float32)}
    with pytest.raises(UnusableCheckpoint, match="don't fit"):
        fill(Encoders(), arrays)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({**PAPER.to_dict(), "dropout": 0.5}, "dropout"),
        ({**PAPER.to_dict(), "lambda_ig": -1.0}, "at least 0"),
        ({"lambda_ig": 1.0}, "name"),
        ({**PAPER.to_dict(), "betas": None}, ""),
    ],
)
def test_a_recipe_of_another_version_is_refused_by_name(tmp_path, recipe, words):
    path = tmp_path / "future.safetensors"
    write_atomically(path, {}, header(recipe=PAPER).to_dict() | {"recipe": recipe})
    with pytest.raises(UnusableCheckpoint, match=rf"future\.safetensors.*{words}"):
        load_model(path)


def test_a_model_of_other_filterbanks_is_refused_in_words(tmp_path, system):
    path = tmp_path / "other.safetensors"
    save_model(path, system, header(filterbank={**FilterbankSettings().to_dict(), "range_decibels": 60.0}))
    with pytest.raises(UnusableCheckpoint, match=r"other\.safetensors.*range_decibels 60.0 instead of 45.0"):
        load_model(path)


def test_a_header_that_lacks_something_names_the_file(tmp_path):
    # A gallery chosen for a model, say.
    path = tmp_path / "gallery.safetensors"
    write_atomically(path, {}, {"format": "modinv-1", "kind": "gallery"})
    with pytest.raises(UnusableCheckpoint, match=r"gallery\.safetensors.*'recipe'"):
        load_model(path)


def test_loading_a_damaged_file_names_it(tmp_path, saved):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(saved.read_bytes()[:100_000])
    with pytest.raises(UnusableCheckpoint, match=r"cut\.safetensors"):
        load_model(path)


def test_saved_floats_are_half_precision_on_disk(saved):
    assert {array.dtype for array in read(saved)[0].values()} == {np.dtype(np.float16)}


def test_devices():
    assert best_device("cpu") == torch.device("cpu")
    assert best_device().type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "", "CPU", "gpu"])
def test_a_device_that_is_not_there_is_answered_with_those_that_are(name):
    with pytest.raises(ValueError, match=rf"no device '{name}'.*auto.*cpu"):
        best_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_without_cuda_is_refused():
    with pytest.raises(ValueError, match="'cuda'"):
        best_device("cuda")
