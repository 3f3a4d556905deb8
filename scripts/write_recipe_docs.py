"""Write ``docs/recipes.md``, the table of a recipe's fields: ``python scripts/write_recipe_docs.py``."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path

from model.recipes.fields import RecipeField, fields_of
from model.recipes.recipe import RECIPES, Recipe

FILE = Path(__file__).parents[1] / "docs" / "recipes.md"

HEAD = """\
# Recipes

A recipe decides a training but for its data, seed and device. `modinv train --set FIELD=VALUE` changes a field, as the
form *Train → Advanced* does. A system that another package adds may have further fields.

`scripts/write_recipe_docs.py` writes this page from `model/recipes/recipe.py`; change the fields there.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for group, fields in groupby(fields_of(Recipe), key=lambda field: field.group):
        names = " | ".join(f"`{name}`" for name in RECIPES)
        parts.append(f"## {group}\n\n| Field | {names} | May be | What it is |\n|---|{'---|' * len(RECIPES)}---|---|")
        parts[-1] += "".join(f"\n{_row(field)}" for field in fields) + "\n"
    return "\n".join(parts)


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
