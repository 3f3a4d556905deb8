"""Make the shipped model with its metrics, and the gallery with its maps.

``python scripts/make_model.py RUN --data-dir DATA`` does everything: it trains ROBUST on MNIST, FSDD, the training
voices, the training speakers of ``wild``, and the corpus ``accents`` that ``make_accents.py`` makes, in two runs in
the folder RUN (or resumes them), evaluates the model on unseen data, and writes ``assets/model.safetensors`` and
``assets/gallery.safetensors``.

Without RUN, ``python scripts/make_model.py --data-dir DATA`` evaluates the shipped model again and writes the
reports into its header; its weights remain unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from fit_confidence import fit_confidence
from rich.console import Console
from rich.text import Text

from model import locations
from model.checkpoints import read, write_atomically
from model.cli.console import progress_text
from model.cli.train import train
from model.data.corpora.mnist import Mnist
from model.data.corpora.voices import Voices
from model.data.corpora.wild import Wild
from model.data.samples import Samples
from model.evaluation import EvaluationProtocol, Posteriors, evaluate
from model.evaluation.checkpoints import evaluate_checkpoint
from model.evaluation.inputs import fingerprint, speakers_of
from model.evaluation.recognition import recognise
from model.progress import JobContext
from model.recipes.recipe import ROBUST
from model.retrieval.gallery import Gallery
from model.retrieval.projection import NeighbourMap, PrincipalComponents, Projection
from model.retrieval.retriever import build_gallery
from model.systems.encoder_io import load_encoder
from model.systems.model_io import best_device, load_model

IMAGES_PER_DIGIT = 100
UTTERANCES_PER_DIGIT = 60
SEED = 0
CORPORA = "mnist,fsdd,voices,wild,accents"

_DISTORTIONS = ("distorted", "time_shift", "time_stretch", "frequency_warp", "frequency_mask")
_UNDISTORTED = ("learning_rate=5e-4", *(f"{field}=0" for field in ("kl_warmup", *_DISTORTIONS)))
PARTS = (("distorted", ROBUST.steps, ()), ("undistorted", 300, _UNDISTORTED))
"""Runs of ROBUST: name, steps and what else is changed. The one without distortion merges the modalities."""

console = Console(stderr=True)


def main(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of the training run; without it the shipped model is evaluated again.")
    ] = None,
    data_dir: Path | None = None,
) -> None:
    """Train, evaluate and write the assets."""
    model = locations.shipped_model()
    if run is not None:
        write_atomically(model, *read(train_in_parts(run, data_dir)))
        make_gallery(data_dir)  # which the confidence and the reports are about
        encoder, trained = load_encoder(model)
        gallery = Gallery.load(locations.shipped_gallery())
        arrays, header = read(model)
        confidence = fit_confidence(encoder, trained, gallery, data_dir or locations.data())
        write_atomically(model, arrays, {**header, "confidence": confidence})
    arrays, header = read(model)
    write_atomically(model, arrays, {**header, "metrics": reports(model, data_dir)})
    console.print(f"Wrote {model}.")


def make_gallery(data_dir: Path | None) -> None:
    """Write the gallery of the shipped model, with its maps."""
    gallery = build_gallery(
        *load_encoder(locations.shipped_model()),
        Mnist(data_dir).load("test").balanced(IMAGES_PER_DIGIT, SEED),
        Voices().load("test").balanced(UTTERANCES_PER_DIGIT, SEED),
    )
    gallery.with_maps(maps_of(gallery)).save(locations.shipped_gallery())
    console.print(f"Wrote {locations.shipped_gallery()}.")


def train_in_parts(run: Path, data_dir: Path | None) -> Path:
    """Train in two runs, the second from the model of the first."""
    model: Path | None = None
    for name, steps, settings in PARTS:
        train(
            out=run / name,
            recipe="robust",
            start=model,
            steps=steps,
            settings=list(settings),
            data=CORPORA,
            seed=SEED,
            data_dir=data_dir,
        )
        model = run / name / "model.safetensors"
    assert model is not None, "there are parts"
    return model


class _ConsoleContext(JobContext):
    """Prints the progress of an evaluation, each line once."""

    def __init__(self) -> None:
        self._last = Text()

    def send(self, message: Mapping[str, Any]) -> None:
        if message["say"] == "progress" and self._last != (text := progress_text(message["share"], message["text"])):
            console.print(text)
            self._last = text


def reports(model: Path, data_dir: Path | None) -> dict[str, Any]:
    """The reports of a model on each corpus of speech, as by ``modinv evaluate``, and on the held-out engine."""
    found: dict[str, Any] = {}
    setting: Mapping[str, Any] = {}
    for speech in ("fsdd", "voices"):
        evaluation = evaluate_checkpoint(
            model, EvaluationProtocol(speech=speech, seed=SEED), _ConsoleContext(), data_dir
        )
        assert evaluation is not None, "nothing asked the evaluation to stop"
        found[f"mnist+{speech}"], setting = evaluation.report.to_json_dict(), evaluation.report.setting
    found["conditions"] = in_conditions(model, data_dir)
    name = "voices, unheard engine"
    found[f"mnist+{name}"] = on_engine(model, {**setting, "speech": name}, data_dir)
    return found


def in_conditions(model: Path, data_dir: Path | None) -> dict[str, Any]:
    """How many of the strangers' digits for validation are recognised in noise, for the window."""
    system, header = load_model(model, best_device())
    speech = Wild(data_dir).load("validation")
    found = recognise(system, header, Gallery.load(locations.shipped_gallery()), speech, data_dir)
    return {
        "speech": f"{len(speech)} utterances by {len(set(speech.speakers))} strangers",
        "corpus": "wild",
        "split": "validation",
        "recognition": [asdict(one) for one in found],
    }


def on_engine(model: Path, setting: dict[str, Any], data_dir: Path | None) -> dict[str, Any]:
    """The report on the voices of the held-out engine, which the command can't select."""
    system, header = load_model(model, best_device())
    images, speech = Mnist(data_dir).load("test"), Voices(engine_only=True).load("test")
    setting |= {"inputs": {"images": fingerprint(images), "speech": fingerprint(speech)}}
    setting |= speakers_of(speech, header.data)

    def posteriors(samples: Samples) -> Posteriors:
        return Posteriors(*system.encode(samples.modality, samples.features), samples.labels, samples.speakers)

    return evaluate(posteriors(images), posteriors(speech), SEED, setting).to_json_dict()


def maps_of(gallery: Gallery) -> dict[str, Any]:
    """Both projections of a gallery's means, as arrays by names that begin with the kind of map."""
    neighbours = NeighbourMap.fit(gallery.means, seed=SEED)
    assert neighbours is not None, "nothing asked the fit to stop"
    maps: dict[str, Projection] = {"PCA": PrincipalComponents.fit(gallery.means), "t-SNE": neighbours}
    return {f"{kind}/{name}": array for kind, fitted in maps.items() for name, array in fitted.to_arrays().items()}


if __name__ == "__main__":
    typer.run(main)
