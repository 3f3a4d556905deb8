"""Systems, by the names that recipes give them: the one of this package, and those that other packages add.

A package adds a system through a Python entry point of the group ``modinv.systems``, whose name is the system's and
whose value is a class that follows :class:`model.systems.base.System`. It is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import metadata

from model.recipes.recipe import Recipe
from model.systems.base import TOTAL, System, Term
from model.systems.variational import VariationalSystem

ENTRY_POINTS = "modinv.systems"
"""The group of entry points."""

_BUILT_IN: dict[str, type[System]] = {VariationalSystem.name: VariationalSystem}


def names() -> tuple[str, ...]:
    """Of all systems; those of other packages are not imported."""
    added = (entry.name for entry in metadata.entry_points(group=ENTRY_POINTS))
    return tuple(dict.fromkeys((*_BUILT_IN, *added)))


def find(name: str) -> type[System]:
    """A system by its name; a ``ValueError`` lists those there are, or says why it can't be imported."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            return entry.load()  # type: ignore[no-any-return]
        except Exception as error:  # whatever the module of another package does
            raise ValueError(f"The system {name!r} ({entry.value}) can't be imported: {error}") from error
    raise ValueError(
        f"No system is called {name!r} here. There are: {', '.join(names())}. Install the package that it comes from."
    )


def build(recipe: Recipe) -> System:
    """The system of a recipe, freshly initialised from torch's global random state; raises as :func:`find`."""
    return find(recipe.system)(recipe)


def terms_of(name: str) -> tuple[Term, ...]:
    """The terms of a system's loss; of one that is not installed only the total is known."""
    try:
        return find(name).terms
    except ValueError:
        return (TOTAL,)
