"""The settings: ``config.toml`` says what there is, a file of the operator's and the environment what differs.

Precedence: ``FLUX_<SECTION>_<KEY>`` over the file over the default. Keys, types and defaults are those of the
packaged ``config.toml``; the dataclasses below name them for the type checker and check their ranges.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from indexer.chain.networks import named_network
from indexer.chain.params import Network
from indexer.chain.params_file import network_from_mapping
from indexer.demo.network import NAME as DEMO
from indexer.demo.network import demo_network
from indexer.errors import ConfigError

DEFAULTS_FILE = Path(__file__).with_name("config.toml")
DRIVERS = ("motor", "pymongo_async")
MIB = 1 << 20

IPNetwork = IPv4Network | IPv6Network
Table = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Daemon:
    """How fluxd is reached; ``url`` may list several, and may carry credentials, so that it is not shown either."""

    url: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    cookie_file: str
    timeout_seconds: float
    blocks_dir: str = ""
    zmq: str = ""
    gateway: str = ""

    def __post_init__(self) -> None:
        _at_least("daemon.timeout_seconds", self.timeout_seconds, 0.1)


@dataclass(frozen=True, slots=True)
class Database:
    """Where the rows live."""

    uri: str = field(repr=False)
    name: str
    driver: str
    cache_mib: int
    mongod: str

    def __post_init__(self) -> None:
        _one_of("database.driver", self.driver, DRIVERS)
        _at_least("database.cache_mib", self.cache_mib, 0)
        if self.uri and not self.uri.startswith(("mongodb://", "mongodb+srv://")):
            raise ConfigError("database.uri: expected mongodb://… or mongodb+srv://…")


@dataclass(frozen=True, slots=True)
class Data:
    """The folder for what we keep on disk ourselves."""

    dir: str

    @property
    def path(self) -> Path:
        """The folder, absolute; the user's data folder by default."""
        return Path(self.dir).expanduser().absolute() if self.dir else default_data_dir(os.environ)


@dataclass(frozen=True, slots=True)
class Indexer:
    """The limits of the indexing loop."""

    memory_mib: int
    batch_blocks: int
    batch_transactions: int
    undo_depth: int
    poll_seconds: float
    check_blocks: int
    check_supply_blocks: int
    richlist_blocks: int

    def __post_init__(self) -> None:
        _at_least("indexer.memory_mib", self.memory_mib, 256)
        _at_least("indexer.batch_blocks", self.batch_blocks, 1)
        _at_least("indexer.batch_transactions", self.batch_transactions, 1)
        _at_least("indexer.undo_depth", self.undo_depth, 40)
        _at_least("indexer.poll_seconds", self.poll_seconds, 0.01)
        _at_least("indexer.check_blocks", self.check_blocks, 0)
        _at_least("indexer.check_supply_blocks", self.check_supply_blocks, 0)
        _at_least("indexer.richlist_blocks", self.richlist_blocks, 0)

    @property
    def memory_bytes(self) -> int:
        """What the indexer may use while it catches up, in bytes."""
        return self.memory_mib * MIB


@dataclass(frozen=True, slots=True)
class Explorer:
    """Where the site listens, and what it calls addresses."""

    host: str
    port: int
    labels_file: str = ""
    workers: int = 1
    streams: int = 5000
    streams_per_client: int = 300

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"explorer.port is {self.port}: expected a port, 0 to 65535")
        _at_least("explorer.workers", self.workers, 1)
        _at_least("explorer.streams", self.streams, 0)
        _at_least("explorer.streams_per_client", self.streams_per_client, 0)


