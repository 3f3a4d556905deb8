"""Make what ships: the trained model with its metrics, and the gallery with its maps.

``python scripts/make_model.py RUN --data-dir DATA`` does all of it: it trains FAST on MNIST, FSDD and the synthetic
training voices in the folder RUN (or goes on where it was interrupted), judges the model on unseen data, and writes
``assets/model.safetensors`` and ``assets/gallery.safetensors``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from model import locations
from model.commands.train import train
from model.datasets import Corpus, Fsdd, Mnist, Samples, Voices
from model.encoders import Encoders
from model.evaluation import Posteriors, evaluate
from model.gallery import Gallery
from model.projection import NeighbourMap, PrincipalComponents, Projection
from model.retrieval import build_gallery
from model.trained import load_model, save_model

IMAGES_PER_DIGIT = 100
UTTERANCES_PER_DIGIT = 60
SEED = 0

console = Console(stderr=True)


def main(
    run: Annotated[Path, typer.Argument(help="Folder of the training run.")], data_dir: Path | None = None
) -> None:
    """Train, judge and ship."""
    train(out=run, seed=SEED, data_dir=data_dir)
    encoders, header = load_model(run / "model.safetensors")
    images = Mnist(data_dir)
    test_speech: dict[str, Corpus] = {
        "mnist+fsdd": Fsdd(data_dir),
        "mnist+voices": Voices(),
        "mnist+voices, unheard engine": Voices(engine_only=True),
    }
    setting = {"lambda_ig": header.recipe["lambda_ig"]}
    metrics = {name: judge(encoders, images, speech, setting) for name, speech in test_speech.items()}
    console.print(metrics)
    header = replace(header, metrics=metrics)
    save_model(locations.shipped_model(), encoders, header)
    # The gallery is encoded by the weights that ship, which are rounded to 16 bits.
    encoders, header = load_model(locations.shipped_model())
    gallery = build_gallery(
        encoders,
        header,
        spread(images.load("test"), IMAGES_PER_DIGIT),
        spread(Voices().load("test"), UTTERANCES_PER_DIGIT),
    )
    gallery.with_maps(maps_of(gallery)).save(locations.shipped_gallery())
    console.print(f"Wrote {locations.shipped_model()} and {locations.shipped_gallery()}.")


def judge(encoders: Encoders, images: Corpus, speech: Corpus, setting: dict[str, Any]) -> dict[str, Any]:
    """The paper's protocol on the test splits of two corpora."""

    def posteriors(corpus: Corpus) -> Posteriors:
        samples = corpus.load("test")
        posterior = encoders.encode(samples.modality, samples.features)
        labels, speakers = samples.labels.numpy(), samples.speakers
        return Posteriors(posterior.mean.numpy(), posterior.log_variance.numpy(), labels, speakers)

    return evaluate(posteriors(images), posteriors(speech), SEED, setting).to_json_dict()


def spread(samples: Samples, per_digit: int) -> Samples:
    """Some samples of each digit, drawn with the seed, in digit order."""
    generator = torch.Generator().manual_seed(SEED)
    chosen: list[int] = []
    for digit in range(10):
        places = torch.nonzero(samples.labels == digit).flatten()
        drawn = places[torch.randperm(len(places), generator=generator)[:per_digit]]
        chosen.extend(sorted(drawn.tolist()))
    return samples.only(chosen)


def maps_of(gallery: Gallery) -> dict[str, Any]:
    """Both projections of a gallery's means, as arrays whose names begin with the kind of map."""
    neighbours = NeighbourMap.fit(gallery.means, seed=SEED)
    assert neighbours is not None, "nothing asked the fit to stop"
    maps: dict[str, Projection] = {"PCA": PrincipalComponents.fit(gallery.means), "t-SNE": neighbours}
    return {f"{kind}/{name}": array for kind, fitted in maps.items() for name, array in fitted.to_arrays().items()}


if __name__ == "__main__":
    typer.run(main)
