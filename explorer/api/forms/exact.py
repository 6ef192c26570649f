"""JSON numbers from zatoshi, exact: no amount passes through a float."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from indexer.daemonjson.words import coins


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body written before it was asked for, plain and compressed: too large to be written for everybody."""

    text: bytes
    packed: bytes


def trimmed(zatoshi: int) -> Decimal:
    """An amount in FLUX with no more decimals than it needs, as Insight writes it."""
    return coins(zatoshi).normalize()


def encode(value: Any) -> bytes:
    """JSON text in ASCII; a Decimal becomes a number with exactly its digits, never with an exponent."""
    return _text(value).encode("ascii")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, allow_nan=False)
