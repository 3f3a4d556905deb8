"""``modinv sweep`` and ``modinv compare``: many runs, one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from model.cli.console import interruptible, notes, print_note, report_errors, tables
from model.cli.options import DataDir, Device, RecipeName, Settings, Steps, bad_option, named_recipe, split_names

if TYPE_CHECKING:
    from rich.progress import Progress

    from model.jobs.ray_cluster import RayCluster
    from model.sweeps.plans import Plan
    from model.sweeps.results import Results
    from model.sweeps.runner import Event, SweepEnded, Working
    from model.training.config import TrainingConfig

Data = Annotated[
    str,
    typer.Option(
        help="Corpora to train on, with commas between: one of images, any of speech; by default those that "
        "evaluation prefers."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Runs at the same time, each in a process of its own; by default as many as cores and memory permit. "
        "With 1, runs are trained one after another in this process. Results are the same.",
        min=1,
        show_default=False,
    ),
]
EngineName = Annotated[
    Literal["local", "ray"],
    typer.Option(
        help="Where runs are trained: local, on this machine; or ray, on the machines of a Ray cluster, each run with "
        "its cores or its GPU. All of them have to see the folder --out by the same path, and to have the corpora."
    ),
]
Address = Annotated[
    str,
    typer.Option(
        help="Of the Ray cluster, host:port; auto is the one that this machine belongs to. Only with --engine ray."
    ),
]
Train = Annotated[bool, typer.Option("--train/--no-train", help="Train missing runs, or evaluate complete ones only.")]


def sweep(
    out: Annotated[Path, typer.Option(help="Folder of the sweep, with a sub-folder for each run.", file_okay=False)],
    lambdas: Annotated[
        str, typer.Option(help="Values of lambda_IG, with commas between; by default the paper's eight.")
    ] = "0,1e-5,6.81e-5,4.64e-4,3.16e-3,2.15e-2,1.47e-1,1",
    seeds: Annotated[str, typer.Option(help="Seeds, with commas between; every lambda_IG is trained with each.")] = "0",
    recipe: RecipeName = "fast",
    data: Data = "",
    device: Device = "auto",
    steps: Steps = None,
    settings: Settings = None,
    train: Train = True,
    jobs: Jobs = None,
    engine: EngineName = "local",
    address: Address = "auto",
    data_dir: DataDir = None,
) -> None:
    """Train and evaluate models for many values of lambda_IG, and write the paper's table and Figure 3.

    Ctrl-C stops and keeps the work; the same command resumes it. A run that fails does not stop the others.
    """
    with report_errors():
        from model.sweeps.plans import SweepFailed, SweepPlan
        from model.sweeps.records import SweepRecord

        cluster = _cluster(engine, address)
        config = _config(recipe, steps, settings, ("lambda_ig",), data, device, engine)
        with suppress(SweepFailed):  # a sweep that began before there were validation splits continues without them
            config = replace(config, split=SweepRecord(out).plan().plan.split)
        with bad_option("--lambdas or --seeds"):
            plan = SweepPlan(config, tuple(map(float, lambdas.split(","))), tuple(map(int, seeds.split(","))))
        with cluster as found:
            _run(plan, out, train=train, jobs=jobs, cluster=found, data_dir=data_dir)


def compare(
    out: Annotated[
        Path, typer.Option(help="Folder of the comparison, with a sub-folder for each run.", file_okay=False)
    ],
    systems: Annotated[
        str,
        typer.Option(
            help="Systems to compare, with commas or semicolons between; by default all of the table in the README.",
            show_default=False,
        ),
    ] = "",
    seeds: Annotated[str, typer.Option(help="Seeds, with commas between; every system is trained with each.")] = "0",
    recipe: RecipeName = "fast",
    data: Data = "",
    device: Device = "auto",
    steps: Steps = None,
    settings: Settings = None,
    train: Train = True,
    jobs: Jobs = None,
    engine: EngineName = "local",
    address: Address = "auto",
    data_dir: DataDir = None,
) -> None:
    """Train and evaluate many systems with the same recipe on the same data, and write one table.

    Ctrl-C stops and keeps the work; the same command resumes it. A run that fails does not stop the others.
    """
    with report_errors():
        from model.sweeps.plans import ComparisonPlan, chosen_systems

        cluster = _cluster(engine, address)
        config = _config(recipe, steps, settings, ("system", "lambda_ig"), data, device, engine)
        with bad_option("--systems or --seeds"):
            plan = ComparisonPlan(config, chosen_systems(_names(systems)), tuple(map(int, seeds.split(","))))
        with cluster as found:
            _run(plan, out, train=train, jobs=jobs, cluster=found, data_dir=data_dir)


def _names(text: str) -> tuple[str, ...]:
    """Names of systems, of which some contain a comma: ``"deterministic; variational, λ 0"``."""
    return tuple(filter(None, (part.strip() for part in text.split(";")))) if ";" in text else split_names(text)


def _cluster(engine: EngineName, address: Address) -> AbstractContextManager[RayCluster | None]:
    """A context with the cluster that the options choose, if any."""
    if engine == "local":
        if address != "auto":
            raise typer.BadParameter("Only --engine ray has an address.", param_hint="--address")
        return nullcontext()
    if "://" in address:
        raise typer.BadParameter("Run the command on a machine of the cluster, with host:port.", param_hint="--address")
    try:
        from model.jobs.ray_cluster import connected
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        message = "It needs Ray, which is not installed. Install it: pip install 'modinv[cluster]'"
        raise typer.BadParameter(message, param_hint="--engine") from error
    return connected(address)


def _config(
    recipe: RecipeName,
    steps: Steps,
    settings: Settings,
    varied: Sequence[str],
    data: Data,
    device: Device,
    engine: EngineName,
) -> TrainingConfig:
    """What all runs have in common; fields that vary can't be set."""
    from model.data.corpora import preferred
    from model.systems.model_io import best_device
    from model.training.config import TrainingConfig
    from model.types import Modality

    chosen = named_recipe(recipe, steps)
    with bad_option("--set"):
        for name in varied:
            if any(setting.partition("=")[0].strip() == name for setting in settings or ()):
                raise ValueError(f"Runs of this command differ in {name}, which can't be set.")
        chosen = chosen.with_settings(settings or ())
    with bad_option("--device"):
        if engine == "local":
            best_device(device)
        elif device not in ("auto", "cpu", "cuda"):
            raise ValueError("Ray deals out the devices of its machines: choose auto, cpu or cuda.")
    with bad_option("--data"):
        return TrainingConfig(chosen, split_names(data) or tuple(map(preferred, Modality)), device=device)


