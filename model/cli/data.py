"""``modinv data``: the corpora."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import DataDir, Json, bad_option, errors_told, interruptible, notes, print_json, tables

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.data.corpora import CorpusInfo

app = typer.Typer(help="The corpora: what there is, where it lies, how to get it.", no_args_is_help=True)


@app.command("list")
def list_corpora(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the corpora, where each lies, and how to get those that are missing."""
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
    name: Annotated[str, typer.Argument(help="Of the corpus, as 'modinv data list' has it.")], data_dir: DataDir = None
) -> None:
    """Fetch a corpus that does not ship along. Ctrl-C stops; the same command again goes on from there."""
    with errors_told():
        from model.data.download import Downloading, Installed, Interrupted, download

        with bad_option("NAME"):
            corpus = _fetched(name)
        console = notes()
        console.print(f"{corpus.title}, {corpus.offer}, from {corpus.origin}", soft_wrap=True)
        with interruptible() as interrupted, _transfer() as progress:
            task = progress.add_task("", total=None)
            for event in download(corpus, data_dir, interrupted):
                if isinstance(event, Downloading):
                    progress.update(task, description="Fetching", completed=event.done, total=event.total)
                elif not isinstance(event, Installed | Interrupted):
                    progress.update(task, description="Verifying")
    if isinstance(event, Interrupted):
        console.print(f"Stopped after {event.done / 1e6:.1f} MB; they are kept. The same command again goes on there.")
        raise typer.Exit(interrupted.status)
    assert isinstance(event, Installed), "a download ends with what it has come to"
    told = f"{'Verified and installed' if event.fresh else 'There already'}: {event.path}"
    console.print(told, soft_wrap=True, markup=False)


def _fetched(name: str) -> CorpusInfo:
    """A corpus that can be fetched; a ``ValueError`` where there is nothing to fetch."""
    from model.data.corpora import find
    from model.data.download import sources

    if name in sources():
        return sources()[name]
    info = find(name).info
    if info.ships:
        raise ValueError(f"{info.title} ships with the application: there is nothing to fetch.")
    raise ValueError(f"{info.title} can't be fetched: 'modinv data list' says how to get it.")


def _transfer() -> Progress:
    """Bar, bytes, speed and remaining time."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = BarColumn(30), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=notes())
