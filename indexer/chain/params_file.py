"""Networks of one's own: a parsed parameter file becomes a Network.

The file has the field names of ``indexer.chain.params``, sections as tables, amounts in FLUX, bytes as hex,
addresses as text. What it does not list is as on main net, except that a chain with another genesis block
has no checkpoints of main net. Reading the file is left to the caller; decimals should be parsed as Decimal.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from indexer.chain.address import decode_address
from indexer.chain.networks import MAIN
from indexer.chain.params import COIN, DISABLED, MAX_MONEY, Network
from indexer.errors import AddressError, ConfigError


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")
    return value


def _not_negative(value: object) -> int:
    number = _whole(value)
    if number < 0:
        raise ValueError("a number of at least 0 is expected")
    return number


def _positive(value: object) -> int:
    number = _whole(value)
    if number < 1:
        raise ValueError("a number of at least 1 is expected")
    return number


def _activation(value: object) -> int:
    return DISABLED if value == DISABLED else _not_negative(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is expected")
    return value


def _hash(value: object) -> str:
    text = _text(value).lower()
    if len(_hex(text)) != 32:
        raise ValueError("a hash has 64 hex digits")
    return text


def _hex(value: object) -> bytes:
    try:
        return bytes.fromhex(_text(value))
    except ValueError:
        raise ValueError("hex digits in quotes are expected") from None


def _sized(size: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        raw = _hex(value)
        if len(raw) != size:
            raise ValueError(f"{size} bytes ({2 * size} hex digits) are expected")
        return raw

    return read


def _amount(value: object) -> int:
    """Zatoshi from FLUX with at most 8 decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("an amount in FLUX is expected")
    try:
        zatoshi = Decimal(str(value)) * COIN
    except InvalidOperation:
        raise ValueError("an amount in FLUX is expected") from None
    if not zatoshi.is_finite() or zatoshi != int(zatoshi) or not 0 <= zatoshi <= MAX_MONEY:
        raise ValueError("an amount in FLUX has at most 8 decimals and is at most 440000000")
    return int(zatoshi)


def _several(value: object) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("a list is expected")
    return value


def _pair(value: object) -> Sequence[Any]:
    pair = _several(value)
    if len(pair) != 2:
        raise ValueError("two values are expected")
    return pair


def _transition(value: object) -> tuple[int, int]:
    begin, end = map(_not_negative, _pair(value))
    if begin > end:
        raise ValueError("the first height must not be above the second")
    return begin, end


def _keys_since(value: object) -> tuple[tuple[bytes, int], ...]:
    return tuple((_hex(key), _not_negative(since)) for key, since in map(_pair, _several(value)))


def _keys(value: object) -> tuple[bytes, ...]:
    return tuple(map(_hex, _several(value)))


def _checkpoints(value: object) -> tuple[tuple[int, str], ...]:
    return tuple((_not_negative(height), _hash(block)) for height, block in map(_pair, _several(value)))


# How to read a value: by its dotted key, else by its last part, else by its section.
_READERS: dict[str, Callable[[object], object]] = {
    "name": _text,
    "magic": _sized(4),
    "genesis_hash": _hash,
    "pubkey_address_prefix": _sized(2),
    "script_address_prefix": _sized(2),
    "sprout_address_prefix": _sized(2),
    "sapling_hrp": _text,
    "pow_target_spacing": _positive,
    "pon_target_spacing": _positive,
    "upgrades": _activation,
    "subsidy.premine": _amount,
    "subsidy.initial": _amount,
    "subsidy.pon_initial": _amount,
    "subsidy.halving_interval": _positive,
    "subsidy.pon_reduction_interval": _positive,
    "funds.swap_pool.interval": _positive,
    "amount": _amount,
    "nodes.cumulus_transition": _transition,
    "nodes.nimbus_transition": _transition,
    "nodes.stratus_transition": _transition,
    "nodes.foundation_key": _hex,
    "nodes.benchmark_keys": _keys_since,
    "nodes.emergency_keys": _keys,
    "pon.window": _positive,
    "checkpoints": _checkpoints,
}
_ADDRESSES = ("address", "dev_fund_address")


def network_from_mapping(given: Mapping[str, object], where: str) -> Network:
    """The network that a parsed parameter file describes; ``where`` names the file in errors.

    Raises ConfigError with the dotted key, what is wrong with it, and for an unknown key the nearest known one.
    """
    top = {key: value for key, value in given.items() if not isinstance(value, Mapping)}
    network: Network = _overlay(MAIN, top, "", MAIN, where)
    if network.genesis_hash != MAIN.genesis_hash and "checkpoints" not in given:
        network = replace(network, checkpoints=())
    sections = {key: value for key, value in given.items() if isinstance(value, Mapping)}
    return _overlay(network, sections, "", network, where)  # type: ignore[no-any-return]


def _overlay(base: Any, given: Mapping[str, object], path: str, network: Network, where: str) -> Any:
    known = [part.name for part in fields(base)]
    changed = {}
    for name, value in given.items():
        key = f"{path}{name}"
        if name not in known:
            raise ConfigError(f"{where}: there is no parameter {key!r}{_nearest(name, known, path)}")
        present = getattr(base, name)
        if is_dataclass(present):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {key} is a table of parameters, not a value")
            changed[name] = _overlay(present, value, f"{key}.", network, where)
        else:
            changed[name] = _read(key, value, network, where)
    return replace(base, **changed)


def _read(key: str, value: object, network: Network, where: str) -> object:
    section, _, name = key.rpartition(".")
    try:
        if name in _ADDRESSES:
            return decode_address(_text(value), network)
        reader = _READERS.get(key) or _READERS.get(name) or _READERS.get(section) or _not_negative
        return reader(value)
    except (AddressError, ValueError) as error:
        raise ConfigError(f"{where}: {key} = {value!r} cannot be used: {error}") from error


def _nearest(name: str, known: list[str], path: str) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f": did you mean {path}{near[0]}?" if near else f"; known here: {', '.join(known)}"
