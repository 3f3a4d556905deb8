"""``modinv data``: the corpora."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import interruptible, notes, print_json, print_note, report_errors, tables
from model.cli.options import DataDir, Json, bad_option

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.data.corpora import CorpusInfo

app = typer.Typer(help="List and download corpora.", no_args_is_help=True)


@app.command("list")
def list_corpora(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the corpora, their locations, and how to get those that are missing."""
    from rich.table import Table
    from rich.text import Text

    from model.data.corpora import MissingData, broken_plugins, registry

    rows, remedies = [], [*broken_plugins().values()]
    for name, kind in registry().items():
        info, place = kind.info, kind(data_dir).location()
        row: dict[str, Any] = {
            "name": name,
            "title": info.title,
            "modality": str(info.modality),
            "human": info.human,
            "speakers": info.speakers,
            "splits": list(info.splits),
            "licence": info.licence,
            "citation": info.citation,
            "origin": info.origin,
            "location": str(place) if place else None,
        }
        if place is None:
            try:
                kind(data_dir).require()
            except MissingData as error:
                row["missing"] = str(error)
                remedies.append(str(error))
        rows.append(row)
    if as_json:
        print_json(rows)
        return
    table = Table(*("Name", "Corpus", "Modality", "Splits", "Licence", "Where"))
    for row in rows:
        where = row["location"] or Text("not installed", "yellow")
        table.add_row(row["name"], row["title"], row["modality"], " ".join(row["splits"]), row["licence"], where)
    console = tables()
    console.print(table)
    for remedy in remedies:
        console.print(remedy, style="yellow", soft_wrap=True, markup=False)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of the corpus, see 'modinv data list'.")], data_dir: DataDir = None
) -> None:
    """Download a corpus that is not included. Ctrl-C stops; the same command resumes the download."""
    with report_errors():
        from model.data.download import Downloading, Installed, Interrupted, download

        with bad_option("NAME"):
            corpus = _downloadable(name)
        print_note(f"{corpus.title}, {corpus.offer}, from {corpus.origin}")
        with interruptible() as interrupted, _transfer() as progress:
            task = progress.add_task("", total=None)
            for event in download(corpus, data_dir, interrupted):
                if isinstance(event, Downloading):
                    progress.update(task, description="Downloading", completed=event.done, total=event.total)
                elif not isinstance(event, Installed | Interrupted):
                    progress.update(task, description="Verifying")
    if isinstance(event, Interrupted):
        print_note(f"Stopped after {event.done / 1e6:.1f} MB, which are kept. The same command resumes the download.")
        raise typer.Exit(interrupted.status)
    assert isinstance(event, Installed), "a download ends with Interrupted or Installed"
    print_note(f"{'Verified and installed' if event.fresh else 'Already installed'}: {event.path}")


def _downloadable(name: str) -> CorpusInfo:
    """A corpus that can be downloaded; raises ``ValueError`` otherwise."""
    from model.data.corpora import find
    from model.data.download import sources

    if name in sources():
        return sources()[name]
    info = find(name).info
    if info.ships:
        raise ValueError(f"{info.title} ships with the application: there is nothing to download.")
    raise ValueError(f"{info.title} can't be downloaded: 'modinv data list' says how to get it.")


def _transfer() -> Progress:
    """Bar, bytes, speed and remaining time."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = BarColumn(30), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=notes())
