"""QMNIST, NIST, EMNIST and USPS: small files like theirs, packed as they are published and as torchvision has them."""

import bz2
import gzip
import lzma
import os
import zipfile

import numpy as np
import pytest

from model.data.corpora import MissingData, find
from model.data.corpora.emnist import Emnist
from model.data.corpora.mnist import Mnist
from model.data.corpora.qmnist import Nist, Qmnist
from model.data.corpora.usps import Usps
from model.types import Modality


def idx(array, code=8):
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype({8: np.uint8, 12: ">i4"}[code]).tobytes()


def images_of(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28))


def columns(digits, series=None, writers=None):
    """Labels of QMNIST: digit, series, writer, and five more columns."""
    labels = np.zeros((len(digits), 8), int)
    labels[:, 0] = digits
    labels[:, 1] = 0 if series is None else series
    labels[:, 2] = 2000 if writers is None else writers
    labels[:, 5] = 300_000
    return labels


def write(folder, pack=gzip.compress, suffix=".gz", **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / (name.replace("_", "-") + suffix)).write_bytes(pack(content))


def write_qmnist(folder, **options):
    for part, count in (("train", 6), ("test", 4)):
        write(
            folder,
            **{
                f"qmnist_{part}_images_idx3_ubyte": idx(images_of(count)),
                f"qmnist_{part}_labels_idx2_int": idx(columns(np.arange(count)), 12),
            },
            **options,
        )


@pytest.mark.parametrize("place", ["qmnist", "QMNIST/raw"])
@pytest.mark.parametrize("options", [{}, {"pack": bytes, "suffix": ""}])
def test_qmnist_is_read_packed_and_as_torchvision_unpacks_it(tmp_path, place, options):
    write_qmnist(tmp_path / place, **options)
    corpus = Qmnist(tmp_path)
    assert corpus.location() == tmp_path / place
    train, held_out, test = (corpus.load(split) for split in ("train", "validation", "test"))
    assert (train.labels.tolist(), held_out.labels.tolist(), test.labels.tolist()) == (
        [0, 1, 2],
        [3, 4, 5],
        [0, 1, 2, 3],
    )
    np.testing.assert_allclose(test.features, images_of(4) / 255, atol=1e-6)
    assert test.sources[3] == "QMNIST test 3"
    assert (train.modality, train.corpus) == (Modality.IMAGE, "qmnist")
    assert corpus.load("train+validation").labels.tolist() == [0, 1, 2, 3, 4, 5]


def test_labels_of_another_type_are_named(tmp_path):
    write_qmnist(tmp_path / "qmnist")
    write(tmp_path / "qmnist", qmnist_train_labels_idx2_int=idx(np.arange(6)))
    with pytest.raises(MissingData, match=r"train-labels-idx2-int\.gz is damaged: it is no IDX file of 32-bit.*Get QM"):
        Qmnist(tmp_path).load("train")


def test_a_negative_label_is_no_digit(tmp_path):
    write_qmnist(tmp_path / "qmnist")
    write(tmp_path / "qmnist", qmnist_test_labels_idx2_int=idx(columns([0, 1, -1, 3]), 12))
    with pytest.raises(MissingData, match="holds the label -1, which is no digit"):
        Qmnist(tmp_path).load("test")


def write_nist(folder, **options):
    labels = columns(np.arange(8), [0, 0, 1, 1, 4, 4, 6, 7], [10, 11, 12, 20, 30, 31, 40, 41])
    write(
        folder,
        **{"xnist_images_idx3_ubyte": idx(images_of(8)), "xnist_labels_idx2_int": idx(labels, 12)},
        **{"pack": lzma.compress, "suffix": ".xz"} | options,
    )


@pytest.mark.parametrize("place", ["nist", "qmnist", "QMNIST/raw"])
def test_the_digits_of_nist_are_split_by_series_and_writer(tmp_path, place):
    write_nist(tmp_path / place)
    splits = {split: Nist(tmp_path).load(split) for split in ("train", "validation", "test", "train+validation")}
    assert {split: samples.labels.tolist() for split, samples in splits.items()} == {
        "train": [1, 2, 7],
        "validation": [0, 3, 6],
        "test": [4, 5],
        "train+validation": [0, 1, 2, 3, 6, 7],
    }
    np.testing.assert_allclose(splits["test"].features, images_of(8)[4:6] / 255, atol=1e-6)
    assert splits["test"].sources == ("NIST 4", "NIST 5")


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed + b"more", lambda _: b"<html>"])
def test_a_damaged_xz_is_named(tmp_path, damage):
    write_nist(tmp_path / "nist", pack=lambda content: damage(lzma.compress(content)))
    with pytest.raises(MissingData, match=r"xnist-images-idx3-ubyte\.xz is damaged: .*Get NIST digits again"):
        Nist(tmp_path).load("test")


def emnist_files():
    return {
        f"emnist-digits-{part}-{kind}.gz": gzip.compress(idx(array))
        for part, count in (("train", 4), ("test", 2))
        for kind, array in (
            ("images-idx3-ubyte", images_of(count).transpose(0, 2, 1)),
            ("labels-idx1-ubyte", np.arange(count)),
        )
    }


@pytest.mark.parametrize("packed", [True, False])
def test_emnist_stands_upright_from_its_archive_and_its_files(tmp_path, packed):
    home = tmp_path / "emnist"
    home.mkdir()
    if packed:
        with zipfile.ZipFile(home / "gzip.zip", "w") as archive:
            for name, content in emnist_files().items():
                archive.writestr(f"gzip/{name}", content)
    else:
        for name, content in emnist_files().items():
            (home / name).write_bytes(content)
    train, held_out, test = (Emnist(tmp_path).load(split) for split in ("train", "validation", "test"))
    np.testing.assert_allclose(test.features, images_of(2) / 255, atol=1e-6)
    assert (train.labels.tolist(), held_out.labels.tolist(), test.labels.tolist()) == ([0, 1], [2, 3], [0, 1])
    assert test.sources == ("EMNIST digits test 0", "EMNIST digits test 1")


