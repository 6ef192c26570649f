"""The node lists as the daemon's JSON has them (``rpc/fluxnode.cpp``): one builder for all who pass them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from explorer.api.forms.networks import kind_of
from explorer.queries.live_nodes import LiveNodes
from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text, outpoint_index
from indexer.chain.nodes import Node
from indexer.chain.tiers import TIERS, Tier
from indexer.daemonjson.words import amount_words, outpoint_words

OLD_NAMES: Final = {"cumulus": "basic-enabled", "nimbus": "super-enabled", "stratus": "bamf-enabled"}
SEARCHED: Final = ("txhash", "pubkey", "ip", "payment_address")

Entry = dict[str, Any]


def list_entries(live: LiveNodes) -> list[Entry]:
    """``viewdeterministicfluxnodelist``: the confirmed nodes, tier by tier, in payment order."""
    return [_entry(live, node, rank) for tier in TIERS for rank, node in enumerate(live.confirmed[tier])]


def containing(entries: Iterable[Entry], text: str) -> list[Entry]:
    """Those in whose txhash, key, ip or payment address the text occurs, as the daemon filters."""
    return [entry for entry in entries if any(text in entry[name] for name in SEARCHED)]


def start_entries(live: LiveNodes) -> list[Entry]:
    """``getstartlist``: nodes that wait for their confirmation, with the blocks left."""
    return [_waiting(live, node, "expires_in", left) for left, node in live.started]


def dos_entries(live: LiveNodes) -> list[Entry]:
    """``getdoslist``: nodes that missed their confirmation, with the blocks until they may start again."""
    return [_waiting(live, node, "eligible_in", left) for left, node in live.dos]


def winners(live: LiveNodes) -> Entry:
    """``fluxnodecurrentwinner``: the next payee of each tier that has a node."""
    return {f"{tier.name} Winner": _winner(live, nodes[0]) for tier, nodes in live.confirmed.items() if nodes}


def node_counts(live: LiveNodes) -> dict[str, int]:
    """``getfluxnodecount``: by tier under both names; by kind of ip, missing those with a port."""
    counts = {tier.label: len(live.confirmed[tier]) for tier in TIERS}
    total = sum(counts.values())
    ips = [node.ip for nodes in live.confirmed.values() for node in nodes]
    return {
        "total": total,
        "stable": total,
        **{OLD_NAMES[name]: count for name, count in counts.items()},
        **{f"{name}-enabled": count for name, count in counts.items()},
        **{kind: sum(b":" not in ip and kind_of(ip) == kind for ip in ips) for kind in ("ipv4", "ipv6", "onion")},
    }


def _entry(live: LiveNodes, node: Node, rank: int) -> Entry:
    paid = live.times[node.last_paid] if node.last_paid else live.network.genesis_time
    return {
        "collateral": outpoint_words(node.outpoint),
        "txhash": hash_text(node.outpoint[:32]),
        "outidx": str(outpoint_index(node.outpoint)),
        "ip": _text(node.ip),
        "network": kind_of(node.ip),
        **_heights(node),
        "tier": _tier_word(node.tier),
        "payment_address": encode_address(node.payee, live.network),
        "pubkey": node.pubkey.hex(),
        "activesince": str(live.times[node.started]),
        "lastpaid": str(paid),
        "amount": amount_words(node.value),
        "rank": rank,
    }


def _winner(live: LiveNodes, node: Node) -> Entry:
    return {
        "collateral": outpoint_words(node.outpoint),
        "ip": _text(node.ip),
        **_heights(node),
        "tier": _tier_word(node.tier),
        "payment_address": encode_address(node.payee, live.network),
    }


def _waiting(live: LiveNodes, node: Node, name: str, left: int) -> Entry:
    return {
        "collateral": outpoint_words(node.outpoint),
        "added_height": node.started,
        "payment_address": encode_address(node.payee, live.network),
        name: left,
        "amount": amount_words(node.value),
    }


def _heights(node: Node) -> Entry:
    return {
        "added_height": node.started,
        "confirmed_height": node.confirmed,
        "last_confirmed_height": node.last_confirmed,
        "last_paid_height": node.last_paid,
    }


def _tier_word(tier: Tier) -> str:
    return tier.name


def _text(ip: bytes) -> str:
    """The signed text as a JSON reader of the daemon's answer sees it."""
    return ip.decode("utf-8", "replace")
