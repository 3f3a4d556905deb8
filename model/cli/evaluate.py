"""``modinv evaluate``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.conditions import recognise_in_conditions
from model.cli.console import StatusContext, notes, print_json, report_errors, tables
from model.cli.options import DataDir, Json, bad_option, split_names

if TYPE_CHECKING:
    from rich.table import Table

    from model.evaluation import EvaluationProtocol, Interval, Report
    from model.evaluation.report import PairRecall
    from model.evaluation.store import Evaluation

IMAGES = "Corpus of images; by default the one that evaluation prefers."
SPEECH = "Corpus of utterances; by default the one that evaluation prefers."


class HeldOutSplit(StrEnum):
    """The splits that a model can be evaluated on."""

    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="A model that 'modinv train' wrote; by default the shipped one.")
    ] = None,
    images: Annotated[str, typer.Option(help=IMAGES)] = "",
    speech: Annotated[str, typer.Option(help=SPEECH)] = "",
    data: Annotated[str, typer.Option(help="Both corpora, with a comma between.")] = "",
    split: Annotated[HeldOutSplit, typer.Option(help="validation for choices, test for final results.")] = (
        HeldOutSplit.TEST
    ),
    seed: Annotated[int, typer.Option(help="Fixes samples, clusters and splits.", min=0)] = 0,
    speaker: Annotated[str, typer.Option(help="Evaluate on the utterances of this speaker only.")] = "",
    conditions: Annotated[
        bool,
        typer.Option("--conditions", help="Instead, how many utterances are recognised in noise and rooms."),
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Evaluate a model by the paper's protocol, on data held out from training. Results are cached."""
    with report_errors():
        from model import locations
        from model.evaluation.inputs import UnknownSpeaker

        if data:
            with bad_option("--data"):
                images, speech = _pair(data)
        protocol = chosen_protocol(images, speech, speaker, seed, split)
        model = checkpoint or locations.shipped_model()
        try:
            if conditions:
                recognise_in_conditions(model, protocol, data_dir, as_json=as_json)
                return
            evaluation = evaluated(model, protocol, data_dir)
        except UnknownSpeaker as error:
            raise typer.BadParameter(str(error), param_hint="--speaker") from error
    if as_json:
        print_json(evaluation.report.to_json_dict())
    else:
        _show(evaluation.report)


def chosen_protocol(
    images: str, speech: str, speaker: str, seed: int, split: HeldOutSplit = HeldOutSplit.TEST
) -> EvaluationProtocol:
    """The protocol that options choose; raises ``typer.BadParameter`` if a corpus is unknown or has no such split."""
    from model.data.corpora import preferred
    from model.evaluation import EvaluationProtocol
    from model.evaluation.inputs import one_corpus
    from model.types import Modality

    chosen = []
    for modality, name, option in ((Modality.IMAGE, images, "--images"), (Modality.SPEECH, speech, "--speech")):
        with bad_option(option):
            info = one_corpus(name or preferred(modality), modality).info
            if split not in info.splits:
                raise ValueError(f"{info.title} has no {split} split, only {' and '.join(info.splits)}.")
        chosen.append(info.name)
    return EvaluationProtocol(chosen[0], chosen[1], speaker, seed, split=split.value)


def _pair(names: str) -> tuple[str, str]:
    """The corpus of images and that of speech among some names."""
    from model.data.corpora import find
    from model.types import Modality

    chosen = {find(name).info.modality: name for name in split_names(names)}
    if len(chosen) != 2 or len(split_names(names)) != 2:
        raise ValueError(f"Evaluation takes one corpus of images and one of speech, not {names!r}.")
    return chosen[Modality.IMAGE], chosen[Modality.SPEECH]


def evaluated(checkpoint: Path, protocol: EvaluationProtocol, data_dir: Path | None) -> Evaluation:
    """Evaluate a model, or load the cached evaluation, while showing the progress."""
    from model.evaluation.checkpoints import evaluate_checkpoint

    with notes().status("") as status:
        evaluation = evaluate_checkpoint(checkpoint, protocol, StatusContext(status), data_dir)
    assert evaluation is not None, "nothing asked the evaluation to stop"
    return evaluation


def _show(report: Report) -> None:
    """Print the report as tables: the measures of the paper's Table 1, and all others."""
    tables().print(_invariance(report))
    tables().print(_directions(report))
    if report.pair_recall:
        tables().print(_partners(report.pair_recall))


