"""``modinv train``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.commands.console import INTERRUPTED, DataDir, bad_option, ctrl_c, errors_told, notes

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.datasets import Corpus, Samples
    from model.pairs import PairSampler
    from model.training import Ended, Run, Stepped

_REFRESH_SECONDS = 0.2


def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; holds model.safetensors when done.", file_okay=False)],
    lambda_ig: Annotated[float, typer.Option("--lambda-ig", help="Weight of the information gain.", min=0)] = 2.15e-2,
    recipe: Annotated[str, typer.Option(help="paper, exactly the paper's, or fast.")] = "fast",
    data: Annotated[str, typer.Option(help="Corpora to learn from: one of images, any of speech.")] = (
        "mnist,fsdd,voices"
    ),
    seed: Annotated[int, typer.Option(help="Fixes every random choice.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    steps: Annotated[int | None, typer.Option(help="Batches in all, instead of the recipe's.", min=1)] = None,
    leave_out: Annotated[str, typer.Option(help="A speaker not to learn from, to judge the model on.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Train a model. Ctrl-C stops and keeps the work; the same command again resumes it."""
    with errors_told():
        from model import recipes
        from model.pairs import PairSampler
        from model.trained import best_device
        from model.training import Run

        with bad_option("--recipe"):
            chosen = recipes.named(recipe, lambda_ig=lambda_ig, **({"steps": steps} if steps else {}))
        with bad_option("--device"):
            place = best_device(device)
        with bad_option("--data"):
            images, speech = _corpora(data, data_dir)
        described: dict[str, Any] = {"images": [images.name], "speech": [corpus.name for corpus in speech]}
        if leave_out:
            described["left_out"] = leave_out
        run = Run(out, chosen, seed, described, place)
        loaded = []
        with notes().status("") as status:
            for corpus in (images, *speech):
                status.update(f"Loading {corpus.title} (listening to a corpus takes minutes the first time)")
                loaded.append(corpus.load("train"))
        with bad_option("--leave-out"):
            heard = _without(leave_out, loaded[1:]) if leave_out else loaded[1:]
        sampler = PairSampler(loaded[0], heard, chosen.batch_pairs, seed, place)
        ended = _drive(run, sampler)
    if ended.complete:
        notes().print(f"Done: {ended.model}. Judge it with: modinv evaluate {ended.model}", soft_wrap=True)
    else:
        notes().print(
            f"Stopped after {ended.step:,} of {run.recipe.steps:,} steps; they are kept in {run.folder}. "
            "The same command again resumes there.",
            soft_wrap=True,
        )
        raise typer.Exit(INTERRUPTED)


def _corpora(names: str, folder: Path | None) -> tuple[Corpus, list[Corpus]]:
    """The one corpus of images and those of speech; a ``ValueError`` where they are not."""
    from model.datasets import corpora
    from model.results import Modality

    found = corpora(names, folder)
    images, speech = found[Modality.IMAGE], found[Modality.SPEECH]
    if len(images) != 1 or not speech:
        raise ValueError(f"Training needs one corpus of images and at least one of speech, not {names!r}.")
    return images[0], speech


def _without(speaker: str, speech: list[Samples]) -> list[Samples]:
    """Corpora without a speaker; a ``ValueError`` lists the speakers there are."""
    known = sorted({name for samples in speech for name in samples.speakers})
    if speaker not in known:
        raise ValueError(f"No speaker is called {speaker!r}. There are: {', '.join(known)}.")
    return [samples.without(speaker) for samples in speech]


def _drive(run: Run, sampler: PairSampler) -> Ended:
    """Train to the end or to Ctrl-C, showing the way."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from model.training import Ended, Stepped, train

    progress, terms = _progress(), Text(style="dim")
    task, shown = progress.add_task("Training", total=None, visible=False), 0.0
    with ctrl_c() as interrupted, Live(Group(progress, terms), console=notes()):
        for event in train(run, sampler, interrupted):
            if isinstance(event, Ended):
                return event
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


def _terms(event: Stepped) -> str:
    loss = event.loss.values()
    return (
        f"loss {loss['total']:.3f}   similarity {loss['similarity']:.3f}   "
        f"information gain {loss['information_gain']:.1f} (λ {event.lambda_ig:.3g})   "
        f"weights {loss['weight_norms']:.0f}"
    )


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
