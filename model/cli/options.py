"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from model.recipes.recipe import Recipe

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MODINV_DATA",
        help="Folder of corpora, with a sub-folder for each.",
        file_okay=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="A field of the recipe, such as batch_size=64; can be given several times."
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        help="fast; sprint, for a first look; robust, for other people's voices; or paper, which follows the paper as "
        "far as it specifies."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Steps = Annotated[int | None, typer.Option(help="Batches in all, instead of the recipe's.", min=1)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


@contextmanager
def bad_option(name: str) -> Iterator[None]:
    """Report a ``ValueError`` as a wrong value of an option: exit code 2."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error


def split_names(text: str) -> tuple[str, ...]:
    """The names in a list with commas between."""
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def named_recipe(name: str, steps: int | None) -> Recipe:
    """The recipe that the options ``--recipe`` and ``--steps`` choose."""
    from model.recipes.recipe import named

    with bad_option("--recipe"):
        return named(name, **({"steps": steps} if steps else {}))
