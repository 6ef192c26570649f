"""``show``: a block, a transaction, an address or a node as stored, with the schema's own words for each field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from indexer.chain.address import decode_address, encode_address
from indexer.chain.hashes import sha256d
from indexer.chain.keys import (
    NO_ADDRESS,
    eventkey_height,
    hash_text,
    outpoint_text,
    parse_hash,
    parse_outpoint,
    txkey,
    txkey_height,
    txkey_index,
)
from indexer.chain.nodes import Status
from indexer.chain.params import COIN, Network
from indexer.commands.database import readable
from indexer.config import Config
from indexer.errors import FluxError, Unavailable
from indexer.parse.columns import KIND_NAMES, NODE_CONFIRM
from indexer.store import schema
from indexer.store.base import Document, Store
from indexer.store.codec import EVENTS, confirm_bytes, confirm_rows, ledger_row, transaction_inputs, transaction_outputs
from indexer.store.grammar import Collection
from indexer.store.mongo import MongoStore

KINDS = ("block", "tx", "address", "node")
HISTORY = 20
NOT_FOUND = 1
TIERS = ("", "cumulus", "nimbus", "stratus")

Lines = Iterator[str]


def show(config: Config, kind: str, key: str) -> int:
    """Print what is stored under ``key``; 1 when nothing is."""
    finders: dict[str, Callable[[Store, Network, str], Lines]] = {
        "block": block,
        "tx": transaction,
        "address": address,
        "node": node,
    }
    with readable(config) as uri, closing(MongoStore(uri, config.database_name)) as store:
        found = list(finders[kind](store, config.network, key))
    print("\n".join(found) if found else f"there is no {kind} {key} in this index")
    return 0 if found else NOT_FOUND


def block(store: Store, network: Network, key: str) -> Lines:
    """A block by height or hash, and its payouts."""
    if key.isdecimal():
        rows = store.scan("blocks", int(key), int(key) + 1)
    else:
        rows = store.find("blocks", "hash", [_hash(key)])
    for row in rows:
        yield f"block {row['_id']:,}"
        yield from fields(schema.BLOCKS, row, network)
        for payouts in store.scan("payouts", row["_id"], row["_id"] + 1):
            yield from _payouts(payouts, network)


def transaction(store: Store, network: Network, key: str) -> Lines:
    """Every place at which a txid is in the chain, newest first."""
    indexes = store.meta("indexes") or {}
    if "txids.prefixes" not in indexes.get("ready", ()):
        raise Unavailable("the index of transaction ids is not built yet: see flux-explorer status, try again later")
    txid = _hash(key)
    prefix = int.from_bytes(txid[:4], "little", signed=True)
    heights = sorted((row["_id"] for row in store.find("txids", "prefixes", [prefix])), reverse=True)
    for height in heights:
        yield from _stored(store, network, txid, height)
        yield from _confirmed(store, network, txid, height)


def address(store: Store, network: Network, key: str) -> Lines:
    """An address: what its newest ledger rows say."""
    payload = decode_address(key, network)
    rows = store.scan("ledger", payload + bytes(4), payload + b"\xff\xff\xff\xff", descending=True)
    newest = [ledger_row(row) for row in islice(rows, HISTORY)]
    yield f"address {encode_address(payload, network)}"
    last = newest[0] if newest else None
    yield _line("balance", flux(last.balance if last else 0))
    yield _line("received", flux(last.received if last else 0))
    yield _line("transactions", f"{last.tx_count if last else 0:,}")
    yield _line("unspent", f"{last.utxo_count if last else 0:,} outputs")
    for row in newest:
        where = ", ".join(map(str, row.positions))
        yield _line(f"block {row.height:,}", f"balance {flux(row.balance)} (transactions at {where})")


def node(store: Store, network: Network, key: str) -> Lines:
    """A node by its collateral: its record, its STARTs, and the newest of what befell it."""
    outpoint = parse_outpoint(key)
    if outpoint is None:
        raise FluxError(f"{key!r} is no outpoint: expected <txid>:<n>")
    for row in store.find("nodes", "outpoint", [outpoint]):
        yield f"node {outpoint_text(outpoint)}"
        yield _line("first start", text("txkey", row["_id"], network))
        named = {"status": Status(row["status"]).label, "tier": TIERS[row["tier"]]}
        yield from fields(schema.NODES, {**row, **named}, network)
        for delegate in row["delegates"]:
            yield _line("delegate", bytes(delegate).hex())
        for start in sorted(store.find("node_starts", "node", [row["_id"]]), key=itemgetter("_id"), reverse=True):
            yield _line("start", f"{text('txkey', start['_id'], network)}, signed {seconds(start['sig_time'])}")
        events = sorted(store.find("node_events", "node", [row["_id"]]), key=itemgetter("_id"), reverse=True)
        for event in events[:HISTORY]:
            yield _line(f"block {eventkey_height(event['_id']):,}", _befell(event))


def _befell(event: Document) -> str:
    former = f", before {event['former']}" if event.get("former") else ""
    return f"{EVENTS[event['event']].value} {event.get('ip', '')}".rstrip() + former


def _stored(store: Store, network: Network, txid: bytes, height: int) -> Lines:
    for row in store.scan("transactions", txkey(height, 0), txkey(height + 1, 0)):
        if bytes(row["txid"]) == txid:
            yield f"{KIND_NAMES[row['kind']]} at {txkey_index(row['_id'])} in block {height:,}"
            yield from fields(schema.TRANSACTIONS, row, network)
            for spent in transaction_inputs(row):
                whose = _owner(spent.address, network)
                yield _line("input", f"{outpoint_text(spent.outpoint)} {whose} {flux(spent.value)}")
            for number, output in enumerate(transaction_outputs(row)):
                yield _line(f"output {number}", f"{_owner(output.address, network)} {flux(output.value)}")
            for start in store.find("node_starts", "_id", [row["_id"]]):
                yield from fields(schema.NODE_STARTS, start, network)


def _confirmed(store: Store, network: Network, txid: bytes, height: int) -> Lines:
    for row in store.scan("node_confirms", height, height + 1):
        outpoints = {n["_id"]: bytes(n["outpoint"]) for n in store.find("nodes", "_id", row["nodes"])}
        for confirm in confirm_rows(row):
            outpoint = outpoints[confirm.node]
            if sha256d(confirm_bytes(confirm, outpoint)) == txid:
                yield f"{KIND_NAMES[NODE_CONFIRM]} at {confirm.index} in block {height:,}"
                yield _line("node", outpoint_text(outpoint))
                yield _line("tier", TIERS[confirm.benchmark_tier])
                yield _line("ip", confirm.ip.decode("latin-1"))
                yield _line("signed", seconds(confirm.sig_time))
                yield _line("size", f"{confirm.size} bytes")


def _payouts(row: Document, network: Network) -> Lines:
    columns = (row[name] for name in ("tiers", "payees", "amounts", "vouts"))
    for tier, payee, amount, vout in zip(*columns, strict=True):
        paid = "not paid" if vout < 0 else f"paid by output {vout}"
        yield _line(f"to {TIERS[tier]}", f"{encode_address(bytes(payee), network)} {flux(amount)} {paid}")


def fields(collection: Collection, row: Document, network: Network) -> Lines:
    """The plain fields of a stored row, by the schema's types; packed columns are left to the caller."""
    for field in collection.fields:
        kind = field.type.rstrip("?")
        if field.name in row and kind[-1] not in "*]":
            yield _line(field.name, text(kind, row[field.name], network))


