"""Whose an address is, as ``labels.toml`` says: names, and the wallets of the bridge Fusion."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from indexer.chain.address import decode_address
from indexer.chain.params import Network
from indexer.errors import AddressError, ConfigError

MAIN_FILE: Final = Path(__file__).with_name("labels.toml")
KEYS: Final[Mapping[str, type]] = {
    "address": str,
    "label": str,
    "confidence": str,
    "source": str,
    "role": str,
    "fusion": bool,
}
REQUIRED: Final = ("address", "label", "confidence", "source")

Confidence: TypeAlias = Literal["consensus", "official", "third_party"]


@dataclass(frozen=True, slots=True)
class Label:
    """The name of an address, who says so (``confidence``) and where (``source``)."""

    key: bytes
    address: str
    text: str
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True)
class Wallet:
    """An address of Fusion on the native chain: its key and text, what it is for, who says so."""

    key: bytes
    address: str
    role: str
    confidence: Confidence


class Labels:
    """The labels of a network; ``fusion`` are the wallets of Fusion in the order of the file."""

    def __init__(self, labels: Iterable[Label] = (), fusion: Iterable[Wallet] = ()) -> None:
        self.fusion: tuple[Wallet, ...] = tuple(fusion)
        self._by_key = {label.key: label for label in labels}
        self._by_address = {label.address: label for label in self._by_key.values()}

    def of(self, key: bytes) -> Label | None:
        """The label of an address key."""
        return self._by_key.get(key)

    def of_address(self, address: str) -> Label | None:
        """The label of an address as people write it."""
        return self._by_address.get(address)

    def named(self, text: str) -> tuple[Label, ...]:
        """The labels in which a text occurs, whatever its case, in the order of the file."""
        sought = text.casefold()
        return tuple(label for label in self._by_key.values() if sought in label.text.casefold())


NO_LABELS: Final = Labels()


def load_labels(network: Network, labels_file: str) -> Labels:
    """The labels of ``labels_file``, else those that come with the main net, else none.

    Errors: ConfigError with the file, the entry and what was expected.
    """
    if not labels_file and network.name != "main":
        return NO_LABELS
    path = Path(labels_file).expanduser() if labels_file else MAIN_FILE
    entries = _entries(path)
    labels, wallets = [], []
    seen: set[bytes] = set()
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: [[addresses]] number {number}"
        label = _label(where, entry, network)
        if label.key in seen:
            raise ConfigError(f"{where}: {label.address} has been named before: one entry an address")
        seen.add(label.key)
        labels.append(label)
        if entry.get("fusion"):
            wallets.append(_wallet(where, entry, label))
    return Labels(labels, wallets)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"explorer.labels_file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"explorer.labels_file {path} is no TOML: {error}") from error
    entries = table.pop("addresses", [])
    if table or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"explorer.labels_file {path}: expected nothing but tables [[addresses]]")
    return entries


def _label(where: str, entry: Mapping[str, Any], network: Network) -> Label:
    for name, value in entry.items():
        if type(value) is not KEYS.get(name):
            raise ConfigError(f"{where}: {name} is {value!r}: expected one of {_grammar()}")
    for name in REQUIRED:
        if not entry.get(name):
            raise ConfigError(f"{where}: {name} is missing")
    if entry["confidence"] not in get_args(Confidence):
        raise ConfigError(f"{where}: confidence is {entry['confidence']!r}: expected {', '.join(get_args(Confidence))}")
    try:
        key = decode_address(entry["address"], network)
    except AddressError as error:
        raise ConfigError(f"{where}: {error}") from error
    return Label(key, entry["address"], entry["label"], entry["confidence"], entry["source"])


def _wallet(where: str, entry: Mapping[str, Any], label: Label) -> Wallet:
    if not entry.get("role"):
        raise ConfigError(f"{where}: a wallet of Fusion needs its role")
    return Wallet(label.key, label.address, entry["role"], label.confidence)


def _grammar() -> str:
    return ", ".join(f"{key} ({'true or false' if kind is bool else 'text'})" for key, kind in KEYS.items())
