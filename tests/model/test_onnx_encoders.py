"""Encoders without torch: ONNX graphs of checkpoints compute what torch does."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from fresh_python import WITHOUT_TORCH
from tiny import seeded, small
from toy_system import ToyRecipe, ToySystem, installed
from typer.testing import CliRunner

from model import locations
from model.checkpoints import Header, UnusableCheckpoint, read, write_atomically
from model.cli.main import app
from model.data.log_mel import FilterbankSettings
from model.export.onnx import METADATA, difference_from_torch
from model.networks.onnx_encoders import OnnxEncoders
from model.systems import build
from model.systems.encoder_io import load_encoder
from model.systems.model_io import load_model, save_model
from model.types import Modality

INPUTS = {
    Modality.IMAGE: np.random.default_rng(0).random((5, 28, 28), np.float32),
    Modality.SPEECH: np.random.default_rng(1).standard_normal((5, 100, 80), np.float32),
}


def saved(path, system):
    header = Header(
        system.recipe.to_dict(),
        FilterbankSettings().to_dict(),
        {"images": ["mnist"], "speech": ["fsdd"]},
        0,
        0,
        "cpu",
        {},
    )
    save_model(path, system, header)
    return path


def made(tmp_path, **changes):
    system = seeded(lambda: build(small(**changes)))
    if changes.get("batch_norm"):
        for name, value in system.modules.named_buffers():
            if value.is_floating_point():  # as training leaves them, instead of zeros and ones
                value.add_(0.3 if name.endswith("mean") else 0.5)
    return saved(tmp_path / "model.safetensors", system)


@pytest.mark.parametrize(
    "changes",
    [{}, {"batch_norm": True}, {"speech_encoder": "pretrained"}, {"system": "deterministic"},
     {"system": "contrastive"}, {"system": "divergence"},
     {"system": "generative"}, {"system": "distilled"}, {"system": "adversarial"}],
    ids=str,
)  # fmt: skip
def test_the_encoders_of_every_system_run_without_torch(tmp_path, changes):
    path = made(tmp_path, **changes)
    (system, header), (encoder, same_header) = load_model(path), load_encoder(path)
    assert isinstance(encoder, OnnxEncoders)
    assert same_header == header
    assert encoder.similarity == system.similarity
    for modality, inputs in INPUTS.items():
        for ours, theirs in zip(encoder.encode(modality, inputs), system.encode(modality, inputs), strict=True):
            assert ours.shape == (5, 128)
            assert ours.dtype == np.float32
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_decoders_run_without_torch(tmp_path):
    path = made(tmp_path, system="generative")
    (system, _), (decoder, _) = load_model(path), load_encoder(path)
    embeddings = np.random.default_rng(0).standard_normal((4, 128), np.float32)
    for modality in Modality:
        ours, theirs = decoder.decode(modality, embeddings), system.decode(modality, embeddings)
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    arrays, header = read(path)
    arrays["speech_decoder.body.7.weight"] = arrays["speech_decoder.body.7.weight"][:, :3]
    write_atomically(path, arrays, header)
    with pytest.raises(UnusableCheckpoint, match="don't fit"):
        load_encoder(path)


def test_any_number_of_inputs_of_any_floating_type_is_encoded():
    encoder, _ = load_encoder(locations.shipped_model())
    many = np.random.default_rng(0).random((1030, 28, 28), np.float32)
    means, log_variances = encoder.encode(Modality.IMAGE, many)
    assert means.shape == log_variances.shape == (1030, 128)
    np.testing.assert_allclose(encoder.encode(Modality.IMAGE, many[-3:]).means, means[-3:], atol=1e-5)
    half = many[:3].astype(np.float16)
    np.testing.assert_allclose(encoder.encode(Modality.IMAGE, half).means, means[:3], atol=0.05)
    assert encoder.encode(Modality.IMAGE, many[:0]).means.shape == (0, 128)


def test_a_system_of_another_package_is_loaded_with_torch(tmp_path):
    with installed():
        path = saved(tmp_path / "toy.safetensors", seeded(lambda: ToySystem(ToyRecipe("toy", system="toy"))))
        encoder, _ = load_encoder(path)
        assert isinstance(encoder, ToySystem)
        assert encoder.encode(Modality.IMAGE, INPUTS[Modality.IMAGE]).means.shape == (5, 8)


def damaged(arrays, how):
    name = "image.body.4.weight"
    if how == "missing":
        return {key: array for key, array in arrays.items() if key != name}
    if how == "no bias":
        return {key: array for key, array in arrays.items() if key != "speech.head.bias"}
    if how == "other shape":
        return {**arrays, name: arrays[name][:, :5]}
    if how == "other type":
        return {**arrays, name: arrays[name].astype(np.int32)}
    if how == "one layer more":
        return {**arrays, "image.body.3.weight": arrays[name], "image.body.3.bias": arrays["image.body.4.bias"]}
    broken = arrays[name].copy()
    broken[0] = np.nan
    return {**arrays, name: broken}


@pytest.mark.parametrize("how", ["missing", "no bias", "other shape", "other type", "one layer more", "not finite"])
def test_weights_that_do_not_fit_are_refused(tmp_path, how):
    path = made(tmp_path)
    arrays, header = read(path)
    write_atomically(path, damaged(arrays, how), header)
    with pytest.raises(UnusableCheckpoint, match="no finite numbers" if how == "not finite" else "don't fit"):
        load_encoder(path)


def test_encoders_are_exported_and_compared_with_torch(tmp_path):
    done = CliRunner().invoke(
        app, ["export", str(made(tmp_path)), "--what", "onnx", "--to", str(tmp_path / "encoders")]
    )
    assert done.exit_code == 0, done.output
    assert "Compared with PyTorch" in done.output
    for modality, name in ((Modality.IMAGE, "images"), (Modality.SPEECH, "filterbanks")):
        file = onnx.load(tmp_path / "encoders" / f"{modality}_encoder.onnx")
        onnx.checker.check_model(file, full_check=True)
        assert [one.name for one in file.graph.input] == [name]
        assert [one.name for one in file.graph.output] == ["means", "log_variances"]
        (kept,) = (one.value for one in file.metadata_props if one.key == METADATA)
        assert json.loads(kept)["filterbank"] == FilterbankSettings().to_dict()


def test_the_shipped_model_computes_the_same_with_and_without_torch():
    assert difference_from_torch(locations.shipped_model()) < 1e-4


def test_queries_are_answered_where_torch_is_not_installed():
    code = f"""{WITHOUT_TORCH}
import numpy as np
from model import locations
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.systems.encoder_io import load_encoder
from model.data.corpora import recording
from model.types import Modality
retriever = Retriever(*load_encoder(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))
bar = np.zeros((280, 280), np.uint8)
bar[40:240, 130:150] = 255
retriever.warm_up()
assert retriever.ask_features(Modality.IMAGE, retriever.drawing_features(bar)).guess == 1
assert "scipy" not in sys.modules  # which takes a third of a second
assert retriever.ask_picture(bar).guess == 1
spoken = [item.index for item in retriever.gallery.items if item.modality.value == "speech"][::60]
guesses = [retriever.ask_sound(*recording(retriever.gallery.key(index))).guess for index in spoken]
right = sum(guess == retriever.gallery.items[index].label for guess, index in zip(guesses, spoken))
assert right >= 9, guesses
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_training_without_torch_says_what_to_install(tmp_path):
    code = f"{WITHOUT_TORCH}\nfrom model.cli.main import main\nmain()"
    command = [sys.executable, "-P", "-c", code, "train", "--steps", "1", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "pip install 'modinv[train]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
