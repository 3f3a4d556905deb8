"""``modinv sweep``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import DataDir, Settings, bad_option, errors_told, interruptible, notes, tables

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.evaluation.sweep_results import SweepResults
    from model.sweeps.runner import Event, SweepEnded


def sweep(
    out: Annotated[Path, typer.Option(help="Folder of the sweep; holds a folder for every run.", file_okay=False)],
    lambdas: Annotated[
        str, typer.Option(help="Values of lambda_IG, with commas between; by default the paper's eight.")
    ] = "0,1e-5,6.81e-5,4.64e-4,3.16e-3,2.15e-2,1.47e-1,1",
    seeds: Annotated[str, typer.Option(help="Seeds, with commas between; every lambda_IG is trained with each.")] = "0",
    recipe: Annotated[str, typer.Option(help="paper, the paper's as far as it says, or fast.")] = "fast",
    data: Annotated[
        str,
        typer.Option(
            help="Corpora to learn from, with commas between: one of images, any of speech; by default those that "
            "evaluation prefers."
        ),
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    steps: Annotated[int | None, typer.Option(help="Batches in all, instead of the recipe's.", min=1)] = None,
    settings: Settings = None,
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="Train what is missing, or judge what is complete.")
    ] = True,
    data_dir: DataDir = None,
) -> None:
    """Train and judge many values of lambda_IG, and write the paper's table and Figure 3.

    Ctrl-C stops and keeps the work; the same command again resumes it. A run that fails does not stop the others.
    """
    with errors_told():
        from model.data.corpora import preferred
        from model.recipes import recipe as recipes
        from model.sweeps.records import SweepRecord
        from model.sweeps.runner import SweepFailed, SweepPlan, write
        from model.sweeps.runner import sweep as run
        from model.systems.model_io import best_device
        from model.training.config import TrainingConfig
        from model.types import Modality

        with bad_option("--recipe"):
            chosen = recipes.named(recipe, **({"steps": steps} if steps else {}))
        with bad_option("--set"):
            if any(setting.startswith("lambda_ig") for setting in settings or ()):
                raise ValueError("A sweep takes its values of lambda_ig from --lambdas.")
            chosen = chosen.with_settings(settings or ())
        with bad_option("--device"):
            best_device(device)
        with bad_option("--data"):
            names = tuple(filter(None, (name.strip() for name in data.split(","))))
            plan = TrainingConfig(chosen, names or tuple(map(preferred, Modality)), device=device)
        with suppress(SweepFailed):  # a sweep that began before there were validation splits goes on without
            plan = replace(plan, split=SweepRecord(out).plan().plan.split)
        with bad_option("--lambdas or --seeds"):
            whole = SweepPlan(
                plan, tuple(map(float, lambdas.split(","))), tuple(int(seed) for seed in seeds.split(","))
            )
        if train:
            SweepRecord(out).keep_plan(whole)
        with interruptible() as interrupted:
            ended = _show(run(whole, out, interrupted, train=train, data=data_dir))
        if ended.results is None:
            notes().print(
                f"Stopped; what was done is kept in {out}. The same command again resumes there.", soft_wrap=True
            )
            raise typer.Exit(interrupted.status)
        file = write(ended.results, out)
        _print(ended.results)
        notes().print(f"Wrote {file}; table.* and figure3.* lie beside it.", soft_wrap=True)


def _show(events: Iterator[Event]) -> SweepEnded:
    """Follow a sweep to its end, with a bar for all of it and a line for every run."""
    from rich.text import Text

    from model.sweeps.runner import Judged, RunFailed, SweepEnded, Working

    with _progress() as progress:
        task = progress.add_task("Looking for what there is", total=1.0)
        for event in events:
            match event:
                case Working():
                    text = f"{event.number} of {event.runs}: {event.name}, {event.text}"
                    progress.update(task, completed=event.share_of_all, description=text)
                case Judged():
                    report = event.row.report
                    progress.console.print(
                        f"{event.name}: purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}"
                    )
                case RunFailed():
                    told = Text.assemble((f"{event.name} failed:", "red"), f" {event.message}")
                    progress.console.print(told, soft_wrap=True)
                case SweepEnded():
                    return event
    raise AssertionError("A sweep always ends with SweepEnded.")


def _progress() -> Progress:
    """Bar, share and time so far: what remains is known badly where some runs are there already."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = BarColumn(30), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    return Progress(*columns, console=notes())


def _print(results: SweepResults) -> None:
    """The paper's table, measured here and in the paper."""
    from rich.table import Table

    from model.export import tables as exported

    measured = exported.sweep(results.rows)
    table = Table(*measured.head, caption=measured.caption, caption_justify="left")
    for row in measured.rows:
        table.add_row(*row)
    tables().print(table)
