"""MNIST as a corpus: the bundled and the user's own copy, and damage."""

import gzip
import tracemalloc

import numpy as np
import pytest

from model import locations
from model.data.corpora import MissingData
from model.data.corpora.mnist import Mnist
from model.types import Modality


@pytest.mark.parametrize(
    ("split", "count", "ones"), [("train+validation", 60_000, 6_742), ("train", 55_000, 6_212), ("test", 10_000, 1_135)]
)
def test_mnist_has_its_official_sizes(split, count, ones):
    samples = Mnist().load(split)
    assert samples.features.shape == (count, 28, 28)
    assert samples.features.dtype == np.float32
    assert samples.features.min() == 0
    assert samples.features.max() == 1
    assert len(samples) == len(samples.sources) == count
    assert (samples.labels == 1).sum() == ones
    assert samples.sources[-1] == f"MNIST {split.partition('+')[0]} {count - 1}"
    assert samples.modality is Modality.IMAGE


def test_the_last_5000_of_mnists_training_images_are_for_validation():
    whole, held_out = Mnist().load("train+validation"), Mnist().load("validation")
    assert len(held_out) == 5_000
    assert np.array_equal(held_out.features, whole.features[55_000:])
    assert held_out.sources == whole.sources[55_000:]


def test_the_first_test_digits_are_the_known_ones():
    assert Mnist().load("test").labels[:5].tolist() == [7, 2, 1, 0, 4]


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def own_mnist(folder, images, labels):
    (folder / "mnist").mkdir(parents=True)
    for prefix in ("train", "t10k"):
        (folder / "mnist" / f"{prefix}-images-idx3-ubyte.gz").write_bytes(images)
        (folder / "mnist" / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(labels)


def test_the_users_copy_comes_before_the_bundled_one(tmp_path):
    own_mnist(tmp_path, idx(np.full((3, 28, 28), 51)), idx(np.array([4, 5, 6])))
    samples = Mnist(tmp_path).load("test")
    assert samples.labels.tolist() == [4, 5, 6]
    assert np.unique(samples.features).tolist() == pytest.approx([0.2])
    assert len(Mnist(tmp_path / "elsewhere").load("test")) == 10_000


def _cut(content):
    return content[: len(content) // 2]


def _not_gzip(_):
    return b"<html>Not found</html>"


def _short(_):
    return gzip.compress(b"\0\0")


def _fewer_than_promised(content):
    return gzip.compress(gzip.decompress(content)[:-100])


@pytest.mark.parametrize("damage", [_cut, _not_gzip, _short, _fewer_than_promised])
def test_damaged_mnist_is_named_with_what_to_do(tmp_path, damage):
    own_mnist(tmp_path, damage(idx(np.zeros((3, 28, 28)))), idx(np.zeros(3)))
    with pytest.raises(MissingData, match=r"train-images-idx3-ubyte\.gz is damaged.*delete .*mnist to use the bundled"):
        Mnist(tmp_path).load("train")


def raw(magic, *numbers, count=3, size=784):
    return gzip.compress(bytes(magic) + np.array(numbers, ">u4").tobytes() + bytes(count * size), 1, mtime=0)


IMAGES, LABELS = idx(np.zeros((3, 28, 28))), idx(np.zeros(3))


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (raw([0, 0, 9, 3], 3, 28, 28), LABELS, "images.* is damaged: it is no IDX file of unsigned bytes, n x 28 x 28"),
        (raw([0, 0, 8, 3], 3, 28, 14), LABELS, "images.* is damaged: it is no IDX file"),
        (raw([0, 0, 8, 2], 3, 784), LABELS, "images.* is damaged: it is no IDX file"),
        (raw([0, 0, 8, 3], 0, 28, 28, count=0), LABELS, "claims to hold 0 items"),
        (raw([0, 0, 8, 3], 2**32 - 1, 28, 28), LABELS, "claims to hold 4,294,967,295 items, where MNIST has 60,000"),
        (raw([0, 0, 8, 3], 4, 28, 28), LABELS, "more or less than the 4 items"),
        (raw([0, 0, 8, 3], 2, 28, 28), LABELS, "more or less than the 2 items"),
        (IMAGES + b"more", LABELS, "more or less than the 3 items"),
        (IMAGES[:-8], LABELS, "is cut off"),
        (IMAGES, raw([0, 0, 8, 1], 4, count=4, size=1), "images.* holds 3 images, .*labels.* 4 labels.*delete"),
        (IMAGES, idx(np.array([1, 200, 3])), "labels.* holds the label 200, which is no digit"),
        (IMAGES, IMAGES, "labels.* is damaged: it is no IDX file of unsigned bytes, n"),
    ],
)
def test_what_is_not_in_the_form_of_mnist_is_refused(tmp_path, images, labels, words):
    own_mnist(tmp_path, images, labels)
    with pytest.raises(MissingData, match=words):
        Mnist(tmp_path).load("train")


def test_no_more_of_mnist_is_unpacked_than_there_may_be(tmp_path):
    own_mnist(tmp_path, raw([0, 0, 8, 3], 200_000, 28, 28, count=200_000), LABELS)
    tracemalloc.start()
    with pytest.raises(MissingData, match="200,000 items"):
        Mnist(tmp_path).load("train")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150_000_000


def test_half_a_copy_of_mnist_is_named(tmp_path):
    own_mnist(tmp_path, idx(np.zeros((3, 28, 28))), idx(np.zeros(3)))
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MissingData, match="t10k-labels"):
        Mnist(tmp_path).load("test")


def test_missing_mnist_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "assets", lambda: tmp_path)
    assert Mnist(tmp_path).location() is None
    with pytest.raises(MissingData, match=r"[Ii]nstall the application again"):
        Mnist(tmp_path).load("train")


# FSDD
