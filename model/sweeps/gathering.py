"""From the evaluations of a plan's runs to its results: a row for each model, and aligned maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.evaluation.aligned_maps import AlignedMaps
from model.evaluation.comparison_results import ComparisonResults, ComparisonRow
from model.evaluation.sweep_results import SweepResults, SweepRow
from model.sweeps.maps import maps_of
from model.sweeps.plans import Plan, SweepPlan
from model.sweeps.results import Results

if TYPE_CHECKING:
    from model.evaluation.store import Evaluation
    from model.sweeps.runner import EvaluatedRun


def gather(
    plan: Plan,
    evaluated: Sequence[EvaluatedRun],
    failures: Mapping[str, str],
    data: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Results | None:
    """The results of a plan.

    Parameters
    ----------
    plan
        The plan.
    evaluated
        Its evaluated runs, at least one, in its order. Maps are made of the first run of each label, those of a sweep
        in the order of lambda_IG.
    failures
        The other runs, by name, and why they came to nothing.
    data
        Folder of the corpora; by default the user's.
    stop
        Called now and then; true cancels.

    Returns
    -------
    SweepResults, ComparisonResults or None
        None if it was cancelled.

    Raises
    ------
    MissingData
        If the corpus of images was removed meanwhile.
    """
    first: dict[str, EvaluatedRun] = {}
    ordered = sorted(evaluated, key=_lambda_ig) if isinstance(plan, SweepPlan) else evaluated
    for one in ordered:
        first.setdefault(one.run.label, one)
    evaluations = [one.evaluation for one in first.values()]
    maps = maps_of(evaluations, _setting(plan, evaluations[0]), failures, data, stop)
    if maps is None:
        return None
    shared = {field.name: getattr(maps, field.name) for field in fields(AlignedMaps)}
    if isinstance(plan, SweepPlan):
        rows = sorted(
            (SweepRow(_lambda_ig(one), one.run.config.seed, one.evaluation.report) for one in evaluated),
            key=lambda row: (row.lambda_ig, row.seed),
        )
        return SweepResults(**shared, lambdas=tuple(map(_lambda_ig, first.values())), rows=tuple(rows))
    systems = tuple(first)
    return ComparisonResults(
        **shared,
        systems=systems,
        settings={name: tuple(plan.systems[name]) for name in systems},
        rows=tuple(
            ComparisonRow(name, one.run.config.seed, one.evaluation.report, one.seconds, one.parameters)
            for name in systems
            for one in evaluated
            if one.run.label == name
        ),
    )


def _lambda_ig(one: EvaluatedRun) -> float:
    return one.run.config.recipe.lambda_ig


def _setting(plan: Plan, evaluation: Evaluation) -> dict[str, Any]:
    """The settings that all models have in common."""
    recipe = plan.plan.recipe.to_dict()
    if isinstance(plan, SweepPlan):
        del recipe["lambda_ig"]
    return {
        "recipe": recipe,
        "trained_on": plan.plan.data(),
        "steps": plan.plan.recipe.steps,
        "protocol": evaluation.protocol.to_dict(),
        "versions": evaluation.report.setting["versions"],
    }
