"""``modinv train``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import (
    Interruption,
    interruptible,
    notes,
    print_changes,
    print_note,
    print_warning,
    progress_text,
    report_errors,
)
from model.cli.options import DataDir, Device, RecipeName, Settings, Steps, bad_option, named_recipe, split_names
from model.recipes.recipe import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.recipes.recipe import Recipe
    from model.runs.corpus_cache import CorpusCache
    from model.runs.session import TrainingSession
    from model.training.config import TrainingConfig
    from model.training.loop import Ended, Stepped

_REFRESH_SECONDS = 0.2


def train(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the run; a new one among your runs by default.", file_okay=False),
    ] = None,
    lambda_ig: Annotated[
        float | None, typer.Option("--lambda-ig", help="Weight of the information gain; by default 2.15e-2.", min=0)
    ] = None,
    recipe: RecipeName = "fast",
    system: Annotated[str, typer.Option(help="Networks and loss; docs/recipes.md lists them.")] = DEFAULT_SYSTEM,
    data: Annotated[
        str, typer.Option(help="Corpora to train on, with commas between: one of images, any of speech.")
    ] = "",
    split: Annotated[
        str, typer.Option(help="train, or train+validation: all that the corpora publish for training.")
    ] = "train",
    seed: Annotated[int, typer.Option(help="Fixes every random choice.", min=0)] = 0,
    device: Device = "auto",
    steps: Steps = None,
    settings: Settings = None,
    leave_out: Annotated[str, typer.Option(help="A speaker to hold out from training.")] = "",
    start: Annotated[
        Path | None, typer.Option(help="A model whose weights to start from.", exists=True, dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Train a model. Ctrl-C stops and keeps the work; the same command with the run's folder resumes it.

    The window lists the run, and shows its progress.
    """
    with report_errors():
        from model.networks.data_parallel import is_first, joined
        from model.systems.model_io import best_device

        chosen = named_recipe(recipe, steps)
        with bad_option("--system"):
            chosen = chosen.changed(system=system)
        with bad_option("--lambda-ig"):
            chosen = chosen.with_settings([] if lambda_ig is None else [f"lambda_ig={lambda_ig}"])
        with bad_option("--set"):
            chosen = chosen.with_settings(settings or ())
        with bad_option("--device"):
            best_device(device)
        with joined(device) as own_device:
            with bad_option("--data or --split"):
                config = _config(chosen, data, seed, own_device, leave_out, start, split)
            if is_first():
                _train_run(config, out, data_dir)
            else:
                _train_along(config, out, data_dir)


def _train_run(config: TrainingConfig, out: Path | None, data_dir: Path | None) -> None:
    """Train, and say how it ended; exits if it was interrupted."""
    from model.networks.data_parallel import size
    from model.runs.corpus_cache import CorpusCache
    from model.runs.session import TrainingSession
    from model.runs.store import RunStore
    from model.systems.model_io import best_device

    if out is None and size() > 1:
        raise typer.BadParameter("Processes that train together need the run's folder.", param_hint="--out")
    corpora = CorpusCache(data_dir)
    # Loaded before the run's folder is made, so that a missing corpus leaves no folder behind.
    with notes().status("") as status, bad_option("--data or --leave-out"):

        def show(share: float | None, text: str) -> None:
            status.update(progress_text(share, text))

        corpora.sampler(config, best_device(config.device), show)
        corpora.probe(config, show)
    if leak := config.leak():
        print_warning(leak)
    with interruptible() as interrupted, TrainingSession(out or RunStore().new_folder(config), config) as session:
        ended = _train(session, corpora, interrupted)
    folder, steps = session.record.folder, session.config.recipe.steps
    print_changes(ended.header.data)
    if ended.complete:
        print_note(f"Done: {ended.model}. Evaluate it with: modinv evaluate {ended.model}")
    else:
        command = "The same command" if out else f"The same command with --out '{folder}'"
        print_note(f"Stopped after {ended.step:,} of {steps:,} steps, kept in {folder}. {command} resumes it.")
        raise typer.Exit(interrupted.status)


def _train_along(config: TrainingConfig, out: Path | None, data_dir: Path | None) -> None:
    """Take part in the training of the first process, which shows progress; exits if it was interrupted."""
    from model.runs.corpus_cache import CorpusCache
    from model.runs.session import train_along

    if out is None:  # which the first one says
        raise typer.Exit(2)
    with interruptible() as interrupted:
        complete = train_along(out, CorpusCache(data_dir), config.device, interrupted)
    if not complete:
        raise typer.Exit(interrupted.status)


def _config(
    recipe: Recipe, data: str, seed: int, device: str, leave_out: str, start: Path | None, split: str
) -> TrainingConfig:
    """The configuration that the options choose; raises ``ValueError`` for unknown corpora or splits."""
    from model.data.corpora import find, trained_by_default
    from model.training.config import TrainingConfig

    names = split_names(data) or trained_by_default()
    for name in names:
        find(name)  # its error lists the known names
    return TrainingConfig(recipe, names, seed, device, leave_out, start, split)  # type: ignore[arg-type]


def _train(session: TrainingSession, corpora: CorpusCache, interrupted: Interruption) -> Ended:
    """Train to the end or until interrupted, while showing progress and losses."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from model.runs.session import Snapshotted
    from model.training.loop import Ended, Stepped

    progress, terms, quick = _progress(), Text(style="dim"), Text(style="dim")
    task, shown = progress.add_task("Training", total=None, visible=False), 0.0
    with Live(Group(progress, terms, quick), console=notes()):
        for event in session.train(corpora, interrupted):
            if isinstance(event, Ended):
                return event
            if isinstance(event, Snapshotted):
                quick.plain = _estimates(event.snapshot.values)
            if not isinstance(event, Stepped):
                continue
            if progress.tasks[task].total is None:  # the first step: only now is it known where the run resumes
                progress.reset(task, total=event.steps, completed=event.step, visible=True)
            # Reading the loss synchronises with the device, so it is not read at every step.
            if (now := time.monotonic()) - shown > _REFRESH_SECONDS or event.step == event.steps:
                shown = now
                progress.update(task, completed=event.step)
                terms.plain = _terms(event)
    raise AssertionError("Training always ends with Ended.")


def _estimates(values: Mapping[str, float]) -> str:
    from model.runs.values import ESTIMATES

    return "quick estimates: " + "   ".join(f"{term.title} {values[term.name]:.3f}" for term in ESTIMATES)


def _terms(event: Stepped) -> str:
    values = event.loss.values()
    terms = [f"{term.title} {values[term.name]:.4g}" for term in event.system.terms]
    return "   ".join((*terms, *(f"{name} {value:.3g}" for name, value in event.loss.weights.items())))


def _progress() -> Progress:
    """Bar, steps, rate and remaining time."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.2f} steps/s" if task.speed else "")

    columns = BarColumn(30), MofNCompleteColumn(), Rate(), TimeRemainingColumn(), TextColumn("left")
    return Progress(TextColumn("{task.description}"), *columns)
