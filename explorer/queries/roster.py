"""The nodes that somebody names together: by address, collateral, IP or key, pasted as they come."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.blocks import reference_at
from explorer.queries.fleets import LISTED
from explorer.queries.node_results import Node
from explorer.queries.nodes import is_without_port, node_result, stored_node
from explorer.queries.outlook import outlook_at
from explorer.queries.past import ranks_at
from explorer.queries.results import BlockReference
from explorer.queries.search import names_ip, names_pubkey
from explorer.queries.text import address_key, tier_name
from explorer.queries.units import Tier, Zatoshi
from indexer.chain.keys import parse_outpoint
from indexer.chain.nodes import Status
from indexer.chain.params import Network
from indexer.chain.tiers import TIERS
from indexer.store.codec import Document

EntryKind = Literal["address", "outpoint", "pubkey", "ip"]
Order = Literal["payout", "deadline"]

MOST_ENTRIES: Final = 500
MOST_NODES: Final = 5000
LONGEST_ENTRY: Final = 200

_ENTRY = re.compile(r"COutPoint\([^)]*\)|[^\s,;]+", re.IGNORECASE)
_AROUND = re.compile(r"\A[\"'`]?(?:https?://)?|/?[\"'`]?\Z", re.IGNORECASE)
_PORT = re.compile(r":\d+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list and how many nodes it names; ``problem`` says why it names none."""

    text: str
    kind: EntryKind | None
    nodes: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class TierSum:
    """The named nodes of a tier by their lists; ``collateral`` is of those on one, ``paid_total`` of all."""

    tier: Tier
    confirmed: int
    started: int
    dos: int
    gone: int
    collateral: Zatoshi
    paid_total: Zatoshi


@dataclass(frozen=True, slots=True)
class Roster:
    """The nodes that a list names, each once, what every entry of the list came to, and sums."""

    at: BlockReference
    entries: tuple[Entry, ...]
    tiers: tuple[TierSum, ...]
    total: int
    items: tuple[Node, ...]


class Key(NamedTuple):
    """What a node is found by: a field of its row, and the value; ``host`` is an IP with any port."""

    field: Literal["payee", "outpoint", "pubkey", "ip", "host"]
    value: bytes | str


KINDS: Final[dict[str, EntryKind]] = {
    "payee": "address", "outpoint": "outpoint", "pubkey": "pubkey", "ip": "ip", "host": "ip",
}  # fmt: skip


def split_list(text: str) -> tuple[str, ...]:
    """The entries of a pasted list, each once; BadRequest when there are more than 500."""
    found = (_AROUND.sub("", piece) for piece in _ENTRY.findall(text))
    entries = tuple(dict.fromkeys(entry for entry in found if entry))
    if len(entries) > MOST_ENTRIES:
        raise BadRequest(Phrase(
            "the list has %(number)s entries: at most %(most)s are looked up together",
            number=len(entries), most=MOST_ENTRIES,
        ))  # fmt: skip
    return entries


async def roster(view: View, entries: Sequence[str], *, order: Order = "payout", limit: int = MOST_NODES) -> Roster:
    """The nodes that the entries name, as they are at the tip: the first ``limit`` of an order, and sums of all."""
    keys = {text: read_entry(view.network, text) for text in entries}
    rows, ranks, outlook = await asyncio.gather(
        _rows(view, {key for key in keys.values() if isinstance(key, Key)}),
        ranks_at(view, view.tip.height),
        outlook_at(view, view.tip.height),
    )
    counts = Counter(key for row in rows for key in keys_of(row))
    nodes = [node_result(view.network, stored_node(row), ranks.get(row["_id"]), outlook) for row in rows]
    return Roster(
        at=await reference_at(view, view.tip.height),
        entries=tuple(_entry(text, key, counts) for text, key in keys.items()),
        tiers=tier_sums(rows),
        total=len(rows),
        items=tuple(sorted(nodes, key=by_payout if order == "payout" else by_deadline)[:limit]),
    )


