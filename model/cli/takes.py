"""``modinv takes``: the user's own takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli.console import (
    Interruption,
    StatusContext,
    interruptible,
    notes,
    print_changes,
    print_json,
    print_note,
    print_warning,
    report_errors,
    tables,
)
from model.cli.options import DataDir, Device, Json, Settings, bad_option

if TYPE_CHECKING:
    from rich.status import Status

    from model.evaluation.personal_results import PersonalResults

app = typer.Typer(help="Train with your own takes.", no_args_is_help=True)


@app.callback()
def _takes() -> None:
    """Train with your own takes."""


@app.command()
def train(
    people: Annotated[list[str] | None, typer.Argument(help="Whose takes; by default everybody's.")] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="The model to fine-tune; by default the shipped one.", exists=True, dir_okay=False),
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Train once more without each person, to see how strangers fare.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; a new one among your runs by default.", file_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes every random choice.", min=0)] = 0,
    device: Device = "auto",
    settings: Settings = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a model with takes of the page My digits, and show what each person gains.

    Counted are takes that did not train.
    """
    with report_errors():
        from model import locations
        from model.data.takes import TakeStore
        from model.evaluation.personal import counts_of, own_takes
        from model.evaluation.personal_results import too_few
        from model.runs.corpus_cache import CorpusCache
        from model.runs.personal import PersonalTraining
        from model.runs.personal_runs import personal_config
        from model.runs.store import RunStore

        store = TakeStore(locations.takes(data_dir))
        with bad_option("PEOPLE"):
            _check(people or [], store.people())
        with notes().status("") as status, interruptible() as interrupted:
            context = _Context(status, interrupted)
            stored = store.takes()
            takes = own_takes(stored, people or ())
            with bad_option("--set or --device"):
                config = personal_config(
                    start or locations.shipped_model(), counts_of(takes), seed, device, settings or (), data_dir
                )
            if few := too_few([take for take in stored if not people or take.person in people]):
                print_warning(few)
            training = PersonalTraining(config, takes, CorpusCache(data_dir), context, leave_out)
            complete = training.run(lambda: out or RunStore().new_folder(config))
        print_changes(training.data)
    if as_json:
        print_json(training.results.to_dict())
    else:
        _show(training.results)
    if not complete:
        print_note("Stopped. What was trained is kept among your runs; the page Train of the window resumes it.")
        raise typer.Exit(interrupted.status)
    print_note(f"Done: {context.folder}")


def _check(people: list[str], known: list[str]) -> None:
    for person in people:
        if person not in known:
            raise ValueError(f"Nobody is called {person!r}. There are: {', '.join(known) or 'none yet'}.")


class _Context(StatusContext):
    """Ends the job when the command is interrupted, and knows the folder of the run."""

    def __init__(self, status: Status, interrupted: Interruption) -> None:
        super().__init__(status)
        self._interrupted = interrupted
        self.folder = ""

    def send(self, message: Mapping[str, Any]) -> None:
        super().send(message)
        if message["say"] == "run":
            self.folder = message["folder"]

    def cancelled(self, pausing: object = None) -> bool:  # noqa: ARG002 (nothing pauses a command)
        return self._interrupted()


def _show(results: PersonalResults) -> None:
    """Print the results as a table."""
    from rich.table import Table

    from model.evaluation.personal_results import COLUMNS

    table = Table("Person", "", "Trained on", *COLUMNS.values(), title="Takes understood", caption=results.caption)
    for row in results.rows:
        table.add_row(row.person, row.verb, f"{row.trained} takes", *(row.counted(condition) for condition in COLUMNS))
    tables().print(table)
