"""Embeddings, opened again: by numpy, by Arrow, and by what TensorBoard reads."""

import json

import numpy as np
import pyarrow.parquet
import pytest
from exhibits import IMAGES, SIZE, UTTERANCES, evaluation, features
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from model.data.corpora import MissingData
from model.evaluation.store import Evaluation
from model.export import embeddings

COUNT = IMAGES + UTTERANCES


def posteriors():
    sides = evaluation().posteriors()
    return [np.concatenate([getattr(side, name) for side in sides]) for name in ("means", "log_variances")]


def test_npz_needs_no_pickle_and_holds_every_input(tmp_path):
    embeddings.save(evaluation(), tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as kept:
        means, log_variances = posteriors()
        assert np.array_equal(kept["mean"], means)
        assert np.array_equal(kept["log_variance"], log_variances)
        assert kept["mean"].shape == (COUNT, SIZE)
        assert (kept["modality"] == "image").sum() == IMAGES
        assert (kept["label"][3], kept["speaker"][IMAGES], kept["source"][3]) == (3, "theo", "MNIST test 3")
        assert json.loads(str(kept["setting"]))["recipe"] == "fast"


def test_parquet_has_a_row_for_every_input(tmp_path):
    embeddings.save(evaluation(), tmp_path / "e.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "e.parquet")
    assert table.num_rows == COUNT
    row = table.slice(IMAGES + 1, 1).to_pylist()[0]
    mean, log_variance = (side[IMAGES + 1].tolist() for side in posteriors())
    expected = {"modality": "speech", "label": 1, "speaker": "theo", "source": "FSDD theo, take 1"}
    assert row == {**expected, "mean": mean, "log_variance": log_variance}
    assert json.loads(table.schema.metadata[b"modinv"])["trained_on"]["images"] == ["mnist"]


def test_another_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"npz, parquet, not as 'e\.h5'"):
        embeddings.save(evaluation(), tmp_path / "e.h5")


def test_the_projector_finds_everything_that_its_configuration_names(tmp_path, monkeypatch):
    monkeypatch.setattr(Evaluation, "features", features)
    judged, folder = evaluation(), tmp_path / "projector"
    embeddings.projector(judged, folder, embeddings.thumbnails(judged))
    configuration = ProjectorConfig()
    text_format.Parse((folder / "projector_config.pbtxt").read_text(), configuration)
    (found,) = configuration.embeddings
    tensors = np.loadtxt(folder / found.tensor_path, delimiter="\t")
    assert tensors == pytest.approx(posteriors()[0], abs=1e-4)
    lines = (folder / found.metadata_path).read_text("utf-8").splitlines()
    assert lines[0].split("\t") == ["modality", "label", "speaker", "source"]
    assert lines[1 + IMAGES].split("\t") == ["speech", "0", "theo", "FSDD theo, take 0"]
    assert len(lines) == 1 + COUNT
    with Image.open(folder / found.sprite.image_path) as sprite:
        assert list(found.sprite.single_image_dim) == [28, 28]
        assert sprite.size == (8 * 28, 8 * 28), "the smallest square of pictures that holds all sixty"
        # The pictures lie row by row; images are as bright as their index in hundredths.
        assert sprite.getpixel((28 * 3 + 14, 28 * 4 + 14)) == pytest.approx((89, 89, 89), abs=1)  # 35


def test_a_projector_without_pictures_has_no_sprite_and_takes_the_place_of_an_older_one(tmp_path):
    folder = tmp_path / "projector"
    for _ in range(2):
        embeddings.projector(evaluation(), folder)
    assert len(list(folder.glob("events.*"))) == 1
    assert "sprite" not in (folder / "projector_config.pbtxt").read_text()


def test_a_projector_is_not_written_over_something_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="something else"):
        embeddings.projector(evaluation(), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_sound_is_pictured_with_time_to_the_right_and_low_frequencies_at_the_bottom():
    sound = np.full((100, 80), -1.5, np.float32)
    sound[:50, :40] = 2.5  # first half, lower half
    shade = embeddings.picture(sound)
    assert shade.shape == (80, 100)
    assert shade[40:, :50].min() == 255
    assert shade[:40].max() == shade[:, 50:].max() == 0


def test_pictures_need_the_corpora(monkeypatch):
    def missing(*_):
        raise MissingData("It is gone.")

    monkeypatch.setattr(Evaluation, "features", missing)
    with pytest.raises(MissingData):
        embeddings.thumbnails(evaluation())