def test_an_archive_of_another_part_of_emnist_is_told(tmp_path):
    (tmp_path / "emnist").mkdir()
    with zipfile.ZipFile(tmp_path / "emnist" / "gzip.zip", "w") as archive:
        archive.writestr("gzip/emnist-letters-train-images-idx3-ubyte.gz", b"")
    with pytest.raises(MissingData, match=r"gzip\.zip holds no emnist-digits-train-images-idx3-ubyte.*Get EMNIST"):
        Emnist(tmp_path).load("train")


def line(label, ink, sparse=False):
    """A line of LIBSVM's file: the label from 1, and values in [-1, 1] by place."""
    values = 2 * ink.ravel() - 1
    pairs = [f"{place + 1}:{value:.6g}" for place, value in enumerate(values) if value or not sparse]
    return f"{label + 1} {' '.join(pairs)} \n".encode()


def bar(left=6, width=3):
    ink = np.zeros((16, 16))
    ink[:, left : left + width] = 1
    return ink


@pytest.mark.parametrize(("pack", "suffix"), [(bz2.compress, ".bz2"), (bytes, "")])
def test_usps_is_put_into_the_frame_of_mnist(tmp_path, pack, suffix):
    (tmp_path / "usps").mkdir()
    half = bar() / 2
    train = b"".join([line(9, bar(0)), line(0, half, sparse=True), line(1, bar(13)), line(1, np.zeros((16, 16)))])
    (tmp_path / "usps" / f"usps{suffix}").write_bytes(pack(train))
    (tmp_path / "usps" / f"usps.t{suffix}").write_bytes(pack(line(7, bar())))
    corpus = Usps(tmp_path)
    samples = corpus.load("train+validation")
    assert samples.labels.tolist() == [9, 0, 1, 1]
    assert (corpus.load("test").labels.tolist(), corpus.load("validation").labels.tolist()) == ([7], [1, 1])
    assert samples.features.shape == (4, 28, 28)
    assert samples.features.dtype == np.float32
    # Wherever a bar was, it stands 20 pixels tall in the middle, as in MNIST.
    assert np.array_equal(samples.features[0], samples.features[2])
    rows, columns = (np.flatnonzero(samples.features[0].sum(axis) > 0.5) for axis in (1, 0))
    assert (rows.min(), rows.max()) == (4, 23)
    assert columns.mean() == pytest.approx(13.5, abs=0.6)
    assert samples.features[0].max() == 1
    assert samples.features[1].max() == pytest.approx(0.5, abs=0.01)
    assert samples.features[3].max() == 0
    assert samples.sources[0] == "USPS train 0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "it is empty"),
        (b"<html>Not found</html>\n", "line 1 is no digit of 16 x 16 pixels"),
        (line(3, bar()) + b"12 1:0\n", "line 2 is no digit"),
        (b"4 257:1\n", "line 1 is no digit"),
        (b"4 0:1\n", "line 1 is no digit"),
        (b"4 1:2\n", "line 1 is no digit"),
        (b"4 1:nan\n", "line 1 is no digit"),
        (b"4 1:\n", "line 1 is no digit"),
    ],
)
def test_what_is_no_usps_is_named(tmp_path, text, words):
    write(tmp_path / "usps", bz2.compress, ".bz2", usps=text)
    with pytest.raises(MissingData, match=rf"usps\.bz2 is damaged: {words}.*Get USPS again"):
        Usps(tmp_path).load("train")


def test_a_torn_bzip2_is_named(tmp_path):
    write(tmp_path / "usps", lambda text: bz2.compress(text)[:-20], ".bz2", usps=line(3, bar()) * 40)
    with pytest.raises(MissingData, match=r"usps\.bz2 is damaged: it is cut off"):
        Usps(tmp_path).load("train")


@pytest.mark.parametrize("kind", [Qmnist, Nist, Emnist, Usps])
def test_what_is_not_installed_says_where_to_get_it_and_what_to_put_where(tmp_path, kind):
    assert find(kind.info.name) is kind
    assert kind(tmp_path).location() is None
    with pytest.raises(MissingData) as told:
        kind(tmp_path).load("train")
    for part in (kind.info.origin, kind.info.layout, str(tmp_path / kind.info.name)):
        assert part in str(told.value)


def test_mnist_is_read_as_torchvision_unpacks_it(tmp_path):
    for prefix in ("train", "t10k"):
        write(
            tmp_path / "MNIST" / "raw",
            bytes,
            "",
            **{
                f"{prefix}_images_idx3_ubyte": idx(images_of(3)),
                f"{prefix}_labels_idx1_ubyte": idx(np.array([4, 5, 6])),
            },
        )
    assert Mnist(tmp_path).load("test").labels.tolist() == [4, 5, 6]


def test_a_pipe_is_not_waited_for(tmp_path):

    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes on this system")
    write_qmnist(tmp_path / "qmnist")
    (tmp_path / "qmnist" / "qmnist-test-images-idx3-ubyte.gz").unlink()
    os.mkfifo(tmp_path / "qmnist" / "qmnist-test-images-idx3-ubyte.gz")
    with pytest.raises(MissingData, match="it is not a file"):
        Qmnist(tmp_path).load("test")
