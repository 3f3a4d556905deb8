"""``modinv data``: the corpora."""

from __future__ import annotations

import typer

from model.commands.console import DataDir, Json, print_json, tables

app = typer.Typer(help="The corpora: what there is, and where it lies.", no_args_is_help=True)


@app.command("list")
def list_corpora(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the corpora, where each lies, and how to get those that are missing."""
    from rich.table import Table

    from model.datasets import CORPORA, MissingData

    rows, cures = [], []
    for name, kind in CORPORA.items():
        corpus = kind(data_dir)
        place = corpus.location()
        row = {
            "name": name,
            "title": corpus.title,
            "modality": str(corpus.modality),
            "licence": corpus.licence,
            "location": str(place) if place else None,
        }
        if place is None:
            try:
                corpus.load("test")
            except MissingData as error:
                row["missing"] = str(error)
                cures.append(str(error))
        rows.append(row)
    if as_json:
        print_json(rows)
        return
    table = Table(*("Name", "Corpus", "Modality", "Licence", "Where"))
    for row in rows:
        table.add_row(
            row["name"], row["title"], row["modality"], row["licence"], row["location"] or "[yellow]not installed"
        )
    console = tables()
    console.print(table)
    for cure in cures:
        console.print(cure, style="yellow", soft_wrap=True, markup=False)
