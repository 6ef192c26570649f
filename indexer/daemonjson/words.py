"""Amounts, outpoints and pools in the daemon's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from indexer.chain.keys import hash_text, outpoint_index
from indexer.chain.params import COIN

POOLS: Final = ("sprout", "sapling")


def coins(zatoshi: int) -> Decimal:
    """An amount as a JSON number: FLUX with exactly 8 decimals (``rpc/server.cpp:ValueFromAmount``)."""
    return Decimal(zatoshi).scaleb(-8)


def amount_words(zatoshi: int) -> str:
    """An amount as text with two to eight decimals (``utilmoneystr.cpp:FormatMoney``)."""
    whole, rest = divmod(zatoshi, COIN)
    decimals = f"{rest:08d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{decimals}"


def outpoint_words(point: bytes, digits: int = 64) -> str:
    """An outpoint; transactions and blocks show ten digits of the txid (``transaction.cpp:COutPoint::ToString``)."""
    return f"COutPoint({hash_text(point[:32])[:digits]}, {outpoint_index(point)})"


def pools_json(after: Mapping[str, int], before: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """The shielded pools after a block, zatoshi by name, and, with ``before``, by how much it changed them.

    Source: ``rpc/blockchain.cpp:ValuePoolDesc``.
    """
    pools = []
    for name in POOLS:
        pool = {"id": name, "monitored": True, "chainValue": coins(after[name]), "chainValueZat": after[name]}
        if before is not None:
            delta = after[name] - before[name]
            pool |= {"valueDelta": coins(delta), "valueDeltaZat": delta}
        pools.append(pool)
    return pools
