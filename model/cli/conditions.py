"""``modinv evaluate --conditions``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from model.cli.console import StatusContext, notes, print_json, tables

if TYPE_CHECKING:
    from model.evaluation import EvaluationProtocol


def recognise_in_conditions(
    checkpoint: Path, protocol: EvaluationProtocol, data_dir: Path | None, *, as_json: bool
) -> None:
    """Print how many utterances of the protocol are recognised in each condition. Results are cached."""
    from rich.table import Table

    from model.evaluation.robustness import measure

    with notes().status("") as status:
        *_, measured = measure(checkpoint, protocol, StatusContext(status), data_dir)
    found = measured.results
    if as_json:
        print_json([{**asdict(one), "share": one.share} for one in found])
        return
    table = Table(
        "Condition", "Right", "Of", "No speech found",
        title=f"{checkpoint.name}: {protocol.speech}, {protocol.split}",
        caption=f"{measured.utterances}. Right: the digit of most of the ten nearest images "
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
