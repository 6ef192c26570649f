"""As much of Pact as questions to a token's ledger take: reading rows, folding and mapping over them.

Sources: the language reference of Pact 4, and the module ``runonflux.flux``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

_TOKEN = re.compile(r"""\s+|(?P<text>"[^"\\]*")|(?P<symbol>'[\w%#+\-&$@<=>?*!|/.]+)|(?P<number>-?\d+(?:\.\d+)?)"""
                    r"""|(?P<mark>:=|[()\[\]{}:,])|(?P<name>[^\s()\[\]{}",:']+)""")  # fmt: skip
CLOSING = {"(": ")", "[": "]", "{": "}"}


class PactError(Exception):
    """Why the code has no value, in the words of the interpreter."""


class Name(NamedTuple):
    """What is looked up."""

    text: str


class Form(NamedTuple):
    """An application, in round brackets."""

    parts: tuple[Any, ...]


class Table(NamedTuple):
    """The entries of an object or of bindings, in curly brackets: key and value or name."""

    entries: tuple[tuple[str, Any], ...]


def tokens(code: str) -> Iterator[Any]:
    """The tokens of code: marks as text, everything else as its value."""
    at = 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise PactError(f"(interactive):0:{at}: error: unexpected {code[at]!r}")
        at, kind, text = match.end(), match.lastgroup, match.group()
        if kind == "number":
            yield Decimal(text) if "." in text else int(text)
        elif kind in ("text", "symbol"):
            yield text[1:-1].encode() if kind == "text" else text[1:].encode()
        elif kind is not None:
            yield Name(text) if kind == "name" else text


def parse(code: str) -> list[Any]:
    """The expressions of code: texts as str, numbers, lists, Names, Forms and Tables."""
    rest = list(tokens(code))[::-1]
    found = []
    while rest:
        found.append(_expression(rest))
    return found


def _expression(rest: list[Any]) -> Any:
    first = rest.pop()
    if isinstance(first, bytes):
        return first.decode()
    if first not in CLOSING:
        if isinstance(first, str):
            raise PactError(f"(interactive): error: unexpected {first!r}")
        return first
    inner = []
    while rest and rest[-1] != CLOSING[first]:
        if rest[-1] == ",":
            rest.pop()
        elif first == "{":
            inner.append(_entry(rest))
        else:
            inner.append(_expression(rest))
    if not rest:
        raise PactError(f"(interactive): error: unexpected EOF, expected: {CLOSING[first]!r}")
    rest.pop()
    return Table(tuple(inner)) if first == "{" else Form(tuple(inner)) if first == "(" else inner


def _entry(rest: list[Any]) -> tuple[str, Any]:
    key = _expression(rest)
    if not rest or rest.pop() not in (":", ":="):
        raise PactError("(interactive): error: expected: ':'")
    return str(key), _expression(rest)


Ledger = Mapping[str, Decimal]
"""Account and balance, coins."""


class Interpreter:
    """Evaluates code against the ledger of one chain."""

    def __init__(self, module: str, ledger: Ledger) -> None:
        self._module, self._ledger = module, ledger
        self._special: dict[str, Callable[..., Any]] = {
            "lambda": self._lambda,
            "with-default-read": self._with_default_read,
            "try": self._try,
        }
        self._plain: dict[str, Callable[..., Any]] = {
            "+": lambda a, b: a + b,
            "at": lambda key, value: value[key],
            "map": lambda apply, items: [apply(item) for item in items],
            "fold": self._fold,
            "read": lambda _, key: self._row(key),
            "keys": lambda _: list(self._ledger),
            f"{module}.get-balance": lambda account: self._row(account)["balance"],
        }

    def run(self, code: str) -> Any:
        """The value of the last expression; PactError when it has none."""
        value = None
        try:
            for expression in parse(code):
                value = self._value(expression, {})
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise PactError(f"(interactive): Failure: {error}") from None
        return value

    def _value(self, expression: Any, known: Mapping[str, Any]) -> Any:
        if isinstance(expression, Form):
            head, *arguments = expression.parts
            if isinstance(head, Name) and head.text in self._special:
                return self._special[head.text](known, *arguments)
            apply = self._value(head, known)
            # Without arguments it is applied to none yet, as in (fold (+) …).
            return apply(*(self._value(argument, known) for argument in arguments)) if arguments else apply
        if isinstance(expression, Name):
            return self._look_up(expression.text, known)
        if isinstance(expression, Table):
            return {key: self._value(value, known) for key, value in expression.entries}
        return [self._value(item, known) for item in expression] if isinstance(expression, list) else expression

    def _look_up(self, name: str, known: Mapping[str, Any]) -> Any:
        if name in known:
            return known[name]
        if name in self._plain:
            return self._plain[name]
        if name == f"{self._module}.ledger":
            return self._ledger
        raise PactError(f"Cannot resolve {name}")

    def _row(self, account: str) -> dict[str, Any]:
        if account not in self._ledger:
            raise PactError(f"read: row not found: {account}")
        return {"balance": self._ledger[account]}

    def _fold(self, apply: Callable[[Any, Any], Any], value: Any, items: list[Any]) -> Any:
        for item in items:
            value = apply(value, item)
        return value

    # -- forms whose parts are not all evaluated

    def _lambda(self, known: Mapping[str, Any], names: Form, body: Any) -> Callable[..., Any]:
        labels = [name.text for name in names.parts]
        return lambda *values: self._value(body, {**known, **dict(zip(labels, values, strict=True))})

    def _with_default_read(
        self, known: Mapping[str, Any], table: Any, key: Any, default: Table, bindings: Table, body: Any
    ) -> Any:
        account = self._value(key, known)
        row = self._row(account) if account in self._value(table, known) else self._value(default, known)
        return self._value(body, {**known, **{name.text: row[field] for field, name in bindings.entries}})

    def _try(self, known: Mapping[str, Any], default: Any, body: Any) -> Any:
        try:
            return self._value(body, known)
        except PactError:
            return self._value(default, known)