def _invariance(report: Report) -> Table:
    """Measures of clusters and modalities, beside the paper's row of the nearest lambda_IG."""
    from model.export import tables as tables_of
    from model.export import words
    from model.recipes.recipe import lambda_text

    setting, paper = report.setting, report.paper
    table = _table(
        f"{setting['images']} + {setting['speech']}, {words.split(setting)} inputs ({words.speakers(setting)})",
        (
            f"95 % intervals over the resamplings. {words.evaluated_on(report)} Model: {words.trained_with(setting)}. "
            f"{report.seconds:.1f} s."
        ),
        f"{setting['checkpoint']}\n{words.objective(setting)}",
        f"the paper, λ_IG = {lambda_text(paper.lambda_ig)}\nMNIST, TIDIGITS",
    )
    table.add_row("Cluster purity", _interval(report.purity), f"{paper.purity:.3f}")
    table.add_row("V-measure of the clusters (= NMI)", _interval(report.v_measure), "")
    table.add_row("  homogeneity", _interval(report.homogeneity), "")
    table.add_row("  completeness", _interval(report.completeness), "")
    table.add_row(
        "Modality SVM, split by embedding (0.5 is best)", _interval(report.modality_svm), f"{paper.modality_svm:.3f}"
    )
    table.add_row("  on unseen inputs (stricter)", _interval(report.modality_svm_unseen_inputs), "")
    if gap := report.modality_gap:
        table.add_row("Modality gap, share of the variance", tables_of.in_words(gap.share), "")
        table.add_row("  distance of the centroids", tables_of.in_words(gap.distance), "")
    return table


def _directions(report: Report) -> Table:
    """Measures of both retrieval directions, and of the posteriors of both modalities."""
    from model.export import tables as tables_of

    table = _table(
        "Across modalities",
        "Label transfer: learned from the inputs of the first modality, tested on those of the second. AUROC: how "
        "often a query with a wrong match has a wider posterior than one with a right match. A dimension is active if "
        "its mean varies over inputs. Interval of P@1: 95 %, Clopper and Pearson, as if all queries were independent. "
        "After ±: half of the 95 % interval over the resamplings.",
        "image to speech",
        "speech to image",
    )
    both = (report.image_to_speech, report.speech_to_image)
    table.add_row("P@1", *(tables_of.in_words(tables_of.p_at_1(side.retrieval)) for side in both))
    table.add_row("P@1 by single samples", *(tables_of.in_words(side.p_at_1_samples) for side in both))
    for title, name in (("P@5", "p_at_5"), ("P@10", "p_at_10"), ("mAP", "mean_average_precision")):
        table.add_row(title, *(f"{getattr(side.retrieval, name):.3f}" for side in both))
    neighbours = f"Label transfer, {report.setting['neighbours']} nearest neighbours"
    table.add_row(neighbours, *(f"{side.transfer.nearest_neighbours:.3f}" for side in both))
    table.add_row("Label transfer, linear", *(f"{side.transfer.linear:.3f}" for side in both))
    for count, name in ((20, "linear_20"), (5, "linear_5"), (1, "linear_1")):
        title = f"  with {count} label{'s' if count > 1 else ''} a digit"
        table.add_row(title, *(tables_of.in_words(getattr(side.transfer, name)) for side in both))
    for title, of in tables_of.CONFIDENCE.values():
        table.add_row(title, *(tables_of.in_words(of(side.confidence) if side.confidence else None) for side in both))
    table.add_row("Wrong nearest matches", *(f"{side.calibration.errors:,}" for side in both))
    areas = [side.calibration.auroc for side in both]
    table.add_row("AUROC of width against mistakes", *("" if area is None else f"{area:.3f}" for area in areas))
    table.add_section()
    table.add_row("", "image", "speech", style="bold")
    divergences = (report.image.mean_kl, report.speech.mean_kl)
    table.add_row("Mean KL from the prior (nats)", *("" if one is None else f"{one:.1f}" for one in divergences))
    table.add_row("Active dimensions", str(report.image.active_dimensions), str(report.speech.active_dimensions))
    return table


def _partners(recall: PairRecall) -> Table:
    """Recall of one partner a query."""
    from model.export import tables as tables_of
    from model.export import words

    table = _table(
        f"One partner a query, {recall.pairs:,} pairs",
        words.PAIR_RECALL,
        "image to speech",
        "speech to image",
        "ceiling",
        "chance",
    )
    for depth, at in recall.by_depth().items():
        values: tuple[Interval | float, ...] = (at.image_to_speech, at.speech_to_image, at.ceiling, at.chance)
        table.add_row(f"R@{depth}", *map(tables_of.in_words, values))
    return table


def _table(title: str, caption: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table("", *columns, title=title, caption=caption, caption_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _interval(interval: Interval | None) -> str:
    """``0.992 (0.988 to 0.997)``; a dash for the unknown."""
    return "–" if interval is None else f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"
