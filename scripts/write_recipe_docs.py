"""Write ``docs/recipes.md``, the table of a recipe's fields: ``python scripts/write_recipe_docs.py``."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path

from model.recipes.fields import RecipeField, fields_of, fixed_values
from model.recipes.recipe import RECIPES, Recipe
from model.systems import BUILT_IN
from model.systems.base import System

FILE = Path(__file__).parents[1] / "docs" / "recipes.md"

HEAD = """\
# Recipes

A recipe decides a training but for its data, seed and device. `modinv train --set FIELD=VALUE` changes a field, as the
form *Train → Advanced* does. A system may have further fields, and lack some.

`scripts/write_recipe_docs.py` writes this page from `model/recipes/recipe.py`; change the fields there.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for group, fields in groupby(fields_of(Recipe), key=lambda field: field.group):
        recipes = " | ".join(f"`{name}`" for name in RECIPES)
        parts.append(f"## {group}\n\n| Field | {recipes} | May be | What it is |\n|---|{'---|' * len(RECIPES)}---|---|")
        parts[-1] += "".join(f"\n{_row(field)}" for field in fields) + "\n"
    parts.append("## Systems\n\n| `system` | What it is | Fields of its own | Fields it lacks |\n|---|---|---|---|")
    parts[-1] += "".join(f"\n{_system_row(system)}" for system in BUILT_IN.values()) + "\n"
    return "\n".join(parts)


def _system_row(system: type[System]) -> str:
    known = {field.name for field in fields_of(Recipe)}
    own = [field for field in fields_of(system.recipe_type) if field.name not in known]
    fields = "; ".join(f"`{field.name}` ({field.text(field.default)}): {field.help}, {field.wanted}" for field in own)
    lacking = ", ".join(f"`{field}`" for field in fixed_values(system.recipe_type))
    summary = (system.__doc__ or "").splitlines()[0]
    return f"| `{system.name}` | {summary} | {fields} | {lacking} |"


def _row(field: RecipeField) -> str:
    values = " | ".join(field.text(getattr(recipe, field.name)) for recipe in RECIPES.values())
    wanted = "a system that is installed" if callable(field.choices) else field.wanted
    if field.empty:
        wanted += f", or default: {field.empty}"
    unit = f" ({field.unit})" if field.unit else ""
    return f"| `{field.name}` | {values} | {wanted} | **{field.title}**{unit}: {field.help} |"


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.partition(":")[0]).parse_args()
    FILE.write_text(page(), "utf-8")
