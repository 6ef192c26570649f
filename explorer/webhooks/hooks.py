"""The operator's file of webhooks: whom to tell, of what, and the secret that proves that it was us."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from explorer.errors import bad_request
from explorer.languages.phrases import Phrase
from explorer.queries.balances import MOST
from explorer.queries.node_results import EventName
from indexer.chain.address import decode_address
from indexer.chain.keys import outpoint_text, parse_outpoint
from indexer.chain.params import Network
from indexer.errors import AddressError, ConfigError

SHORTEST_SECRET: Final = 16  # characters
EVENTS: Final = frozenset(get_args(EventName))
UNASKED: Final = frozenset(("update",))  # every node repeats these all day
KEYS: Final = ("name", "url", "secret", "addresses", "nodes", "events", "min_confirmations")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A server that is told of credits to ``addresses`` and of ``events`` of ``nodes`` (outpoints)."""

    name: str
    url: str
    secret: str = field(repr=False)
    addresses: tuple[str, ...]
    nodes: frozenset[str]
    events: frozenset[str]
    min_confirmations: int


def load_hooks(file: str, network: Network, allow_private: bool) -> tuple[Webhook, ...]:
    """The webhooks of a TOML file; ConfigError with the place and what was expected."""
    path = Path(file).expanduser()
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"webhooks.file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"webhooks.file {path} is no TOML: {error}") from error
    rows = table.get("webhook")
    if set(table) != {"webhook"} or not isinstance(rows, list):
        raise ConfigError(f"webhooks.file {path}: expected a table [[webhook]] for each webhook and nothing else")
    hooks = tuple(_named(row, n, network, allow_private) for n, row in enumerate(rows, start=1))
    names = [hook.name for hook in hooks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"webhooks.file {path}: two webhooks are named {twice[0]!r}")
    return hooks


def read_hook(row: Mapping[str, Any], network: Network, allow_private: bool) -> Webhook:
    """A webhook from its table; ConfigError says what is wrong, as a phrase."""
    if unknown := sorted(set(row) - set(KEYS)):
        raise ConfigError(
            Phrase("unknown key %(name)s: known are %(names)s", name=unknown[0], names=", ".join(KEYS))
        )
    name, url, secret = (_text(row, key) for key in ("name", "url", "secret"))
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(Phrase(
            "the secret has %(number)s characters: expected at least %(least)s",
            number=len(secret), least=SHORTEST_SECRET,
        ))  # fmt: skip
    depth = row.get("min_confirmations", 1)
    if type(depth) is not int or depth < 1:
        raise ConfigError(
            Phrase("min_confirmations is %(value)s: expected a whole number from 1 on", value=repr(depth))
        )
    addresses = tuple(_addresses(row, network))
    nodes = frozenset(_nodes(row))
    if not addresses and not nodes:
        raise ConfigError(Phrase("expected addresses, nodes, or both: of what should it be told?"))
    return Webhook(name, _checked_url(url, allow_private), secret, addresses, nodes, _events(row), depth)


def _named(row: Mapping[str, Any], number: int, network: Network, allow_private: bool) -> Webhook:
    """A webhook of the operator's file, where a mistake needs a name or a number to be found."""
    try:
        return read_hook(row, network, allow_private)
    except ConfigError as error:
        raise ConfigError(f"webhook {row.get('name') or number}: {error}") from error


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value or not value.isascii():
        raise ConfigError(Phrase("%(name)s: expected a text in ASCII", name=key))
    return value


def _texts(row: Mapping[str, Any], key: str) -> list[str]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(Phrase("%(name)s: expected a list of texts", name=key))
    return value


def _addresses(row: Mapping[str, Any], network: Network) -> Iterator[str]:
    asked = _texts(row, "addresses")
    if len(asked) > MOST:
        raise ConfigError(Phrase(
            "%(number)s addresses are too many: at most %(most)s, more in another webhook",
            number=len(asked), most=MOST,
        ))  # fmt: skip
    for text in asked:
        try:
            decode_address(text, network)
        except AddressError as error:
            problem = bad_request(error).message
            raise ConfigError(Phrase("%(text)s: %(problem)s", text=repr(text[:100]), problem=problem)) from error
        yield text


def _nodes(row: Mapping[str, Any]) -> Iterator[str]:
    for text in _texts(row, "nodes"):
        point = parse_outpoint(text)
        if point is None:
            raise ConfigError(
                Phrase("%(text)s is no node: expected its collateral, <txid>:<n>", text=repr(text[:120]))
            )
        yield outpoint_text(point)


def _events(row: Mapping[str, Any]) -> frozenset[str]:
    events = frozenset(_texts(row, "events")) if "events" in row else EVENTS - UNASKED
    if strange := sorted(events - EVENTS):
        raise ConfigError(Phrase(
            "there is no event %(name)s: known are %(names)s", name=repr(strange[0]), names=", ".join(sorted(EVENTS))
        ))  # fmt: skip
    return events


def _checked_url(url: str, allow_private: bool) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(Phrase("the url is none: expected https://host/path")) from None
    if parts.username or parts.password or not parts.hostname or port == 0:
        raise ConfigError(Phrase("the url: expected https://host/path, without a login in it"))
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise ConfigError(Phrase("the url: expected https (http only with webhooks.allow_private)"))
    return url
