"""The recorded coinbases as the rules of payouts see them, with the payees that the daemon named beforehand.

Read once a session from the daemon's JSON alone: no rule and no parser of ours is involved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from indexer.chain.address import decode_address, script_for
from indexer.chain.keys import NO_ADDRESS
from indexer.chain.payouts import CoinbaseOutput
from tests import recorded

NETWORK = recorded.network()
WINNERS = ("CUMULUS Winner", "NIMBUS Winner", "STRATUS Winner")


@dataclass(frozen=True, slots=True)
class RecordedCoinbase:
    """A coinbase, whom it must pay as (tier, address key), and the block's fees in zatoshi."""

    height: int
    outputs: list[CoinbaseOutput]
    payees: list[tuple[int, bytes]]
    fees: int


@cache
def _key(text: str) -> bytes:
    return decode_address(text, NETWORK)


def _output(output: dict[str, Any]) -> CoinbaseOutput:
    shown = output["scriptPubKey"]
    addresses = shown.get("addresses", [])
    key = _key(addresses[0]) if len(addresses) == 1 else NO_ADDRESS
    exact = key != NO_ADDRESS and script_for(key).hex() == shown["hex"]
    return CoinbaseOutput(output["valueZat"], key, exact)


def fee_of(tx: dict[str, Any]) -> int:
    """The fee of a transfer in the daemon's JSON, shielded flows included; 0 for node transactions."""
    shielded: Iterable[int] = (js["vpub_newZat"] - js["vpub_oldZat"] for js in tx.get("vJoinSplit", ()))
    taken: int = sum(vin["valueSat"] for vin in tx.get("vin", ()))
    given: int = sum(vout["valueZat"] for vout in tx.get("vout", ()))
    sapling: int = tx.get("valueBalanceZat", 0)
    return taken - given + sapling + sum(shielded)


def _payees(height: int) -> list[tuple[int, bytes]]:
    if height < NETWORK.nodes.payments_from:
        return []
    named = recorded.states()[recorded.blocks()[height - 1]["hash"]]["winner"]
    return [(tier, _key(named[w]["payment_address"])) for tier, w in enumerate(WINNERS, 1) if w in named]


@cache
def coinbases() -> list[RecordedCoinbase]:
    """Every coinbase of the active chain, by height."""
    return [
        RecordedCoinbase(
            entry["height"],
            [_output(output) for output in entry["block"]["tx"][0]["vout"]],
            _payees(entry["height"]),
            sum(map(fee_of, entry["block"]["tx"][1:])),
        )
        for entry in recorded.blocks()
    ]
