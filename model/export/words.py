"""What stands under an exported figure or table: the data, the recipe and the seeds, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from model.evaluation.report import Report
from model.recipes import lambda_text


def judged_on(report: Report) -> str:
    """The test data and the protocol: ``"Test inputs: 10,000 images (mnist), 300 utterances (fsdd); ..."``."""
    setting = report.setting
    speaker = f", speaker {setting['speaker']}" if setting.get("speaker") else ""
    return (
        f"Test inputs: {setting['n_images']:,} images ({setting['images']}), "
        f"{setting['n_utterances']:,} utterances ({setting['speech']}{speaker}); "
        f"{setting['samples_per_input']} samples an input, {len(report.purity.values)} resamplings, "
        f"seed {setting['seed']}."
    )


def trained_with(setting: Mapping[str, Any]) -> str:
    """How a model came to be: ``"recipe fast, λ_IG = 2.15e-2, 1,600 steps on mnist, fsdd and voices, seed 0"``."""
    return (
        f"recipe {setting['recipe']}, λ_IG = {lambda_text(setting['lambda_ig'])}, {setting['steps']:,} steps on "
        f"{trained_on(setting)}, seed {setting['trained_with_seed']}"
    )


def trained_on(setting: Mapping[str, Any]) -> str:
    """``"mnist, fsdd and voices"``, and what was left out, and from what training started."""
    data = setting["trained_on"]
    words = listed([*_names(data.get("images")), *_names(data.get("speech"))])
    if data.get("left_out"):
        words += f" without {data['left_out']}"
    if data.get("started_from"):
        words += f", started from {data['started_from']['name']}"
    return words


def caption(rows: Sequence[tuple[str, Report]]) -> str:
    """What was measured, on what, of which models; what the models were judged on is said once if it is the same."""
    judged = [judged_on(report) for _, report in rows]
    if len(rows) == 1:
        return f"{judged[0]} Model: {trained_with(rows[0][1].setting)}."
    models = [f"{name}: {trained_with(report.setting)}" for name, report in rows]
    if len(set(judged)) == 1:
        return f"{judged[0]} Models: {'; '.join(models)}."
    return " ".join(f"{model}. {data}" for model, data in zip(models, judged, strict=True))


def sweep_caption(reports: Sequence[Report], seeds: Iterable[int]) -> str:
    """What the models of a sweep have in common, and their seeds."""
    setting, numbers = reports[0].setting, [str(seed) for seed in sorted(set(seeds))]
    return (
        f"{judged_on(reports[0])} Models: recipe {setting['recipe']}, {setting['steps']:,} steps on "
        f"{trained_on(setting)}, {'seeds' if len(numbers) > 1 else 'seed'} {listed(numbers)}."
    )


def number(value: float) -> str:
    """``"0.0215"``, ``"6.81e-5"``: as people write them."""
    return f"{value:g}".replace("e-0", "e-")


def listed(names: Sequence[str]) -> str:
    """``"mnist, fsdd and voices"``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _names(value: str | Sequence[str] | None) -> list[str]:
    """Names as older headers wrote them, one as a string, or as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def one_line(text: str) -> str:
    """Words without line breaks and other control characters, which would end a row, a title or a file."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def cell(value: Any) -> Any:
    """A cell of a CSV or TSV file: words in one line that no spreadsheet takes for a formula.

    Those that begin like one get an apostrophe before them, as OWASP advises against "CSV injection". Other words, and
    numbers, stay what they are.
    """
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.startswith(_FORMULA) else line


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are the same in full width
