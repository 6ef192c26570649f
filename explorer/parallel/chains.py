"""The file of the parallel chains: where each is read and which addresses are the issuer's (``chains.toml``)."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from explorer.parallel.addresses import CHECK_ADDRESS, CHECK_CONTRACT
from explorer.parallel.base import Issuer, ParallelChain
from indexer.chain.networks import MAIN
from indexer.chain.params import COIN
from indexer.config import Config
from indexer.errors import AddressError, ConfigError

PACKAGED: Final = Path(__file__).with_name("chains.toml")
REQUIRED: Final = (
    "name", "asset", "kind", "contract", "decimals", "minted", "launch_height", "lifecycle", "explorer", "endpoints",
    "issuers",
)  # fmt: skip
OPTIONAL: Final = ("snapshot_height", "confirmations")
DEMO: Final = "demo"
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,15}")


@dataclass(frozen=True, slots=True)
class ChainsFile:
    """The parallel chains of a network; coinbases from native height ``mining_from`` on earn a share on each."""

    mining_from: int
    chains: tuple[ParallelChain, ...]

    def chain(self, key: str) -> ParallelChain | None:
        """The chain with a key, or None."""
        return next((chain for chain in self.chains if chain.key == key), None)


def configured_chains(config: Config) -> ChainsFile | None:
    """The chains of the settings' file, of the packaged one on main net, else None; ConfigError says what is wrong.

    The demo network may only be given chains on this machine: what it shows is simulated, and asks nobody outside.
    """
    path = config.parallel.chains_file
    if not path:
        return read_chains(PACKAGED) if config.network == MAIN else None
    found = read_chains(Path(path).expanduser())
    if config.network.name == DEMO:
        _require_loopback(found, path)
    return found


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_chains(path: Path) -> ChainsFile:
    """The chains of a file; ConfigError names the file, the key and what was expected."""
    try:
        table = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"parallel.chains_file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"parallel.chains_file {path} is no TOML: {error}") from error
    return _Table(str(path), "", table).chains_file()


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file and its dotted name, for errors."""

    where: str
    name: str
    keys: Mapping[str, Any]

    def wrong(self, key: str, expected: str) -> ConfigError:
        """What to raise: the file, the key, its value, what was expected; endpoints are not shown."""
        value = self.keys.get(key)
        shown = "" if key == "endpoints" else f" is {value!r}" if key in self.keys else " is missing"
        return ConfigError(f"{self.where}: {self.name}{key}{shown}: expected {expected}")

    def only(self, *known: str) -> None:
        """Refuse keys that nobody reads."""
        for key in self.keys:
            if key not in known:
                nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
                raise ConfigError(f"{self.where}: unknown key {self.name}{key}; the nearest known name is {nearest[0]}")

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.keys.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "text in quotes")
        return value

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number of a range."""
        value = self.keys.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def amount(self, key: str) -> int:
        """Zatoshi from coins with at most 8 decimals."""
        value = self.keys.get(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.wrong(key, "a number of coins")
        zatoshi = value * COIN
        if not 0 < zatoshi < 2**63 or zatoshi != int(zatoshi):
            raise self.wrong(key, "a number of coins above 0 with at most 8 decimals")
        return int(zatoshi)

    def table(self, key: str) -> _Table:
        """A table in this one."""
        value = self.keys.get(key)
        if not isinstance(value, dict) or not value:
            raise self.wrong(key, "a table")
        return _Table(self.where, f"{self.name}{key}.", value)

    def chains_file(self) -> ChainsFile:
        """The whole file."""
        self.only("mining_from", "chains")
        chains = self.table("chains")
        return ChainsFile(
            self.whole("mining_from", 0, 2**31), tuple(chains.table(key).chain(key) for key in chains.keys)
        )

    def chain(self, key: str) -> ParallelChain:
        """The chain that this table describes."""
        if not _KEY.fullmatch(key):
            raise ConfigError(f"{self.where}: chains.{key}: expected a key of up to 16 lower-case letters and digits")
        self.only(*REQUIRED, *OPTIONAL)
        kind = self.text("kind")
        if kind not in CHECK_ADDRESS:
            raise self.wrong("kind", f"one of {', '.join(CHECK_ADDRESS)}")
        self._check("contract", CHECK_CONTRACT[kind], self.text("contract"))
        return ParallelChain(
            key=key,
            name=self.text("name"),
            asset=self.text("asset"),
            kind=kind,
            contract=self.text("contract"),
            decimals=self.whole("decimals", 0, 18),
            issuers=self.table("issuers").issuers(kind),
            endpoints=self.endpoints(),
            lifecycle=self.text("lifecycle"),
            minted=self.amount("minted"),
            launch_height=self.whole("launch_height", 0, 2**31),
            snapshot_height=self.whole("snapshot_height", 0, 2**31) if "snapshot_height" in self.keys else None,
            explorer_url=self.text("explorer"),
            confirmations=self.whole("confirmations", 0, 1000, 0),
        )

    def issuers(self, kind: str) -> tuple[Issuer, ...]:
        """The issuer's addresses in the order of the file, each once."""
        found: list[Issuer] = []
        for role, value in self.keys.items():
            for address in [value] if isinstance(value, str) else self._several(role):
                self._check(role, CHECK_ADDRESS[kind], address)
                found.append(Issuer(role, address))
        seen = [issuer.address.lower() if kind == "evm" else issuer.address for issuer in found]
        for issuer, address in zip(found, seen, strict=True):
            if seen.count(address) > 1:  # its coins would be counted twice
                raise self.wrong(issuer.role, "an address that no other role has")
        return tuple(found)

    def endpoints(self) -> tuple[str, ...]:
        """The URLs, without a slash at the end."""
        urls = tuple(url.rstrip("/") for url in self._several("endpoints"))
        if not all(_is_http(url) for url in urls):
            raise self.wrong("endpoints", "URLs that begin with http:// or https://")
        return urls

    def _several(self, key: str) -> list[str]:
        value = self.keys.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return value

    def _check(self, key: str, check: Any, address: str) -> None:
        try:
            check(address)
        except AddressError as error:
            raise ConfigError(f"{self.where}: {self.name}{key} is {address!r}: {error}") from None


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _require_loopback(found: ChainsFile, where: str) -> None:
    for chain in found.chains:
        if not all(is_loopback(url) for url in chain.endpoints):
            raise ConfigError(
                f"{where}: chains.{chain.key}.endpoints leave this machine: the demo network's chains are on 127.0.0.1"
            )
