"""What is checked of a model's header before its networks are made; without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.checkpoints import Header, UnusableCheckpoint
from model.data.log_mel import FilterbankSettings
from model.parsing import parse
from model.recipes.recipe import Recipe


def filterbank_of(header: Header) -> FilterbankSettings:
    """The settings of the filterbanks that a model was trained on: those of all features that are made here.

    Raises
    ------
    UnusableCheckpoint
        If they are others: the features of corpora and galleries would mean something else to the model.
    """
    try:
        wanted = parse(FilterbankSettings, header.filterbank, "the filterbank")
    except ValueError as error:
        raise UnusableCheckpoint(f"Its header can't be read: {error}.") from error
    ours, theirs = FilterbankSettings().to_dict(), wanted.to_dict()
    if differing := [f"{name} {theirs[name]} instead of {ours[name]}" for name in ours if theirs[name] != ours[name]]:
        raise UnusableCheckpoint(
            f"It was trained on other filterbanks than this version of modinv makes ({', '.join(differing)}). Use the "
            "version that trained it, or train a new model."
        )
    return wanted


def header_and_recipe(values: Mapping[str, Any]) -> tuple[Header, Recipe]:
    """From the values in a model's file; the header says what the file has left to the defaults.

    Raises ``ValueError`` or ``TypeError`` if they are not those of a model, :class:`UnusableCheckpoint` if the model is
    one of other filterbanks.
    """
    header = Header.from_dict(dict(values))
    recipe = Recipe.from_dict(header.recipe)
    return replace(header, recipe=recipe.to_dict(), filterbank=filterbank_of(header).to_dict()), recipe


@contextmanager
def not_usable(path: Path) -> Iterator[None]:
    """Within it, what is wrong with the values of a model's file is raised as :class:`UnusableCheckpoint`."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UnusableCheckpoint(f"{path.name} is no model that this version can use: {error}") from error
