"""The greatest inner products are found exactly, of few and of many vectors."""

import numpy as np
import pytest

from model.bench.queries import large_gallery
from model.retrieval import inner_products
from model.retrieval.inner_products import InnerProductIndex
from model.types import Modality

COUNT = 10


def exact(query, vectors, among):
    return among[np.argsort(-(query * vectors[among]).sum(-1), kind="stable")[:COUNT]]


def found(index, query, vectors, among):
    some = index.greatest(query, COUNT, among)
    return exact(query, vectors, some), len(some)


@pytest.fixture(params=["few", "many"])
def size(request, monkeypatch):
    """With bounds and without."""
    if request.param == "many":
        monkeypatch.setattr(inner_products, "_LARGE", 100)
    return 2100


@pytest.mark.parametrize("dimensions", [8, 128], ids=["near a space", "anywhere"])
def test_what_the_sums_of_products_find_is_found(size, dimensions):
    """Also with ties, of which the first ones count, and among some vectors."""
    random = np.random.default_rng(0)
    space = np.linalg.qr(random.normal(size=(128, dimensions)))[0].T
    single = random.normal(size=(size // 3, dimensions)) @ space + 0.01 * random.normal(size=(size // 3, 128))
    vectors = np.repeat(single.astype(np.float32), 3, axis=0)
    index = InnerProductIndex(vectors)
    for among in (np.arange(size), np.flatnonzero(random.random(size) < 0.5)):
        for query in random.normal(size=(20, 128)).astype(np.float32):
            places, looked_at = found(index, query, vectors, among)
            np.testing.assert_array_equal(places, exact(query, vectors, among))
            assert looked_at < 2 * COUNT


def test_equal_vectors_are_all_found(size):
    vectors = np.ones((size, 128), np.float32)
    places, looked_at = found(InnerProductIndex(vectors), vectors[0], vectors, np.arange(size))
    assert (places.tolist(), looked_at) == ([*range(COUNT)], size)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_hide_nothing(size, value):
    vectors = np.random.default_rng(0).normal(size=(size, 128)).astype(np.float32)
    index = InnerProductIndex(vectors)
    query = vectors[0].copy()
    query[3] = value
    with np.errstate(invalid="ignore"):
        assert set(index.greatest(query, COUNT, np.arange(size)).tolist()) >= set(
            np.argsort(-(query * vectors).sum(-1), kind="stable")[:COUNT].tolist()
        )


def test_of_a_trained_models_embeddings_few_are_looked_at(monkeypatch):
    gallery, query = large_gallery(20_000)
    vectors, looked_at = gallery.means, []
    products = InnerProductIndex._products

    def counted(self, query, places):
        looked_at.append(len(places))
        return products(self, query, places)

    monkeypatch.setattr(InnerProductIndex, "_products", counted)
    matches = gallery.nearest(query, Modality.SPEECH, COUNT)
    assert [match.item.index for match in matches] == exact(query.means, vectors, np.arange(len(vectors))).tolist()
    assert max(looked_at) < len(vectors) // 10
