"""What the fields of a recipe are: each says once what it is called and what it may be.

Validation, the window's form, the comparison of runs, ``--set`` of the command line and the table in the documentation
all read it here. Without torch.
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
_DEFAULT = "default"  # in place of no number


def plain(value: Any) -> str:
    """A number in up to twelve digits, ``0.001`` or ``1e-9``; whole ones with commas."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.12g}".replace("e-0", "e-")


@dataclass(frozen=True, slots=True)
class RecipeField:
    """One field of a recipe. Its kind follows from its default: a switch, a choice, or one or several numbers.

    Attributes
    ----------
    name, default
        As in the recipe.
    title, help, group
        What people call it, a sentence about it, and the heading under which it stands.
    unit
        Of its values; empty for plain numbers.
    low, high
        The least and the greatest number that it may be.
    choices
        Of a choice: its words, and what people read instead; or a function that returns them.
    parts
        Titles of the numbers where the field is a tuple of them.
    empty
        What it means that there is no number; empty where there has to be one.
    shown
        How a number is written for people.
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
        """Of a choice: its words, and what people read instead."""
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
        """What it may be, in words."""
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
        """Raise a ``ValueError`` that says what the field may be, unless the value is."""
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
        """The value that somebody typed; a ``ValueError`` says what it may be."""
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
        """A value as people read it."""
        if value is None:
            return _DEFAULT
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, tuple):
            return ", ".join(map(self.shown, value))
        return value if isinstance(value, str) else self.shown(value)


@dataclass(frozen=True, slots=True)
class Group:
    """A heading; its methods are the right sides of a recipe's fields."""

    title: str

    def number(
        self,
        default: Any,
        title: str,
        help: str,
        low: float = 0,
        high: float = math.inf,
        **about: Any,
    ) -> Any:
        """A number between two bounds; whole, if the default is. ``about`` as of :class:`RecipeField`."""
        return self._field(default, title, help, low=low, high=high, **about)

    def choice(
        self, default: str, title: str, help: str, choices: Mapping[str, str] | Callable[[], Mapping[str, str]]
    ) -> Any:
        """One of a few words."""
        return self._field(default, title, help, choices=choices)

    def switch(self, default: bool, title: str, help: str) -> Any:
        """On or off."""
        return self._field(default, title, help)

    def _field(self, default: Any, title: str, help: str, **about: Any) -> Any:
        described = RecipeField("", default, title, help, self.title, **about)
        return dataclasses.field(default=default, metadata={_KEY: described})


def fixed(value: Any) -> Any:
    """The right side of a field that a subclass of a recipe does not have: whatever it is given, it has this value.

    Nobody is asked for such a field: it is none of :func:`fields_of`.
    """
    return dataclasses.field(default=value, metadata={_FIXED: True})


def fixed_values(recipe_type: type) -> dict[str, Any]:
    """The fields of a recipe's class that are :func:`fixed`, with their values."""
    described: Any = recipe_type
    return {field.name: field.default for field in dataclasses.fields(described) if _FIXED in field.metadata}


def fields_of(recipe_type: type) -> tuple[RecipeField, ...]:
    """The fields of a recipe's class that are described, in their order: all but its name and those that are fixed."""
    return _fields_of(recipe_type)


@functools.cache
def _fields_of(recipe_type: Any) -> tuple[RecipeField, ...]:
    described = ((field, field.metadata.get(_KEY)) for field in dataclasses.fields(recipe_type))
    return tuple(replace(about, name=field.name, default=field.default) for field, about in described if about)
