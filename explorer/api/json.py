"""How result objects are written as JSON, and what the OpenAPI document says about them: one reading of the types.

Amounts become strings in FLUX with exactly 8 decimals, because sums pass 2^53 zatoshi. Everything else in a
result object is what JSON has already.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from explorer.queries.units import ABSENT, Absence, Unit
from indexer.chain.params import COIN

Write = Callable[[Any], Any]

PATTERNS = {
    Unit.ZATOSHI: r"^-?(0|[1-9][0-9]*)\.[0-9]{8}$",
    Unit.HASH: "^[0-9a-f]{64}$",
    Unit.HEX: "^([0-9a-f]{2})*$",
    Unit.OUTPOINT: "^[0-9a-f]{64}:(0|[1-9][0-9]*)$",
    Unit.ADDRESS: "^[1-9A-HJ-NP-Za-km-z]{34,36}$",
}
"""How a text with a unit is written (ECMA 262)."""
LEAST = {Unit.HEIGHT: 0, Unit.BYTES: 0}
"""The least value of a number with a unit."""


def amount_text(zatoshi: int) -> str:
    """An amount in FLUX with exactly 8 decimals."""
    whole, rest = divmod(abs(zatoshi), COIN)
    return f"{'-' if zatoshi < 0 else ''}{whole}.{rest:08d}"


def to_json(value: Any) -> Any:
    """A result object as what ``json`` writes."""
    cls: Any = type(value)
    return _writer(cls)(value)


def encode(body: Any, *, pretty: bool = False) -> bytes:
    """JSON text; in ASCII, so that no input can make it fail."""
    separators = None if pretty else (",", ":")
    return json.dumps(body, indent=2 if pretty else None, separators=separators, allow_nan=False).encode("ascii")


@cache
def _writer(cls: Any) -> Write:
    """The function that turns an object of a dataclass into a dict; fields that are ABSENT are left out.

    A field whose type is a variable (``Page.items``) is written by the type of each value.
    """
    hints = get_type_hints(cls, include_extras=True)
    plan = tuple((field.name, _key(field.name), _write(hints[field.name])) for field in fields(cls))

    def write(value: Any) -> dict[str, Any]:
        return {
            key: item if item is None or change is None else change(item)
            for name, key, change in plan
            if (item := getattr(value, name)) is not ABSENT
        }

    return write


def _write(hint: Any) -> Write | None:
    """How a value of an annotation is written; None: as it is."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return amount_text if Unit.ZATOSHI in args else None
    if origin in (Union, types.UnionType):
        return next((write for arg in _present(args) if (write := _write(arg))), None)
    if origin is tuple:
        item = _write(args[0])
        return list if item is None else lambda values: [item(value) for value in values]
    if isinstance(hint, TypeVar):
        return to_json
    return _writer(hint) if isinstance(hint, type) and is_dataclass(hint) else None


def _key(name: str) -> str:
    """A field's name in JSON: ``from_`` is Python's way to write ``from``."""
    return name.rstrip("_")


def _present(args: tuple[Any, ...]) -> Iterator[Any]:
    return (arg for arg in args if arg not in (types.NoneType, Absence))


# --- OpenAPI schemas ----------------------------------------------------------------------------------------

Schema = dict[str, Any]
PLAIN = {int: "integer", str: "string", float: "number", bool: "boolean"}


def schema_of(hint: Any, components: dict[str, Schema]) -> Schema:
    """The JSON Schema of an annotation; dataclasses are added to ``components`` and referred to."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _unit_schema(args[0], args[1])
    if origin in (Union, types.UnionType):
        return _union_schema(args, components)
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": schema_of(args[0], components)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(args[1], components)}
    if is_dataclass(origin or hint):
        return _object_schema(hint, components)
    return {} if hint is Any else {"type": PLAIN[hint]}


def _unit_schema(base: type, unit: Enum) -> Schema:
    if unit is Unit.ZATOSHI:
        return {"type": "string", "pattern": PATTERNS[Unit.ZATOSHI], "description": unit.value}
    schema = {"type": PLAIN[base], "description": unit.value}
    if not isinstance(unit, Unit):
        return schema
    return schema | _bound("pattern", unit, PATTERNS) | _bound("minimum", unit, LEAST)


def _bound(name: str, unit: Unit, bounds: Mapping[Unit, object]) -> Schema:
    return {name: bounds[unit]} if unit in bounds else {}


def _union_schema(args: tuple[Any, ...], components: dict[str, Schema]) -> Schema:
    options = [schema_of(arg, components) for arg in _present(args)]
    if types.NoneType in args:
        options.append({"type": "null"})
    return options[0] if len(options) == 1 else {"anyOf": options}


def _object_schema(hint: Any, components: dict[str, Schema]) -> Schema:
    cls, args = get_origin(hint) or hint, get_args(hint)
    name = cls.__name__ + "".join(arg.__name__ for arg in args)
    if name not in components:
        components[name] = {}
        hints = get_type_hints(cls, include_extras=True)
        kinds = {field.name: _substituted(hints[field.name], args) for field in fields(cls)}
        components[name] = {
            "type": "object",
            "description": _described(cls),
            "properties": {_key(field): schema_of(kind, components) for field, kind in kinds.items()},
            "required": [_key(field) for field, kind in kinds.items() if Absence not in get_args(kind)],
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _described(cls: type) -> str:
    """The first line of a docstring, in the words of JSON."""
    return re.sub(r"\bNone\b", "null", (cls.__doc__ or "").partition("\n")[0]).replace("``", "`")


def _substituted(hint: Any, args: tuple[Any, ...]) -> Any:
    """The annotation of a generic dataclass's field with its only type variable filled in."""
    return hint[args] if args and getattr(hint, "__parameters__", ()) else hint
