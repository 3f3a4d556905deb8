"""``modinv doctor``."""

from __future__ import annotations

import typer

from model.cli.console import print_json, tables
from model.cli.options import DataDir, Json


def doctor(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Check the installation, and show how to fix what is missing.

    Exit code 1 if something essential is missing.
    """
    from rich.text import Text

    from model.doctor import Check, examine, healthy

    console = tables()

    def show(check: Check) -> None:
        mark, style = ("ok", "green") if check.ok else ("missing", "red") if check.essential else ("note", "yellow")
        console.print(Text.assemble((f"{mark:>8}", style), "  ", (check.name, "bold"), f": {check.found}"))
        if check.remedy:
            console.print(Text(f"{'':10}-> {check.remedy}", style), soft_wrap=True)

    checks = []
    for check in examine(data_dir):
        checks.append(check)
        if not as_json:
            show(check)
    if as_json:
        print_json({"healthy": healthy(checks), "checks": [check.to_dict() for check in checks]})
    elif healthy(checks):
        console.print("\nNothing essential is missing.")
    raise typer.Exit(0 if healthy(checks) else 1)
