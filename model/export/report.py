"""Reports: self-contained HTML files about evaluated models."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.checkpoints import write_bytes_atomically
from model.evaluation.report import Direction, Report
from model.evaluation.sweep_results import SweepRow
from model.export import drawing, figures, tables, words
from model.export.embeddings import picture
from model.types import Item

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation

FORMATS = ("html",)

log = logging.getLogger(__name__)

_MISTAKES = 12  # shown of each model


def save(
    rows: Sequence[tuple[str, Evaluation]],
    path: Path,
    sweep: Sequence[SweepRow] = (),
    data_dir: Path | None = None,
) -> None:
    """Write a report.

    Parameters
    ----------
    rows
        Models with names; at least one.
    path
        The file; ``.html``.
    sweep
        Models of a sweep, for Figure 3.
    data_dir
        Folder of the corpora, for pictures of mistakes; by default the user's. If they are missing, mistakes are
        described in words only.

    Raises
    ------
    ValueError
        If there is no model, or the suffix is another one.
    OSError
        If the file can't be written.
    """
    words.suffix_in(FORMATS, path, "A report is")
    write_bytes_atomically(path, page(rows, sweep, data_dir).encode(errors="replace"))


def page(rows: Sequence[tuple[str, Evaluation]], sweep: Sequence[SweepRow] = (), data_dir: Path | None = None) -> str:
    """The report's HTML; see :func:`save`."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    comparison = tables.comparison([(name, evaluation.report) for name, evaluation in rows])
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["typeset"] = _typeset
    template = environment.from_string(files("model.export").joinpath("report.html").read_text("utf-8"))
    first = rows[0][1]
    shown = first.figure2()[1]
    images = int((shown < first.image_count).sum())
    return template.render(
        title="Evaluation of " + (rows[0][0] if len(rows) == 1 else f"{len(rows)} models"),
        version=version("modinv"),
        date=date.today().isoformat(),
        palette=drawing.page_colours(),
        comparison=comparison,
        figure2=Markup(drawing.inline_svg(figures.figure2(rows), "Maps of embeddings of images and speech")),
        map_sizes=(images, len(shown) - images),
        figure3=Markup(drawing.inline_svg(figures.figure3(sweep), "Purity and modality SVM; modality gap and P@1"))
        if sweep
        else None,
        sweep=tables.sweep(sweep) if sweep else None,
        models=[_model(name, evaluation, data_dir) for name, evaluation in rows],
    )


def _typeset(text: str) -> str:
    """Text as HTML: escaped, with the index of lambda_IG as a subscript."""
    from markupsafe import Markup, escape

    return escape(text).replace("λ_IG", Markup("λ<sub>IG</sub>"))


def _model(name: str, evaluation: Evaluation, data_dir: Path | None) -> dict[str, Any]:
    from markupsafe import Markup

    report = evaluation.report
    directions = {"Image to speech": report.image_to_speech, "Speech to image": report.speech_to_image}
    mistakes = evaluation.mistakes()
    return {
        "name": name,
        "confusions": Markup(drawing.inline_svg(figures.confusions(report), f"Confusions of {name}")),
        "digits": list(_side_by_side(*(one.per_digit for one in directions.values()))),
        "speakers": list(_side_by_side(*(one.per_speaker for one in directions.values()))),
        "confidence": [(title, one.confidence) for title, one in directions.items() if one.confidence],
        "calibration": [(_calibration(title, one), one.calibration.bins) for title, one in directions.items()],
        "mistakes": list(_pictured(evaluation, mistakes[:_MISTAKES], data_dir)),
        "mistake_count": len(mistakes),
        "facts": list(_facts(report)),
    }


def _calibration(title: str, direction: Direction) -> str:
    """``"Image to speech, AUROC 0.710, 85 wrong matches"``."""
    auroc, errors = direction.calibration.auroc, direction.calibration.errors
    return title if auroc is None else f"{title}, AUROC {auroc:.3f}, {words.wrong_matches(errors)}"


def _side_by_side(
    one: Mapping[Any, float], other: Mapping[Any, float]
) -> Iterator[tuple[Any, tuple[float | None, float | None]]]:
    for key in sorted({*one, *other}):
        yield key, (one.get(key), other.get(key))


def _pictured(
    evaluation: Evaluation, mistakes: Sequence[tuple[int, int, float]], data_dir: Path | None
) -> Iterator[dict[str, Any]]:
    items = evaluation.items()
    for query, match, _ in mistakes:
        both: tuple[Item, Item] = (items[query], items[match])
        try:
            pictures = [_png(evaluation, item, data_dir) for item in both]
        except FileNotFoundError as error:  # MissingData, without importing its module for the name
            log.info("Mistakes are shown without pictures: %s", error)
            pictures = []
        yield {"query": both[0], "match": both[1], "pictures": pictures}


def _png(evaluation: Evaluation, item: Item, data_dir: Path | None) -> str:
    """The encoder input of an item as a PNG data URI."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(picture(evaluation.features(item.index, data_dir))).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    setting = report.setting
    yield "File", setting["checkpoint"]
    yield "Trained with", words.trained_with(setting)
    yield "Evaluated on", words.evaluated_on(report)
    if "recipe_values" in setting:  # missing in reports of earlier versions
        values = setting["recipe_values"].items()
        yield "Recipe", ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in values)
    for title, name in (("Trained by", "trained_versions"), ("Evaluated by", "versions")):
        if name in setting:
            yield title, ", ".join(f"{package} {number}" for package, number in setting[name].items())
    yield "Evaluation time", f"{report.seconds:.0f} s"


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "default"}[value]
    if isinstance(value, float):
        return words.number(value)
    return " and ".join(map(_plain, value)) if isinstance(value, list | tuple) else f"{value}"
