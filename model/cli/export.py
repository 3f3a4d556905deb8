"""``modinv export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli.console import notes, print_note, progress_text, report_errors
from model.cli.evaluate import IMAGES, SPEECH, HeldOutSplit, chosen_protocol, evaluated
from model.cli.options import DataDir, bad_option

if TYPE_CHECKING:
    from model.evaluation import EvaluationProtocol
    from model.evaluation.robustness import Robustness
    from model.evaluation.store import Evaluation
    from model.evaluation.sweep_results import SweepRow
    from model.export.writers import Exhibits


def export(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[MODEL|RUN|SWEEP]...",
            help="Models that 'modinv train' wrote, folders of runs, or of a sweep; by default the shipped ones.",
            show_default=False,
        ),
    ] = None,
    *,
    to: Annotated[
        Path,
        typer.Option(help="A file: png, svg, pdf, csv, md, tex, npz, parquet or html; or a folder, for everything."),
    ],
    what: Annotated[
        str,
        typer.Option(
            help="figure2, figure3, confusions, curves, noise, conditions, numbers, sweep, embeddings, projector "
            "(a folder), report, or onnx (a folder for the two encoders of a model); by default chosen by the file's "
            "suffix.",
            show_default=False,
        ),
    ] = "",
    images: Annotated[str, typer.Option(help=IMAGES)] = "",
    speech: Annotated[str, typer.Option(help=SPEECH)] = "",
    split: Annotated[HeldOutSplit, typer.Option(help="Split to evaluate on.")] = HeldOutSplit.TEST,
    seed: Annotated[int, typer.Option(help="Fixes samples, clusters and splits.", min=0)] = 0,
    data_dir: DataDir = None,
) -> None:
    """Write figures, tables, embeddings or a report about models, which are evaluated first if necessary."""
    with report_errors():
        from model.export.writers import everything, suggested, write

        if what == "onnx":
            _write_encoders(sources or [], to)
            return
        sources = sources or _shipped(what)
        exhibits = _exhibits(sources, chosen_protocol(images, speech, "", seed, split), data_dir)
        with notes().status(progress_text(None, f"Writing {to.name}")) as status, bad_option("--what or --to"):
            if what or to.suffix:
                write(what or suggested(exhibits, to), exhibits, to)
            else:
                for path in everything(exhibits, to):
                    status.update(f"Wrote {path}")
        print_note(f"Wrote {to}.")


def _write_encoders(sources: Sequence[Path], folder: Path) -> None:
    """Write the encoders of one model, and say how they compare with torch, if it is installed."""
    from model import locations
    from model.export.onnx import difference_from_torch, write_onnx
    from model.runs.store import RunRecord

    if len(sources) > 1:
        raise typer.BadParameter("onnx is about one model.", param_hint="--what")
    source = sources[0] if sources else locations.shipped_model()
    model = RunRecord(source).model_file if source.is_dir() else source
    for path in write_onnx(model, folder):
        print_note(f"Wrote {path}.")
    try:
        print_note(
            f"Compared with PyTorch on random inputs, they differ by at most {difference_from_torch(model):.1e}."
        )
    except ModuleNotFoundError:
        print_note("They were not compared with PyTorch, which is not installed.")


def _shipped(what: str) -> list[Path]:
    """The default sources; without the model if only the sweep is needed, as its evaluation takes time."""
    from model import locations
    from model.export.writers import WRITERS

    only_sweep = what in WRITERS and WRITERS[what].needs == "sweep"
    shipped = [] if only_sweep else [locations.shipped_model()]
    return [path for path in (*shipped, locations.shipped_sweep()) if path.is_file()]


def _exhibits(sources: Sequence[Path], protocol: EvaluationProtocol, data_dir: Path | None) -> Exhibits:
    """Sort the sources into models, runs and sweeps, and evaluate the models."""
    from model.checkpoints import UnusableCheckpoint
    from model.evaluation.robustness import find
    from model.export.writers import Exhibits
    from model.runs.store import RunRecord

    models: list[tuple[str, Evaluation]] = []
    noisy: list[tuple[str, Robustness]] = []
    runs: list[RunRecord] = []
    rows: list[SweepRow] = []
    for source in sources:
        if (found := _sweep_rows(source)) is not None:
            rows.extend(found)
            continue
        name, record = "", RunRecord(source)
        if record.exists:
            name = record.info().name
            if record.points():
                runs.append(record)
        if not (file := record.model_file if record.exists else source).is_file():
            raise UnusableCheckpoint(f"There is no model in {source}.")
        evaluation = evaluated(file, protocol, data_dir)
        models.append((_unique(name or _description(evaluation), [taken for taken, _ in models]), evaluation))
        if found_in_noise := find(file, protocol):
            noisy.append((models[-1][0], found_in_noise))
    return Exhibits(models, rows, runs, data_dir, noisy)


def _sweep_rows(source: Path) -> Sequence[SweepRow] | None:
    """The rows of a sweep, by its folder or file; ``None`` for anything else."""
    from model.checkpoints import read_header
    from model.evaluation.sweep_results import SweepResults

    file = source / "sweep.safetensors" if source.is_dir() else source
    if not file.is_file() or read_header(file).get("kind") != "sweep":
        return None
    return SweepResults.load(file).rows


def _description(evaluation: Evaluation) -> str:
    from model.export import words

    setting = evaluation.report.setting
    return f"{setting['recipe']}, {words.objective(setting)}"


def _unique(name: str, taken: Sequence[str]) -> str:
    """The name, with a number if another model has it already."""
    return next(new for new in (name, *(f"{name} ({n})" for n in range(2, len(taken) + 2))) if new not in taken)
