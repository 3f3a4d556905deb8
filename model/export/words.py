"""Captions of exported figures and tables: data, recipes and seeds in words; and text for cells and file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.data.curation import in_words
from model.evaluation.report import Report
from model.recipes.recipe import encoder_text, objective_text
from model.training.ancestry import generations, names

PAIR_RECALL = (
    "R@k of one partner: as in papers on captioned images, only one drawn partner of the query's digit is right. The "
    "ceiling is what telling the digit without fail is expected to reach; no embedding can know more of the partner."
)
"""What has to be said beside these figures, lest they be taken for bad ones."""


def evaluated_on(report: Report) -> str:
    """The data and the protocol: ``"Test inputs: 10,000 images (mnist), 300 utterances (fsdd, ...); ..."``."""
    setting = report.setting
    speech = ", ".join(filter(None, (setting["speech"], speakers(setting))))
    return (
        f"{split(setting).capitalize()} inputs: {setting['n_images']:,} images ({setting['images']}), "
        f"{setting['n_utterances']:,} utterances ({speech}); {resampled(setting)}, seed {setting['seed']}."
        f"{seen(setting)}{curated(setting)}"
    )


def split(setting: Mapping[str, Any]) -> str:
    """``"test"`` or ``"validation"``; reports of earlier versions know only the former."""
    return str(setting.get("split", "test"))


def seen(setting: Mapping[str, Any]) -> str:
    """A warning if the evaluated inputs were in the training data: ``" Training has seen those of mnist."``."""
    known: Mapping[str, bool | None] = setting.get("seen_in_training", {})
    sure = [name for name, one in known.items() if one]
    unsure = [name for name in known if name not in sure]
    return (f" Training has seen those of {listed(sure)}." if sure else "") + (
        f" Training has perhaps seen those of {listed(unsure)}." if unsure else ""
    )


def curated(setting: Mapping[str, Any]) -> str:
    """What the user has changed in the evaluated inputs: ``" Changed by the user: mnist (3 left out)."``."""
    found = changed(setting)
    return f" Changed by the user: {found}." if found else ""


def changed(data: Mapping[str, Any]) -> str:
    """What the user has changed in data, by the numbers that their description holds under ``curated``.

    ``"mnist (3 left out) and fsdd (1 relabelled)"``; empty for nothing, and for what a damaged header may hold.
    """
    known = data.get("curated")
    counts = known if isinstance(known, Mapping) else {}
    words = {name: in_words(one) for name, one in counts.items() if isinstance(one, Mapping)}
    return listed([f"{name} ({one})" for name, one in words.items() if one])


def speakers(setting: Mapping[str, Any]) -> str:
    """The number of speakers, and how many are in the training data: ``"6 speakers, all heard in training"``.

    Empty if unknown, as in reports of earlier versions.
    """
    known, one = "speakers_heard" in setting, setting.get("speaker")
    if one and not known:
        return f"speaker {one}"
    if not known:
        return ""
    count, heard = setting["speakers"], setting["speakers_heard"]
    who = f"speaker {one}" if one else f"{count} speaker{'' if count == 1 else 's'}"
    if heard is None:
        return f"{who}, perhaps heard in training: the data of the model it started from are not recorded"
    if count > 1 and heard in (0, count):
        return f"{who}, {'all' if heard else 'none'} heard in training"
    return f"{who}, {'' if heard else 'not '}heard in training" if count == 1 else f"{who}, {heard} heard in training"


def resampled(setting: Mapping[str, Any]) -> str:
    """How purity and SVM were measured: ``"purity on 300 + 300 inputs, 16 samples an input; 5 resamplings, ..."``."""
    of_each = setting["inputs_per_modality"]
    shared = " that share these utterances" if of_each == setting["n_utterances"] else ""
    return (
        f"purity on {of_each:,} + {of_each:,} inputs, {setting['samples_per_input']} samples an input; "
        f"{setting['resamplings']} resamplings{shared}"
    )


def trained_with(setting: Mapping[str, Any]) -> str:
    """How a model was trained: ``"recipe fast, λ_IG = 2.15e-2, 1,600 steps on mnist, fsdd and voices, seed 0"``."""
    return (
        f"recipe {setting['recipe']}, {objective(setting)}{encoder_text(setting.get('recipe_values', {}))}, "
        f"{setting['steps']:,} steps on {trained_on(setting)}, seed {setting['trained_with_seed']}"
    )


def objective(setting: Mapping[str, Any]) -> str:
    """The objective: ``"λ_IG = 2.15e-2"``, ``"deterministic"``; reports of earlier versions have no recipe."""
    return objective_text(setting.get("recipe_values", setting), "λ_IG = ")


def trained_on(setting: Mapping[str, Any]) -> str:
    """``"mnist, fsdd and voices"``, the held-out speaker, what the user has changed, and the model started from."""
    words, before = [], ""
    for data in generations(setting["trained_on"]):
        if data is None:
            words.append(f"{before}, whose training data are not recorded")
            break
        corpora = listed([*names(data.get("images")), *names(data.get("speech"))])
        without = f" without {data['left_out']}" if data.get("left_out") else ""
        part = f" ({data['split']} split)" if "split" in data else ""
        found = changed(data)
        changes = f", changed by the user: {found}" if found else ""
        words.append(f"{before}{', trained on ' if before else ''}{corpora}{part}{without}{changes}")
        before = data["started_from"]["name"] if "started_from" in data else ""
    return ", started from ".join(words)


def caption(rows: Sequence[tuple[str, Report]]) -> str:
    """The caption for some models: data and protocol, once if they are the same for all, and training."""
    evaluated = [evaluated_on(report) for _, report in rows]
    if len(rows) == 1:
        return f"{evaluated[0]} Model: {trained_with(rows[0][1].setting)}."
    models = [f"{name}: {trained_with(report.setting)}" for name, report in rows]
    if len(set(evaluated)) == 1:
        return f"{evaluated[0]} Models: {'; '.join(models)}."
    return " ".join(f"{model}. {data}" for model, data in zip(models, evaluated, strict=True))


def sweep_caption(reports: Sequence[Report], seeds: Iterable[int]) -> str:
    """The caption for a sweep: data, protocol and recipe, and the seeds."""
    setting, numbers = reports[0].setting, [str(seed) for seed in sorted(set(seeds))]
    return (
        f"{evaluated_on(reports[0])} Models: recipe {setting['recipe']}, {setting['steps']:,} steps on "
        f"{trained_on(setting)}, {'seeds' if len(numbers) > 1 else 'seed'} {listed(numbers)}."
    )


def wrong_matches(count: int) -> str:
    """``"no wrong match"``, ``"1 wrong match"``, ``"85 wrong matches"``."""
    return f"{count:,} wrong matches" if count > 1 else f"{count or 'no'} wrong match"


def number(value: float) -> str:
    """``"0.0215"``, ``"6.81e-5"``."""
    return f"{value:g}".replace("e-0", "e-")


def listed(names: Sequence[str]) -> str:
    """``"mnist, fsdd and voices"``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def suffix_in(formats: Sequence[str], path: Path, what: str) -> str:
    """The suffix of a file, lower case and without the dot; a ``ValueError`` unless it is one of some formats."""
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in formats:
        raise ValueError(f"{what} written as {', '.join(formats)}, not as {path.name!r}.")
    return suffix


def one_line(text: str) -> str:
    """Text without line breaks and other control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def cell(value: Any) -> Any:
    """A value as a cell of a CSV or TSV file.

    Text is put in one line; if a spreadsheet could take it for a formula, it is prefixed with an apostrophe, as OWASP
    advises against "CSV injection".
    """
    if not isinstance(value, str):
        return value
    line = one_line(value)
    return f"'{line}" if line.startswith(_FORMULA) else line


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are the full-width forms
