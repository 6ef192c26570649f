"""Rows <-> documents, pure. The only place that knows how a row is laid out.

``bytes`` become BSON Binary, amounts int64. Columns are packed little-endian (``parse.columns.ints``).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from indexer.chain.keys import NO_ADDRESS, eventkey_height, txkey_height
from indexer.chain.queue import Event
from indexer.chain.replay import LISTS, Change, PastLists
from indexer.chain.tiers import TIERS
from indexer.parse.columns import EXACT_P2PKH, EXACT_P2SH, ints
from indexer.parse.columns import slices as slices
from indexer.state.delta import LedgerRow as LedgerRow

Document = Mapping[str, Any]

LEDGER_KEY_SIZE = 25
MEMPOOL_PARTS = 64
CONFIRM_FIXED_SIZE = 4 + 1 + 36 + 4 + 1 + 4 + 1 + 66 + 66


def compact_size(n: int) -> bytes:
    """CompactSize encoding of ``n``."""
    if n < 0xFD:
        return bytes((n,))
    if n <= 0xFFFF:
        return b"\xfd" + n.to_bytes(2, "little")
    return b"\xfe" + n.to_bytes(4, "little")


def split_strings(packed: bytes) -> Iterator[bytes]:
    """The strings of a sequence of CompactSize length and bytes."""
    at = 0
    while at < len(packed):
        size = packed[at]
        at += 1
        if size >= 0xFD:
            width = 2 if size == 0xFD else 4
            size = int.from_bytes(packed[at : at + width], "little")
            at += width
        yield packed[at : at + size]
        at += size


# --- ledger -------------------------------------------------------------------------------------------------


def ledger_id(address: bytes, height: int) -> bytes:
    """The ``_id`` of an address's ledger row of a block: sorts by address, then height."""
    return address + height.to_bytes(4, "big")


def ledger_row(document: Document) -> LedgerRow:
    """A stored ledger row."""
    key = bytes(document["_id"])
    return LedgerRow(
        key[:21], int.from_bytes(key[21:], "big"), document["b"], document["r"], document["n"], document["u"],
        ints(document["x"], "H"),
    )  # fmt: skip


# --- utxos --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Utxo:
    """An unspent output."""

    outpoint: bytes
    outkey: int
    address: bytes  # NO_ADDRESS for none
    value: int
    form: int


def utxo_row(document: Document) -> Utxo:
    """A stored unspent output."""
    address = bytes(document.get("a", NO_ADDRESS))
    form = document.get("f", EXACT_P2PKH if address[0] == 1 else EXACT_P2SH)
    return Utxo(bytes(document["_id"]), document["k"], address, document["v"], form)


# --- transactions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Input:
    """An input with what it spends."""

    outkey: int
    outpoint: bytes
    address: bytes  # NO_ADDRESS for none
    value: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output; ``script`` is empty for the exact forms, which follow from the address."""

    value: int
    address: bytes  # NO_ADDRESS for none
    form: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Shielded:
    """The shielded part of a transaction: zatoshi into and out of Sprout, the Sapling balance, counts."""

    sprout_in: int
    sprout_out: int
    value_balance: int
    joinsplits: int
    spends: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A stored transaction: everything but node confirmations."""

    key: int
    txid: bytes
    kind: int
    version: int
    size: int
    lock_time: int | None
    expiry_height: int | None
    fee: int | None
    coinbase: bytes | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    shielded: Shielded | None


def transaction_inputs(document: Document) -> Iterator[Input]:
    """The inputs of a stored transaction."""
    if "in_keys" in document:
        yield from map(
            Input,
            document["in_keys"],
            slices(document["in_points"], 36),
            slices(document["in_addresses"], 21),
            ints(document["in_values"], "q"),
        )


def transaction_outputs(document: Document) -> Iterator[Output]:
    """The outputs of a stored transaction."""
    values = ints(document.get("out_values", b""), "q")
    addresses = slices(document.get("out_addresses", b""), 21)
    forms = document.get("out_forms") or bytes(EXACT_P2PKH if a[0] == 1 else EXACT_P2SH for a in addresses)
    scripts = split_strings(document.get("out_scripts", b""))
    for value, address, form in zip(values, addresses, forms, strict=True):
        yield Output(value, address, form, next(scripts) if form > EXACT_P2SH else b"")


def transaction_row(document: Document) -> Transaction:
    """A stored transaction."""
    return _transaction(document["_id"], bytes(document["txid"]), document, transaction_inputs(document))


def _transaction(key: int, txid: bytes, document: Document, inputs: Iterator[Input]) -> Transaction:
    shielded = document.get("shielded")
    return Transaction(
        key,
        txid,
        document["kind"],
        document["version"],
        document["size"],
        document.get("lock"),
        document.get("expiry"),
        document.get("fee"),
        bytes(document["coinbase"]) if "coinbase" in document else None,
        tuple(inputs),
        tuple(transaction_outputs(document)),
        Shielded(*shielded) if shielded else None,
    )


# --- unconfirmed transactions -------------------------------------------------------------------------------

UNMINED = -1
"""The txkey and outkey of what is in no block."""


def unconfirmed_row(document: Document) -> Transaction:
    """A stored unconfirmed transaction; a node's ``node`` aside, it reads like a mined one."""
    points = map(bytes, document.get("spends", ()))
    addresses, values = slices(document.get("in_addresses", b""), 21), ints(document.get("in_values", b""), "q")
    inputs = (Input(UNMINED, *facts) for facts in zip(points, addresses, values, strict=True))
    return _transaction(UNMINED, bytes(document["_id"]), document, inputs)


