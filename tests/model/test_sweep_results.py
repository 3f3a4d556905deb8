"""The results of a sweep: spread over seeds, and a file that keeps everything."""

from dataclasses import replace

import numpy as np
import pytest
from exhibits import report
from fresh_python import imported_by

from model.checkpoints import UnusableCheckpoint, write_atomically
from model.evaluation.report import Interval
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.types import Item, Modality


@pytest.fixture
def results():
    rng = np.random.default_rng(0)
    items = (
        Item(0, Modality.IMAGE, 7, "MNIST test 4"),
        Item(1, Modality.SPEECH, 7, "FSDD theo, take 0", "theo"),
        Item(2, Modality.SPEECH, 3, "FSDD lucas, take 1", "lucas"),
    )
    return SweepResults(
        items=items,
        image_features=rng.integers(0, 256, (1, 28, 28), dtype=np.uint8),
        keys=("fsdd:7_theo_0.wav", "fsdd:3_lucas_1.wav"),
        embeddings=rng.standard_normal((2, 3, 128)).astype(np.float16),
        coordinates=rng.standard_normal((2, 3, 2)).astype(np.float32),
        lambdas=(0.0, 2.15e-2),
        rows=(
            SweepRow(0.0, 0, report(0.0, 0.5, 1.0, 0, (0.9, 0.45))),
            SweepRow(2.15e-2, 0, report(2.15e-2, 0.98, 0.55, 0, (0.8, 0.4))),
            SweepRow(2.15e-2, 1, report(2.15e-2, 0.99, 0.57, 1, (0.9, 0.45))),
        ),
        setting={"recipe": {"name": "fast"}, "steps": 1600},
        failures={"lambda-1-seed-0": "The loss is not finite."},
    )


def test_figures_are_means_over_seeds_with_their_spread(results):
    assert results.purity(2.15e-2).values == pytest.approx((0.98, 0.99))
    assert results.modality_svm(2.15e-2).mean == pytest.approx(0.56)
    assert results.modality_svm(2.15e-2).high > 0.57
    assert results.p_at_1(2.15e-2, Modality.IMAGE).values == pytest.approx((0.8, 0.9))
    assert results.p_at_1(2.15e-2, Modality.SPEECH).values == pytest.approx((0.4, 0.45))
    assert results.purity(0.0) == Interval(0.5, 0.5, 0.5, (0.5,))
    with pytest.raises(KeyError):
        results.purity(1.0)


def test_a_file_keeps_everything(results, tmp_path):
    results.save(tmp_path / "sweep.safetensors")
    loaded = SweepResults.load(tmp_path / "sweep.safetensors")
    for name in ("items", "keys", "lambdas", "rows", "setting", "failures"):
        assert getattr(loaded, name) == getattr(results, name)
    for name in ("image_features", "embeddings", "coordinates"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(results, name))
        assert getattr(loaded, name).dtype == getattr(results, name).dtype


def test_of_earlier_versions_the_gap_is_that_of_the_first_seeds_embeddings(results, tmp_path):
    old = [replace(row, report=replace(row.report, modality_gap=None)) for row in results.rows]
    replace(results, rows=tuple(old)).save(tmp_path / "sweep.safetensors")
    found = [row.sampled and row.sampled.gap for row in SweepResults.load(tmp_path / "sweep.safetensors").rows]
    assert found[2] is None, "no embeddings of the second seed's model are kept"
    for share, embeddings in zip(found, results.embeddings.astype(float), strict=False):
        centroid = embeddings[1:].mean(axis=0)
        between = ((embeddings[0] - centroid) ** 2).sum() / 4
        within = ((embeddings[1:] - centroid) ** 2).sum() / 2 / 2  # the one image varies not at all
        assert share == pytest.approx(between / (between + within))


def test_of_earlier_versions_p_at_1_by_samples_is_that_of_embeddings(results, tmp_path):
    rng = np.random.default_rng(0)
    points = np.zeros((2, 3, 128), np.float16)
    points[0] = rng.standard_normal(128)
    points[0, 2] *= -1  # the three lies opposite to both sevens
    points[1] = [points[0, 0], -points[0, 0], points[0, 0]]  # the seven's nearest utterance is the three
    old = [replace(row, report=replace(row.report, modality_gap=None)) for row in results.rows]
    bare = [
        replace(
            row,
            report=replace(
                row.report,
                image_to_speech=replace(row.report.image_to_speech, p_at_1_samples=None),
                speech_to_image=replace(row.report.speech_to_image, p_at_1_samples=None),
            ),
        )
        for row in old
    ]
    replace(results, rows=tuple(bare), embeddings=points).save(tmp_path / "sweep.safetensors")
    found = SweepResults.load(tmp_path / "sweep.safetensors").rows
    # The three has no image of its digit: of the two utterances at most one is right.
    assert [row.p_at_1_samples for row in found] == [pytest.approx(0.75), pytest.approx(0.25), None]


def test_where_reports_have_the_gap_embeddings_are_not_asked(results, tmp_path):
    results.save(tmp_path / "sweep.safetensors")
    assert {row.sampled for row in SweepResults.load(tmp_path / "sweep.safetensors").rows} == {None}


def test_another_file_is_no_sweep(tmp_path):
    path = tmp_path / "gallery.safetensors"
    write_atomically(path, {"image_features": np.zeros(1)}, {"format": "modinv-1", "kind": "gallery"})
    with pytest.raises(UnusableCheckpoint, match="is no sweep"):
        SweepResults.load(path)


def test_a_sweep_of_another_version_is_told(results, tmp_path):
    path = tmp_path / "sweep.safetensors"
    arrays = {"image_features": results.image_features, "labels": np.zeros(3, np.uint8)}
    write_atomically(path, arrays, {"format": "modinv-1", "kind": "sweep", "lambdas": [0.0]})
    with pytest.raises(UnusableCheckpoint, match="another version"):
        SweepResults.load(path)


def test_looking_at_results_needs_neither_torch_nor_scikit_learn():
    assert not imported_by("import model.evaluation.sweep_results") & {"torch", "sklearn", "PySide6"}
