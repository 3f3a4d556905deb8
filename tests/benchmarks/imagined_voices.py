"""How many iterations of Griffin and Lim a voice needs: ``python -m tests.benchmarks.imagined_voices``.

Validation images of MNIST are decoded to filterbanks by the shipped decoders, and validation recordings of FSDD and the
synthetic voices give real ones. All are made sound with so many iterations, and the shipped model is asked what it
hears, with its detector of speech. Prints JSON: by iterations, the shares that are heard as their digit, rejected, and
no speech to the detector; and milliseconds of processor time for one sound.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model import locations
from model.data.speech import SAMPLE_RATE, UnusableAudio
from model.evaluation.inputs import load_inputs
from model.generation import waveform
from model.generation.generator import Generator
from model.retrieval.gallery import Gallery
from model.retrieval.retriever import Retriever
from model.systems.encoder_io import load_encoder
from model.types import FloatArray, Modality

_CORPORA = ("fsdd", "voices")
_SILENCE = SAMPLE_RATE // 5  # around a sound


def heard(retriever: Retriever, filterbanks: FloatArray, labels: np.ndarray, iterations: int) -> dict[str, Any]:
    """What the model hears of filterbanks ``(n, 100, 80)`` that are made sound."""
    waveform._ITERATIONS = iterations
    right = rejected = no_speech = 0
    seconds = []
    for filterbank, label in zip(filterbanks, labels, strict=True):
        began = time.thread_time()
        sound = waveform.to_waveform(filterbank)
        seconds.append(time.thread_time() - began)
        try:
            answer = retriever.ask_sound(np.pad(sound, _SILENCE), SAMPLE_RATE)
        except UnusableAudio:
            no_speech += 1
            continue
        right += answer.nearest == label
        rejected += answer.rejected
    shares = {"right": right, "rejected": rejected, "no_speech": no_speech}
    return {
        **{name: round(count / len(labels), 3) for name, count in shares.items()},
        "milliseconds": round(1000 * float(np.median(seconds)), 1),
        "count": len(labels),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How many iterations of Griffin and Lim a voice needs.")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--inputs", type=int, default=300, help="images, and recordings")
    parser.add_argument("--iterations", type=int, nargs="+", default=[0, 1, 2, 4, 8, 16, 32])
    options = parser.parse_args()
    torch.set_num_threads(1)
    retriever = Retriever(*load_encoder(locations.shipped_model()), Gallery.load(locations.shipped_gallery()))
    generator = Generator.load(locations.shipped_decoders())
    chosen = np.random.default_rng(0)
    images = load_inputs(Modality.IMAGE, "mnist", "validation", folder=options.data_dir)
    images = images.only(chosen.choice(len(images), options.inputs, replace=False).tolist())
    embeddings = retriever.encoder.encode(Modality.IMAGE, images.features).means
    spoken = [load_inputs(Modality.SPEECH, corpus, "validation", folder=options.data_dir) for corpus in _CORPORA]
    share = options.inputs // len(spoken)
    spoken = [each.only(chosen.choice(len(each), share, replace=False).tolist()) for each in spoken]
    real, labels = (np.concatenate([getattr(each, name) for each in spoken]) for name in ("features", "labels"))
    imagined = generator.filterbanks(embeddings)
    report = {
        str(iterations): {
            "imagined": heard(retriever, imagined, images.labels, iterations),
            "real": heard(retriever, real, labels, iterations),
        }
        for iterations in options.iterations
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
