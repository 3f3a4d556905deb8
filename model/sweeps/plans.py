"""Plans of many runs that are compared: over lambda_IG (a sweep), or over systems (a comparison).

Without torch, so that the window can plan early.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model.cores import threads_for
from model.data.corpora import preferred
from model.errors import ModinvError
from model.evaluation.protocol import EvaluationProtocol
from model.parsing import parse
from model.recipes.recipe import PAPER_LAMBDAS, lambda_text
from model.runs.store import RunStore
from model.training.config import TrainingConfig
from model.types import Modality

SYSTEMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "variational": ("system=variational",),
        "variational, λ 0": ("system=variational", "lambda_ig=0"),
        "deterministic": ("system=deterministic",),
        "deterministic, 1 impostor": ("system=deterministic", "impostors=one"),
        "adversarial alone": ("system=adversarial", "lambda_ig=0", "lambda_similarity=0"),
        "adversarial": ("system=adversarial", "lambda_ig=0"),
        "adversarial + KL": ("system=adversarial",),
        "divergence": ("system=divergence",),
        "contrastive": ("system=contrastive", "lambda_ig=0"),
        "contrastive + KL": ("system=contrastive", "lambda_ig=1e-3"),  # see decision 37
        "distilled from images": ("system=distilled", "teacher=image"),
        "distilled from speech": ("system=distilled", "teacher=speech"),
        "generative": ("system=generative",),
    }
)
"""The systems of a comparison, by names for people: settings that change the recipe, as typed for ``--set``."""

_MOST_THREADS = 1024


class SweepFailed(ModinvError, RuntimeError):
    """No run of a plan succeeded, or a folder holds no plan; the message says why."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of a plan.

    Attributes
    ----------
    name
        Of its folder: ``"lambda-2.15e-2-seed-0"``, ``"adversarial-kl-seed-0"``.
    label
        What distinguishes it from the others, apart from the seed: ``"λ 2.15e-2"``, ``"adversarial + KL"``.
    config
        Its training.
    """

    name: str
    label: str
    config: TrainingConfig


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """The runs of a sweep: the configuration ``plan`` with every combination of some lambda_IG and seeds.

    Attributes
    ----------
    plan
        What all runs have in common.
    lambdas, seeds
        Every value is trained with each seed.
    threads
        Number of threads of each run on the CPU, from 1 to 1,024. The last digits of results depend on it, so that it
        is kept with the plan; see :func:`model.cores.threads_for`.
    """

    plan: TrainingConfig
    lambdas: tuple[float, ...] = PAPER_LAMBDAS
    seeds: tuple[int, ...] = (0,)
    threads: int = 1

    def __post_init__(self) -> None:
        _check_threads(self.threads)
        if not self.lambdas or not self.seeds:
            raise ValueError("A sweep needs at least one lambda_IG and one seed.")
        if not self.plan.recipe.has("lambda_ig"):
            raise ValueError(f"The system {self.plan.recipe.system} has no λ_IG, so there is nothing to sweep over.")
        self.runs()  # raises early if a value is invalid

    def runs(self) -> list[PlannedRun]:
        """All runs, ordered by seed so that a first table is complete early."""
        configs = [
            replace(self.plan, recipe=replace(self.plan.recipe, lambda_ig=lambda_ig), seed=seed)
            for seed in dict.fromkeys(self.seeds)
            for lambda_ig in sorted(set(self.lambdas))
        ]
        return [PlannedRun(run_name(one), f"λ {lambda_text(one.recipe.lambda_ig)}", one) for one in configs]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "plan": self.plan.to_dict(),
            "lambdas": list(self.lambdas),
            "seeds": list(self.seeds),
            "threads": self.threads,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SweepPlan:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the sweep")


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """The runs of a comparison: the configuration ``plan`` with every combination of some systems and seeds.

    Attributes
    ----------
    plan
        What all runs have in common.
    systems
        Names and settings, in the order of the table; see :data:`SYSTEMS`.
    seeds
        Every system is trained with each.
    threads
        See :class:`SweepPlan`.
    """

    plan: TrainingConfig
    systems: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(SYSTEMS))
    seeds: tuple[int, ...] = (0,)
    threads: int = 1

    def __post_init__(self) -> None:
        _check_threads(self.threads)
        if not self.systems or not self.seeds:
            raise ValueError("A comparison needs at least one system and one seed.")
        names = [_slug(name) for name in self.systems]
        if len(set(names)) < len(names) or not all(names):
            raise ValueError(f"Names of systems must differ in their letters: {', '.join(self.systems)}.")
        self.runs()  # raises early if a setting is invalid

    def runs(self) -> list[PlannedRun]:
        """All runs, ordered by seed so that a first table is complete early."""
        return [
            PlannedRun(
                f"{_slug(name)}-seed-{seed}",
                name,
                replace(self.plan, recipe=self.plan.recipe.with_settings(settings), seed=seed),
            )
            for seed in dict.fromkeys(self.seeds)
            for name, settings in self.systems.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        systems = {name: list(settings) for name, settings in self.systems.items()}
        return {"plan": self.plan.to_dict(), "systems": systems, "seeds": list(self.seeds), "threads": self.threads}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ComparisonPlan:
        """The inverse of :meth:`to_dict`; raises ``ValueError``."""
        return parse(cls, values, "the comparison")


Plan = SweepPlan | ComparisonPlan


def plan_from(values: Any) -> Plan:
    """Either plan from its JSON; raises ``ValueError``."""
    kind = ComparisonPlan if "systems" in parse(dict[str, Any], values, "the plan") else SweepPlan
    return kind.from_dict(values)


def on_all_cores(plan: Plan, hosts: Sequence[int] = ()) -> Plan:
    """The plan with as many threads for each run as let all of them together occupy all cores.

    Parameters
    ----------
    plan
        The runs.
    hosts
        Cores of each machine; by default those of this machine.
    """
    return replace(plan, threads=threads_for(len(plan.runs()), hosts))


def chosen_systems(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Systems of :data:`SYSTEMS` by their names, and others by the name of an installed system; all without names.

    Raises ``ValueError`` for an unknown name.
    """
    from model import systems  # late: other packages may add some

    unknown = [name for name in names if name not in SYSTEMS and name not in systems.names()]
    if unknown:
        raise ValueError(f"No system is called {unknown[0]!r}. There are: {'; '.join(SYSTEMS)}.")
    return {name: SYSTEMS.get(name, (f"system={name}",)) for name in names or SYSTEMS}


