"""Maps of one set of items as several models see them."""

import numpy as np

from model.sweeps.maps import aligned_maps


def test_maps_keep_places_while_clouds_part():
    """Ten digits, two modalities: together in the middle, apart at either end."""
    rng = np.random.default_rng(0)
    labels, speech = np.arange(200) % 10, np.arange(200) >= 100
    centres = rng.normal(scale=3.0, size=(10, 128))
    way = rng.normal(scale=1.0, size=128)
    embeddings = [
        (centres[labels] + np.outer(speech, apart * way) + rng.normal(scale=0.5, size=(200, 128))).astype(np.float32)
        for apart in (2.0, 0.0, 2.0)
    ]
    maps = aligned_maps(embeddings, 1)

    def place(map_, digit, side):
        return np.median(map_[(labels == digit) & (speech == side)], axis=0)

    size = np.ptp(maps[1], axis=0).max()
    for end in (maps[0], maps[2]):
        for digit in range(10):
            images, utterances, before = place(end, digit, False), place(end, digit, True), place(maps[1], digit, False)
            assert np.linalg.norm((images + utterances) / 2 - before) < 0.25 * size
    parted = [np.mean([np.linalg.norm(place(m, d, False) - place(m, d, True)) for d in range(10)]) for m in maps]
    assert min(parted[0], parted[2]) > 3 * parted[1]


def test_mapping_can_be_stopped():
    embeddings = [np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)] * 3
    assert aligned_maps(embeddings, 1, lambda: True) is None
