"""``modinv sweep``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import interruptible, notes, print_note, report_errors, tables
from model.cli.options import DataDir, Device, RecipeName, Settings, Steps, bad_option, named_recipe, split_names

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.evaluation.sweep_results import SweepResults
    from model.sweeps.runner import Event, SweepEnded


def sweep(
    out: Annotated[Path, typer.Option(help="Folder of the sweep, with a sub-folder for each run.", file_okay=False)],
    lambdas: Annotated[
        str, typer.Option(help="Values of lambda_IG, with commas between; by default the paper's eight.")
    ] = "0,1e-5,6.81e-5,4.64e-4,3.16e-3,2.15e-2,1.47e-1,1",
    seeds: Annotated[str, typer.Option(help="Seeds, with commas between; every lambda_IG is trained with each.")] = "0",
    recipe: RecipeName = "fast",
    data: Annotated[
        str,
        typer.Option(
            help="Corpora to train on, with commas between: one of images, any of speech; by default those that "
            "evaluation prefers."
        ),
    ] = "",
    device: Device = "auto",
    steps: Steps = None,
    settings: Settings = None,
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="Train missing runs, or evaluate complete ones only.")
    ] = True,
    data_dir: DataDir = None,
) -> None:
    """Train and evaluate models for many values of lambda_IG, and write the paper's table and Figure 3.

    Ctrl-C stops and keeps the work; the same command resumes it. A run that fails does not stop the others.
    """
    with report_errors():
        from model.data.corpora import preferred
        from model.sweeps.records import SweepRecord
        from model.sweeps.runner import SweepFailed, SweepPlan, write
        from model.sweeps.runner import sweep as run
        from model.systems.model_io import best_device
        from model.training.config import TrainingConfig
        from model.types import Modality

        chosen = named_recipe(recipe, steps)
        with bad_option("--set"):
            if any(setting.startswith("lambda_ig") for setting in settings or ()):
                raise ValueError("A sweep takes its values of lambda_ig from --lambdas.")
            chosen = chosen.with_settings(settings or ())
        with bad_option("--device"):
            best_device(device)
        with bad_option("--data"):
            names = split_names(data) or tuple(map(preferred, Modality))
            config = TrainingConfig(chosen, names, device=device)
        with suppress(SweepFailed):  # a sweep that began before there were validation splits continues without them
            config = replace(config, split=SweepRecord(out).plan().plan.split)
        with bad_option("--lambdas or --seeds"):
            plan = SweepPlan(config, tuple(map(float, lambdas.split(","))), tuple(map(int, seeds.split(","))))
        if train:
            SweepRecord(out).keep_plan(plan)
        with interruptible() as interrupted:
            ended = _show(run(plan, out, interrupted, train=train, data=data_dir))
        if ended.results is None:
            print_note(f"Stopped. Finished runs and checkpoints are kept in {out}; the same command resumes the sweep.")
            raise typer.Exit(interrupted.status)
        file = write(ended.results, out)
        _print(ended.results)
        print_note(f"Wrote {file}, and table.* and figure3.* in the same folder.")


def _show(events: Iterator[Event]) -> SweepEnded:
    """Follow a sweep to its end, with a progress bar and a line for each run."""
    from rich.text import Text

    from model.sweeps.runner import Evaluated, RunFailed, SweepEnded, Working

    with _progress() as progress:
        task = progress.add_task("Looking for finished runs", total=1.0)
        for event in events:
            match event:
                case Working():
                    text = f"{event.number} of {event.runs}: {event.name}, {event.text}"
                    progress.update(task, completed=event.share_of_all, description=text)
                case Evaluated():
                    report = event.row.report
                    progress.console.print(
                        f"{event.name}: purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}"
                    )
                case RunFailed():
                    failure = Text.assemble((f"{event.name} failed:", "red"), f" {event.message}")
                    progress.console.print(failure, soft_wrap=True)
                case SweepEnded():
                    return event
    raise AssertionError("A sweep always ends with SweepEnded.")


def _progress() -> Progress:
    """Bar, share and elapsed time; the remaining time is hard to estimate if some runs exist already."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = BarColumn(30), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    return Progress(*columns, console=notes())


def _print(results: SweepResults) -> None:
    """Print the measured values in the layout of the paper's Table 1."""
    from rich.table import Table

    from model.export import tables as exported

    measured = exported.sweep(results.rows)
    table = Table(*measured.head, caption=measured.caption, caption_justify="left")
    for row in measured.rows:
        table.add_row(*row)
    tables().print(table)