def _run(
    plan: Plan, out: Path, *, train: bool, jobs: int | None, cluster: RayCluster | None, data_dir: Path | None
) -> None:
    """Run a plan to its end, write and print its results; exits if it was interrupted."""
    from model.jobs.local_processes import engine_for
    from model.runs.corpus_cache import CorpusCache
    from model.sweeps.plans import SweepFailed, on_all_cores
    from model.sweeps.records import SweepRecord
    from model.sweeps.runner import sweep as run
    from model.sweeps.runner import write

    try:  # it continues as it began
        plan = replace(plan, threads=SweepRecord(out).plan().threads)
    except SweepFailed:
        plan = on_all_cores(plan, cluster.cores if cluster else ())
    if train:
        SweepRecord(out).keep_plan(plan)
    engine = cluster.engine(plan, out, jobs) if cluster else engine_for(plan, jobs, CorpusCache(data_dir))
    with interruptible() as interrupted:
        ended = _show(run(plan, out, interrupted, train=train, data=data_dir, engine=engine))
    if ended.results is None:
        print_note(f"Stopped. Finished runs and checkpoints are kept in {out}; the same command resumes the work.")
        raise typer.Exit(interrupted.status)
    file = write(ended.results, out)
    _print(ended.results)
    print_note(f"Wrote {file}, and its table and figures in the same folder.")


def _show(events: Iterator[Event]) -> SweepEnded:
    """Follow the runs to their end, with a progress bar and a line for each run."""
    from rich.text import Text

    from model.sweeps.runner import Evaluated, RunFailed, SweepEnded, Working

    working: dict[str, Working] = {}
    with _progress() as progress:
        task = progress.add_task("Looking for finished runs", total=1.0)
        for event in events:
            match event:
                case Working():
                    working[event.name] = event
                    text = f"{event.ended} of {event.runs} done: {_in_words([*working.values()])}"
                    progress.update(task, completed=event.share_of_all, description=text)
                case Evaluated():
                    working.pop(event.name, None)
                    report = event.report
                    progress.console.print(
                        f"{event.name}: purity {report.purity.mean:.3f}, modality SVM {report.modality_svm.mean:.3f}"
                    )
                case RunFailed():
                    working.pop(event.name, None)
                    failure = Text.assemble((f"{event.name} failed:", "red"), f" {event.message}")
                    progress.console.print(failure, soft_wrap=True)
                case SweepEnded():
                    return event
    raise AssertionError("It always ends with SweepEnded.")


def _in_words(working: Sequence[Working]) -> str:
    """``"lambda-0-seed-0, step 640 of 1,600"``; of several, ``"lambda-0-seed-0 40%, lambda-1e-5-seed-0 38%"``."""
    if len(working) == 1:
        return f"{working[0].name}, {working[0].text}"
    return ", ".join(f"{one.name} {one.share:.0%}" for one in working)


def _progress() -> Progress:
    """Bar, share and elapsed time; the remaining time is hard to estimate if some runs exist already."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = BarColumn(30), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    return Progress(*columns, console=notes())


def _print(results: Results) -> None:
    """Print the table: the paper's Table 1 with measured values, or a line for each system."""
    from rich.table import Table

    from model.export.tables import of_results

    measured = of_results(results)
    console = tables()
    count = _columns_that_fit(measured.head, measured.rows, console.width)
    left_out = f" Too wide for this terminal: {', '.join(measured.head[count:])}." if count < len(measured.head) else ""
    table = Table(caption=measured.caption + left_out, caption_justify="left")
    for head in measured.head[:count]:
        table.add_column(head, no_wrap=" " not in head)
    for row in measured.rows:
        table.add_row(*row[:count])
    console.print(table)


def _columns_that_fit(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """The number of columns, at least one, that fit without an ellipsis, if headings are broken between words."""
    needed = 1  # the left edge
    for place, title in enumerate(head):
        needed += 3 + max(map(len, (*title.split(), *(row[place] for row in rows))))
        if needed > width:
            return max(1, place)
    return len(head)
