"""What a transaction moved for an address, by category, for its statement of account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from explorer.queries.rows import delta
from indexer.chain.payouts import MINER, OTHER
from indexer.store.codec import Transaction

Category: TypeAlias = Literal[
    "payout_cumulus",
    "payout_nimbus",
    "payout_stratus",
    "mined",
    "fund",
    "received",
    "sent",
    "self",
    "shielded_in",
    "shielded_out",
]
PAYOUTS: Final[Mapping[int, Category]] = {1: "payout_cumulus", 2: "payout_nimbus", 3: "payout_stratus"}


def movements_of(
    transaction: Transaction, key: bytes, judged: Mapping[str, Any] | None
) -> Iterator[tuple[Category, int]]:
    """The categories of a transaction and what each changed for an address, in zatoshi.

    A coinbase may have several; ``judged`` is the row of ``payouts`` of its block. Any other transaction has one, by
    what became of the address's coins: fees are part of it.
    """
    if judged is None:
        yield _category(transaction, key), delta(transaction, key)
        return
    sums: dict[Category, int] = {}
    for vout, output in enumerate(transaction.outputs):
        if output.address == key:
            category = _coinbase_category(judged, vout)
            sums[category] = sums.get(category, 0) + output.value
    yield from sums.items()


def _coinbase_category(judged: Mapping[str, Any], vout: int) -> Category:
    """What an output of a coinbase was for: a node's payout, a fund, or else the producer's own."""
    if vout in judged["vouts"]:
        return PAYOUTS[judged["tiers"][judged["vouts"].index(vout)]]
    return "mined" if judged["funds"][vout] in (MINER, OTHER) else "fund"


def _category(transaction: Transaction, key: bytes) -> Category:
    """What a transfer was for an address.

    ``shielded_in``: its coins went into the shielded pools and to nobody else; ``shielded_out``: what came to it came
    out of the pools alone.
    """
    owners = {spent.address for spent in transaction.inputs}
    change = delta(transaction, key)
    into, out = _pools(transaction)
    if key not in owners or change > 0:
        return "shielded_out" if out and owners <= {key} else "received"
    elsewhere = sum(output.value for output in transaction.outputs if output.address != key)
    if elsewhere or owners != {key}:
        return "sent"
    return "shielded_in" if into else "self"


def _pools(transaction: Transaction) -> tuple[int, int]:
    """What a transaction moved into and out of the shielded pools, in zatoshi."""
    shielded = transaction.shielded
    if shielded is None:
        return 0, 0
    balance = shielded.value_balance
    return shielded.sprout_in + max(-balance, 0), shielded.sprout_out + max(balance, 0)
