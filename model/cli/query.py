"""``modinv query``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import FAILURE, notes, print_error, print_json, report_errors, tables
from model.cli.options import Json

if TYPE_CHECKING:
    from model.retrieval.retriever import Retriever


def query(
    files: Annotated[list[Path], typer.Argument(help="Pictures of digits and recordings of spoken digits.")],
    count: Annotated[int, typer.Option("-k", help="Number of matches of the other modality.", min=1)] = 10,
    as_json: Json = False,
) -> None:
    """Find the spoken digits that match a picture, and the images that match a recording.

    What you have left out or relabelled on the page Data is left out or relabelled here, too.

    Exit code 1 if a file could not be used; the other files are answered nevertheless.
    """
    with report_errors():
        from model import locations
        from model.retrieval.curated import decided
        from model.retrieval.gallery import Gallery
        from model.retrieval.retriever import Retriever
        from model.systems.encoder_io import load_encoder

        with notes().status("Loading the model"):
            gallery = Gallery.load(locations.shipped_gallery())
            retriever = Retriever(*load_encoder(locations.shipped_model()), gallery)
            retriever = retriever.over(decided(gallery).applied_to(gallery))
        answers = []
        for answer in _answers(retriever, files, count):
            answers.append(answer)
            if not as_json:
                _show(answer)
    if as_json:
        print_json(answers)
    if any("error" in answer for answer in answers):
        raise typer.Exit(FAILURE)


def _answers(retriever: Retriever, files: list[Path], count: int) -> Iterator[dict[str, Any]]:
    """The answer for each file as JSON values, or an ``error`` if the file can't be used."""
    from model.data.images import UnusablePicture
    from model.data.speech import UnusableAudio

    for file in files:
        try:
            answer = retriever.ask_file(file, count)
        except (UnusablePicture, UnusableAudio, OSError) as error:
            yield {"file": str(file), "error": str(error)}
            continue
        yield {
            "file": str(file),
            "modality": str(answer.modality),
            "guess": answer.guess,
            "runner_up": answer.runner_up,
            "margin": round(answer.margin, 3),
            "certainty": str(answer.certainty),
            "confidence": round(answer.confidence, 4),
            "rejected": answer.rejected,
            "reason": answer.reason or None,
            "nearest": answer.nearest,
            "verdict": answer.verdict,
            "matches": [
                {"label": match.item.label, "source": match.item.source, "score": round(match.score, 4)}
                for match in answer.matches
            ],
            "milliseconds": round(answer.milliseconds, 1),
        }


def _show(answer: dict[str, Any]) -> None:
    """One answer as a table, or its error as a line."""
    from rich.table import Table

    from model.data.inputs import printable

    file = printable(answer["file"])
    if "error" in answer:
        print_error(f"{file}: {answer['error']}")
        return
    table = Table(
        "Digit",
        "Source",
        "Score",
        title=f"{file}: {answer['verdict']}",
        caption=answer["reason"] or f"Confidence {answer['confidence']:.3f}, {answer['milliseconds']:.0f} ms",
    )
    table.columns[2].justify = "right"
    for match in answer["matches"]:
        table.add_row(str(match["label"]), match["source"], f"{match['score']:.1f}")
    tables().print(table)
