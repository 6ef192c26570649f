"""The node lists as the daemon's JSON has them (``rpc/fluxnode.cpp``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indexer.chain import tiers
from indexer.chain.address import encode_address
from indexer.chain.deadlines import dos_list, start_list
from indexer.chain.keys import hash_text, outpoint_index
from indexer.chain.nodes import Node, Status
from indexer.chain.tiers import NEW_COLLATERAL, OLD_COLLATERAL, TIERS
from indexer.daemonjson.words import amount_words, outpoint_words
from indexer.demo.chain import DemoChain

OLD_NAMES = {"cumulus": "basic-enabled", "nimbus": "super-enabled", "stratus": "bamf-enabled"}


class NodeAnswers:
    """Answers the methods about nodes from a chain's state."""

    def __init__(self, chain: DemoChain) -> None:
        self._chain = chain

    def methods(self) -> dict[str, Callable[..., Any]]:
        """The methods by name, the old names included."""
        return {
            "listfluxnodes": self.list_nodes,
            "listzelnodes": self.list_nodes,
            "viewdeterministicfluxnodelist": self.list_nodes,
            "viewdeterministiczelnodelist": self.list_nodes,
            "getfluxnodesnapshot": self.snapshot,
            "getstartlist": self.start_list,
            "getdoslist": self.dos_list,
            "getfluxnodecount": self.count,
            "getzelnodecount": self.count,
            "fluxnodecurrentwinner": self.winner,
            "zelnodecurrentwinner": self.winner,
            "getmigrationcount": self.migration_count,
            "listfluxnodedelegates": self.delegates,
        }

    def list_nodes(self, wanted: str = "") -> list[dict[str, Any]]:
        """The confirmed nodes in payment order, tier by tier; those that contain the text ``wanted``."""
        entries = [
            self._entry(node, rank) for tier in TIERS for rank, node in enumerate(self._chain.queue.order(tier))
        ]
        searched = ("txhash", "pubkey", "ip", "payment_address")
        return [entry for entry in entries if not wanted or any(wanted in entry[key] for key in searched)]

    def _entry(self, node: Node, rank: int) -> dict[str, Any]:
        active = self._chain.active
        paid = active[node.last_paid].time if node.last_paid else self._chain.network.genesis_time
        return {
            "collateral": outpoint_words(node.outpoint),
            "txhash": hash_text(node.outpoint[:32]),
            "outidx": str(outpoint_index(node.outpoint)),
            "ip": node.ip.decode("latin-1"),
            "network": "ipv6" if node.ip.count(b":") > 1 else "ipv4",
            **self._heights(node),
            "tier": node.tier.name,
            "payment_address": self._payee(node),
            "pubkey": node.pubkey.hex(),
            "activesince": str(active[node.started].time),
            "lastpaid": str(paid),
            "amount": amount_words(node.value),
            "rank": rank,
        }

    def _heights(self, node: Node) -> dict[str, int]:
        return {
            "added_height": node.started,
            "confirmed_height": node.confirmed,
            "last_confirmed_height": node.last_confirmed,
            "last_paid_height": node.last_paid,
        }

    def _payee(self, node: Node) -> str:
        return encode_address(node.payee, self._chain.network)

    def snapshot(self) -> dict[str, Any]:
        """The list with the block that it belongs to."""
        tip = self._chain.tip
        return {"height": tip.height, "blockhash": hash_text(tip.hash), "nodes": self.list_nodes()}

    def start_list(self) -> list[dict[str, Any]]:
        """Nodes that wait for their confirmation, with the blocks left."""
        started = self._chain.queue.with_status(Status.STARTED)
        entries = start_list(self._chain.network, started, self._chain.height)
        return [self._waiting(node, "expires_in", left) for left, node in entries]

    def dos_list(self) -> list[dict[str, Any]]:
        """Nodes that missed their confirmation, with the blocks until they may start again."""
        out = self._chain.queue.with_status(Status.DOS)
        entries = dos_list(self._chain.network, out, self._chain.height)
        return [self._waiting(node, "eligible_in", left) for left, node in entries]

    def _waiting(self, node: Node, name: str, blocks: int) -> dict[str, Any]:
        return {
            "collateral": outpoint_words(node.outpoint),
            "added_height": node.started,
            "payment_address": self._payee(node),
            name: blocks,
            "amount": amount_words(node.value),
        }

    def count(self) -> dict[str, int]:
        """Confirmed nodes by tier under both names; by kind of ip, entries with a port left out."""
        queue = self._chain.queue
        counts = {tier.label: queue.count(tier) for tier in TIERS}
        total = sum(counts.values())
        ips = [node.ip for tier in TIERS for node in queue.order(tier)]
        return {
            "total": total,
            "stable": total,
            **{OLD_NAMES[name]: count for name, count in counts.items()},
            **{f"{name}-enabled": count for name, count in counts.items()},
            "ipv4": sum(b":" not in ip for ip in ips),
            "ipv6": sum(ip.count(b":") > 1 for ip in ips),
            "onion": 0,
        }

    def winner(self) -> dict[str, Any]:
        """The next payee of each tier that has a node."""
        heads = [(tier, self._chain.queue.head(tier)) for tier in TIERS]
        return {
            f"{tier.name} Winner": {
                "collateral": outpoint_words(node.outpoint),
                "ip": node.ip.decode("latin-1"),
                **self._heights(node),
                "tier": tier.name,
                "payment_address": self._payee(node),
            }
            for tier, node in heads
            if node is not None
        }

    def migration_count(self) -> list[dict[str, int]]:
        """Confirmed nodes with an old amount of collateral, and with a new one."""
        values = [node.value for node in self._chain.queue.with_status(Status.CONFIRMED)]
        answers = []
        for age, amounts in (("old", OLD_COLLATERAL), ("new", NEW_COLLATERAL)):
            counts = {f"{tier.label}-enabled-{age}": values.count(amounts[tier]) for tier in tiers.TIERS}
            answers.append({f"total-{age}": sum(counts.values()), **counts})
        return answers

    def delegates(self, txhash: str, index: str) -> dict[str, Any]:
        """The delegate keys stored for a collateral, whatever became of its node."""
        point = bytes.fromhex(txhash)[::-1] + int(index).to_bytes(4, "big")
        node = self._chain.queue.get(point) or self._chain.former.get(point)
        shown: dict[str, Any] = {"collateral": outpoint_words(point), "has_delegates": bool(node and node.delegates)}
        if node and node.delegates:
            shown |= {"delegate_version": 1, "delegate_type": 1, "delegate_type_string": "UPDATE"}
            shown["delegate_keys"] = [key.hex() for key in node.delegates]
        return shown
