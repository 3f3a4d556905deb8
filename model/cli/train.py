"""``modinv train``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import (
    DataDir,
    Interruption,
    Settings,
    bad_option,
    errors_told,
    interruptible,
    notes,
    so_far,
    warn,
)
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
    recipe: Annotated[str, typer.Option(help="paper, the paper's as far as it says, or fast.")] = "fast",
    system: Annotated[str, typer.Option(help="Networks and loss; docs/recipes.md lists them.")] = DEFAULT_SYSTEM,
    data: Annotated[
        str, typer.Option(help="Corpora to learn from, with commas between: one of images, any of speech.")
    ] = "",
    split: Annotated[
        str, typer.Option(help="train, or train+validation: all that the corpora publish for training.")
    ] = "train",
    seed: Annotated[int, typer.Option(help="Fixes every random choice.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    steps: Annotated[int | None, typer.Option(help="Batches in all, instead of the recipe's.", min=1)] = None,
    settings: Settings = None,
    leave_out: Annotated[str, typer.Option(help="A speaker not to learn from, to judge the model on.")] = "",
    start: Annotated[
        Path | None, typer.Option(help="A model whose weights to start from.", exists=True, dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Train a model. Ctrl-C stops and keeps the work; the same command on its folder resumes it.

    The window lists the run, and can follow it while it trains.
    """
    with errors_told():
        from model.recipes import recipe as recipes
        from model.runs.corpus_cache import CorpusCache
        from model.runs.session import TrainingSession
        from model.runs.store import RunStore
        from model.systems.model_io import best_device

        with bad_option("--recipe"):
            chosen = recipes.named(recipe, **({"steps": steps} if steps else {}))
        with bad_option("--system"):
            chosen = chosen.changed(system=system)
        with bad_option("--lambda-ig"):
            chosen = chosen.with_settings([] if lambda_ig is None else [f"lambda_ig={lambda_ig}"])
        with bad_option("--set"):
            chosen = chosen.with_settings(settings or ())
        with bad_option("--device"):
            place = best_device(device)
        with bad_option("--data or --split"):
            plan = _plan(chosen, data, seed, device, leave_out, start, split)
        library = CorpusCache(data_dir)
        # Before there is a folder: what can't be loaded can't become a run.
        with notes().status("") as status, bad_option("--data or --leave-out"):

            def tell(share: float | None, text: str) -> None:
                status.update(so_far(share, text))

            library.sampler(plan, place, tell)
            library.probe(plan, tell)
        if leak := plan.leak():
            warn(leak)
        with interruptible() as interrupted, TrainingSession(out or RunStore().new_folder(plan), plan) as book:
            ended = _drive(book, library, interrupted)
    folder = book.record.folder
    if ended.complete:
        notes().print(f"Done: {ended.model}. Judge it with: modinv evaluate {ended.model}", soft_wrap=True)
    else:
        again = "The same command again" if out else f"The same command with --out '{folder}'"
        notes().print(
            f"Stopped after {ended.step:,} of {chosen.steps:,} steps; they are kept in {folder}. "
            f"{again} resumes there.",
            soft_wrap=True,
        )
        raise typer.Exit(interrupted.status)


def _plan(
    recipe: Recipe, data: str, seed: int, device: str, leave_out: str, start: Path | None, split: str
) -> TrainingConfig:
    """The plan; a ``ValueError`` says what is wrong with the corpora."""
    from model.data.corpora import find, trained_by_default
    from model.training.config import TrainingConfig

    names = tuple(name for part in data.split(",") if (name := part.strip())) or trained_by_default()
    for name in names:
        find(name)  # says which names there are
    return TrainingConfig(recipe, names, seed, device, leave_out, start, split)  # type: ignore[arg-type]  # it looks


def _drive(book: TrainingSession, library: CorpusCache, interrupted: Interruption) -> Ended:
    """Train to the end or until interrupted, showing the way."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from model.runs.session import Snapshotted
    from model.training.loop import Ended, Stepped

    progress, terms, quick = _progress(), Text(style="dim"), Text(style="dim")
    task, shown = progress.add_task("Training", total=None, visible=False), 0.0
    with Live(Group(progress, terms, quick), console=notes()):
        for event in book.train(library, interrupted):
            if isinstance(event, Ended):
                return event
            if isinstance(event, Snapshotted):
                quick.plain = _quick(event.snapshot.values)
            if not isinstance(event, Stepped):
                continue
            if progress.tasks[task].total is None:  # only now is it known where the run resumes
                progress.reset(task, total=event.steps, completed=event.step, visible=True)
            # Reading the loss waits for the device, so it is not read at every step.
            if (now := time.monotonic()) - shown > _REFRESH_SECONDS or event.step == event.steps:
                shown = now
                progress.update(task, completed=event.step)
                terms.plain = _terms(event)
    raise AssertionError("Training always ends with Ended.")


def _quick(values: Mapping[str, float]) -> str:
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
