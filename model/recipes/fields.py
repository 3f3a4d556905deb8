"""Descriptions of the fields of recipes: titles, allowed values and defaults; without torch.

Validation, the window's form, the comparison of runs, the option ``--set`` and ``docs/recipes.md`` are based on them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

_KEY = "recipe"
_FIXED = "fixed"
_SWITCH = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
_DEFAULT = "default"  # text for None


def plain(value: Any) -> str:
    """A number with up to twelve digits, ``0.001`` or ``1e-9``; integers with commas."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.12g}".replace("e-0", "e-")


@dataclass(frozen=True, slots=True)
class RecipeField:
    """One field of a recipe: a switch, a choice, a number, or a tuple of numbers, depending on its default.

    Attributes
    ----------
    name, default
        As in the recipe.
    title, help, group
        Title, explanation and heading for people.
    unit
        Unit of its values; may be empty.
    low, high
        Least and greatest allowed number.
    choices
        Values of a choice with their titles, or a function that returns them.
    parts
        Titles of the numbers of a tuple.
    empty
        Meaning of ``None``; empty if it is not allowed.
    shown
        Formats a number for people.
    """

    name: str
    default: Any
    title: str
    help: str
    group: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: Mapping[str, str] | Callable[[], Mapping[str, str]] = dataclasses.field(default_factory=dict)
    parts: tuple[str, ...] = ()
    empty: str = ""
    shown: Callable[[Any], str] = plain

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return isinstance(self.default, bool)

    @property
    def is_choice(self) -> bool:
        """Whether it is one of a few words."""
        return isinstance(self.default, str)

    @property
    def words(self) -> Mapping[str, str]:
        """The values of a choice with their titles."""
        return self.choices() if callable(self.choices) else self.choices

    @property
    def numbers(self) -> tuple[RecipeField, ...]:
        """The field itself, or a field for each number of a tuple."""
        if not self.parts:
            return (self,)
        each = zip(self.parts, self.default, strict=True)
        return tuple(replace(self, title=title, default=default, parts=()) for title, default in each)

    @property
    def wanted(self) -> str:
        """Its allowed values, in words."""
        if self.is_switch:
            return "yes or no"
        if self.is_choice:
            return f"one of {', '.join(self.words)}"
        if self.parts:
            return f"{len(self.parts)} numbers with a comma between"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if self.high == math.inf:
            return f"{kind} of at least {plain(self.low)}"
        return f"{kind} from {plain(self.low)} to {plain(self.high)}"

    def check(self, value: Any) -> None:
        """Raise ``ValueError`` if a value is not allowed."""
        if self.parts and isinstance(value, tuple) and len(value) == len(self.parts):
            for part, number in zip(self.numbers, value, strict=True):
                part.check(number)
        elif not self._allows(value):
            raise ValueError(f"{self.title} must be {self.wanted}.")

    def _allows(self, value: Any) -> bool:
        if self.is_switch or isinstance(value, bool):
            return self.is_switch and isinstance(value, bool)
        if self.is_choice:
            return isinstance(value, str) and (value == self.default or value in self.words)
        if value is None:
            return bool(self.empty)
        kind = int if isinstance(self.default, int) else int | float
        return not self.parts and isinstance(value, kind) and math.isfinite(value) and self.low <= value <= self.high

    def parse(self, text: str) -> Any:
        """Convert typed text to a value; raises ``ValueError``."""
        if self.parts:
            found = text.split(",")
            value: Any = None
            if len(found) == len(self.parts):
                value = tuple(part.parse(number) for part, number in zip(self.numbers, found, strict=True))
        else:
            value = self._parse(text.strip())
        self.check(value)
        return value

    def _parse(self, text: str) -> Any:
        if self.is_switch:
            return _SWITCH.get(text.lower())
        if self.is_choice:
            return text
        if self.empty and text.lower() in ("", _DEFAULT):
            return None
        try:
            return int(text) if isinstance(self.default, int) else float(text.replace(",", "."))
        except ValueError:
            return math.nan

    def text(self, value: Any) -> str:
        """Format a value for people."""
        if value is None:
            return _DEFAULT
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, tuple):
            return ", ".join(map(self.shown, value))
        return value if isinstance(value, str) else self.shown(value)


@dataclass(frozen=True, slots=True)
class Group:
    """A heading, whose methods declare the fields of a recipe under it."""

    title: str

    def number(self, default: Any, title: str, help: str, low: float = 0, high: float = math.inf, **about: Any) -> Any:
        """Declare a number in [low, high], an integer if the default is one. ``about``: see :class:`RecipeField`."""
        return self._field(default, title, help, low=low, high=high, **about)

    def choice(
        self, default: str, title: str, help: str, choices: Mapping[str, str] | Callable[[], Mapping[str, str]]
    ) -> Any:
        """Declare a choice."""
        return self._field(default, title, help, choices=choices)

    def switch(self, default: bool, title: str, help: str) -> Any:
        """Declare a switch."""
        return self._field(default, title, help)

    def _field(self, default: Any, title: str, help: str, **about: Any) -> Any:
        described = RecipeField("", default, title, help, self.title, **about)
        return dataclasses.field(default=default, metadata={_KEY: described})


def fixed(value: Any) -> Any:
    """Declare a field that a subclass of `Recipe` does not use: it always has this value.

    Such a field is not among :func:`fields_of`.
    """
    return dataclasses.field(default=value, metadata={_FIXED: True})


def fixed_values(recipe_type: Any) -> dict[str, Any]:
    """The :func:`fixed` fields of a class of recipes, with their values."""
    return {field.name: field.default for field in dataclasses.fields(recipe_type) if _FIXED in field.metadata}


def fields_of(recipe_type: type) -> tuple[RecipeField, ...]:
    """The fields of a class of recipes, in order, without its name and those that are :func:`fixed`."""
    return _fields_of(recipe_type)


@functools.cache
def _fields_of(recipe_type: Any) -> tuple[RecipeField, ...]:
    described = ((field, field.metadata.get(_KEY)) for field in dataclasses.fields(recipe_type))
    return tuple(replace(about, name=field.name, default=field.default) for field, about in described if about)
