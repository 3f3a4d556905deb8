"""The table of all exports by name, for the command line and the window."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from model.export import drawing, embeddings, figures, report, robustness, tables

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation
    from model.evaluation.sweep_results import SweepRow
    from model.runs.store import RunRecord

log = logging.getLogger(__name__)

Part = Literal["models", "sweep", "runs", "noisy"]


@dataclass(frozen=True, slots=True, eq=False)
class Exhibits:
    """What to export: evaluated models with unique names, models of a sweep, runs with curves, and models in noise.

    ``data_dir`` is the folder of the corpora, for pictures; by default the user's.
    """

    models: Sequence[tuple[str, Evaluation]] = ()
    sweep: Sequence[SweepRow] = ()
    runs: Sequence[RunRecord] = ()
    data_dir: Path | None = None
    noisy: robustness.Rows = ()


@dataclass(frozen=True, slots=True)
class Writer:
    """One kind of export: the part that it needs, the suffixes of its file (none for a folder), and what writes it.

    ``write`` raises ``OSError``, and ``ValueError`` for other suffixes. If ``single``, it is about the first model.
    """

    needs: Part
    formats: tuple[str, ...]
    write: Callable[[Exhibits, Path], None]
    single: bool = False


def _numbers(of: Exhibits, to: Path) -> None:
    tables.save(tables.comparison([(name, evaluation.report) for name, evaluation in of.models]), to)


def _projector(of: Exhibits, to: Path) -> None:
    evaluation, pictures = of.models[0][1], None
    try:
        pictures = embeddings.thumbnails(evaluation, of.data_dir)
    except FileNotFoundError as error:  # MissingData: importing its module takes time
        log.info("The projector has no pictures: %s", error)
    embeddings.projector(evaluation, to, pictures)


WRITERS: Mapping[str, Writer] = {
    "figure2": Writer("models", drawing.FORMATS, lambda of, to: drawing.save(figures.figure2(of.models), to)),
    "figure3": Writer("sweep", drawing.FORMATS, lambda of, to: drawing.save(figures.figure3(of.sweep), to)),
    "confusions": Writer(
        "models", drawing.FORMATS, lambda of, to: drawing.save(figures.confusions(of.models[0][1].report), to), True
    ),
    "curves": Writer("runs", drawing.FORMATS, lambda of, to: drawing.save(figures.curves(of.runs), to)),
    "noise": Writer("noisy", drawing.FORMATS, lambda of, to: drawing.save(robustness.noise(of.noisy), to)),
    "conditions": Writer("noisy", tables.FORMATS, lambda of, to: tables.save(robustness.conditions(of.noisy), to)),
    "numbers": Writer("models", tables.FORMATS, _numbers),
    "sweep": Writer("sweep", tables.FORMATS, lambda of, to: tables.save(tables.sweep(of.sweep), to)),
    "embeddings": Writer(
        "models", embeddings.FORMATS, lambda of, to: embeddings.save(of.models[0][1], to), single=True
    ),
    "projector": Writer("models", (), _projector, single=True),
    "report": Writer("models", report.FORMATS, lambda of, to: report.save(of.models, to, of.sweep, of.data_dir)),
}
"""All exports. The default for a file is the first one that has its format."""


def suggested(of: Exhibits, to: Path) -> str:
    """The name of the first export that can write a file; raises ``ValueError`` if there is none."""
    suffix = to.suffix.removeprefix(".").lower()
    for name, writer in WRITERS.items():
        if suffix in writer.formats and getattr(of, writer.needs):
            return name
    known = dict.fromkeys(kind for writer in WRITERS.values() for kind in writer.formats)
    raise ValueError(f"Nothing here can be written as {to.name!r}. The formats are {', '.join(known)}.")


def write(what: str, of: Exhibits, to: Path) -> None:
    """Write one export.

    Raises ``ValueError`` for unknown names, missing parts and other suffixes, and ``OSError``.
    """
    if what not in WRITERS:
        raise ValueError(f"No export is called {what!r}. There are: {', '.join(WRITERS)}.")
    if not getattr(of, WRITERS[what].needs):
        raise ValueError(f"{what} needs {_PARTS[WRITERS[what].needs]}.")
    WRITERS[what].write(of, to)


def everything(of: Exhibits, folder: Path) -> Iterator[Path]:
    """Write all possible exports in all formats; yields each file or folder.

    If there are several models, exports about a single model are in a sub-folder for each.
    """
    for name, writer in WRITERS.items():
        if not getattr(of, writer.needs):
            continue
        places = [(of, folder)]
        if writer.single and len(of.models) > 1:
            places = [(replace(of, models=[model]), folder / _slug(model[0])) for model in of.models]
        for part, place in places:
            for to in [place / f"{name}.{kind}" for kind in writer.formats] or [place / name]:
                writer.write(part, to)
                yield to


_PARTS: Mapping[Part, str] = {
    "models": "a model",
    "sweep": "a sweep",
    "runs": "a run's folder with its metrics",
    "noisy": "a model that was measured in noise: run 'modinv evaluate --conditions' first",
}


def _slug(name: str) -> str:
    """A name for all file systems: ``"fast-λ_IG-0.0215"``."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
