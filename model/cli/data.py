"""``modinv data``: the corpora."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import interruptible, notes, print_json, print_note, progress_text, report_errors, tables
from model.cli.options import DataDir, Json, bad_option

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.data.corpora import CorpusInfo

app = typer.Typer(help="List, download and add corpora.", no_args_is_help=True)


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
                if info.obtainable:
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
    remedies.append("'modinv data show NAME' says what a corpus holds, or how to get it.")
    for remedy in remedies:
        console.print(remedy, style="yellow", soft_wrap=True, markup=False)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the corpus, see 'modinv data list'.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Read a corpus, and say what it holds and what can't be used. The next time that is quick."""
    with report_errors():
        from model.data import curation
        from model.data.corpora import find

        with bad_option("NAME"):
            corpus = find(name)(data_dir)
        place = corpus.require()
        with notes().status("Reading") as status:
            contents = corpus.contents(lambda share, text: status.update(progress_text(share, text)))
        changed = curation.count(curation.decisions(name).values())
    info = corpus.info
    row: dict[str, Any] = {
        "name": name,
        "title": info.title,
        "modality": str(info.modality),
        "human": info.human,
        "licence": info.licence,
        "citation": info.citation,
        "origin": info.origin,
        "location": str(place),
        "items": dict(contents.items),
        "speakers": contents.speakers,
        "shares_speakers": info.shares_speakers,
        "sexes": dict(contents.sexes),
        "rates": {str(rate): count for rate, count in contents.rates.items()},
        "left_out": contents.left_out,
        "skipped": dict(contents.skipped),
        "changed": changed,
    }
    if as_json:
        print_json(row)
        return
    console = tables()
    for label, text in _described(row).items():
        console.print(f"{label + ':':<10}{text}", soft_wrap=True)
    for why in contents.skipped.values():
        console.print(f"  {why}", style="yellow", soft_wrap=True)


def _described(row: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a corpus, in words."""
    from model.data.curation import in_words

    several = len(row["rates"]) > 1
    rates = (f"{int(rate):,} Hz" + (f" ({count:,})" if several else "") for rate, count in row["rates"].items())
    sexes = ", ".join(f"{count} {sex}" for sex, count in row["sexes"].items())
    speakers = f"{row['speakers']:,}" + (f" ({sexes})" if sexes else "")
    speakers += ", in all splits" if row["shares_speakers"] else ", each in one split"
    texts = {
        "Corpus": f"{row['title']} ({row['modality']})",
        "Items": ", ".join(f"{count:,} {split}" for split, count in row["items"].items()),
        "Speakers": speakers if row["speakers"] else "",
        "Rate": ", ".join(rates),
        "Licence": row["licence"],
        "Citation": row["citation"],
        "Origin": row["origin"],
        "Where": row["location"],
        "Left out": row["left_out"],
        "Skipped": f"{len(row['skipped']):,}" if row["skipped"] else "none",
        "Changed": in_words(row["changed"]),
    }
    return {label: text for label, text in texts.items() if text}


@app.command()
def add(
    folder: Annotated[Path, typer.Argument(help="Folder with LABEL/FILE or SPEAKER/LABEL/FILE, or a CSV file.")],
    name: Annotated[str, typer.Option("--name", help="Name of the corpus; by default that of the folder.")] = "",
) -> None:
    """Use a folder of labelled sounds or pictures as a corpus. Labels are digits or English words.

    A CSV file has the columns path, label and, optionally, speaker.
    """
    with report_errors():
        from model.data.corpora import add_folder

        with bad_option("FOLDER"):
            entry = add_folder(folder, name)
    print_note(f"Added the corpus {entry.name} ({entry.modality}), split {entry.splitting}.")
    print_note(f"'modinv data show {entry.name}' reads it, and says what can't be used.")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Name of a corpus that was added.")]) -> None:
    """Remove a corpus that was added from the list. Its files stay."""
    with report_errors():
        from model.data.corpora import remove as remove_from_list

        with bad_option("NAME"):
            remove_from_list(name)
    print_note(f"Removed the corpus {name} from the list. Its files are where they were.")


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
