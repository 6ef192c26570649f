"""The operator's file of webhooks: whom to tell, of what, and the secret that proves that it was us."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

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
    hooks = tuple(
        read_hook(row, f"webhook {row.get('name') or n}", network, allow_private)
        for n, row in enumerate(rows, start=1)
    )
    names = [hook.name for hook in hooks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"webhooks.file {path}: two webhooks are named {twice[0]!r}")
    return hooks


def read_hook(row: Mapping[str, Any], where: str, network: Network, allow_private: bool) -> Webhook:
    """A webhook from its table; ConfigError says what is wrong, beginning with ``where``."""
    if unknown := sorted(set(row) - set(KEYS)):
        raise ConfigError(f"{where}: unknown key {unknown[0]}: known are {', '.join(KEYS)}")
    name, url, secret = (_text(row, key, where) for key in ("name", "url", "secret"))
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(f"{where}: the secret has {len(secret)} characters: expected at least {SHORTEST_SECRET}")
    depth = row.get("min_confirmations", 1)
    if type(depth) is not int or depth < 1:
        raise ConfigError(f"{where}: min_confirmations is {depth!r}: expected a whole number from 1 on")
    addresses = tuple(_addresses(row, where, network))
    nodes = frozenset(_nodes(row, where))
    if not addresses and not nodes:
        raise ConfigError(f"{where}: expected addresses, nodes, or both: of what should it be told?")
    events = frozenset(_texts(row, "events", where)) if "events" in row else EVENTS - UNASKED
    if strange := sorted(events - EVENTS):
        raise ConfigError(f"{where}: there is no event {strange[0]!r}: known are {', '.join(sorted(EVENTS))}")
    return Webhook(name, _checked_url(url, where, allow_private), secret, addresses, nodes, events, depth)


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value or not value.isascii():
        raise ConfigError(f"{where}: {key}: expected a text in ASCII")
    return value


def _texts(row: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where}: {key}: expected a list of texts")
    return value


def _addresses(row: Mapping[str, Any], where: str, network: Network) -> Iterator[str]:
    asked = _texts(row, "addresses", where)
    if len(asked) > MOST:
        raise ConfigError(f"{where}: {len(asked)} addresses are too many: at most {MOST}, more in another webhook")
    for text in asked:
        try:
            decode_address(text, network)
        except AddressError as error:
            raise ConfigError(f"{where}: {text[:100]!r}: {error}") from error
        yield text


def _nodes(row: Mapping[str, Any], where: str) -> Iterator[str]:
    for text in _texts(row, "nodes", where):
        point = parse_outpoint(text)
        if point is None:
            raise ConfigError(f"{where}: {text[:120]!r} is no node: expected its collateral, <txid>:<n>")
        yield outpoint_text(point)


def _checked_url(url: str, where: str, allow_private: bool) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{where}: the url is none: expected https://host/path") from None
    if parts.username or parts.password or not parts.hostname or port == 0:
        raise ConfigError(f"{where}: the url: expected https://host/path, without a login in it")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise ConfigError(f"{where}: the url: expected https (http only with webhooks.allow_private)")
    return url