@dataclass(frozen=True, slots=True)
class Guard:
    """What one client may ask of the site."""

    rate: int
    burst: int
    trusted_proxies: str
    free: str
    answer_seconds: float
    connections: int
    connections_per_client: int

    def __post_init__(self) -> None:
        _at_least("guard.rate", self.rate, 0)
        _at_least("guard.burst", self.burst, 1)
        _at_least("guard.answer_seconds", self.answer_seconds, 0.1)
        _at_least("guard.connections", self.connections, 1)
        _at_least("guard.connections_per_client", self.connections_per_client, 1)
        for key in ("trusted_proxies", "free"):
            _networks(f"guard.{key}", getattr(self, key))

    @property
    def proxy_networks(self) -> tuple[IPNetwork, ...]:
        """The networks of proxies that are believed."""
        return _networks("guard.trusted_proxies", self.trusted_proxies)

    @property
    def free_networks(self) -> tuple[IPNetwork, ...]:
        """The networks of clients without limits."""
        return _networks("guard.free", self.free)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Where the parallel chains are and how often they are asked."""

    enabled: bool
    chains_file: str
    interval_seconds: float
    timeout_seconds: float
    stale_seconds: float

    def __post_init__(self) -> None:
        _at_least("parallel.interval_seconds", self.interval_seconds, 0.1)
        _at_least("parallel.timeout_seconds", self.timeout_seconds, 0.1)
        if self.stale_seconds < 2 * self.interval_seconds:
            raise ConfigError(
                f"parallel.stale_seconds is {self.stale_seconds}: expected at least twice parallel.interval_seconds"
            )


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Who is told of credits and of what happens to nodes, and whom that may be."""

    file: str
    allow_private: bool
    timeout_seconds: float

    def __post_init__(self) -> None:
        _at_least("webhooks.timeout_seconds", self.timeout_seconds, 0.1)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Whether visitors may sign in and keep watch lists and webhooks, and under which names of the site."""

    enabled: bool
    host: str
    webhooks: int

    def __post_init__(self) -> None:
        _at_least("accounts.webhooks", self.webhooks, 0)

    @property
    def are_told(self) -> bool:
        """Whether accounts may have webhooks."""
        return self.enabled and self.webhooks > 0

    @property
    def hosts(self) -> frozenset[str]:
        """The names of the site, in lower case."""
        return frozenset(name.strip().lower() for name in self.host.split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Demo:
    """The simulated daemon of the demo network."""

    seed: int
    block_seconds: float
    parallel_port: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.parallel_port <= 65535:
            raise ConfigError(f"demo.parallel_port is {self.parallel_port}: expected a port, 0 to 65535")
        _at_least("demo.seed", self.seed, 0)
        _at_least("demo.block_seconds", self.block_seconds, 0.05)


SECTIONS = {
    "daemon": Daemon,
    "database": Database,
    "data": Data,
    "indexer": Indexer,
    "explorer": Explorer,
    "guard": Guard,
    "parallel": Parallel,
    "webhooks": Webhooks,
    "accounts": Accounts,
    "demo": Demo,
}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked; ``network`` is the chain that [network] names."""

    network: Network
    daemon: Daemon
    database: Database
    data: Data
    indexer: Indexer
    explorer: Explorer
    guard: Guard
    parallel: Parallel
    webhooks: Webhooks
    accounts: Accounts
    demo: Demo

    @property
    def database_name(self) -> str:
        """The database of this network."""
        return self.database.name or f"flux_{self.network.name}"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """``flux-explorer`` in the user's data folder (XDG base directories)."""
    home = environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return Path(home) / "flux-explorer"


def load_config(path: str | Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings from ``path``, else ``FLUX_CONFIG``, else ``./config.toml``, with the environment on top.

    Raises ConfigError with the key, its value and what was expected.
    """
    source = _find_file(path, environ)
    table = _read_toml(DEFAULTS_FILE)
    if source is not None:
        _overlay(table, _read_toml(source), str(source))
    _overlay_environment(table, environ)
    sections = {name: section(**table[name]) for name, section in SECTIONS.items()}
    return Config(network=_network(**table["network"]), **sections)


def _network(name: str, params_file: str) -> Network:
    if not params_file:
        return demo_network() if name == DEMO else named_network(name)
    path = Path(params_file).expanduser()
    return network_from_mapping(_read_toml(path, Decimal), str(path))


def _find_file(path: str | Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or environ.get("FLUX_CONFIG")
    if named:
        return Path(named)
    local = Path("config.toml")
    return local if local.is_file() else None


def _read_toml(path: Path, number: Callable[[str], Any] = float) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"), parse_float=number)
    except OSError as error:
        raise ConfigError(f"settings file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file {path} is no TOML: {error}") from error


def _overlay(table: Table, given: Mapping[str, Any], where: str) -> None:
    for section, keys in given.items():
        if section not in table:
            raise ConfigError(f"{where}: unknown section [{section}]{_nearest(section, table)}")
        if not isinstance(keys, dict):
            raise ConfigError(f"{where}: {section} is {keys!r}: expected a section [{section}]")
        for key, value in keys.items():
            if key not in table[section]:
                raise ConfigError(f"{where}: unknown key {section}.{key}{_nearest(key, table[section])}")
            table[section][key] = _typed(f"{where}: {section}.{key}", value, table[section][key])


def _typed(where: str, value: Any, default: Any) -> Any:
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        # The value is not shown: a password may have been written without quotes.
        raise ConfigError(f"{where}: expected {_TYPE_WORDS[type(default)]}, not {_TYPE_WORDS.get(type(value), 'this')}")
    return value


_TYPE_WORDS = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _overlay_environment(table: Table, environ: Mapping[str, str]) -> None:
    known = {f"FLUX_{s}_{k}".upper(): (s, k) for s, keys in table.items() for k in keys}
    prefixes = tuple(f"FLUX_{section}_".upper() for section in table)
    for variable, text in environ.items():
        if not variable.startswith(prefixes):
            continue
        if variable not in known:
            raise ConfigError(f"unknown environment variable {variable}{_nearest(variable, known)}")
        section, key = known[variable]
        table[section][key] = _from_text(variable, text, table[section][key])


def _from_text(variable: str, text: str, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return _TRUTH[text.strip().lower()]
        return type(default)(text)
    except (ValueError, KeyError):
        raise ConfigError(f"{variable} is {text!r}: expected {_TYPE_WORDS[type(default)]}") from None


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f"; the nearest known name is {match[0]}" if match else ""


def _at_least(key: str, value: float, least: float) -> None:
    if value < least:
        raise ConfigError(f"{key} is {value}: expected at least {least}")


def _networks(key: str, text: str) -> tuple[IPNetwork, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return tuple(ip_network(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}: expected networks such as 10.0.0.0/8, separated by commas") from error


def _one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        nearest = difflib.get_close_matches(value, known, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ConfigError(f"{key} is {value!r}: expected one of {', '.join(known)}{hint}")