def unconfirmed_confirm(document: Document) -> Confirm | None:
    """The confirmation in a stored unconfirmed transaction, or None."""
    node = document.get("node", {})
    if "benchmark_time" not in node:
        return None
    return Confirm(
        UNMINED, UNMINED, node["sig_time"], node["benchmark_time"], node["benchmark_tier"], node["update"],
        document["version"], bytes(node["ip"]), document["size"],
    )  # fmt: skip


# --- confirmations ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confirm:
    """A node confirmation; its txid needs the node's outpoint and is recomputed (``confirm_bytes``)."""

    node: int
    index: int
    sig_time: int
    benchmark_time: int
    benchmark_tier: int
    update: bool
    version: int
    ip: bytes
    size: int


def confirm_rows(document: Document) -> Iterator[Confirm]:
    """The confirmations of a stored block."""
    bits = document["bits"]
    ips = list(split_strings(document["ips"]))
    sizes = (
        ints(document["sizes"], "I")
        if "sizes" in document
        else tuple(CONFIRM_FIXED_SIZE + len(ip) + len(compact_size(len(ip))) for ip in ips)
    )
    columns = zip(
        document["nodes"], ints(document["index"], "H"), ints(document["sig_times"], "I"),
        ints(document["benchmark_times"], "I"), bits, ips, sizes, strict=True,
    )  # fmt: skip
    for node, index, sig_time, benchmark_time, bit, ip, size in columns:
        version = 6 if bit & 16 else 5
        yield Confirm(node, index, sig_time, benchmark_time, bit & 7, bool(bit & 8), version, ip, size)


def confirm_bytes(confirm: Confirm, outpoint: bytes) -> bytes:
    """The bytes that a confirmation's txid hashes: all but the signatures (``transaction.h: SerializationOp``)."""
    return b"".join(
        (
            confirm.version.to_bytes(4, "little"),
            b"\x04",
            outpoint[:32],
            outpoint[:31:-1],
            struct.pack("<IbI", confirm.sig_time, confirm.benchmark_tier, confirm.benchmark_time),
            bytes((confirm.update,)),
            compact_size(len(confirm.ip)),
            confirm.ip,
        )
    )


# --- nodes in the past --------------------------------------------------------------------------------------

EVENT_CODES = {
    Event.CONFIRM: 2,
    Event.DOS: 3,
    Event.EXPIRED: 4,
    Event.SPENT: 5,
    Event.REMOVED: 6,
    Event.RELEASED: 7,
    Event.IP_CHANGE: 8,
}
"""How ``node_events`` writes what happened; up to 7 it is the status that the node took."""

EVENTS = {code: event for event, code in EVENT_CODES.items()}


def start_change(document: Document) -> Change:
    """What a stored START did to the node lists."""
    return Change(txkey_height(document["_id"]), Event.START, document["node"], TIERS[document["tier"] - 1])


def event_change(document: Document) -> Change:
    """What a stored event did to the node lists."""
    event = EVENTS[document["event"]]
    return Change(eventkey_height(document["_id"]), event, document["node"], TIERS[document["tier"] - 1])


def payout_changes(document: Document) -> Iterator[Change]:
    """What the stored payouts of a block did to the node lists."""
    for tier, node in zip(document["tiers"], document["nodes"], strict=True):
        yield Change(document["_id"], Event.PAYOUT, node, TIERS[tier - 1])


def snapshot_lists(document: Document) -> PastLists:
    """A stored row of ``queue_snapshots``."""
    places = zip(ints(document["since"], "I"), ints(document["paid"], "I"), strict=True)
    entries = zip(ints(document["nodes"], "q"), places, strict=True)
    counted = zip(LISTS, document["counts"], strict=True)
    return PastLists(document["_id"], {name: dict(islice(entries, count)) for name, count in counted})


def is_odd(form: int) -> bool:
    """Whether an output of this form stores its script."""
    return form > EXACT_P2SH


def mempool_part(key: bytes) -> int:
    """The part of the mempool that an address key, or a txid in wire order, belongs to."""
    return zlib.crc32(key) % MEMPOOL_PARTS


def pack_u32(values: Sequence[int]) -> bytes:
    """A column of unsigned 32-bit integers."""
    return struct.pack(f"<{len(values)}I", *values)


def pack_i64(values: Sequence[int]) -> bytes:
    """A column of 64-bit integers."""
    return struct.pack(f"<{len(values)}q", *values)


@dataclass(frozen=True, slots=True)
class RichList:
    """The richest addresses after a block and their balances; for each power of ten, how many hold so much."""

    height: int
    hash: bytes
    addresses: tuple[bytes, ...]
    balances: tuple[int, ...]
    without: int
    powers: tuple[int, ...]
    counts: tuple[int, ...]
    sums: tuple[int, ...]

    @property
    def holders(self) -> int:
        """Addresses with a balance."""
        return sum(self.counts)


def rich_list_row(made: RichList) -> Document:
    """A list as stored."""
    return {
        "_id": made.height,
        "hash": made.hash,
        "addresses": b"".join(made.addresses),
        "balances": pack_i64(made.balances),
        "without": made.without,
        "powers": pack_i64(made.powers),
        "counts": pack_u32(made.counts),
        "sums": pack_i64(made.sums),
    }


def rich_list(document: Document) -> RichList:
    """A stored list."""
    return RichList(
        height=document["_id"],
        hash=bytes(document["hash"]),
        addresses=tuple(slices(document["addresses"], 21)),
        balances=ints(document["balances"], "q"),
        without=document["without"],
        powers=ints(document["powers"], "q"),
        counts=ints(document["counts"], "I"),
        sums=ints(document["sums"], "q"),
    )
