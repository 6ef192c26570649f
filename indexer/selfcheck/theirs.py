"""The daemon's account of a block: its node lists and the sums of its utxo set.

Methods: ``rpc/fluxnode.cpp`` (getfluxnodesnapshot, viewdeterministicfluxnodelist, getstartlist, getdoslist) and
``rpc/blockchain.cpp`` (gettxoutsetinfo, getblock).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, TypeVar

from indexer.chain.keys import outpoint_text, parse_hash, parse_outpoint
from indexer.chain.params import COIN
from indexer.errors import Garbled, Refused
from indexer.selfcheck.compare import Entry, NodeAccount
from indexer.source.jsonrpc import METHOD_NOT_FOUND
from indexer.source.rpc import Call, DaemonRpc

BEST, SNAPSHOT, LIST = Call("getbestblockhash"), Call("getfluxnodesnapshot"), Call("viewdeterministicfluxnodelist")
HEIGHTS = ("added_height", "confirmed_height", "last_confirmed_height", "last_paid_height")

T = TypeVar("T")


class Told(NamedTuple):
    """Node lists with the block (wire order) that they belong to; ``at_once`` when the daemon vouches for that."""

    block_hash: bytes
    nodes: NodeAccount
    at_once: bool


class Sums(NamedTuple):
    """The sums of the utxo set after a block (hash in wire order), and the pools that the daemon watches: zatoshi."""

    height: int
    block_hash: bytes
    values: dict[str, int]


class Daemon:
    """Asks one daemon; remembers that it is too old for a snapshot."""

    def __init__(self, rpc: DaemonRpc) -> None:
        self._rpc = rpc
        self._list = SNAPSHOT

    def close(self) -> None:
        """Drop the connections."""
        self._rpc.close()

    def best_hash(self) -> bytes:
        """The hash of the best block, wire order."""
        return self._read(self._rpc.call(BEST.method), parse_hash)

    def node_lists(self) -> Told | None:
        """The node lists; None when the best block changed between the questions.

        A daemon without getfluxnodesnapshot gives its list without a block, so that the best hash must be the same
        before and after; the start and DoS lists are always read like that.
        """
        calls = [BEST, self._list, Call("getstartlist"), Call("getdoslist"), BEST]
        before, listed, *waiting, after = self._rpc.batch(calls)
        if self._list is SNAPSHOT and isinstance(listed, Refused) and listed.code == METHOD_NOT_FOUND:
            self._list = LIST
            return self.node_lists()
        for answer in (before, listed, *waiting, after):
            if isinstance(answer, Refused):
                raise answer
        return self._told(before, listed, waiting, after)

    def _told(self, before: Any, listed: Any, waiting: list[Any], after: Any) -> Told | None:
        at_once = self._list is SNAPSHOT
        nodes = self._read(listed, lambda answer: answer["nodes"] if at_once else answer)
        block = self._read(listed, lambda answer: answer["blockhash"]) if at_once else before
        if not before == block == after:
            return None
        account = self._read(nodes, lambda nodes: _account(nodes, *waiting))
        return Told(self._read(block, parse_hash), account, at_once)

    def sums(self) -> Sums:
        """The sums of the utxo set: the daemon reads the whole of it, which takes minutes on a large chain."""
        found = self._rpc.call("gettxoutsetinfo")
        block_hash = self._read(found, lambda answer: answer["bestblock"])
        block = self._rpc.call("getblock", block_hash, 1)
        return self._read((found, block), lambda answers: _sums(*answers))

    def _read(self, answer: Any, reader: Callable[[Any], T]) -> T:
        try:
            return reader(answer)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise Garbled(
                f"the daemon at {self._rpc.url} described its nodes or its supply in an unknown form "
                f"({type(error).__name__}: {error}): it may be newer than this version"
            ) from None


def _account(confirmed: list[Any], started: list[Any], dos: list[Any]) -> NodeAccount:
    return NodeAccount(
        [_confirmed(entry) for entry in confirmed],
        [_waiting(entry, "expires_in") for entry in started],
        [_waiting(entry, "eligible_in") for entry in dos],
    )


def _confirmed(entry: Mapping[str, Any]) -> Entry:
    return _outpoint(entry), {
        **{name: str(entry[name]) for name in ("tier", "ip", "payment_address", "pubkey")},
        **{name: int(entry[name]) for name in HEIGHTS},
        "amount": _zatoshi(entry["amount"]),
    }


def _waiting(entry: Mapping[str, Any], left: str) -> Entry:
    return _outpoint(entry), {
        "added_height": int(entry["added_height"]),
        left: int(entry[left]),
        "payment_address": str(entry["payment_address"]),
        "amount": _zatoshi(entry["amount"]),
    }


def _outpoint(entry: Mapping[str, Any]) -> str:
    point = parse_outpoint(entry["collateral"])
    if point is None:
        raise ValueError(f"{entry['collateral']!r} is no outpoint")
    return outpoint_text(point)


def _zatoshi(amount: str | Decimal) -> int:
    return int(Decimal(amount) * COIN)


def _sums(found: Mapping[str, Any], block: Mapping[str, Any]) -> Sums:
    values = {"transparent": _zatoshi(found["total_amount"]), "txouts": int(found["txouts"])}
    # A daemon that does not watch a pool, because it was pruned or upgraded late, gives no value for it.
    watched = [pool for pool in block.get("valuePools", ()) if "chainValueZat" in pool]
    pools = {pool["id"]: int(pool["chainValueZat"]) for pool in watched}
    return Sums(int(found["height"]), parse_hash(found["bestblock"]), values | pools)
