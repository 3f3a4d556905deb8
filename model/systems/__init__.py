"""Systems, by the names that recipes give them: those of this package, and those that other packages add.

A package adds a system through a Python entry point of the group ``modinv.systems``, whose name is the system's and
whose value is a class that follows :class:`model.systems.base.System`. It is imported when it is first asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata

from model.recipes.recipe import Recipe
from model.systems.adversarial import AdversarialSystem
from model.systems.base import TOTAL, System, Term
from model.systems.contrastive import ContrastiveSystem
from model.systems.deterministic import DeterministicSystem
from model.systems.distilled import DistilledSystem
from model.systems.divergence import DivergenceSystem
from model.systems.generative import GenerativeSystem
from model.systems.variational import VariationalSystem

BUILT_IN: dict[str, type[System]] = {
    system.name: system
    for system in (
        VariationalSystem,
        DeterministicSystem,
        AdversarialSystem,
        DivergenceSystem,
        ContrastiveSystem,
        DistilledSystem,
        GenerativeSystem,
    )
}


@functools.cache
def entry_points() -> Mapping[str, metadata.EntryPoint]:
    """The systems of other packages, not imported yet; looked for once in a process."""
    return {entry.name: entry for entry in metadata.entry_points(group="modinv.systems")}


def names() -> tuple[str, ...]:
    """Of all systems; none is imported for it."""
    return (*BUILT_IN, *(name for name in entry_points() if name not in BUILT_IN))


def summary(name: str) -> str:
    """What a system is, in the sentence that its class begins with; raises ``ValueError`` as :func:`find`."""
    return (find(name).__doc__ or "").partition("\n")[0]


def find(name: str) -> type[System]:
    """A system by its name; a ``ValueError`` lists those there are, or says why it can't be imported."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    entry = entry_points().get(name)
    if entry is None:
        raise ValueError(
            f"No system is called {name!r} here. There are: {', '.join(names())}. Install the package that adds it."
        )
    try:
        return entry.load()  # type: ignore[no-any-return]
    except Exception as error:  # whatever the module of another package does
        raise ValueError(f"The system {name!r} ({entry.value}) can't be imported: {error}") from error


def build(recipe: Recipe) -> System:
    """The system of a recipe, freshly initialised from torch's global random state; raises as :func:`find`."""
    return find(recipe.system)(recipe)


def charted_terms(names: Iterable[str]) -> tuple[Term, ...]:
    """The terms of some systems' losses that get a chart; of a system that is not installed only the total is known."""
    found = {TOTAL.name: TOTAL}
    for name in dict.fromkeys(names):
        with suppress(ValueError):
            for term in find(name).terms:
                if term.charted:
                    found.setdefault(term.name, term)
    return tuple(found.values())
