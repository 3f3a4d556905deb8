"""Nearest neighbours across modalities, and the file that holds them."""

from dataclasses import replace

import numpy as np
import pytest

from model.checkpoints import FORMAT, UnusableCheckpoint, write_atomically
from model.retrieval.gallery import Gallery
from model.similarity import Gaussians
from model.types import Item, Modality

ABOUT = {"recipe": "test", "lambda_ig": 0.1, "seed": 3, "step": 4}


def gallery(means):
    """Three images, then utterances, with these means."""
    count = len(means)
    rng = np.random.default_rng(0)
    items = [Item(i, Modality.IMAGE, 7 - i, f"MNIST {i}") for i in range(3)]
    items += [Item(i, Modality.SPEECH, i, f"Voice {i}", f"speaker {i}") for i in range(3, count)]
    return Gallery(
        tuple(items),
        rng.integers(0, 256, (3, 28, 28), np.uint8),
        rng.normal(size=(count - 3, 100, 80)).astype(np.float16),
        np.asarray(means, np.float32),
        np.full((count, len(means[0])), -2, np.float32),
        tuple(f"voices:{i}" for i in range(3, count)),
        ABOUT,
        {"pca.axes": np.eye(2, dtype=np.float32), "t-sne": np.arange(4, dtype=np.float64)},
    )


@pytest.fixture
def plain():
    #                images                    utterances
    return gallery([[5, 0], [0, 5], [9, 9], [1, 0], [0, 1], [3, 3], [-1, 0], [1, 0]])


def at(mean, variance=1.0):
    """A query."""
    return Gaussians(np.array(mean, np.float32), np.full(len(mean), np.log(variance), np.float32))


def found(matches):
    return [(match.item.index, match.score) for match in matches]


def test_the_greatest_dot_products_of_the_other_modality_come_first(plain):
    query = [2, 1]
    assert found(plain.nearest(at(query), Modality.SPEECH, 3)) == [(5, 9.0), (3, 2.0), (7, 2.0)]
    assert found(plain.nearest(at(query), Modality.IMAGE, 2)) == [(2, 27.0), (0, 10.0)]


def test_it_is_the_dot_product_and_not_the_angle(plain):
    assert found(plain.nearest(at([1, 0]), Modality.SPEECH, 1)) == [(5, 3.0)]


def test_matches_are_ranked_by_the_similarity_of_the_model(plain):
    cosine = replace(plain, similarity="cosine")
    assert found(cosine.nearest(at([1, 0]), Modality.SPEECH, 1)) == [(3, 1.0)], "the first of the same direction"
    wide = np.where(np.arange(8) == 7, 2.0, 0.0)[:, None] * np.ones(2)
    distance = replace(plain, similarity="wasserstein", log_variances=wide.astype(np.float32))
    matches = distance.nearest(at([1, 0]), Modality.SPEECH, 5)
    assert matches[0].item.index == 3, "item 7 has the same mean, but another variance"
    assert matches[0].score == 0


def test_equals_keep_the_order_of_the_gallery():
    levels = np.random.default_rng(2).integers(0, 3, 600)
    equal = gallery([[level, 0] for level in levels])
    indices = [match.item.index for match in equal.nearest(at([1, 1]), Modality.SPEECH, 597)]
    assert indices == sorted(range(3, 600), key=lambda index: -levels[index])


def test_no_more_is_returned_than_there_is(plain):
    assert len(plain.nearest(at([1, 1]), Modality.IMAGE, 50)) == 3
    assert len(plain.nearest(at([1, 1]), Modality.SPEECH, 50)) == 5
    assert plain.nearest(at([1, 1]), Modality.SPEECH, 0) == ()


def test_matches_carry_the_items(plain):
    match = plain.nearest(at([0, 1]), Modality.IMAGE, 1)[0]
    assert match.item is plain.items[2]
    assert isinstance(match.score, float)


def test_features_are_what_the_encoder_sees(plain):
    image = plain.features(1)
    assert (image.shape, image.dtype) == ((28, 28), np.float32)
    np.testing.assert_array_equal(image, plain.image_features[1] / np.float32(255))
    spoken = plain.features(3)
    assert (spoken.shape, spoken.dtype) == ((100, 80), np.float32)
    np.testing.assert_array_equal(spoken, plain.speech_features[0].astype(np.float32))
    with pytest.raises(IndexError):
        plain.features(8)


def test_utterances_have_a_key_and_images_have_none(plain):
    assert [plain.key(index) for index in range(3, 8)] == [f"voices:{i}" for i in range(3, 8)]
    for index in range(3):
        with pytest.raises(IndexError, match="is an image"):
            plain.key(index)


def test_everything_comes_back_from_a_file(plain, tmp_path):
    plain.save(tmp_path / "g.safetensors")
    loaded = Gallery.load(tmp_path / "g.safetensors")
    assert loaded.items == plain.items
    assert loaded.keys == plain.keys
    assert loaded.model == ABOUT
    assert set(loaded.maps) == set(plain.maps)
    for name, array in plain.maps.items():
        np.testing.assert_array_equal(loaded.maps[name], array)
        assert loaded.maps[name].dtype == array.dtype
    assert loaded.similarity == "dot"
    for name in ("image_features", "speech_features", "means", "log_variances"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(plain, name))
        assert getattr(loaded, name).dtype == getattr(plain, name).dtype


def test_another_models_posteriors_keep_the_items_and_drop_the_maps(plain):
    means, spreads = np.ones((8, 2), np.float32), np.zeros((8, 2), np.float32)
    other = plain.with_posteriors(Gaussians(means, spreads), {"recipe": "other"}, "cosine")
    assert other.items is plain.items
    assert other.keys is plain.keys
    assert (other.means is means, other.log_variances is spreads) == (True, True)
    assert other.model == {"recipe": "other"}
    assert other.similarity == "cosine"
    assert not other.maps
    assert plain.maps
    assert plain.model == ABOUT


def test_maps_are_replaced(plain):
    maps = {"new": np.zeros(1)}
    assert plain.with_maps(maps).maps == maps
    assert plain.with_maps(maps).means is plain.means


def test_a_model_is_no_gallery(tmp_path):
    write_atomically(tmp_path / "model.safetensors", {}, {"format": FORMAT})
    with pytest.raises(UnusableCheckpoint, match=r"model\.safetensors is no gallery"):
        Gallery.load(tmp_path / "model.safetensors")


def test_a_damaged_gallery_is_named(plain, tmp_path):
    path = tmp_path / "g.safetensors"
    plain.save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UnusableCheckpoint, match=r"g\.safetensors"):
        Gallery.load(path)


def test_the_similarity_is_kept_and_one_that_is_not_known_is_refused(plain, tmp_path):
    path = tmp_path / "g.safetensors"
    replace(plain, similarity="jeffreys").save(path)
    assert Gallery.load(path).similarity == "jeffreys"
    replace(plain, similarity="taste").save(path)
    with pytest.raises(UnusableCheckpoint, match="similarity"):
        Gallery.load(path)