def text(kind: str, value: Any, network: Network) -> str:
    """A value of a schema type in words."""
    writers: dict[str, Callable[[Any], str]] = {
        "hash": lambda v: hash_text(bytes(v)),
        "zatoshi": flux,
        "seconds": seconds,
        "size": lambda v: f"{v:,} bytes",
        "bytes": lambda v: bytes(v).hex(),
        "address": lambda v: encode_address(bytes(v), network),
        "outpoint": lambda v: outpoint_text(bytes(v)),
        "txkey": lambda v: f"at {txkey_index(v)} in block {txkey_height(v):,}",
    }
    return writers.get(kind, str)(value)


def flux(zatoshi: int) -> str:
    """An amount in FLUX with its 8 decimals."""
    whole, rest = divmod(abs(zatoshi), COIN)
    return f"{'-' if zatoshi < 0 else ''}{whole:,}.{rest:08d} FLUX"


def seconds(unix: int) -> str:
    """A Unix time, and the same in UTC."""
    return f"{unix} ({datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S} UTC)"


def _owner(payload: bytes, network: Network) -> str:
    return "no address" if payload == NO_ADDRESS else encode_address(payload, network)


def _hash(key: str) -> bytes:
    try:
        return parse_hash(key)
    except ValueError as error:
        raise FluxError(f"{key!r} is neither a height nor 64 hexadecimal digits") from error


def _line(name: str, value: str) -> str:
    return f"  {name:<20} {value}"
