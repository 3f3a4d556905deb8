"""``modinv evaluate --conditions``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from model.cli.console import notes, print_json, progress_text, tables

if TYPE_CHECKING:
    from model.evaluation import EvaluationProtocol


def recognise_in_conditions(
    checkpoint: Path, protocol: EvaluationProtocol, data_dir: Path | None, *, as_json: bool
) -> None:
    """Print how many utterances of the protocol are recognised in each condition, as soon as it is known."""
    from rich.table import Table

    from model import locations
    from model.evaluation.inputs import load_inputs
    from model.evaluation.recognition import recognise
    from model.retrieval.gallery import Gallery
    from model.systems.model_io import load_model
    from model.types import Modality

    system, header = load_model(checkpoint)
    with notes().status("Loading the recordings") as status:

        def progress(share: float | None, text: str) -> None:
            status.update(progress_text(share, text))

        speech = load_inputs(
            Modality.SPEECH, protocol.speech, protocol.split, protocol.speaker, header.data, data_dir, progress
        )
        gallery = Gallery.load(locations.shipped_gallery())
        found = list(recognise(system, header, gallery, speech, data_dir, progress))
    if as_json:
        print_json([{**asdict(one), "share": one.share} for one in found])
        return
    speakers = len(set(speech.speakers))
    table = Table(
        "Condition", "Right", "Of", "No speech found",
        title=f"{checkpoint.name}: {protocol.speech}, {protocol.split}",
        caption=f"{len(speech)} utterances by {speakers} speakers. Right: the digit of most of the ten nearest images "
        "of the gallery, with 95 % intervals by Clopper and Pearson. Decibels of noise: signal-to-noise ratio.",
        caption_justify="left",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for before, one in zip([None, *found], found, strict=False):
        if before is not None and before.kind != one.kind:
            table.add_section()
        share = f"{one.share:.3f} ({one.low:.3f} to {one.high:.3f})"
        table.add_row(one.title, share, str(one.count), str(one.undetected) if one.undetected else "")
    tables().print(table)
