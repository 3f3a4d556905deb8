"""Parsing of untrusted JSON into typed values; a ``ValueError`` says what is wrong.

Dataclasses serve as schemas: :func:`parse` follows the annotations of their fields. Its results have exactly these
types and only finite numbers, so that callers need no further checks.
"""

from __future__ import annotations

import functools
import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_MAX_DEPTH = 60  # levels of lists and objects; our files have at most ten
_MAX_DIGITS = 16  # of integers: other readers of JSON would round longer ones


def loads(content: bytes) -> Any:
    """Parse strict JSON: UTF-8, finite numbers, no lone surrogates, at most 60 levels deep.

    Raises
    ------
    ValueError
        If the content is not strict JSON.
    """
    try:
        found = _DECODER.decode(content.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    _check(found)
    return found


def read_json(path: Path, most: int = 2**20) -> Any:
    """Parse a JSON file of at most ``most`` bytes; raises ``ValueError`` as :func:`loads`, and ``OSError``."""
    return loads(read_bytes(path, most))


def read_bytes(path: Path, most: int) -> bytes:
    """Read a file; raises ``OSError``, and ``ValueError`` if it is larger than ``most`` bytes or not a regular file."""
    if path.exists() and not path.is_file():  # reading a named pipe would never end
        raise ValueError("it is no plain file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return content


def parse(kind: type[T], value: Any, name: str = "it") -> T:
    """Convert a JSON value to another type.

    Parameters
    ----------
    kind
        A dataclass, ``int``, ``float``, ``str``, ``bool``, ``Path``, ``Any``, a ``Literal``, a ``StrEnum``, a union, or
        a tuple, list, dict or mapping of these. Fields of a dataclass may be missing if they have defaults; unknown
        fields are errors. A dataclass may define ``FORMER_NAMES``, which maps field names of earlier versions to
        current names, ``FORMER_DEFAULTS``, which maps fields that earlier versions did not write to the values they
        implied, and a class method ``subclass_for``, which chooses a subclass by the values.
    value
        A result of :func:`loads`, or a part of it.
    name
        Name of the value in error messages.

    Raises
    ------
    ValueError
        If the value is of another type, or the constructor of the dataclass rejects it.
    """
    return _parse(kind, value, name)  # type: ignore[no-any-return]


def _parse(kind: Any, value: Any, name: str) -> Any:
    if kind is Any:
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        return _parse_dataclass(kind, value, name)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(_parse(Literal[tuple(str(one) for one in kind)], value, name))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _parse_union(arguments, value, name)
    if origin is Literal:
        known = next((one for one in arguments if one == value and type(one) is type(value)), None)
        return value if known is not None else _refuse(name, f"one of {', '.join(map(repr, arguments))}", value)
    if origin is tuple:
        return _parse_tuple(arguments, value, name)
    if origin is list:
        return [_parse(arguments[0], one, f"{name}[{place}]") for place, one in enumerate(_items(value, name))]
    if origin is not None and issubclass(origin, Mapping):
        return _parse_mapping(arguments, value, name)
    return _parse_plain(kind, value, name)


def _parse_plain(kind: Any, value: Any, name: str) -> Any:
    if kind is types.NoneType:
        return None if value is None else _refuse(name, "null", value)
    if kind is Path:
        kind, value = str, _parse_plain(str, value, name)
        return Path(value)
    if kind is float and type(value) is int and abs(value) < 10**_MAX_DIGITS:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):  # True is not a number here
        words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        _refuse(name, words.get(kind, str(kind)), value)
    return value


def _parse_dataclass(kind: Any, value: Any, name: str) -> Any:
    if hasattr(kind, "subclass_for"):
        kind = kind.subclass_for(_object(value, name))
    known, former = _fields(kind), getattr(kind, "FORMER_NAMES", {})
    found = {former.get(one, one): part for one, part in _object(value, name).items()}
    found = {**getattr(kind, "FORMER_DEFAULTS", {}), **found}
    if unknown := sorted(set(found) - set(known)):
        raise ValueError(f"{name} has unknown fields: {', '.join(unknown)}")
    if missing := sorted(one for one, (_, needed) in known.items() if needed and one not in found):
        raise ValueError(f"{name} lacks {', '.join(map(repr, missing))}")
    # In messages a field has its own name: "steps is not a whole number" needs no path.
    return kind(**{one: _parse(known[one][0], part, one) for one, part in found.items()})


@functools.cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Type of each field, and whether it is required."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
        if field.init
    }


def _parse_union(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    errors = []
    for kind in kinds:
        try:
            return _parse(kind, value, name)
        except ValueError as error:
            errors.append(error)
    raise errors[0]


def _parse_tuple(kinds: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    items = _items(value, name)
    if kinds[1:] == (...,):
        kinds = (kinds[0],) * len(items)
    if len(items) != len(kinds):
        _refuse(name, f"a list of {len(kinds)}", value)
    each = enumerate(zip(kinds, items, strict=True))
    return tuple(_parse(kind, one, f"{name}[{place}]") for place, (kind, one) in each)


def _parse_mapping(kinds: tuple[Any, ...], value: Any, name: str) -> dict[Any, Any]:
    found = {}
    for key, one in _object(value, name).items():
        found[_key(kinds[0], key, name)] = _parse(kinds[1], one, f"{name}[{key!r}]")
    return found


def _key(kind: Any, key: str, name: str) -> Any:
    if kind is not int:
        return _parse(kind, key, f"a name in {name}")
    try:  # keys of JSON objects are strings
        return int(key)
    except ValueError:
        _refuse(f"a name in {name}", "a whole number", key)


def _items(value: Any, name: str) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, list | tuple) else _refuse(name, "a list", value)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _refuse(name, "an object", value)


def _refuse(name: str, wanted: str, value: Any) -> NoReturn:
    shown = repr(value)
    raise ValueError(f"{name} is not {wanted}: {shown if len(shown) <= 40 else f'{shown[:37]}...'}")


def _check(value: Any, level: int = 0) -> None:
    """Reject values that are not strict JSON."""
    if level > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("it holds a lone surrogate") from None
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("it holds a number that is not finite")
    elif isinstance(value, dict):
        for key, one in value.items():
            _check(key, level + 1)
            _check(one, level + 1)
    elif isinstance(value, list):
        for one in value:
            _check(one, level + 1)


def _reject_constant(text: str) -> NoReturn:
    raise ValueError(f"it holds {text}, which is not a number")


def _whole_number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("it holds a number that is too large")
    return int(text)


_DECODER = json.JSONDecoder(parse_int=_whole_number, parse_constant=_reject_constant)