def run_name(config: TrainingConfig) -> str:
    """The name of a folder for a run of a sweep: ``"lambda-2.15e-2-seed-0"``."""
    return f"lambda-{lambda_text(config.recipe.lambda_ig)}-seed-{config.seed}"


def protocol_of(config: TrainingConfig) -> EvaluationProtocol:
    """The evaluation protocol of a plan's runs: on human speech if the models train on it."""
    return EvaluationProtocol(images=config.images[0], speech=preferred(Modality.SPEECH, config.speech))


def found_in(folder: Path) -> SweepPlan:
    """The sweep that the complete runs in a folder belong to; the folder is only read.

    Raises
    ------
    SweepFailed
        If there is no complete run, or if they differ in more than lambda_IG and seed.
    """
    configs = [info.plan for _, info in RunStore(folder).readable() if info.state == "complete"]
    if not configs:
        raise SweepFailed(f"{folder} holds no complete run.")
    lambdas, seeds = {config.recipe.lambda_ig for config in configs}, {config.seed for config in configs}
    found = SweepPlan(configs[0], tuple(sorted(lambdas)), tuple(sorted(seeds)))
    if not all(any(config.trains_as(planned.config) for planned in found.runs()) for config in configs):
        raise SweepFailed(f"The runs in {folder} differ in more than lambda_IG and seed: they are not a sweep.")
    return found


def _check_threads(threads: int) -> None:
    if not 1 <= threads <= _MOST_THREADS:
        raise ValueError(f"A run takes 1 to {_MOST_THREADS:,} threads.")


def _slug(name: str) -> str:
    """The part of a folder's name for a system: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
