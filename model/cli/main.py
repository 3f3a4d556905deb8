"""The command ``modinv``."""

from __future__ import annotations

from typing import Annotated

import typer

from model.cli import data, takes
from model.cli.bench import bench
from model.cli.doctor import doctor
from model.cli.evaluate import evaluate
from model.cli.export import export
from model.cli.generate import generate
from model.cli.query import query
from model.cli.sweep import compare, sweep
from model.cli.train import train
from model.processes import avoid_current_folder

app = typer.Typer(
    name="modinv",
    help="Modality-invariant representations of images and speech.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)
app.command()(evaluate)
app.command()(export)
app.command()(sweep)
app.command()(compare)
app.command()(query)
app.command()(generate)
app.add_typer(data.app, name="data")
app.add_typer(takes.app, name="takes")
app.command()(doctor)
app.command()(bench)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"modinv {version('modinv')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options that belong to no command."""


def main() -> None:
    """Entry point of ``modinv``."""
    avoid_current_folder()
    app()
