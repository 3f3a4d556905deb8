"""Ways to damage JSON: values of other types, numbers without end, parts that are gone."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    5,
    2**31,
    10**30,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    "0001-01-01T00:00:00+00:00",
    "../../x",
    "x" * 5000,
    [],
    [1],
    {},
    {"a": 1},
)
"""What may stand where something else belongs."""


def damaged_json(value: Any, rng: np.random.Generator) -> tuple[str, bytes]:
    """One to three injuries of a JSON value: what was done, and the text that is left."""
    value, words = copy.deepcopy(value), []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        places = list(_places(value))
        if not places or rng.random() < 0.05:
            value = _strange(rng)
            words.append(f"is {str(value)[:20]!r}")
            continue
        holder, key = places[int(rng.integers(len(places)))]
        kind = rng.random()
        if kind < 0.15:
            del holder[key]
            words.append(f"without {key}")
        elif kind < 0.2:
            holder[key] = _Deep(int(rng.choice([50, 200, 5000])))
            words.append(f"{key} is deep")
        elif kind < 0.25 and isinstance(holder, dict):
            holder["zz"] = 1
            words.append("with zz")
        else:
            holder[key] = _strange(rng)
            words.append(f"{key} is {str(holder[key])[:20]!r}")
    return ", ".join(words), _text(value)


def _strange(rng: np.random.Generator) -> Any:
    """One of `STRANGE`; a copy, for the next injury may go into it."""
    return copy.deepcopy(STRANGE[int(rng.integers(len(STRANGE)))])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value: what holds it, and by which key."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


class _Deep:
    def __init__(self, levels: int) -> None:
        self.levels = levels

    def __str__(self) -> str:
        return f"{self.levels} lists"


def _text(value: Any) -> bytes:
    """JSON, also of what is none; `json` itself would give up on lists that are too deep."""
    deep: list[int] = []

    def mark(one: Any) -> str:
        deep.append(one.levels)
        return f"<deep {one.levels}>"

    text = json.dumps(value, default=mark)
    for levels in deep:
        text = text.replace(f'"<deep {levels}>"', "[" * levels + "]" * levels)
    return text.encode("utf-8", "surrogatepass")
