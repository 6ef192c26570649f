"""Our account of a block, in the daemon's words, read from the database."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.chain.address import encode_address
from indexer.chain.deadlines import dos_list, start_list
from indexer.chain.keys import outpoint_text
from indexer.chain.lists import NodeLists
from indexer.chain.nodes import Node, Status
from indexer.chain.params import Network
from indexer.chain.tiers import TIERS
from indexer.selfcheck.compare import Entry, NodeAccount
from indexer.state.nodes import node_of
from indexer.store.base import Store
from indexer.store.commit import TIP
from indexer.store.read import StoreReader

SUMS = ("transparent", "txouts", "sprout", "sapling")


def nodes_at(store: Store, network: Network, block_hash: bytes) -> tuple[int, NodeAccount] | None:
    """The height of a block (hash in wire order) and our node lists after it.

    None when it is not our tip, or when a commit came between.
    """
    tip = store.meta(TIP)
    if tip is None or tip["dirty"] or bytes(tip["hash"]) != block_hash:
        return None
    nodes = [node_of(row) for row in StoreReader(store).live_nodes()]
    if store.meta(TIP) != tip:
        return None
    return tip["height"], account_of(network, nodes, tip["height"])


def account_of(network: Network, nodes: list[Node], height: int) -> NodeAccount:
    """The lists that these live records make after block ``height``; a record beyond the first of its node stays."""
    lists = NodeLists(nodes, height)
    repeated = [node for node in nodes if lists.get(node.outpoint) is not node]
    ordered = [node for tier in TIERS for node in lists.order(tier)]
    confirmed = ordered + [node for node in repeated if node.status == Status.CONFIRMED]
    started = start_list(network, lists.with_status(Status.STARTED), height)
    dos = dos_list(network, lists.with_status(Status.DOS), height)
    return NodeAccount(
        [_confirmed(network, node) for node in confirmed],
        [_waiting(network, node, "expires_in", left) for left, node in started],
        [_waiting(network, node, "eligible_in", left) for left, node in dos],
    )


def _confirmed(network: Network, node: Node) -> Entry:
    return outpoint_text(node.outpoint), {
        "tier": node.tier.name,
        "ip": node.ip.decode("utf-8", "replace"),
        "added_height": node.started,
        "confirmed_height": node.confirmed,
        "last_confirmed_height": node.last_confirmed,
        "last_paid_height": node.last_paid,
        "payment_address": encode_address(node.payee, network),
        "pubkey": node.pubkey.hex(),
        "amount": node.value,
    }


def _waiting(network: Network, node: Node, name: str, left: int) -> Entry:
    return outpoint_text(node.outpoint), {
        "added_height": node.started,
        name: left,
        "payment_address": encode_address(node.payee, network),
        "amount": node.value,
    }


def sums_at(store: Store, height: int, block_hash: bytes) -> dict[str, int] | None:
    """The running totals of a block of ours; None when this is no block of ours, or not yet."""
    return next(_sums(store, height, block_hash), None)


def _sums(store: Store, height: int, block_hash: bytes) -> Iterator[dict[str, int]]:
    if StoreReader(store).hash_at(height) == block_hash:
        for row in store.scan("blocks", height, height + 1):
            if bytes(row["hash"]) == block_hash:
                yield {name: row[name] for name in SUMS}