def read_entry(network: Network, text: str) -> Key | str:
    """What an entry names, or why it names nothing that a node could be found by."""
    if len(text) > LONGEST_ENTRY:
        return f"longer than {LONGEST_ENTRY} characters"
    if (point := parse_outpoint(text)) is not None:
        return Key("outpoint", point)
    if names_pubkey(text):
        return Key("pubkey", bytes.fromhex(text))
    if names_ip(text):
        return Key("host" if is_without_port(text) else "ip", text)
    try:
        return Key("payee", address_key(text, network))
    except BadRequest as error:
        return error.message


def keys_of(row: Document) -> set[Key]:
    """Everything that a node can be named by."""
    ip: str = row["ip"]
    hosts = (Key("host", ip), Key("host", _PORT.sub("", ip)))
    return {
        Key("payee", bytes(row["payee"])),
        Key("outpoint", bytes(row["outpoint"])),
        Key("pubkey", bytes(row["pubkey"])),
        Key("ip", ip),
        *hosts,
    }


def by_payout(node: Node) -> tuple[int, int, int, str]:
    """The order of the next payouts; then who waits for a confirmation, the DoS list, and who left, latest first."""
    if node.expected_height is not None and node.rank is not None:
        return 0, node.expected_height, node.rank, node.node
    return (*_unpaid(node), 0, node.node)


def by_deadline(node: Node) -> tuple[int, int, int, str]:
    """Who leaves a list first unless something is done; then who has left, latest first."""
    if node.expires_height is not None:
        return 0, node.expires_height, 0, node.node
    return (*_unpaid(node), 0, node.node)


def _unpaid(node: Node) -> tuple[int, int]:
    if node.expires_height is not None:
        return 1, node.expires_height
    if node.dos_until is not None:
        return 2, node.dos_until
    return 3, -(node.ended_height or 0)


def tier_sums(rows: Iterable[Document]) -> tuple[TierSum, ...]:
    """How many nodes of each tier are on which list, what they lock up, and what they were paid."""
    counts: Counter[Any] = Counter()
    for row in rows:
        tier, status = row["tier"], row["status"]
        counts[tier, status if status in LISTED else None] += 1
        counts[tier, "collateral"] += row["value"] if status in LISTED else 0
        counts[tier, "paid"] += row["paid_total"]
    return tuple(
        TierSum(
            tier=tier_name(tier),
            confirmed=counts[tier, Status.CONFIRMED],
            started=counts[tier, Status.STARTED],
            dos=counts[tier, Status.DOS],
            gone=counts[tier, None],
            collateral=counts[tier, "collateral"],
            paid_total=counts[tier, "paid"],
        )
        for tier in TIERS
    )


async def _rows(view: View, keys: set[Key]) -> list[Document]:
    """The rows of the nodes with one of the keys; BadRequest when there are more than can be shown together."""
    if not keys:
        return []
    rows = await view.many("nodes", {"$or": _conditions(keys)}, limit=MOST_NODES + 1)
    if len(rows) > MOST_NODES:
        raise BadRequest(Phrase("the list names more than %(most)s nodes: split it", most=MOST_NODES))
    return [row for row in rows if not keys.isdisjoint(keys_of(row))]


def _conditions(keys: Iterable[Key]) -> list[dict[str, Any]]:
    """One condition for each field, and for each host the stretch of the index in which it stands with a port."""
    values: dict[str, list[bytes | str]] = {}
    for key in keys:
        values.setdefault("ip" if key.field == "host" else key.field, []).append(key.value)
    ports = ({"ip": {"$gt": f"{key.value!s}:", "$lt": f"{key.value!s};"}} for key in keys if key.field == "host")
    return [*({field: {"$in": some}} for field, some in values.items()), *ports]


def _entry(text: str, key: Key | str, counts: Counter[Key]) -> Entry:
    shown = text[:LONGEST_ENTRY]
    if isinstance(key, str):
        return Entry(shown, None, 0, key)
    return Entry(shown, KINDS[key.field], counts[key], None if counts[key] else Phrase("no node is known by it"))
