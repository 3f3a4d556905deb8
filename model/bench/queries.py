"""What answering costs: pictures and recordings of the shipped gallery, and nearest items of large galleries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

import numpy as np
import psutil

from model import locations
from model.bench.measuring import Row, Unmeasured, in_turn, percentiles
from model.data.corpora import recording
from model.networks.architecture import EMBEDDING_SIZE
from model.retrieval.gallery import Gallery, make_items
from model.retrieval.retriever import Retriever
from model.similarity import Gaussians
from model.systems.encoder_io import load_encoder
from model.types import Answer, Modality

SIZES = (70_000, 1_000_000)
"""Items of large galleries: as many as MNIST has, and a million."""

_KINDS = {Modality.IMAGE: "Picture", Modality.SPEECH: "Recording"}
_ENLARGED = 4  # pictures: to 112 x 112, as drawings come from the canvas
_NEAREST = 10
_ROOM = 3  # memory that has to be free for a gallery, as a multiple of its embeddings


def load() -> Retriever:
    """The shipped model and gallery."""
    return Retriever(*load_encoder(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))


def question(retriever: Retriever, index: int) -> Callable[[], Answer]:
    """What asks an item of the shipped gallery as a raw picture or recording, which has been read already."""
    gallery = retriever.gallery
    if gallery.items[index].modality is Modality.IMAGE:
        picture = np.kron(gallery.image_features[index], np.ones((_ENLARGED, _ENLARGED), np.uint8))
        return lambda: retriever.ask_picture(picture, _NEAREST)
    sound, rate = recording(gallery.key(index))
    return lambda: retriever.ask_sound(sound, rate, _NEAREST)


def measure_queries(repeats: int) -> Iterator[Row]:
    """Queries from raw input to matches, over the encoder's forward pass for one input alone."""
    retriever = load()
    for modality in Modality:
        places = retriever.gallery.places(modality)
        indices = np.linspace(places.start, places.stop - 1, repeats).astype(int).tolist()
        questions = [question(retriever, index) for index in indices]
        features = [retriever.gallery.features(index)[None] for index in indices]

        def ask(number: int) -> Answer:
            return questions[number]()  # noqa: B023 (called before the next modality)

        def encode(number: int) -> Gaussians:
            return retriever.encoder.encode(modality, features[number])  # noqa: B023

        asked, encoded = (percentiles(seconds) for seconds in in_turn(repeats, ask, encode))
        for name in asked:
            yield Row(
                f"{_KINDS[modality]} to matches, {name}",
                1000 * asked[name],
                "ms",
                f"the encoder's forward pass, {name}",
                1000 * encoded[name],
            )


def measure_searches(repeats: int) -> Iterator[Row | Unmeasured]:
    """Nearest items of large galleries, over reading all their embeddings once."""
    for size in SIZES:
        needed = _ROOM * size * EMBEDDING_SIZE * np.float32().itemsize
        if psutil.virtual_memory().available < needed:
            yield Unmeasured(
                f"The nearest of {size:,} items were not looked for: {needed / 2**30:.1f} GiB are needed, and not free."
            )
            continue
        gallery, query = large_gallery(size)
        embeddings = gallery.means.reshape(-1)
        found, read = in_turn(
            repeats,
            lambda _number: gallery.nearest(query, Modality.SPEECH, _NEAREST),  # noqa: B023 (called in this round)
            lambda _number: embeddings @ embeddings,  # noqa: B023
        )
        yield Row(
            f"Nearest {_NEAREST} of {size:,} items",
            1000 * float(np.median(found)),
            "ms",
            "reading them once",
            1000 * float(np.median(read)),
        )


def large_gallery(size: int) -> tuple[Gallery, Gaussians]:
    """So many utterances, and a picture to find the nearest of.

    Embeddings lie between those of two utterances of a digit in the shipped gallery: random ones would not lie near a
    space of a few dimensions, as those of a trained model do. What a search does not read takes no memory.
    """
    shipped, random = Gallery.load(locations.shipped_gallery()), np.random.default_rng(0)
    utterances = shipped.posteriors(Modality.SPEECH).means
    labels = np.array([item.label for item in shipped.items[shipped.places(Modality.SPEECH)]])
    digits = np.arange(size) % 10
    means = np.empty((size, utterances.shape[1]), np.float32)
    for digit in range(10):
        of_digit, places = utterances[labels == digit], np.flatnonzero(digits == digit)
        one, other = (of_digit[random.integers(len(of_digit), size=len(places))] for _ in range(2))
        means[places] = one + random.random((len(places), 1), np.float32) * (other - one)
    gallery = Gallery(
        make_items(0, digits.tolist(), repeat("between", size), repeat("", size)),
        np.zeros((0, 28, 28), np.uint8),
        np.broadcast_to(np.float16(0), (size, 100, 80)),
        means,
        np.broadcast_to(np.float32(0), means.shape),
        ("",) * size,
        {},
        {},
    )
    return gallery, Gaussians(*(side[0] for side in shipped.posteriors(Modality.IMAGE)))
