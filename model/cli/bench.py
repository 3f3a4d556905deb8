"""``modinv bench``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import notes, print_json, print_note, report_errors, tables
from model.cli.options import Json

if TYPE_CHECKING:
    from model.bench.measuring import Row

_BUSY = 0.5
"""Load for each core from which on times are too long."""


def bench(
    most: Annotated[
        int | None,
        typer.Option("--most", help="Repeat nothing more often than so many times, for a first look.", min=1),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure what starting, answering and training cost here, as times and as ratios.

    Takes about a minute. A ratio compares with a simple operation that is timed in turn: times depend on the machine
    and its load, ratios hardly.
    """
    with report_errors():
        from model.bench.measuring import Row, about
        from model.bench.table import measure

        setting = about()
        rows, missing = [], []
        with notes().status("") as status:
            for title, measured in measure(most):
                status.update(title)
                for one in measured:
                    if isinstance(one, Row):
                        rows.append(one)
                    else:
                        missing.append(one.why)
    if as_json:
        print_json({**setting, "rows": [row.to_dict() for row in rows], "not_measured": missing})
        return
    _show(setting, rows)
    for why in missing:
        print_note(why)


def _show(setting: Mapping[str, Any], rows: list[Row]) -> None:
    """The table, with machine and versions above, and a warning if the machine was busy."""
    from rich.table import Table

    machine = setting["machine"]
    print_note(
        f"{machine['processor']}, cores: {machine['cores']}, {machine['memory_gib']:.0f} GiB, {machine['system']}; ",
        ", ".join(f"{name} {version}" for name, version in setting["versions"].items()),
        f"; {setting['date']}",
    )
    table = Table("What", "Value", "Unit", "Ratio", "Multiple of")
    table.columns[1].justify = table.columns[3].justify = "right"
    for row in rows:
        base = f"{row.multiple_of} ({_rounded(row.base)} {row.unit})"
        table.add_row(row.what, _rounded(row.value), row.unit, _rounded(row.ratio), base)
    tables().print(table)
    if machine["load"] > _BUSY * machine["cores"]:
        print_note(f"The machine was busy (load {machine['load']}): times are longer than on an idle one.")


def _rounded(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
