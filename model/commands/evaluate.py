"""``modinv evaluate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.commands.console import DataDir, Json, bad_option, errors_told, notes, print_json, tables

if TYPE_CHECKING:
    from model.checkpoint import Header
    from model.datasets import Corpus, Samples
    from model.encoders import Encoders
    from model.evaluation import Posteriors, Report
    from model.results import Modality


def evaluate(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="A model that 'modinv train' wrote; by default the shipped one.")
    ] = None,
    images: Annotated[str, typer.Option(help="Corpus of test images.")] = "mnist",
    speech: Annotated[str, typer.Option(help="Corpus of test utterances.")] = "fsdd",
    seed: Annotated[int, typer.Option(help="Fixes samples, clusters and splits.", min=0)] = 0,
    speaker: Annotated[str, typer.Option(help="Judge on this speaker's utterances alone.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Judge a model by the paper's protocol, on test data that it has not seen."""
    with errors_told():
        from model import locations
        from model.evaluation import evaluate as judge
        from model.results import Modality
        from model.trained import best_device, load_model

        with bad_option("--images"):
            image_corpus = _one_corpus(images, Modality.IMAGE, data_dir)
        with bad_option("--speech"):
            speech_corpus = _one_corpus(speech, Modality.SPEECH, data_dir)
        path = checkpoint or locations.shipped_model()
        with notes().status("Loading the model and the test data"):
            encoders, header = load_model(path, best_device())
            samples = [image_corpus.load("test"), speech_corpus.load("test")]
            if speaker:
                with bad_option("--speaker"):
                    samples[1] = _of_speaker(speaker, samples[1], speech_corpus, header)
        with notes().status("Encoding"):
            sides = [_posteriors(encoders, side) for side in samples]
        setting = {
            "checkpoint": path.name,
            "recipe": header.recipe["name"],
            "lambda_ig": header.recipe["lambda_ig"],
            "steps": header.step,
            "trained_on": header.data,
            "trained_with_seed": header.seed,
            "images": images,
            "speech": speech,
            "speaker": speaker,
        }
        with notes().status("Clustering, separating, retrieving"):
            report = judge(sides[0], sides[1], seed, setting)
    if as_json:
        print_json(report.to_json_dict())
    else:
        _show(report)


def _one_corpus(name: str, modality: Modality, folder: Path | None) -> Corpus:
    """The corpus of that name; a ``ValueError`` where it isn't one of that modality."""
    from model.datasets import corpora

    found = corpora(name, folder)[modality]
    if len(found) != 1:
        raise ValueError(f"{name!r} is not the name of one corpus of {modality} inputs.")
    return found[0]


def _of_speaker(speaker: str, test: Samples, corpus: Corpus, header: Header) -> Samples:
    """A speaker's test utterances, and where the model was trained without this speaker all others too."""
    from model.datasets.base import joined

    chosen = [test.spoken_by(speaker)]
    if len(chosen[0]) == 0:
        raise ValueError(f"No speaker is called {speaker!r}. There are: {', '.join(sorted(set(test.speakers)))}.")
    if header.data.get("left_out") == speaker:
        chosen.append(corpus.load("train").spoken_by(speaker))
    return joined(chosen)


def _posteriors(encoders: Encoders, samples: Samples) -> Posteriors:
    """What the model says of samples."""
    from model.evaluation import Posteriors

    posterior = encoders.encode(samples.modality, samples.features)
    return Posteriors(posterior.mean.numpy(), posterior.log_variance.numpy(), samples.labels.numpy())


def _show(report: Report) -> None:
    """The report as a table, with the paper's row of the nearest lambda_IG beside it."""
    from rich.table import Table

    from model.evaluation import PAPER_TABLE

    setting = report.setting
    wanted = float(setting["lambda_ig"])
    paper_lambda = min(PAPER_TABLE, key=lambda known: abs(known - wanted))
    paper_purity, paper_svm = PAPER_TABLE[paper_lambda]
    table = Table(
        "",
        f"{setting['checkpoint']}\nλ_IG = {wanted:g}",
        f"the paper, λ_IG = {paper_lambda:g}\nMNIST, TIDIGITS",
        title=f"{setting['images']} + {setting['speech']}, test inputs",
        caption=(
            f"{setting['n_images']:,} images, {setting['n_utterances']:,} utterances, {setting['samples_per_input']} "
            f"samples an input, seed {setting['seed']}. Model: recipe {setting['recipe']}, {setting['steps']:,} steps, "
            f"trained on {_words(setting['trained_on'])}, seed {setting['trained_with_seed']}. {report.seconds:.1f} s."
        ),
        caption_justify="left",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("Cluster purity", f"{report.purity:.3f}", f"{paper_purity:.3f}")
    table.add_row("Modality SVM (0.5 is best)", f"{report.modality_svm:.3f}", f"{paper_svm:.3f}")
    table.add_row("  on inputs it never saw", f"{report.modality_svm_unseen_inputs:.3f}", "")
    table.add_row("P@1 image to speech", f"{report.p_at_1.image_to_speech:.3f}", "")
    table.add_row("P@1 speech to image", f"{report.p_at_1.speech_to_image:.3f}", "")
    tables().print(table)


def _words(data: Mapping[str, Any]) -> str:
    """``{"images": "mnist", "speech": ["fsdd", "voices"]}`` as "images mnist, speech fsdd and voices"."""
    return ", ".join(
        f"{part} {names if isinstance(names, str) else ' and '.join(map(str, names))}"
        for part, names in data.items()
        if names
    )
