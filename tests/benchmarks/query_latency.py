"""A query from raw picture or sound to matches, as a multiple of the encoder's forward pass alone."""

import argparse
import json
import time

import numpy as np

from model import locations
from model.data.corpora import recording
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.systems.encoder_io import load_encoder
from model.types import Modality
from tests.benchmarks.machine import about, percentiles, seconds


def main() -> None:
    """Print JSON: milliseconds of queries and of the forward pass, p50 and p95, and their ratio."""
    parser = argparse.ArgumentParser(description="Queries, as multiples of the encoder's forward pass alone.")
    parser.add_argument("--repeats", type=int, default=100, help="of each kind; two at least")
    repeats = parser.parse_args().repeats
    started = time.perf_counter()
    retriever = Retriever(*load_encoder(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))
    retriever.warm_up()
    report: dict[str, object] = {"machine": about(), "load_seconds": time.perf_counter() - started}
    picture = np.zeros((400, 400), np.uint8)
    picture[60:340, 185:215] = 255
    sound, rate = recording(retriever.gallery.key(len(retriever.gallery.image_features)))
    for modality, size, ask in (
        (Modality.IMAGE, (1, 28, 28), lambda: retriever.ask_picture(picture)),
        (Modality.SPEECH, (1, 100, 80), lambda: retriever.ask_sound(sound, rate)),
    ):
        features = np.random.default_rng(0).random(size, np.float32)
        query = percentiles(seconds(ask, repeats))
        forward = percentiles(seconds(lambda: retriever.encoder.encode(modality, features), repeats))  # noqa: B023
        report[modality] = {
            "query_milliseconds": {name: 1000 * value for name, value in query.items()},
            "forward_milliseconds": {name: 1000 * value for name, value in forward.items()},
            "ratio": {name: query[name] / forward[name] for name in query},
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
